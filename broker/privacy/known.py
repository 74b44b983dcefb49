"""What another system calls something, kept as a keyed digest: told again it is known, and nobody can read it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection

from broker.ports import Signer

MARK = "known~"


def known_hash(signer: Signer, kind: str, value: str) -> bytes:
    """32 bytes that find the value again."""
    return hashlib.sha256(signer.sign(f"known {kind}", value).encode()).digest()


def known_as(signer: Signer, kind: str, value: str) -> str:
    """What the ledger keeps instead of the value."""
    return MARK + known_hash(signer, kind, value).hex()


def known_again(signer: Signer, kind: str, value: str, kept: Collection[str]) -> str:
    """The value as the ledger has it: its digest where that is kept, else itself. `kept`: the digests there are."""
    return digest if kept and (digest := known_as(signer, kind, value)) in kept else value
