"""What a channel may be able to do beyond the contract, and a kit or its settings: each a small protocol of its own.

Whoever needs one asks with `isinstance`, and does without where the answer is no. `carillon.py` re-exports what
plug-ins may bring.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Protocol, cast, runtime_checkable

from broker.address import AddressKind
from broker.announcement import Content
from broker.audience import Audience
from broker.channel import Channel, Item, Key, MayStart, Message, Outcome, Receipt
from broker.delivery import Evidence
from broker.errors import BrokerError, Problem


@runtime_checkable
class SendsMany(Protocol):
    """A channel that keeps its connections full by itself."""

    def send_many(
        self, items: AsyncIterable[Item], *, may_start: MayStart
    ) -> AsyncIterator[tuple[Key, Outcome]]:
        """Send what `items` yields, with its own concurrency over kept-alive connections.

        Asks `may_start` just before each call, and earlier too where that saves work; yields one outcome for every item
        taken, in any order. Pulls the next item only when it has a hand free: the dispatcher's pace is the speed at
        which `items` yields. Never raises for one item's failure.
        """


@dataclass(frozen=True, slots=True)
class PastAttempt:
    """An attempt whose answer was lost, as `find` needs it: when it began, to whom, the digest of its message."""

    key: Key
    started_at: datetime
    address: str = field(repr=False)
    digest: str
    known: frozenset[str]  # provider ids already bound to another attempt: never returned again


@runtime_checkable
class Reconciles(Protocol):
    """A channel whose provider can be asked."""

    def find(self, attempt: PastAttempt) -> Receipt | None:
        """Did the provider get this one? None for provably absent. Raises DeliveryFailure when it cannot tell."""


class SignatureInvalid(BrokerError):
    """Raised when a callback's signature does not hold; nothing of it has been parsed."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Later news from the provider about one attempt, found by our token or by the provider's id."""

    evidence: Evidence
    token: str = ""
    provider_id: str = ""
    code: str = ""
    why: str = ""
    opt_out: bool = False  # the provider tells that this address asked for no more


@runtime_checkable
class ConfirmsDelivery(Protocol):
    """A channel whose provider calls back."""

    def confirmations(self, url: str, body: bytes, headers: Mapping[str, str]) -> Sequence[Confirmation]:
        """Verify the signature, then translate. Raises SignatureInvalid before anything is parsed."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Something that somebody sent to an account, by the provider's own id; `asked` is what it took it for (STOP …)."""

    sender: str = field(repr=False)
    text: str = field(repr=False)
    provider_id: str
    asked: str = ""


@runtime_checkable
class Hears(Protocol):
    """A channel whose provider hands over what people send to the account, by the same door as its callbacks."""

    def heard(self, url: str, body: bytes, headers: Mapping[str, str]) -> Sequence[Heard]:
        """Verify the signature, then translate; empty for news about our own. Raises SignatureInvalid first."""


@runtime_checkable
class Speaks(Protocol):
    """A channel that knows by which number or email its account speaks."""

    def sender(self) -> tuple[AddressKind, str] | None:
        """What people see it comes from; None where that is a name, or nothing of a person's could be meant."""


@runtime_checkable
class Withdraws(Protocol):
    """A broadcast channel whose posts can be taken back."""

    def withdraw(self, receipt: Receipt) -> None:
        """Delete what was posted; what is gone already is deleted too. Raises DeliveryFailure."""


@runtime_checkable
class Redacts(Protocol):
    """A channel whose provider keeps what was sent and can be asked to forget it."""

    def redact(self, receipt: Receipt) -> None:
        """Have the provider forget one message: its words and whom it went to. What it has not is forgotten.

        Safe to repeat. Raises DeliveryFailure; Transient for a message that is still on its way there.
        """


@runtime_checkable
class Charges(Protocol):
    """A channel whose provider takes money for each message."""

    def cost(self, message: Message) -> Decimal:
        """What the provider charges for a message, in the school's currency; 0 where the settings name no price."""


@runtime_checkable
class Verifies(Protocol):
    """A channel that quotes posts: whether there is such a post only its provider knows."""

    def verify(self, content: Content, quotable: Collection[str]) -> Sequence[Problem]:
        """What is wrong with a wording by the provider's knowledge; asked at intake, outside any transaction.

        `quotable` are the names of those elsewhere whose posts the school lets be quoted (R12); its own always may.
        Asks only where the wording needs it, once and briefly. A provider that cannot be asked is a problem like
        any other: nothing is accepted that might be refused after everybody else was told.
        """


@runtime_checkable
class Suits(Protocol):
    """A channel that speaks to some of the school's groups and to no others: a class has its own course."""

    def suits(self, audience: Audience) -> Sequence[Problem]:
        """What stands in the way of telling this audience by this account; pure, asked at intake."""


@runtime_checkable
class TakesSubscribers(Protocol):
    """A channel whose addresses nobody brings but whoever subscribes: a browser that asks to be told with a group."""

    def offered(self) -> str:
        """The public key under which a browser subscribes, in base64url."""

    def address_of(self, told: Mapping[str, Any]) -> str:
        """The address that a browser's own words come to. Raises RuleBroken for what is none."""

    def must_be_reachable(self, address: str) -> None:
        """Look up where it leads. Raises RuleBroken where nobody may be sent, or it is not known just now."""


@dataclass(frozen=True, slots=True)
class Post:
    """A post as it stands on an account, whoever made it; `digests`: what those of one of our messages would be."""

    provider_id: str
    text: str = field(repr=False)
    posted_at: datetime
    digests: frozenset[str]


@runtime_checkable
class ReadsBack(Protocol):
    """A broadcast channel that can be asked what stands on its account (R18)."""

    def posts(self, since: datetime) -> Sequence[Post]:
        """What was posted there since, the newest first; bounded. Raises DeliveryFailure."""


@dataclass(frozen=True, slots=True)
class Posture:
    """What an account looks like at the provider right now, and what is wrong with it."""

    facts: Mapping[str, str]
    problems: tuple[Problem, ...] = ()


@runtime_checkable
class Inspects(Protocol):
    """A channel whose account can be looked at."""

    def posture(self) -> Posture:
        """What the account looks like now."""


@runtime_checkable
class Examines(Protocol):
    """A channel that can see whether its account is set up at its provider as it should be; the doctor asks."""

    def examine(self) -> Sequence[Problem]:
        """What is wrong there, nothing sent for it; empty when nothing is. Raises DeliveryFailure."""


def charging(channel: Channel) -> Charges | None:
    """It as one that `Charges`; for where many announcements ask, as `isinstance` compares every name each time."""
    return cast(Charges, channel) if _has(type(channel), Charges) else None


def speaking(channel: Channel) -> Speaks | None:
    """It as one that `Speaks`, likewise."""
    return cast(Speaks, channel) if _has(type(channel), Speaks) else None


@lru_cache(maxsize=64)
def _has(kind: type[Channel], capability: Any) -> bool:
    return issubclass(kind, capability)


# --- of a kit, or of its settings -----------------------------------------------------------------------------------


@runtime_checkable
class MakesKeys(Protocol):
    """A kit whose accounts sign with a key of the school's own making, which no provider hands out."""

    def new_key(self) -> str:
        """Another one each time, as the setting wants it."""


@runtime_checkable
class OffersGateways(Protocol):
    """A kit whose accounts may go by several providers, in order: each gateway is a channel with settings of its own.

    `gateways`: settings model by kind of provider, the first of them what an account's plain settings mean. `open` is
    handed an instance of any of them.
    """

    gateways: Mapping[str, type[Any]]


@runtime_checkable
class KnowsItsPace(Protocol):
    """Settings that know the provider's pace from something else that they say: of a pool, from each of its numbers."""

    @property
    def numbers(self) -> int | None:
        """How many numbers the pool has; None where nothing is said of a pool."""

    @property
    def pace(self) -> float | None:
        """Messages a second, None where nothing is said of it."""
