"""What is remembered of timetable sources, as a port and the values that cross it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol
from uuid import UUID

from broker.announcement import Announcement
from broker.diary.timetable import Difference, TimetableChange


@dataclass(frozen=True, slots=True)
class SourceRow:
    """How a source was read last. `recent`: how many changes the last pushes told of.

    `read_at`: when the source wrote what was read; `pushed_at`: when we did read it; `rows`, `changes`, `told`: what it
    came to then. `announcement`: the last that tells of it. `held_at`: since when far more had changed than usual;
    `released_count`: up to how many a person has let go.
    """

    name: str
    read_at: datetime | None = None
    pushed_at: datetime | None = None
    rows: int = 0
    changes: int = 0
    told: int = 0
    announcement: UUID | None = None
    recent: tuple[int, ...] = ()
    held_at: datetime | None = None
    held_count: int = 0
    held_why: str = ""
    released_at: datetime | None = None
    released_count: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """What one class is told of one change. `digest` is "" for one that was taken back.

    `until`: from then on nobody needs to hear of it.
    """

    group: int
    key: str
    digest: str
    day: date
    until: datetime
    words: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ToldLine:
    """The newest line of a class about a change, and what became of the announcement that has it.

    `waiting`: it was not planned yet, so that it can still be told otherwise; `sleeps`: until its ways may be used
    again; `left`: somebody has it, or will.
    """

    line: Line
    announcement: int
    waiting: bool
    left: bool
    sleeps: bool = False


class Timetables(Protocol):
    """Timetable sources: what stood there last time, and what was told of it."""

    def source(self, name: str) -> SourceRow:
        """One source, locked, so that its pushes come one after the other; made where it is not there yet."""

    def sources(self) -> Sequence[SourceRow]:
        """Every source that was ever read."""

    def keep_source(self, row: SourceRow) -> None:
        """How it stands now."""

    def take_turn(self, name: str, *, every: timedelta) -> bool:
        """Whether nobody has tried to read it for that long; then the turn is ours."""

    def known(self, source: str, since: date) -> Mapping[str, str]:
        """What stood there last time from a day on: key → digest."""

    def keep(self, source: str, found: Difference, now: Mapping[str, TimetableChange], since: date) -> None:
        """Keep what stands there now; days before `since` are forgotten."""

    def told(self, source: str, since: date) -> Sequence[ToldLine]:
        """The newest line of each class about each change from a day on."""

    def replace(self, announcement: int) -> None:
        """None of its lines was told: another announcement does."""

    def add(self, announcement: Announcement, source: str, lines: Sequence[Line], today: date) -> None:
        """What an announcement tells, in this order, and whom: those who are in the class today.

        What was taken back is for those who were told, whatever class they are in by now.
        """

    def lines(self, announcement: int, people: Collection[int]) -> Mapping[int, Sequence[tuple[int, str]]]:
        """Person → the lines that are for them, each with its place."""

    def all_lines(self, announcement: int) -> Sequence[str]:
        """Every line of an announcement, once, in their order."""

    def classes(self, folded_names: Collection[str]) -> Mapping[str, tuple[int, str]]:
        """Folded name → the id and the name of an active group with members of its own."""

    def names(self, groups: Collection[int]) -> Mapping[int, str]:
        """What these groups are called, as far as they are there still."""
