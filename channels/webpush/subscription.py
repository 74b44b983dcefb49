"""A browser's subscription as an address: where it is reached, its own keys, and the school's key that it was given.

All of it comes from outside: any program that has a private link may send it. So each part has one spelling and a
bound, the point lies on the curve, and the host is a push service that is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn
from urllib.parse import urlsplit

from broker.errors import Problem, RuleBroken
from broker.loopback import is_loopback
from channels.webpush.settings import SERVICES, unpadded

LONGEST_ENDPOINT = 1_000  # characters; Edge's have 600
POINT_BYTES, AUTH_BYTES = 65, 16  # RFC 8291 §3: an uncompressed point of P-256, and the secret beside it


class BadSubscription(RuleBroken):
    """Raised when what a browser sends is no subscription that anything can be sent to."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """One browser's, in parts; `school_key` is the public key that it was subscribed under."""

    endpoint: str = field(repr=False)
    p256dh: str = field(repr=False)
    auth: str = field(repr=False)
    school_key: str

    @property
    def origin(self) -> str:
        """Of its push service: what a signature is made for."""
        parts = urlsplit(self.endpoint)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def path(self) -> str:
        """What follows the origin and its slash."""
        return self.endpoint.removeprefix(self.origin).removeprefix("/")

    @property
    def host(self) -> str:
        """Of its push service."""
        return urlsplit(self.endpoint).hostname or ""

    @property
    def port(self) -> int:
        """Where that listens."""
        return urlsplit(self.endpoint).port or 443

    def as_address(self) -> str:
        """As the ledger keeps it."""
        return " ".join((self.endpoint, self.p256dh, self.auth, self.school_key))


def of_address(value: str) -> Subscription | None:
    """The other way; None for what was never one."""
    parts = value.split(" ")
    return Subscription(*parts) if len(parts) == 4 else None


def of_browser(
    told: Mapping[str, Any], school_key: str, services: tuple[str, ...] = (), *, sandbox: bool = False
) -> Subscription:
    """What `PushSubscription.toJSON()` gives, checked. Raises BadSubscription."""
    endpoint, keys = told.get("endpoint"), told.get("keys")
    if not isinstance(endpoint, str) or not isinstance(keys, Mapping):
        _refuse("not_a_subscription", "this is no subscription of a browser's")
    p256dh, auth = _word(keys, "p256dh", POINT_BYTES), _word(keys, "auth", AUTH_BYTES)
    _must_lie_on_the_curve(p256dh)
    _must_be_known(endpoint, (*SERVICES, *services), sandbox=sandbox)
    return Subscription(endpoint, p256dh, auth, school_key)


def _word(keys: Mapping[str, Any], name: str, length: int) -> str:
    word = keys.get(name)
    raw = unpadded(word) if isinstance(word, str) and len(word) <= 2 * length else None
    if not isinstance(word, str) or raw is None or len(raw) != length:
        _refuse("bad_keys", "the keys of this subscription cannot be used")
    return word


def _must_lie_on_the_curve(p256dh: str) -> None:
    # Here, for no command but one that meets a browser needs it.
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), unpadded(p256dh) or b"")
    except ValueError:
        _refuse("bad_keys", "the keys of this subscription cannot be used")


def _must_be_known(endpoint: str, services: tuple[str, ...], *, sandbox: bool) -> None:
    if (
        len(endpoint) > LONGEST_ENDPOINT
        or not endpoint.isascii()
        or not endpoint.isprintable()
        or " " in endpoint
    ):
        _refuse("bad_endpoint", "the address of this subscription cannot be used")
    parts = urlsplit(endpoint)
    try:
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        _refuse("bad_endpoint", "the address of this subscription cannot be used")
    if "@" in parts.netloc or parts.fragment or not parts.path.strip("/"):
        _refuse("bad_endpoint", "the address of this subscription cannot be used")
    if sandbox:
        if not is_loopback(host):
            _refuse("not_loopback", "in sandbox mode a stand-in on this machine is told and nobody else")
        return
    if parts.scheme != "https" or port not in {None, 443}:
        _refuse("bad_endpoint", "the address of this subscription cannot be used")
    if not any(host == known or host.endswith(f".{known}") for known in services):
        _refuse("unknown_service", "the push service of this browser is not one that the school knows")


def _refuse(code: str, message: str) -> NoReturn:
    raise BadSubscription(Problem(code, "subscription", message, "open the page in another browser"))
