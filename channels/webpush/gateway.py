"""Push services, by RFC 8030: one POST for each browser, encrypted for it alone (RFC 8291), signed (RFC 8292).

Encrypting and signing are pywebpush's and py_vapid's. The request is ours: theirs has no deadline for a whole answer,
no bound, and connects to whatever a name means at that moment.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import threading
import time
from collections.abc import AsyncIterable, AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02
from pywebpush import WebPusher

from broker.channel import Item, Key, MayStart, Outcome, Receipt
from broker.errors import AccountRejected, AddressRejected, Uncertain
from broker.hands import work_through
from broker.outward import Reach
from channels.calling import Caller
from channels.webpush import codes
from channels.webpush.settings import Settings, padless, unpadded
from channels.webpush.subscription import Subscription, of_address

HANDS = 8
SIGNED_FOR = timedelta(hours=12)  # RFC 8292 §2 allows a day; clocks differ
SIGNED_ANEW = timedelta(hours=1)
LONGEST_KEPT = timedelta(days=28)  # Google's service refuses more
KEPT = timedelta(days=1)  # where nobody says until when
MOST_LINES = 64  # push services that are kept a line to; there are a handful


class Gateway:
    """Every push service, spoken to with one key pair."""

    def __init__(self, settings: Settings, timeout: timedelta, *, sandbox: bool) -> None:
        raw = unpadded(settings.key.get_secret_value()) or b""
        private = ec.derive_private_key(int.from_bytes(raw, "big"), ec.SECP256R1())
        # Not strict: what a contact may be, its settings say; the library refuses pages with a path.
        self._vapid = Vapid02(private, conf={"no-strict": True})
        self.public_key = padless(
            private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        )
        self._contact = settings.contact
        self._timeout = timeout
        self._reach = Reach(here=sandbox)
        self._lines: dict[str, Caller] = {}
        self._signed: dict[str, tuple[float, str]] = {}
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(HANDS, thread_name_prefix="webpush")

    def send(self, item: Item) -> Receipt:
        """Exactly one try."""
        to = of_address(item.to.address)
        if to is None:
            raise AddressRejected("it is no subscription", code="not_a_subscription", opt_out=True)
        if to.school_key != self.public_key:
            raise codes.old_key()
        sealed = encrypted(to, item.message.fields["body"].encode("utf-8", "replace"))
        try:
            answer = self._line(to.origin).ask("POST", to.path, body=sealed, headers=self._headers(to, item))
        except AccountRejected as judged:
            # A line leads inward: that is this browser's fault, and none of the account's.
            raise (codes.inward() if judged.code == codes.PRIVATE else judged) from None
        if not answer.ok:
            raise codes.failure(answer.status, answer.headers, answer.body)
        if answer.is_page:
            raise Uncertain("a page for people came in place of an answer", code="page")
        return Receipt(named(answer.headers.get("Location", ""), item.key))

    async def send_many(
        self, items: AsyncIterable[Item], *, may_start: MayStart
    ) -> AsyncIterator[tuple[Key, Outcome]]:
        """Several at once, on threads of its own."""

        async def one(item: Item) -> Receipt:
            return await asyncio.get_running_loop().run_in_executor(self._pool, self.send, item)

        async with aclosing(work_through(items, one, hands=HANDS, may_start=may_start)) as outcomes:
            async for outcome in outcomes:
                yield outcome

    def _headers(self, to: Subscription, item: Item) -> dict[str, str]:
        fields = item.message.fields
        told = {
            "Authorization": self._signature(to.origin),
            "Content-Type": "application/octet-stream",
            "Content-Encoding": "aes128gcm",
            "TTL": str(_kept(fields["expires_at"], datetime.now(UTC))),
            "Urgency": "high" if fields["urgent"] else "normal",
        }
        if fields["about"]:
            told["Topic"] = topic_of(fields["about"])
        return told

    def _signature(self, origin: str) -> str:
        now = time.monotonic()
        with self._lock:
            at, known = self._signed.get(origin, (0.0, ""))
            if known and now - at < SIGNED_ANEW.total_seconds():
                return known
            claims = {
                "aud": origin,
                "sub": self._contact,
                "exp": int(time.time() + SIGNED_FOR.total_seconds()),
            }
            signature: str = self._vapid.sign(claims)["Authorization"]
            if len(self._signed) >= MOST_LINES:
                self._signed.clear()
            self._signed[origin] = now, signature
            return signature

    def _line(self, origin: str) -> Caller:
        with self._lock:
            line = self._lines.get(origin)
            if line is None:
                if len(self._lines) >= MOST_LINES:
                    self._lines.clear()
                line = Caller(origin, self._timeout, "the push service", reach=self._reach)
                self._lines[origin] = line
            return line

    def close(self) -> None:
        """Let go of connections; safe to call twice."""
        self._pool.shutdown(wait=False)
        with self._lock:
            for line in self._lines.values():
                line.close()
            self._lines.clear()

    def __repr__(self) -> str:
        return "<Gateway to push services>"


def encrypted(to: Subscription, body: bytes) -> bytes:
    """What only that browser can read."""
    told = {"endpoint": to.endpoint, "keys": {"p256dh": to.p256dh, "auth": to.auth}}
    sealed: bytes = WebPusher(told).encode(body, content_encoding="aes128gcm")["body"]
    return sealed


def topic_of(about: str) -> str:
    """The name under which a push service keeps one of several that it could not deliver yet (RFC 8030 §5.4)."""
    return base64.urlsafe_b64encode(hashlib.sha256(about.encode()).digest()).decode()[:32]


def named(location: str, key: Key) -> str:
    """What a notification is called here: a digest, for where its service keeps it is as secret as the subscription."""
    about = location or f"{key.delivery} {key.attempt}"
    return f"push_{hashlib.sha256(about.encode('utf-8', 'replace')).hexdigest()[:40]}"


def _kept(expires_at: datetime | None, now: datetime) -> int:
    """For how many seconds a service tries; 0 is now or never."""
    left = KEPT if expires_at is None else expires_at - now
    return max(0, int(min(left, LONGEST_KEPT).total_seconds()))
