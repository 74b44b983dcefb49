"""Timetable sources: how they were read, what stood there, and who was told what of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Row,
    Select,
    and_,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    update,
)

from broker.announcement import Announcement, People
from broker.delivery import State
from broker.diary.timetable import Difference, TimetableChange
from broker.ports.timetables import Line, SourceRow, ToldLine
from broker.rosters.roster import Role
from ledger.audience import holds_on
from ledger.hand import Hand
from ledger.tables import (
    Moment,
    announcement,
    delivery,
    delivery_covers,
    duty,
    membership,
    people_group,
    person,
    timetable_change,
    timetable_line,
    timetable_reader,
    timetable_source,
)

CHUNK = 500
SLEEPS = "window_closed"
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
        run, c = self._hand.connection.execute, timetable_line.c
        newest = (
            select(c.source, func.max(c.announcement_id).label("last")).group_by(c.source).subquery("newest")
        )
        ids = select(newest.c.source, announcement.c.public_id).join(
            newest, newest.c.last == announcement.c.id
        )
        last: dict[str, UUID] = dict(iter(run(ids)))
        query = select(timetable_source).order_by(timetable_source.c.name)
        return [replace(_source(row), announcement=last.get(row.name)) for row in run(query)]

    def keep_source(self, row: SourceRow) -> None:
        """How it stands now."""
        self._hand.connection.execute(
            update(timetable_source)
            .where(timetable_source.c.name == row.name)
            .values(
                read_at=row.read_at,
                pushed_at=row.pushed_at,
                rows=row.rows,
                changes=row.changes,
                told=row.told,
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
        a = announcement.c
        stands = a.withdrawn_at.is_(None) & (a.expires_at > self._hand.now)
        unplanned = select(a.id, a.hold_code).where(a.id.in_(about), a.fanned_out_at.is_(None), stands)
        waiting: dict[int, str | None] = dict(iter(run(unplanned)))
        left = set(run(_left(select(c.id)).where(c.announcement_id.in_(about)).distinct()).scalars())
        return [
            ToldLine(
                Line(row.group_id, row.key, row.digest, row.day, row.until, row.words),
                row.announcement_id,
                waiting=row.announcement_id in waiting,
                left=row.id in left,
                sleeps=waiting.get(row.announcement_id) == SLEEPS,
            )
            for row in newest.values()
        ]

    def replace(self, announcement: int) -> None:
        """None of its lines was told."""
        its = timetable_line.c.announcement_id == announcement
        self._hand.connection.execute(update(timetable_line).where(its).values(replaced=True))

    def add(self, announcement: Announcement, source: str, lines: Sequence[Line], today: date) -> None:
        """What an announcement tells, in this order, and whom."""
        rows = [
            {
                "announcement_id": announcement.id,
                "group_id": each.group,
                "source": source,
                "key": each.key,
                "digest": each.digest,
                "day": each.day,
                "until": each.until,
                "place": place,
                "words": each.words,
                "made_at": self._hand.now,
            }
            for place, each in enumerate(lines)
        ]
        run, c = self._hand.connection.execute, timetable_line.c
        run(insert(timetable_line), rows)
        its = c.announcement_id == announcement.id
        now = literal(self._hand.now, Moment())
        for whom in (_in_class(announcement.people, today), _told_before()):
            chosen = whom.where(its).add_columns(now).distinct()
            run(insert(timetable_reader).from_select(["line_id", "person_id", "made_at"], chosen))

    def lines(self, announcement: int, people: Collection[int]) -> Mapping[int, Sequence[tuple[int, str]]]:
        """Person → the lines that are for them, each with its place."""
        found: dict[int, list[tuple[int, str]]] = defaultdict(list)
        c, r = timetable_line.c, timetable_reader.c
        wanted = sorted(people)
        for start in range(0, len(wanted), CHUNK):
            query = (
                select(r.person_id, c.place, c.words)
                .join_from(timetable_line, timetable_reader, r.line_id == c.id)
                .where(c.announcement_id == announcement, r.person_id.in_(wanted[start : start + CHUNK]))
                .order_by(r.person_id, c.place)
            )
            for reader, place, words in self._hand.connection.execute(query):
                found[reader].append((place, words))
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
        """What these groups are called, as far as they are there still."""
        c = people_group.c
        query = select(c.id, c.name).where(c.id.in_(sorted(groups)), c.active)
        rows = self._hand.connection.execute(query)
        return dict(iter(rows))

    def _make(self, name: str) -> None:
        # Two processes may meet a new source at once: the second one finds it made.
        self._hand.run("INSERT INTO timetable_source (name) VALUES (:name) ON CONFLICT DO NOTHING", name=name)


def readers(announcement: int) -> Select[Any]:
    """SELECT person_id: whom the lines of an announcement are for, as far as they are here still."""
    c, r = timetable_line.c, timetable_reader.c
    return (
        select(r.person_id)
        .join(timetable_line, c.id == r.line_id)
        .join(person, person.c.id == r.person_id)
        .where(c.announcement_id == announcement, person.c.active)
        .distinct()
    )


def _in_class(people: People, today: date) -> Select[Any]:
    """SELECT line_id, person_id: who is in the class of a line that tells of a change."""
    c, m = timetable_line.c, membership.c
    role, being = (
        (Role.STAFF, person.c.is_staff) if people is People.STAFF else (Role.PUPIL, person.c.is_pupil)
    )
    return (
        select(c.id.label("line_id"), m.person_id)
        .join_from(timetable_line, membership, m.group_id == c.group_id)
        .join(person, person.c.id == m.person_id)
        .where(c.digest != "", m.role == role.value, holds_on(today), person.c.active, being)
    )


def _told_before() -> Select[Any]:
    """SELECT line_id, person_id: to whom that left which a line takes back, since it was taken back last."""
    new = timetable_line
    old, between = timetable_line.alias("old"), timetable_line.alias("between")

    def same(other: FromClause) -> ColumnElement[bool]:
        return and_(
            *(other.c[name] == new.c[name] for name in ("source", "key", "group_id")), ~other.c.replaced
        )

    back_already = exists().where(
        same(between), between.c.digest == "", between.c.id > old.c.id, between.c.id < new.c.id
    )
    told = _left(select(new.c.id.label("line_id"), timetable_reader.c.person_id), old)
    return told.where(new.c.digest == "", same(old), old.c.digest != "", old.c.id < new.c.id, ~back_already)


def _left(query: Select[Any], line: FromClause = timetable_line) -> Select[Any]:
    """Of lines and their readers, those where a message has left that is about the reader, or will."""
    r, d, v = timetable_reader.c, delivery.c, delivery_covers.c
    return query.where(
        r.line_id == line.c.id,
        duty.c.announcement_id == line.c.announcement_id,
        duty.c.person_id == r.person_id,
        v.duty_id == duty.c.id,
        ~v.dropped,
        d.id == v.delivery_id,
        d.state.in_(LEFT),
    )


def _source(row: Row[Any]) -> SourceRow:
    return SourceRow(
        name=row.name,
        read_at=row.read_at,
        pushed_at=row.pushed_at,
        rows=row.rows,
        changes=row.changes,
        told=row.told,
        recent=tuple(int(count) for count in row.recent.split(",") if count),
        held_at=row.held_at,
        held_count=row.held_count,
        held_why=row.held_why,
        released_at=row.released_at,
        released_count=row.released_count,
    )
