"""Ways in order, and who said that they had seen it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from broker.address import AddressKind
from broker.announcement import Announcement
from broker.ladders.ladder import Climb, Ladder, Standing
from broker.values import AccountRow


@dataclass(frozen=True, slots=True)
class LinkTold:
    """What one message's link is about: the announcement whose duties it tells of, and by which address.

    `over`: it is withdrawn, corrected or expired. `open`: those of the duties that nobody has acknowledged yet.
    """

    announcement: Announcement
    address: int
    duties: tuple[int, ...]
    said: tuple[int, ...]  # of them, those for which this very address said so before
    open: tuple[int, ...]
    over: bool


@dataclass(frozen=True, slots=True)
class RungWay:
    """One way of a later step: by which account, to addresses of which kind."""

    step: int
    channel: str
    account: AccountRow
    kind: AddressKind


class Ladders(Protocol):
    """The ladders of announcements, the rungs of their duties, and acknowledgements."""

    def add(self, announcement: Announcement, ladder: Ladder) -> None:
        """Keep the ladder of an announcement just stored, its openings as instants."""

    def of(self, announcement: int) -> Ladder | None:
        """The ladder of an announcement, its openings as instants; None for one without."""

    def due(self, *, limit: int) -> Sequence[UUID]:
        """Announcements whose ladder is to be looked at now; reads only."""

    def is_over(self, announcement: Announcement) -> bool:
        """Whether it is withdrawn, corrected or expired."""

    def standing(
        self, announcement: Announcement, ladder: Ladder, *, after: int, limit: int
    ) -> tuple[Sequence[Standing], int | None]:
        """The next duties that may still climb, in the order of ids; and after which to go on, None at the end."""

    def open(
        self,
        announcement: Announcement,
        climbs: Mapping[int, Climb],
        ways: Iterable[RungWay],
        *,
        sheet: int,
    ) -> int:
        """Put duties on their new rungs, and plan what tells of them by these ways.

        Nothing goes to an address that had its delivery by that channel; what is still queued there is joined. Nor to
        whoever has said already that it was seen. Returns how many deliveries were added.
        """

    def looked(self, announcement: int, *, look_at: datetime, resting: bool) -> None:
        """When to look again, and whether every duty rests until something happens to it."""

    def end(self, announcement: int) -> None:
        """Nothing climbs here any more."""

    def by_delivery(self, delivery: int) -> LinkTold | None:
        """What the link in a delivery's message is about; None where it tells of nobody any more."""

    def guardians_asked(
        self, duties: Collection[int], kinds: Collection[AddressKind]
    ) -> Mapping[int, set[int]]:
        """Duty → the guardians of its pupil whom an address of one of these kinds reaches."""

    def have_said(self, duties: Collection[int]) -> Mapping[int, set[int]]:
        """Duty → who holds an address by which it was said that it was seen; a holder who left counts no more."""

    def say_seen(self, duties: Collection[int], address: int) -> None:
        """Keep that it was said by this address (0: at the office) for duties for which it had not been."""

    def acknowledge(self, duties: Collection[int]) -> int:
        """These duties are acknowledged; returns how many were not before."""

    def duty_of(self, announcement: int, person: int) -> int | None:
        """The duty that an announcement has about a person."""
