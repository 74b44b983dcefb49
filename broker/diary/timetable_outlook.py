"""What a timetable's source means for each class, from now until the horizon: what is new, and what was taken back.

Pure. A file tells of lessons, families are told of a class: a change of two classes is a *side* for each, and each
side is known again by its lesson and its group, whoever else has it too. So a change that one of the two classes
drops out of is taken back for that one, and the other hears nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from broker.audience import fold
from broker.diary.timetable import TimetableChange, base_of, begins, numbered
from broker.diary.timetable_words import after_all, again_line, line
from broker.ports.timetables import Line, ToldLine

Side = tuple[str, int]  # the lesson's key, and the group


@dataclass(frozen=True, slots=True)
class News:
    """A line that nobody has been told yet, and the change of the source that it is about ("" where that is gone)."""

    line: Line
    change: str


@dataclass(frozen=True, slots=True)
class Outlook:
    """What stands in a source from now on. `last`: the day until which it is told.

    `groups`: the folded name that the source gives a class → our group's number and name. `active`: the groups that
    there still are, by number. `starts`: period → when its lesson begins; `day_ends`: when a day's changes are of no
    use any more where that is not known.
    """

    now: datetime
    zone: ZoneInfo
    last: date
    there: Mapping[str, TimetableChange]
    groups: Mapping[str, tuple[int, str]]
    active: Set[int]
    day_ends: time
    starts: Mapping[str, time] = field(default_factory=dict)

    def until(self, change: TimetableChange) -> datetime:
        """From when on nobody needs to hear of it: its lesson has begun, or the day is over."""
        at = begins(change.period, self.starts) or self.day_ends
        return datetime.combine(change.day, at, self.zone)

    def unknown(self) -> tuple[str, ...]:
        """Classes of what is to be told that are no group of ours."""
        named = {name for change in self.there.values() if self._is_due(change) for name in change.classes}
        return tuple(sorted(name for name in named if fold(name) not in self.groups))

    def news(self, told: Sequence[ToldLine]) -> Sequence[News]:
        """Each class's lines about whatever is not as it was told last, in the order of the days and periods."""
        last = {(each.line.key, each.line.group): each for each in told}
        sides = self._sides(told)
        found: list[tuple[tuple[date, str, str], News]] = []
        for side, (key, change, name) in sides.items():
            before = last.get(side)
            if not self._is_due(change) or (before is not None and before.line.digest == change.said):
                continue
            again = before is not None and before.left and before.line.digest != ""
            words = again_line(change, name) if again else line(change, name)
            until = self.until(change)
            order = change.day, change.period.rjust(8), words
            found.append((order, News(Line(side[1], side[0], change.said, change.day, until, words), key)))
        unclear = {
            change.key
            for change in self.there.values()
            if any(fold(name) not in self.groups for name in change.classes)
        }
        for side, before in last.items():
            if side not in sides and base_of(side[0]) not in unclear and self._is_taken_back(before):
                words, day = after_all(before.line.words), before.line.day
                gone = Line(side[1], side[0], "", day, before.line.until, words)
                found.append(((day, "", words), News(gone, "")))
        return [each for _, each in sorted(found, key=lambda one: (one[0], one[1].line.key))]

    def replaced(self, told: Sequence[ToldLine], news: Sequence[News]) -> frozenset[int]:
        """Announcements that nobody has seen, and that are better told anew.

        Those that have something in them which is not so any more; and where there is news anyhow, those that sleep
        until the morning: one message then, and not one for each export of the night.
        """
        sides = self._sides(told)

        def holds(each: ToldLine) -> bool:
            side = sides.get((each.line.key, each.line.group))
            return side is not None and side[1].said == each.line.digest

        return frozenset(
            each.announcement
            for each in told
            if each.waiting and ((each.line.digest and not holds(each)) or (each.sleeps and news))
        )

    def _sides(self, told: Sequence[ToldLine]) -> Mapping[Side, tuple[str, TimetableChange, str]]:
        """Each class's side of whatever stands there: the change's key, the change, what the group is called.

        Two halves of a class may have the same lesson: what is said as it was told keeps its number, or the change of
        one half would be told of the other.
        """
        known: dict[int, dict[str, str]] = {}
        for each in told:
            known.setdefault(each.line.group, {})[each.line.key] = each.line.digest
        furthest = max([self.last, *(each.line.day for each in told)])
        alike: dict[int, dict[str, dict[str, tuple[str, TimetableChange, str]]]] = {}
        for key, change in self.there.items():
            if change.day <= furthest:
                for group, name in self._groups_of(change):
                    same = alike.setdefault(group, {}).setdefault(change.key, {})
                    same.setdefault(change.said, (key, change, name))
        return {
            (key, group): side
            for group, lessons in alike.items()
            for key, side in numbered(lessons, known.get(group, {})).items()
        }

    def _groups_of(self, change: TimetableChange) -> Iterable[tuple[int, str]]:
        return {self.groups[fold(name)]: None for name in change.classes if fold(name) in self.groups}

    def _is_due(self, change: TimetableChange) -> bool:
        return change.day <= self.last and self.until(change) > self.now

    def _is_taken_back(self, told: ToldLine) -> bool:
        """Whether somebody has read what is gone now, it still matters, and their class is there to be told."""
        line = told.line
        return bool(line.digest) and told.left and line.group in self.active and line.until > self.now
