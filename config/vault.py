"""Passwords by Argon2id, time-based codes (RFC 6238), and what is sealed under the school's secret key."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cached_property

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from broker.errors import Problem, TooManyTries
from broker.ports import Ports
from config.signer import HmacSigner

STEP = timedelta(seconds=30)
DRIFT = 1  # steps that a telephone's clock may be wrong, either way (RFC 6238 §5.2)
NONCE = 12
AT_ONCE = 2  # passwords hashed at once: each takes 64 MiB and 50 ms of all processors
# And so many wait for it; of a flood the rest is turned away, and other pages keep their threads.
IN_LINE = 16


class SecretVault:
    """Implements broker.ports.Vault. One for a process; threads share it."""

    def __init__(self, secret: bytes, *, hasher: PasswordHasher | None = None) -> None:
        self._secret = secret
        self._hasher = hasher or PasswordHasher()  # RFC 9106, the second recommended choice
        self._turn = threading.BoundedSemaphore(AT_ONCE)
        self._counting = threading.Lock()
        self.in_line = 0  # being hashed, and waiting for it

    @cached_property
    def _nobody(self) -> str:
        return self._hasher.hash(secrets.token_urlsafe(16))

    def hash_password(self, password: str) -> str:
        """What is kept of it."""
        with self._one_of_few():
            return self._hasher.hash(password)

    def holds(self, hashed: str | None, password: str) -> bool:
        """Whether this is the password; as much work for nobody's."""
        with self._one_of_few():
            try:
                self._hasher.verify(hashed or self._nobody, password)
            except (Argon2Error, InvalidHashError):
                return False
        return hashed is not None

    @contextmanager
    def _one_of_few(self) -> Iterator[None]:
        with self._counting:
            if self.in_line >= AT_ONCE + IN_LINE:
                message = "many are signing in just now"
                raise TooManyTries(Problem("too_many_tries", "", message, "wait a moment, then try again"))
            self.in_line += 1
        try:
            with self._turn:
                yield
        finally:
            with self._counting:
                self.in_line -= 1

    def is_dated(self, hashed: str) -> bool:
        """Whether it was hashed with other parameters than now."""
        return self._hasher.check_needs_rehash(hashed)

    def seal(self, purpose: str, secret: str) -> bytes:
        """AES-GCM, the purpose authenticated with it."""
        nonce = secrets.token_bytes(NONCE)
        return nonce + AESGCM(self._key("seal")).encrypt(nonce, secret.encode(), purpose.encode())

    def unseal(self, purpose: str, sealed: bytes) -> str | None:
        """What was sealed, or None."""
        try:
            opened = AESGCM(self._key("seal")).decrypt(sealed[:NONCE], sealed[NONCE:], purpose.encode())
            return opened.decode()
        except (InvalidTag, ValueError):
            return None

    def digest(self, purpose: str, value: str) -> bytes:
        """HMAC-SHA256 under a key of its own."""
        return hmac.digest(self._key(f"digest/{purpose}"), value.encode(), hashlib.sha256)

    def new_second(self) -> str:
        """160 random bits, as RFC 4226 asks for."""
        return pyotp.random_base32()

    def step_of(self, second: str, code: str, now: datetime, *, after: int) -> int | None:
        """The step whose code this is."""
        if not (code.isascii() and code.isdigit() and len(code) == 6):
            return None
        totp = pyotp.TOTP(second)
        here = int(now.timestamp()) // int(STEP.total_seconds())
        found = None
        for step in range(here - DRIFT, here + DRIFT + 1):
            if hmac.compare_digest(totp.generate_otp(step), code) and step > after:
                found = step
        return found

    def address_of(self, second: str, operator: str, school: str) -> str:
        """otpauth://totp/…"""
        return pyotp.TOTP(second).provisioning_uri(name=operator, issuer_name=school)

    def _key(self, purpose: str) -> bytes:
        return hmac.digest(self._secret, f"carillon/1/vault/{purpose}".encode(), hashlib.sha256)


def vault_of(ports: Ports) -> SecretVault:
    """The vault under a process's own secret."""
    assert isinstance(ports.signer, HmacSigner)  # noqa: S101 - the assembly makes no other
    return SecretVault(ports.signer.key_for("vault"))
