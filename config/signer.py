"""What signs for the school: one secret, a key of its own for every purpose, so that no token serves for another."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import stat
from pathlib import Path

from broker.address import AddressKind
from broker.errors import MissingSetting, Problem
from config.faults import name_of

MAC_BYTES = 16  # 128 bits: a token stands in addresses and Message-IDs, where length costs
LONGEST_TOKEN = 1024
KEY_FILE = "secret.key"


class HmacSigner:
    """HMAC-SHA256 under keys derived per purpose. Implements broker.ports.Signer."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._keys: dict[str, bytes] = {}  # purposes are named by our own code, and few
        self._address_key = self._key("hash-address")

    def sign(self, purpose: str, value: str) -> str:
        """`value` and its signature, in characters that are safe in an address (URL) and in a Message-ID."""
        body = value.encode()
        return f"{_text(body)}.{_text(self._mac(purpose, body))}"

    def verify(self, purpose: str, token: str) -> str | None:
        """The value, or None when the signature does not hold; constant time."""
        if len(token) > LONGEST_TOKEN:
            return None
        body = token.partition(".")[0]
        try:
            value = _bytes(body)
            # As text, for base64 has several spellings of one value, and a token has one.
            right = f"{_text(value)}.{_text(self._mac(purpose, value))}"
            held = hmac.compare_digest(token.encode(errors="replace"), right.encode())
            return value.decode() if held else None
        except (binascii.Error, ValueError):
            return None

    def hash_address(self, kind: AddressKind, normalised: str) -> bytes:
        """32 bytes that find an address again without keeping it."""
        return hmac.digest(self._address_key, f"{kind.value}:{normalised}".encode(), hashlib.sha256)

    def key_for(self, purpose: str) -> bytes:
        """A key of its own for what seals and checks under the same secret."""
        return self._derived(purpose)

    def _key(self, purpose: str) -> bytes:
        key = self._keys.get(purpose)
        if key is None:
            key = self._keys[purpose] = self._derived(purpose)
        return key

    def _derived(self, purpose: str) -> bytes:
        return hmac.digest(self._secret, f"carillon/1/{purpose}".encode(), hashlib.sha256)

    def _mac(self, purpose: str, body: bytes) -> bytes:
        return hmac.digest(self._key(f"sign/{purpose}"), body, hashlib.sha256)[:MAC_BYTES]


def key_in(folder: Path) -> bytes:
    """The school's secret in `folder`, made on first use with mode 0600. Two processes at once agree on one."""
    path = folder / KEY_FILE
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _make(path)
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise _unfit(path, "can be read by others", f"chmod 600 {path}")
        key = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise _unfit(
            path, "cannot be read or made", "give the folder to the user that Carillon runs as"
        ) from None
    if len(key) < 32:
        raise _unfit(path, "is damaged", "restore it from a backup: opt-outs and links depend on it")
    return key.encode()


def _make(path: Path) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # unlike rename, it never replaces a key that somebody made meanwhile
        except FileExistsError:
            return
    finally:
        draft.unlink()


def _unfit(path: Path, message: str, hint: str) -> MissingSetting:
    return MissingSetting(
        Problem("secret_key_file", name_of(("secret_key",)), f"the file {path} {message}", hint)
    )


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    if not text.isascii():
        raise ValueError("not a token")
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
