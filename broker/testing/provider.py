"""A provider and a channel in memory, with a life of their own: they accept, keep the truth, and fail."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from broker.address import AddressKind
from broker.announcement import Attachment, Content
from broker.capabilities import Confirmation, PastAttempt, SignatureInvalid
from broker.channel import Item, Key, MayStart, Message, Outcome, Receipt, Recipient, Surroundings, Traits
from broker.delivery import Evidence
from broker.errors import Problem, RateLimited, Unreachable
from broker.hands import work_through
from broker.naming import fill
from broker.policy import Policy
from broker.retry import RetryPolicy
from broker.testing.channel_bench import ACCEPTED_ALL_THE_SAME, LEADS_TO, Accepted, Callback, Fault

LONGEST = 1_000
SECRET = "pretend-secret"  # noqa: S105 - of nobody


@dataclass
class PretendProvider:
    """Outlives the channels that use it, as a real one does. `truth` is what it accepted, oldest first."""

    truth: list[Accepted] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)  # provider ids, in the order they were asked for
    redacted: list[str] = field(default_factory=list)  # likewise: it has them no more, though they were true
    price: Decimal = Decimal(0)  # of a message
    answer_in: timedelta = timedelta(0)
    silence: timedelta = timedelta(seconds=1)  # how long a channel waits before it gives up
    token: str = ""  # with which to call back about the message that comes next
    _orders: list[tuple[Fault, str, int | None]] = field(default_factory=list)

    def order(self, fault: Fault, *, address: str = "", times: int | None = None) -> None:
        """Trouble for the next `times` messages (None: for all), or those to one address."""
        self._orders.append((fault, address, times))

    def cure(self) -> None:
        """Take all orders back."""
        self._orders.clear()

    def strike(self, address: str) -> Fault | None:
        """The fault that meets a message to this address now."""
        for place, (fault, only, times) in enumerate(self._orders):
            if only in ("", address) and times != 0:
                self._orders[place] = (fault, only, None if times is None else times - 1)
                return fault
        return None

    def age(self, by: timedelta) -> None:
        """Let everything have been accepted this much earlier, for a test in which time passes at once."""
        self.truth[:] = [replace(kept, at=kept.at - by if kept.at else None) for kept in self.truth]

    def accept(self, message: Message, to: Recipient) -> Receipt:
        """Keep the message; from here on it is true."""
        name = f"P{len(self.truth) + 1:08d}"
        kept = Accepted(name, to.address, message.digest, self.token, datetime.now(UTC))
        self.truth.append(kept)
        return Receipt(kept.provider_id)

    def receive(self, message: Message, to: Recipient) -> Receipt:
        """One message: accepted, or the failure that a channel would make of the trouble."""
        fault = self.strike(to.address)
        if fault is None:
            return self.accept(message, to)
        if fault in ACCEPTED_ALL_THE_SAME:
            self.accept(message, to)
        if fault is Fault.RATE_LIMITED:
            raise RateLimited(
                "the provider asks us to slow down", code="429", retry_after=timedelta(seconds=2)
            )
        raise LEADS_TO[fault](f"the pretend provider was ordered: {fault}", code=fault)


class PretendChannel:
    """A channel over a PretendProvider: it sends many, and neither looks up nor is called back."""

    def __init__(self, traits: Traits, provider: PretendProvider, *, hands: int = 4) -> None:
        self.name = "pretend"
        self.traits = traits
        self.policies: Sequence[Policy] = ()
        self.retry = RetryPolicy(attempts=3, first=timedelta(seconds=1), jitter=0.0)
        self._provider = provider
        self._hands = hands

    def check(self, content: Content, attachments: Sequence[Attachment]) -> Sequence[Problem]:
        """Too long is all it objects to."""
        if len(content.short) <= LONGEST:
            return ()
        return (Problem("text_too_long", "short", f"at most {LONGEST} characters", "shorten it"),)

    def render(self, content: Content, to: Recipient) -> Message:
        """The short text, with the pupils' names."""
        body = fill(content.short, to.names, to.guardians, to.classes)
        return Message({"body": body}, hashlib.sha256(body.encode()).hexdigest())

    def cost(self, message: Message) -> Decimal:
        """The provider's price, whatever the message."""
        return self._provider.price * message.parts

    def send(self, message: Message, to: Recipient, *, key: Key) -> Receipt:
        """One try; trouble raises at once, without its silence."""
        self._provider.token = key.token
        return self._provider.receive(message, to)

    def send_many(
        self, items: AsyncIterable[Item], *, may_start: MayStart
    ) -> AsyncIterator[tuple[Key, Outcome]]:
        """Many tries at once; silence takes its time."""
        return work_through(items, self._send_one, hands=self._hands, may_start=may_start)

    def close(self) -> None:
        """Nothing to let go of."""

    async def _send_one(self, item: Item) -> Receipt:
        await asyncio.sleep(self._provider.answer_in.total_seconds())
        try:
            self._provider.token = item.key.token
            return self._provider.receive(item.message, item.to)
        except LEADS_TO[Fault.TIMEOUT_BEFORE] as failure:
            if failure.code in {Fault.TIMEOUT_BEFORE, Fault.LOST_AFTER_ACCEPT}:
                await asyncio.sleep(self._provider.silence.total_seconds())
            raise


class PretendNoticeBoard(PretendChannel):
    """A pretend channel whose posts can be taken down."""

    def withdraw(self, receipt: Receipt) -> None:
        """Take it down, as often as asked."""
        fault = self._provider.strike("")
        if fault is not None:
            raise LEADS_TO[fault](f"the pretend provider was ordered: {fault}", code=fault)
        self._provider.deleted.append(receipt.provider_id)


class AskablePretendChannel(PretendChannel):
    """A pretend channel whose provider can be asked, calls back, and forgets what it is told to forget."""

    def find(self, attempt: PastAttempt) -> Receipt | None:
        """The first message with that text to that address which no other attempt owns."""
        if self._provider.strike(attempt.address) is not None:
            raise Unreachable("the pretend provider does not answer")
        for kept in self._provider.truth:
            if (
                kept.provider_id not in self._provider.redacted
                and kept.address == attempt.address
                and kept.digest == attempt.digest
                and kept.provider_id not in attempt.known
            ):
                return Receipt(kept.provider_id)
        return None

    def redact(self, receipt: Receipt) -> None:
        """Forget it, as often as asked."""
        fault = self._provider.strike("")
        if fault is not None:
            raise LEADS_TO[fault](f"the pretend provider was ordered: {fault}", code=fault)
        self._provider.redacted.append(receipt.provider_id)

    def confirmations(self, url: str, body: bytes, headers: Mapping[str, str]) -> Sequence[Confirmation]:
        """News as JSON under an HMAC."""
        given = headers.get("X-Pretend-Signature", "").encode(errors="replace")
        if len(body) > 100_000 or not hmac.compare_digest(given, _signature(url, body).encode()):
            raise SignatureInvalid
        try:
            told = json.loads(body)
            return [Confirmation(Evidence(told["evidence"]), str(told["token"]), str(told["provider_id"]))]
        except (ValueError, KeyError, TypeError, RecursionError):
            return []


class AskablePretendNoticeBoard(AskablePretendChannel, PretendNoticeBoard):
    """A pretend channel whose posts can be looked up and taken down."""


class PretendKit:
    """Opens pretend channels on one provider; a broadcast's posts can be taken back.

    `askable`: with look-up and call-backs. `harmless`: nobody hears a second one.
    """

    def __init__(
        self,
        provider: PretendProvider,
        *,
        askable: bool = True,
        harmless: bool = False,
        address_kind: AddressKind | None = AddressKind.MOBILE,
        hands: int = 4,
    ) -> None:
        self.name = "pretend"
        self.settings: type[Any] = dict
        self.traits = Traits(
            address_kind,
            can_reconcile=askable,
            confirms_delivery=askable,
            duplicates_harmless=harmless,
            in_place=harmless and address_kind is None,  # as a feed is
            grace=timedelta(seconds=5),
            carries_files=address_kind is AddressKind.EMAIL,
        )
        self._provider, self._hands = provider, hands

    def open(self, account: str, settings: Any, around: Surroundings) -> PretendChannel:
        """A channel bound to the provider, whatever the account."""
        kinds: Mapping[tuple[bool, bool], type[PretendChannel]] = {
            (False, False): PretendChannel,
            (False, True): AskablePretendChannel,
            (True, False): PretendNoticeBoard,
            (True, True): AskablePretendNoticeBoard,
        }
        kind = kinds[self.traits.broadcast, self.traits.can_reconcile]
        return kind(self.traits, self._provider, hands=self._hands)


def signed_by_pretend(url: str, body: bytes) -> Callback:
    """A call-back as the pretend provider would make it."""
    return Callback(url, body, {"X-Pretend-Signature": _signature(url, body)})


def pretend_news(key: Key, receipt: Receipt, evidence: Evidence) -> Callback:
    """News of one message."""
    told = {"evidence": evidence, "token": key.token, "provider_id": receipt.provider_id}
    return signed_by_pretend(
        f"https://school.example/callbacks/pretend/{key.token}", json.dumps(told).encode()
    )


def _signature(url: str, body: bytes) -> str:
    return hmac.new(SECRET.encode(), url.encode(errors="replace") + body, hashlib.sha256).hexdigest()
