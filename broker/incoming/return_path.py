"""A return path for each attempt, `bounces+1234567-9f86d081…@school.example`: a report says what it is about.

It is the attempt's own token (`Key.token`) in another spelling, for mail servers that fold capitals: its number and the
signature as hexadecimal. A local part holds 64 octets (RFC 5321 §4.5.3.1.1), which bounds the mailbox's name.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error

LONGEST_LOCAL = 64
# Characters before the +: what is left beside 19 digits, a hyphen and 32 hexadecimal ones.
LONGEST_MAILBOX = 12
_TOKEN = re.compile(r"[^@+\s]{1,64}\+(\d{1,19})-([0-9a-f]{32})@[^@\s]{1,255}", re.ASCII)


def return_path(mailbox: str, token: str) -> str:
    """The envelope's sender for the attempt of this token; `mailbox` itself where there is no token to carry."""
    body, _, mac = token.partition(".")
    local, _, domain = mailbox.rpartition("@")
    try:
        attempt = urlsafe_b64decode(_padded(body)).decode("ascii")
        signature = urlsafe_b64decode(_padded(mac)).hex()
    except (Error, ValueError):
        return mailbox
    signed = f"{local}+{attempt}-{signature}"
    return f"{signed}@{domain}" if attempt and signature and len(signed) <= LONGEST_LOCAL else mailbox


def token_in(address: str) -> str:
    """The token that a return path carries, for a signer to judge; "" where it carries none."""
    found = _TOKEN.fullmatch(address.strip().strip("<>").casefold()) if len(address) <= 400 else None
    if found is None:
        return ""
    return f"{_unpadded(found[1].encode())}.{_unpadded(bytes.fromhex(found[2]))}"


def _padded(text: str) -> str:
    return text + "=" * (-len(text) % 4)


def _unpadded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
