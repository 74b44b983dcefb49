"""The channel contract: what a way out must say, do and never do (design §4).

A channel is a folder (kit, settings, policies, render, gateway) behind an entry point in the group
`carillon.channels`. It translates; the dispatcher decides. What only some can do is in `broker/capabilities.py`.
`carillon.py` re-exports these types for plug-ins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from broker.address import AddressKind
from broker.announcement import Attachment, Content, Urgency
from broker.delivery import Evidence
from broker.errors import DeliveryFailure, Problem
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


class Channel(Protocol):
    """One way out, bound to one account. Every member is required; `broker/capabilities.py` has the rest."""

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


class Kit(Protocol):
    """What an entry point names: how to read a channel's settings and how to open it for one account."""

    name: str
    traits: Traits
    settings: type[Any]  # a pydantic model: one account's settings, secrets as SecretStr

    def open(self, account: str, settings: Any, around: Surroundings) -> Channel:
        """A channel bound to `account`. Raises SetupError naming every fault of its settings."""
