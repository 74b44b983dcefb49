"""What people wrote back, the notes that the house itself sends, and which addresses bounce."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from broker.address import AddressKind
from broker.announcement import Draft
from broker.incoming.answering import Answered, AnswerRow, Inbound, Waiting
from broker.incoming.bouncing import Aside, Bounce, KnownTry


class Answers(Protocol):
    """What people wrote back."""

    def add(
        self,
        inbound: Inbound,
        *,
        kind: AddressKind,
        sender: str,
        inbox: str,
        concern: bool,
        about: Answered | None,
    ) -> AnswerRow | None:
        """Keep an answer of a sender as normalised; None when it is there already."""

    def add_settled(
        self, texts: Sequence[tuple[Inbound, str]], *, kind: AddressKind, inbox: str
    ) -> Sequence[UUID]:
        """Keep texts on which nothing is left to do, each with its sender as normalised; those that are new."""

    def about(
        self, inbound: Inbound, *, kind: AddressKind, sender: str, within: timedelta
    ) -> Answered | None:
        """What it answers: by the attempt, else by what it claims, else the newest that its sender was sent lately."""

    def first_department(self) -> str:
        """The slug of the school's first department: whose it is when nothing tells."""

    def is_known(self, kind: AddressKind, sender: str) -> bool:
        """Whether somebody at the school holds this address."""

    def named(self, public_id: UUID, *, lock: bool = False) -> AnswerRow | None:
        """One answer."""

    def note_reply(self, answer: int, said: str) -> None:
        """Keep what became of the automatic answer."""

    def finish(self, answer: int, who: str) -> None:
        """Somebody has dealt with it."""

    def open(self, answer: int, who: str) -> None:
        """Somebody reads it, the first of all."""

    def reopen(self, answer: int) -> None:
        """It is to be dealt with after all."""

    def release(self, answer: int, inbox: str, who: str) -> None:
        """The safeguarding lead gives it to an inbox."""

    def waiting(self) -> Sequence[Waiting]:
        """Inboxes with open answers."""


class Notes(Protocol):
    """Words that the house itself sends to one address: an automatic answer, a call for the lead."""

    def add(
        self,
        draft: Draft,
        *,
        kind: AddressKind,
        to: str,
        account: int,
        lasts: timedelta,
        expires_at: datetime,
    ) -> bool:
        """Queue a delivery to this address under the note of the draft's key, made if need be; False: it had one."""

    def last(self, key: str) -> datetime | None:
        """When the last note was made whose key begins so."""


class Bounces(Protocol):
    """What came back, and which addresses get nothing more for it."""

    def tries(self, attempts: Sequence[int]) -> Mapping[int, KnownTry]:
        """What each attempt was a try of; an unknown one is left out."""

    def add(self, bounce: Bounce, of: KnownTry) -> bool:
        """Keep what a report said; False when it was read before."""

    def soft_since(self, of: KnownTry, *, within: timedelta) -> int:
        """How many deliveries to this address have come back lately, since one last arrived or it was confirmed."""

    def mark(self, address: int, channel: str, *, code: str) -> bool:
        """Nothing more goes to this address on this channel; False when it was so already."""

    def clear(self, address: int) -> int:
        """Somebody says that it is right: let it be tried again; returns on how many channels."""

    def failing(self, *, since: datetime, within: timedelta, times: int) -> Sequence[tuple[int, str, str]]:
        """(address, channel, code) where so many in a row were refused for good, the last of them since then."""

    def take_turn(self, mailbox: str, *, every: timedelta) -> str | None:
        """How far it has been read ("" for not at all), for the first to ask in this while; None for others."""

    def read_to(self, mailbox: str, position: str) -> None:
        """Keep how far it has been read."""

    def set_aside(self, mailbox: str, key: str, *, place: str, fault: str) -> bool:
        """A mail cannot be taken in and stays where it lies; False when that was known."""

    def aside(self) -> Sequence[Aside]:
        """Mails that could not be taken in, the oldest first."""

    def not_aside(self, mailbox: str, key: str) -> bool:
        """It could be taken in after all; False when it was not set aside."""

    def settle_aside(self, number: int) -> str | None:
        """Somebody has dealt with it; its mailbox, None when there is no such mail."""
