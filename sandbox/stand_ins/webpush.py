"""A stand-in for a browser's push service, and for the browsers behind it, who read what comes.

After RFC 8030 (the request and its headers), RFC 8292 (who may push: a signed token under the key that the browser was
given) and RFC 8291 (only the browser can read it). Each browser is a name: its keys are made of that, so that nothing
has to be kept. A second notification under the same Topic takes the place of the first.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import struct
import time
from typing import Any, cast

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sandbox.faults import FaultBook, Order
from sandbox.http import Exchange, Request
from sandbox.truth import TruthLog
from sandbox.web_api import Answer, Then, WebApi, kinds

KEY = (
    "c2FuZGJveC13ZWJwdXNoLXByaXZhdGUta2V5LTAwMDE"  # a private key of 32 bytes: pretended, like all else here
)
CONTACT = "mailto:office@stcecilias.example.org"
MOST_BYTES = 4096  # RFC 8030 §7.2
DAY_S = 24 * 3600
REFUSALS: dict[str, tuple[Answer, str]] = {
    "400": ((400, {"error": "BadRequest"}), "Cannot be taken"),
    "401": ((401, {"errno": 109, "error": "Unauthorized"}), "Signature not accepted"),
    "403": (
        (403, {"error": "the key is not the one subscribed under"}),
        "Another key than the browser was given",
    ),
    "403-token": ((403, {"reason": "BadJwtToken"}), "Signature not accepted, as Apple says it"),
    "404": ((404, {"errno": 102, "error": "Not Found"}), "No such subscription"),
    "410": ((410, {"errno": 106, "error": "Gone"}), "The subscription is gone"),
    "413": ((413, {"errno": 104, "error": "Payload Too Large"}), "Too long"),
    "429": ((429, {"errno": 200, "error": "Too Many Requests"}), "Too many requests until a second from now"),
    "302": ((302, {}), "Led on to another address of this stand-in"),
    "503": ((503, {"errno": 201, "error": "Service Unavailable"}), "Service unavailable"),
}
ANSWERS = {name: answer for name, (answer, _) in REFUSALS.items()}
KINDS = kinds(("push",), {name: does for name, (_, does) in REFUSALS.items()})
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}")


class WebPushStandIn(WebApi):
    """Every browser at /webpush/push/<name>."""

    name = channel = "webpush"
    refusals = ANSWERS

    def __init__(self, truth: TruthLog, faults: FaultBook) -> None:
        super().__init__(truth, faults)
        self.shown: set[str] = set()
        self._for = ""  # whose turn it is

    def _pick(self, group: str, stage: str, to: str = "") -> Order | None:
        """Faults may be ordered for one browser: `to=<its name>`."""
        return super()._pick(group, stage, to or self._for)

    def asked_for(self, request: Request, path: str) -> tuple[str, str]:
        """One door for each browser."""
        door, _, about = path.partition("/")
        return ("push", about) if (request.method, door) == ("POST", "push") and about else ("", "")

    def signed(self, request: Request) -> bool:
        """By the key that browsers were given, for this origin, and not for longer than a day."""
        scheme, _, told = request.headers.get("authorization", "").partition(" ")
        parts = dict(part.partition("=")[::2] for part in told.split(","))
        if scheme.lower() != "vapid" or parts.get("k") != public_key():
            return False
        claims = _verified(parts.get("t", ""))
        now = time.time()
        return (
            claims.get("aud") == _origin(request)
            and now < _number(claims.get("exp")) <= now + DAY_S
            and str(claims.get("sub", "")).startswith(("mailto:", "https:"))
        )

    def unsigned(self) -> Answer:
        """As its own refusal has it."""
        return self.refusals["401"]

    def headers(self, fault: Order | None) -> dict[str, str]:
        """When to come back, and where it leads on to."""
        match fault.kind if fault is not None else "":
            case "429" | "503":
                return {"Retry-After": "1"}
            case "302":
                return {"Location": "/webpush/push/elsewhere"}
        return {}

    def handle(self, request: Request, exchange: Exchange) -> None:
        """Answer one request, and say where what was taken lies."""
        self._for = about = request.path.rpartition("/")[2]
        under = f"{about} {request.headers.get('topic') or time.time_ns()}"
        request.headers["x-kept-as"] = hashlib.sha256(under.encode()).hexdigest()[:32]
        super().handle(request, cast(Exchange, _Telling(exchange, _location(request))))

    def act(self, stage: str, about: str, request: Request, then: Then) -> None:
        """Take it for that browser, which reads it at once."""
        asked = request.headers
        if not asked.get("ttl", "").isdigit() or asked.get("content-encoding") != "aes128gcm":
            return then(self.refusals["400"])
        topic = asked.get("topic", "")
        if topic and not _TOPIC.fullmatch(topic):
            return then(self.refusals["400"])
        if asked.get("urgency", "normal") not in {"very-low", "low", "normal", "high"}:
            return then(self.refusals["400"])
        if len(request.body) > MOST_BYTES:
            return then(self.refusals["413"])
        try:
            body = opened(about, request.body).decode()
        except (ValueError, InvalidTag, struct.error):
            return then(self.refusals["400"])
        return self._keep(about, topic, body, request, then)

    def _keep(self, about: str, topic: str, body: str, request: Request, then: Then) -> None:
        name = f"push_{hashlib.sha256(_location(request).encode()).hexdigest()[:40]}"
        if name in self.shown:
            return then((201, {}))
        self.shown.add(name)
        kept = {"ttl": request.headers["ttl"], "urgency": request.headers.get("urgency", ""), "topic": topic}
        to = address(f"{_origin(request)}/webpush", about)
        return self.accept(
            body, lambda entry: then((201, {}) if entry else self.broken), id=name, to=to, headers=kept
        )


def open(truth: TruthLog, faults: FaultBook) -> WebApi:  # noqa: A001 - a stand-in is opened, by this name
    """The stand-in of one sandbox."""
    return WebPushStandIn(truth, faults)


def account(url: str) -> dict[str, object]:
    """An account whose browsers subscribe here."""
    return {"channel": "webpush", "key": KEY, "contact": CONTACT}


def subscription(url: str, browser: str) -> dict[str, Any]:
    """What that browser's `PushSubscription.toJSON()` gives."""
    return {
        "endpoint": f"{url}/push/{browser}",
        "expirationTime": None,
        "keys": {"p256dh": _word(_point(_private(browser))), "auth": _word(_auth(browser))},
    }


def address(url: str, browser: str) -> str:
    """The same as the ledger keeps it."""
    told = subscription(url, browser)
    return " ".join((told["endpoint"], told["keys"]["p256dh"], told["keys"]["auth"], public_key()))


def public_key() -> str:
    """Under which every browser here subscribed."""
    number = int.from_bytes(_bytes(KEY), "big")
    return _word(_point(ec.derive_private_key(number, ec.SECP256R1())))


def opened(browser: str, sealed: bytes) -> bytes:
    """What only that browser can read (RFC 8188, RFC 8291). Raises ValueError, InvalidTag, struct.error."""
    private = _private(browser)
    salt, length = sealed[:16], sealed[20]
    sender = sealed[21 : 21 + length]
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
    shared = private.exchange(ec.ECDH(), theirs)
    about = b"WebPush: info\x00" + _point(private) + sender
    secret = _derived(_auth(browser), about, 32, shared)
    key = _derived(salt, b"Content-Encoding: aes128gcm\x00", 16, secret)
    nonce = _derived(salt, b"Content-Encoding: nonce\x00", 12, secret)
    padded = AESGCM(key).decrypt(nonce, sealed[21 + length :], None).rstrip(b"\x00")
    if not padded.endswith(b"\x02"):
        raise ValueError("it is not the last record")
    return padded[:-1]


def _derived(salt: bytes, info: bytes, length: int, secret: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(secret)


def _verified(token: str) -> dict[str, Any]:
    """The claims of a token whose signature holds, none of another's."""
    said, _, signature = token.rpartition(".")
    try:
        raw = _bytes(signature)
        halves = (int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _bytes(public_key()))
        key.verify(encode_dss_signature(*halves), said.encode(), ec.ECDSA(hashes.SHA256()))
        claims = json.loads(_bytes(said.partition(".")[2]))
    except (ValueError, InvalidSignature):
        return {}
    return claims if isinstance(claims, dict) else {}


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


class _Telling:
    """An exchange whose 201 says where it lies."""

    def __init__(self, exchange: Exchange, location: str) -> None:
        self._exchange, self._location = exchange, location

    def answer(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        more = {"Location": self._location} if status == 201 else {}
        self._exchange.answer(status, body, {**(headers or {}), **more})

    def __getattr__(self, name: str) -> Any:
        return getattr(self._exchange, name)


def _location(request: Request) -> str:
    return f"{_origin(request)}/webpush/message/{request.headers['x-kept-as']}"


def _origin(request: Request) -> str:
    return f"http://{request.headers.get('host', '')}"


def _private(browser: str) -> ec.EllipticCurvePrivateKey:
    number = int.from_bytes(hashlib.sha256(f"browser {browser}".encode()).digest(), "big") >> 1
    return ec.derive_private_key(number, ec.SECP256R1())


def _auth(browser: str) -> bytes:
    return hashlib.sha256(f"auth {browser}".encode()).digest()[:16]


def _point(private: ec.EllipticCurvePrivateKey) -> bytes:
    return private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _word(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(word: str) -> bytes:
    return base64.urlsafe_b64decode(word + "=" * (-len(word) % 4))
