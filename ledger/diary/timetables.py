"""Timetable sources: how they were read, what stood there, and what each class was told of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from broker.delivery import State
from broker.diary.timetable import Difference, TimetableChange
from broker.ports.timetables import Line, SourceRow, ToldLine
from ledger.hand import Hand
from ledger.tables import (
    announcement,
    delivery,
    membership,
    people_group,
    timetable_change,
    timetable_line,
    timetable_source,
)

CHUNK = 500
LEFT = (State.QUEUED, State.SENDING, State.SENT, State.DELIVERED, State.UNCERTAIN)


class Timetables:
    """See broker.ports.Timetables."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def source(self, name: str) -> SourceRow:
        """One source, locked; made where it is not there yet."""
        self._make(name)
        query = select(timetable_source).where(timetable_source.c.name == name).with_for_update()
        return _source(self._hand.connection.execute(query).one())

    def sources(self) -> Sequence[SourceRow]:
        """Every source that was ever read."""
        query = select(timetable_source).order_by(timetable_source.c.name)
        return [_source(row) for row in self._hand.connection.execute(query)]

    def keep_source(self, row: SourceRow) -> None:
        """How it stands now."""
        self._hand.connection.execute(
            update(timetable_source)
            .where(timetable_source.c.name == row.name)
            .values(
                read_at=row.read_at,
                recent=",".join(str(count) for count in row.recent),
                held_at=row.held_at,
                held_count=row.held_count,
                held_why=row.held_why,
                released_at=row.released_at,
                released_count=row.released_count,
            )
        )

    def take_turn(self, name: str, *, every: timedelta) -> bool:
        """Whether nobody has tried to read it for that long; then the turn is ours."""
        self._make(name)
        tried = timetable_source.c.tried_at
        due = (timetable_source.c.name == name) & (tried.is_(None) | (tried <= self._hand.now - every))
        turn = update(timetable_source).where(due).values(tried_at=self._hand.now)
        return bool(self._hand.connection.execute(turn).rowcount)

    def known(self, source: str, since: date) -> Mapping[str, str]:
        """What stood there last time from a day on."""
        c = timetable_change.c
        query = select(c.key, c.digest).where(c.source == source, c.day >= since)
        return dict(iter(self._hand.connection.execute(query)))

    def keep(self, source: str, found: Difference, now: Mapping[str, TimetableChange], since: date) -> None:
        """Keep what stands there now."""
        run, c = self._hand.connection.execute, timetable_change.c
        run(delete(timetable_change).where(c.source == source, c.day < since))
        old = sorted(found.gone | found.altered)
        for start in range(0, len(old), CHUNK):
            some = old[start : start + CHUNK]
            run(delete(timetable_change).where(c.source == source, c.key.in_(some)))
        rows = [
            {"source": source, "key": key, "day": now[key].day, "digest": now[key].digest}
            for key in sorted(found.added | found.altered)
        ]
        if rows:
            run(insert(timetable_change), rows)

    def told(self, source: str, since: date) -> Sequence[ToldLine]:
        """The newest line of each class about each change from a day on."""
        run, c = self._hand.connection.execute, timetable_line.c
        query = select(timetable_line).where(c.source == source, c.day >= since, ~c.replaced).order_by(c.id)
        newest = {(row.key, row.group_id): row for row in run(query)}
        about = sorted({row.announcement_id for row in newest.values()})
        a, d = announcement.c, delivery.c
        stands = a.withdrawn_at.is_(None) & (a.expires_at > self._hand.now)
        waiting = set(run(select(a.id).where(a.id.in_(about), a.fanned_out_at.is_(None), stands)).scalars())
        leaving = select(d.announcement_id).where(d.announcement_id.in_(about), d.state.in_(LEFT)).distinct()
        left = set(run(leaving).scalars())
        return [
            ToldLine(
                Line(row.group_id, row.key, row.digest, row.day, row.words),
                row.announcement_id,
                row.announcement_id in waiting,
                row.announcement_id in left,
            )
            for row in newest.values()
        ]

    def replace(self, announcement: int) -> None:
        """None of its lines was told."""
        its = timetable_line.c.announcement_id == announcement
        self._hand.connection.execute(update(timetable_line).where(its).values(replaced=True))

    def add(self, announcement: int, source: str, lines: Sequence[Line]) -> None:
        """What an announcement tells, in this order."""
        rows = [
            {
                "announcement_id": announcement,
                "group_id": each.group,
                "source": source,
                "key": each.key,
                "digest": each.digest,
                "day": each.day,
                "place": place,
                "words": each.words,
                "made_at": self._hand.now,
            }
            for place, each in enumerate(lines)
        ]
        self._hand.connection.execute(insert(timetable_line), rows)

    def lines(self, announcement: int, people: Collection[int]) -> Mapping[int, Sequence[tuple[int, str]]]:
        """Person → the lines of their classes, each with its place."""
        found: dict[int, list[tuple[int, str]]] = defaultdict(list)
        c, m = timetable_line.c, membership.c
        wanted = sorted(people)
        for start in range(0, len(wanted), CHUNK):
            query = (
                select(m.person_id, c.place, c.words)
                .join_from(timetable_line, membership, m.group_id == c.group_id)
                .where(c.announcement_id == announcement, m.person_id.in_(wanted[start : start + CHUNK]))
                .order_by(m.person_id, c.place)
            )
            for person, place, words in self._hand.connection.execute(query):
                found[person].append((place, words))
        return found

    def all_lines(self, announcement: int) -> Sequence[str]:
        """Every line of an announcement, once, in their order."""
        c = timetable_line.c
        query = select(c.words).where(c.announcement_id == announcement).order_by(c.place)
        return list(dict.fromkeys(self._hand.connection.execute(query).scalars()))

    def classes(self, folded_names: Collection[str]) -> Mapping[str, tuple[int, str]]:
        """Folded name → the id and the name of an active group with members of its own."""
        c = people_group.c
        query = select(c.folded_name, c.id, c.name).where(c.active, c.expression.is_(None))
        rows = self._hand.connection.execute(query)
        return {folded: (id_, name) for folded, id_, name in rows if folded in folded_names}

    def names(self, groups: Collection[int]) -> Mapping[int, str]:
        """What these groups are called."""
        c = people_group.c
        rows = self._hand.connection.execute(select(c.id, c.name).where(c.id.in_(sorted(groups))))
        return dict(iter(rows))

    def _make(self, name: str) -> None:
        # Two processes may meet a new source at once: the second one finds it made.
        self._hand.run("INSERT INTO timetable_source (name) VALUES (:name) ON CONFLICT DO NOTHING", name=name)


def _source(row: Row[Any]) -> SourceRow:
    return SourceRow(
        row.name,
        row.read_at,
        tuple(int(count) for count in row.recent.split(",") if count),
        row.held_at,
        row.held_count,
        row.held_why,
        row.released_at,
        row.released_count,
    )
