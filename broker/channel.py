"""The channel contract: what a way out must say, do and never do (design §4).

A channel is a folder (kit, settings, policies, render, gateway) behind an entry point in the group
`carillon.channels`. It translates; the dispatcher decides. `carillon.py` re-exports these types for plug-ins.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Protocol, cast, runtime_checkable

from broker.address import AddressKind
from broker.announcement import Attachment, Content, Urgency
from broker.audience import Audience
from broker.delivery import Evidence
from broker.errors import BrokerError, DeliveryFailure, Problem
from broker.policy import Policy
from broker.retry import RetryPolicy

ENTRY_POINT_GROUP = "carillon.channels"


@dataclass(frozen=True, slots=True)
class Traits:
    """Facts about a channel that never change while it runs.

    `address_kind` is None for a broadcast. `can_reconcile`: the provider can be asked "did you get this one?",
    so a lost answer is looked up after `grace` (longer than the provider's slowest accept), twice.
    `carries_files`: attachments go with its messages; elsewhere they stay behind, and at least one way must carry them.
    `links_files`: its messages hold a link to each file instead, on an account of a school with a public address.
    `never_alone`: reading it wants an account elsewhere, so it is never the only way (R16).
    `wants`: facts of the posture and how they must be before an account may speak; `asks`: what the provider tells no
    program, so that somebody must assure it in the licence, a sentence by code. `age`: the least that the provider's
    terms set for its readers (R15). `service`: whose it is, as people say it.
    `duplicates_harmless`: nobody hears a message that is sent twice a second time, so what is lost is sent again after
    twice the grace. `in_place`: its posts stand under the name of the first announcement of a matter, so that a
    correction changes them where they are, and a slip of the pen can be mended there (a feed). `window`: how many
    deliveries may be started and unresolved in one commit, where nothing can be looked up.
    """

    address_kind: AddressKind | None
    can_reconcile: bool = False
    confirms_delivery: bool = False
    duplicates_harmless: bool = False
    in_place: bool = False
    never_alone: bool = False
    carries_files: bool = False
    links_files: bool = False
    grace: timedelta = timedelta(seconds=60)
    window: int = 20
    wants: Mapping[str, str] = field(default_factory=dict)
    asks: Mapping[str, str] = field(default_factory=dict)
    age: int | None = None
    service: str = ""

    @property
    def broadcast(self) -> bool:
        """True when the channel speaks to the public and to no one person."""
        return self.address_kind is None

    @property
    def subscribed(self) -> bool:
        """True when its addresses are subscribers': told with a group, and held by nobody whom the school knows."""
        return self.address_kind is not None and not self.address_kind.of_people

    @property
    def for_anybody(self) -> bool:
        """True when nobody knows who reads it, the public or a subscriber: it meets no duty, its words are public."""
        return self.broadcast or self.subscribed

    @property
    def settles_itself(self) -> bool:
        """True when a lost try needs no person: the provider can be asked, or a second one does no harm."""
        return self.can_reconcile or self.duplicates_harmless


@dataclass(frozen=True, slots=True)
class Recipient:
    """To whom one message goes: the address, and the personal parts that may be filled in.

    `names` are the covered pupils' first names, `guardians` the whole names of those who look after them and hold the
    address, `classes` the pupils' forms: all empty when the address is doubtful (shared by people who share no
    guardian), for then nothing personal is written. `links` holds signed links such as `unsubscribe`.
    `audience` is for a broadcast: the expression of whom the announcement is for, for a channel that speaks to a class.
    `expires_at` and `urgency` are for a provider that keeps what it cannot deliver yet: until when, and how soon.
    """

    address: str = field(repr=False)
    names: tuple[str, ...] = field(default=(), repr=False)
    language: str = ""
    links: Mapping[str, str] = field(default_factory=dict, repr=False)
    guardians: tuple[str, ...] = field(default=(), repr=False)
    classes: tuple[str, ...] = field(default=(), repr=False)
    audience: str = ""
    expires_at: datetime | None = None
    urgency: Urgency = Urgency.ROUTINE


PUBLIC = Recipient(address="")


@dataclass(frozen=True, slots=True)
class Message:
    """What one recipient gets, ready for a gateway: `fields` are the channel's own (body, subject, html …).

    `parts` says what it counts as with the provider (segments of a text, 1 for a mail). `digest` is a SHA-256
    (hex) of the text as the provider would give it back: a look-up recognises the message by it. `costly` are the
    characters that make it count as more than it would without them, each once: a preview marks them.
    """

    fields: Mapping[str, Any] = field(repr=False)
    digest: str
    parts: int = 1
    notes: tuple[str, ...] = ()
    costly: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Key:
    """The name of one try, stable and unique: which delivery, which attempt, under which fence.

    `token` is what may leave the house with it (in a status-callback address or a Message-ID): signed, no id of
    a person in it.
    """

    delivery: int
    attempt: int
    fence: int
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The provider's "I have it", with its own id for it."""

    provider_id: str
    evidence: Evidence = Evidence.ACCEPTED
    detail: str = ""


@dataclass(frozen=True, slots=True)
class NotStarted:
    """No byte left: `may_start` said no, or the work was stopped before this one's turn."""


Outcome = Receipt | DeliveryFailure | NotStarted
MayStart = Callable[[Key], bool]


@dataclass(frozen=True, slots=True)
class Item:
    """One message to send, under its key."""

    key: Key
    message: Message
    to: Recipient


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Later news from the provider about one attempt, found by our token or by the provider's id."""

    evidence: Evidence
    token: str = ""
    provider_id: str = ""
    code: str = ""
    why: str = ""
    opt_out: bool = False  # the provider tells that this address asked for no more


@dataclass(frozen=True, slots=True)
class Heard:
    """Something that somebody sent to an account, by the provider's own id; `asked` is what it took it for (STOP …)."""

    sender: str = field(repr=False)
    text: str = field(repr=False)
    provider_id: str
    asked: str = ""


@dataclass(frozen=True, slots=True)
class PastAttempt:
    """An attempt whose answer was lost, as `find` needs it: when it began, to whom, the digest of its message."""

    key: Key
    started_at: datetime
    address: str = field(repr=False)
    digest: str
    known: frozenset[str]  # provider ids already bound to another attempt: never returned again


@dataclass(frozen=True, slots=True)
class Posture:
    """What an account looks like at the provider right now, and what is wrong with it."""

    facts: Mapping[str, str]
    problems: tuple[Problem, ...] = ()


class Channel(Protocol):
    """One way out, bound to one account. Every member is required; capabilities are separate protocols."""

    @property
    def name(self) -> str:
        """The word people use with `--via`: "sms"."""

    @property
    def traits(self) -> Traits:
        """Its facts."""

    @property
    def policies(self) -> Sequence[Policy]:
        """Its own rules; the dispatcher judges them, so that none can be forgotten."""

    @property
    def retry(self) -> RetryPolicy:
        """Its patience: a value."""

    def check(self, content: Content, attachments: Sequence[Attachment]) -> Sequence[Problem]:
        """What is wrong with this wording for this channel, at intake; pure. Empty when nothing is."""

    def render(self, content: Content, to: Recipient) -> Message:
        """The message for one recipient; pure; the same function feeds every preview."""

    def send(self, message: Message, to: Recipient, *, key: Key) -> Receipt:
        """Exactly one try. Raises a DeliveryFailure; anything else that escapes counts as Uncertain."""

    def close(self) -> None:
        """Let go of connections; safe to call twice."""


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


@runtime_checkable
class Reconciles(Protocol):
    """A channel whose provider can be asked."""

    def find(self, attempt: PastAttempt) -> Receipt | None:
        """Did the provider get this one? None for provably absent. Raises DeliveryFailure when it cannot tell."""


@runtime_checkable
class ConfirmsDelivery(Protocol):
    """A channel whose provider calls back."""

    def confirmations(self, url: str, body: bytes, headers: Mapping[str, str]) -> Sequence[Confirmation]:
        """Verify the signature, then translate. Raises SignatureInvalid before anything is parsed."""


@runtime_checkable
class Speaks(Protocol):
    """A channel that knows by which number or email its account speaks."""

    def sender(self) -> tuple[AddressKind, str] | None:
        """What people see it comes from; None where that is a name, or nothing of a person's could be meant."""


@runtime_checkable
class Hears(Protocol):
    """A channel whose provider hands over what people send to the account, by the same door as its callbacks."""

    def heard(self, url: str, body: bytes, headers: Mapping[str, str]) -> Sequence[Heard]:
        """Verify the signature, then translate; empty for news about our own. Raises SignatureInvalid first."""


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


class SignatureInvalid(BrokerError):
    """Raised when a callback's signature does not hold; nothing of it has been parsed."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a channel may know of the house it stands in.

    `public_url` is where callbacks and links point (None while the school has none: no callback is asked for);
    `sandbox` makes a gateway refuse any provider address that is not loopback.
    """

    school: str
    region: str
    public_url: str | None = None
    sandbox: bool = False
    timeout: timedelta = timedelta(seconds=20)


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


class Kit(Protocol):
    """What an entry point names: how to read a channel's settings and how to open it for one account."""

    name: str
    traits: Traits
    settings: type[Any]  # a pydantic model: one account's settings, secrets as SecretStr

    def open(self, account: str, settings: Any, around: Surroundings) -> Channel:
        """A channel bound to `account`. Raises SetupError naming every fault of its settings."""
