"""Threads: what follows up what, and what has to be decided about each way and address of what went before."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from broker.address import AddressKind
from broker.announcement import Announcement, FollowUp, Part, People
from broker.audience import Audience
from broker.duty import Unreached
from broker.values import AccountRow


@dataclass(frozen=True, slots=True)
class Named:
    """A person, as somebody named them: known here or not, and whether the announcement was about them.

    `knows`: it was said of them that they have seen it, so that nothing more of it goes to them.
    """

    public_id: UUID
    person: int | None
    told_of: bool = False
    knows: bool = False


@dataclass(frozen=True, slots=True)
class PlannedWay:
    """One way to somebody; `address` is masked. `replaces`: it is there in place of another one."""

    channel: str
    address: str
    replaces: bool


@dataclass(frozen=True, slots=True)
class PlannedFor:
    """One person to whom something is sent again, by which ways; by none who `knows` it already."""

    person: UUID
    name: str = field(repr=False)
    ways: tuple[PlannedWay, ...] = ()
    knows: bool = False


class Threads(Protocol):
    """An announcement and all that follows it up, in the order in which they were said (their ids)."""

    def bind(self, announcement: int, first: int, kind: FollowUp) -> None:
        """Say what an announcement follows up, and as what."""

    def word_twice(self, announcement: Announcement, parts: Mapping[Part, str], language: str) -> None:
        """Keep beside the right text the one for those who had a wrong one, as version 2."""

    def before(self, announcement: int) -> Sequence[int]:
        """Everything of its thread that was said earlier."""

    def below(self, announcement: int) -> Sequence[Announcement]:
        """Everything that follows it up, and what follows that up."""

    def stop(self, these: Collection[int], *, by: int) -> Sequence[int]:
        """They wait for a correction, those that did not wait for another; returns which."""

    def release(self, correction: int) -> Sequence[int]:
        """A correction that never took effect is over: what waited for it goes on; returns which."""

    def take_effect(self, these: Collection[int]) -> Sequence[int]:
        """From now on their correction speaks instead; returns those for which it did not before."""

    def add_duties(self, announcement: int, before: Collection[int]) -> int:
        """A duty for everybody whom a duty of the thread is about; returns how many there are."""

    def undecided(self, before: Collection[int]) -> tuple[int, datetime | None]:
        """How many deliveries of it are not settled yet; and the first look-up, if that is all."""

    def follow(
        self,
        announcement: Announcement,
        before: Collection[int],
        channel: str,
        account: AccountRow,
        kind: AddressKind,
        *,
        limit: int,
        undecided: bool = False,
    ) -> int:
        """Plan up to `limit` addresses whose thread is decided on this channel; returns how many.

        `undecided`: those that are not, too.
        """

    def channels(self, before: Collection[int]) -> Sequence[str]:
        """Every personal way that something of it was planned by."""

    def public_left(self, before: Collection[int], channel: str) -> bool | None:
        """Whether the public has, or may have, something of it by this way; None while that is not decided."""

    def name(self, announcement: int, people: Collection[UUID]) -> Sequence[Named]:
        """These people, and whether the announcement was about them."""

    def joined(self, announcement: int, audience: Audience, people: People, today: date) -> Sequence[int]:
        """Those whom it means today and no duty of it is about."""

    def list_people(self, announcement: int, people: Collection[int]) -> None:
        """Say whom a resend is about."""

    def planned(self, announcement: int) -> Mapping[str, Mapping[int, int]]:
        """How many deliveries of a follow-up there are, by way and version of its wording."""

    def lose(self, announcement: Announcement, before: Collection[int], gone: Collection[str]) -> int:
        """Explain every duty about somebody who has, or may have, something of the thread by these ways alone.

        There is one about each of them from then on; returns how many.
        """

    def say_so(self, announcement: Announcement, before: Collection[int], gone: Collection[str]) -> None:
        """What is queued of a correction says that it is one, where somebody has the wrong text by these ways."""

    def untold(
        self, announcement: Announcement, before: Collection[int], later: Collection[AddressKind]
    ) -> Mapping[int, Unreached]:
        """About whom nothing was planned though all is decided, and why: by the number of the person.

        But for those whom a later way can tell, by an address of these kinds.
        """

    def came_late(self, announcement: Announcement) -> bool:
        """Whether nothing of it, or not all, was planned before its time was over."""

    def planned_for(self, announcement: int) -> Sequence[PlannedFor]:
        """Whom a resend is about, by name, each with the ways that it was planned by."""

    def counted(self, announcement: int) -> int | None:
        """How many people a follow-up is about; None where its audience says so."""

    def listed(self, announcement: int) -> set[int] | None:
        """Who they are."""

    def send_again(
        self,
        announcement: Announcement,
        first: int,
        channel: str,
        account: AccountRow,
        kind: AddressKind,
        *,
        step: int = 0,
    ) -> int:
        """Plan a resend on one channel: deliveries that cover the first one's duties; returns how many.

        For those alone who stand on this step of the first one's ways, or on a later one, and do not know it already.
        """
