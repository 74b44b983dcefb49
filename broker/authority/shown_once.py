"""Secrets that are shown once: the ledger keeps their digests alone, so whoever reads it opens nothing with them."""

from __future__ import annotations

import hashlib
import re

SECRET = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)  # 32 bytes in base64url: anything else is refused unread


def digest(secret: str) -> bytes:
    """What the ledger keeps of one. A single round suffices: nobody guesses 238 random bits, or 256."""
    return hashlib.sha256(secret.encode()).digest()
