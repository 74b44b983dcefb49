"""How a message to a program elsewhere is signed: the form of https://www.standardwebhooks.com, all of it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

PREFIX = "whsec_"
LEAST, MOST = 24, 64  # bytes of a key
CONTENT = "application/json"


def secret_of(key: bytes) -> str:
    """A key as people hand it on."""
    return PREFIX + base64.b64encode(key).decode()


def key_of(secret: str) -> bytes:
    """The key in a secret. Raises ValueError for what is none, without quoting it."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or not LEAST <= len(key) <= MOST:
        raise ValueError(f"it is {PREFIX} and {LEAST} to {MOST} bytes in base64")
    return key


def signed(id_: str, at: datetime, body: bytes, keys: Sequence[bytes]) -> dict[str, str]:
    """The headers of one message: its id, its time, and a signature over both and the body with each key.

    Several keys while the receiver learns a new one: the newest first.
    """
    moment = str(int(at.timestamp()))
    content = f"{id_}.{moment}.".encode() + body
    signatures = (base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode() for key in keys)
    return {
        "Content-Type": CONTENT,
        "webhook-id": id_,
        "webhook-timestamp": moment,
        "webhook-signature": " ".join(f"v1,{each}" for each in signatures),
    }
