"""Schedules, their exceptions, and what became of each occurrence; and the term calendar of the office's own."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, delete, func, insert, select, text, update

from broker.announcement import Attachment, Draft, Part, People, Purpose, Step, Urgency
from broker.audience import fold
from broker.diary.calendar import DayKind, Span, SpanKind
from broker.diary.recurrence import Double, Missing, Pattern
from broker.diary.recurrence_rule import Rule
from broker.ports.calendar import Exceptions, OccurrenceRow, Outcome, ScheduleRow, Yes
from broker.rosters.roster import RosterTerm
from ledger import tables as t
from ledger.announcements import keep_file
from ledger.dialect import Column
from ledger.hand import Hand
from ledger.reads import terms

_PARTS = {Part.TITLE: "title", Part.SHORT: "short", Part.LONG: "long"}


class TermCalendars:
    """See broker.ports.TermCalendars."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def spans(self) -> Sequence[Span]:
        """What the office imported."""
        query = select(t.calendar_span).order_by(t.calendar_span.c.begins_on, t.calendar_span.c.id)
        return [
            Span(SpanKind(row.kind), row.name, row.begins_on, row.ends_on)
            for row in self._hand.connection.execute(query)
        ]

    def replace(self, spans: Sequence[Span], *, by: str) -> None:
        """Put these in the place of all that it imported before."""
        self._hand.connection.execute(delete(t.calendar_span))
        made = {"made_at": self._hand.now, "made_by": by}
        rows = [
            {"kind": s.kind.value, "name": s.name, "begins_on": s.begins_on, "ends_on": s.ends_on, **made}
            for s in spans
        ]
        if rows:
            self._hand.connection.execute(insert(t.calendar_span), rows)

    def terms(self, *, on: date | None = None) -> Sequence[RosterTerm]:
        """What the last roster told."""
        return terms.terms(self._hand, on=on)


class Schedules:
    """See broker.ports.Schedules."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def all(self, *, ended: bool = False) -> Sequence[ScheduleRow]:
        """Every schedule, the next due first; `ended` for those that have ended too."""
        query = all_schedules().order_by(
            t.schedule.c.next_at.is_(None), t.schedule.c.next_at, t.schedule.c.id
        )
        if not ended:
            query = query.where(t.schedule.c.ended_at.is_(None))
        return self._rows(query)

    def named(self, name: str, *, lock: bool = False) -> ScheduleRow | None:
        """One that has not ended, by its name however it is typed."""
        query = all_schedules().where(t.schedule.c.folded_name == fold(name), t.schedule.c.ended_at.is_(None))
        return self._one(query, lock=lock)

    def by_id(self, schedule: int, *, lock: bool = False) -> ScheduleRow | None:
        """One, by its number."""
        return self._one(all_schedules().where(t.schedule.c.id == schedule), lock=lock)

    def any_due(self) -> bool:
        """Whether any has come due; reads only."""
        query = select(t.schedule.c.id).where(*self._is_due()).limit(1)
        return self._hand.connection.execute(query).first() is not None

    def take_due(self, *, limit: int) -> Sequence[ScheduleRow]:
        """Those whose next time has come and that are not paused, the longest due first; locked, past locked ones."""
        query = (
            all_schedules()
            .where(*self._is_due())
            .order_by(t.schedule.c.next_at, t.schedule.c.id)
            .limit(limit)
            .with_for_update(of=t.schedule, skip_locked=True)
        )
        return self._rows(query)

    def _is_due(self) -> Sequence[ColumnElement[bool]]:
        c = t.schedule.c
        return c.next_at <= self._hand.now, c.paused_at.is_(None), c.ended_at.is_(None)

    def add(self, row: ScheduleRow) -> int:
        """Keep a new one; its number here."""
        owner = select(t.department.c.id).where(t.department.c.slug == row.draft.department).scalar_subquery()
        values = {**_values(row), "public_id": row.public_id, "department_id": owner}
        made = insert(t.schedule).values(values).returning(t.schedule.c.id)
        number = int(self._hand.connection.execute(made).scalar_one())
        self._keep_files(number, row.draft.attachments)
        return number

    def keep(self, row: ScheduleRow) -> None:
        """Keep what is changed about one: everything but its exceptions and its files."""
        self._hand.connection.execute(
            update(t.schedule).where(t.schedule.c.id == row.id).values(_values(row))
        )

    def looked(self, rows: Sequence[ScheduleRow]) -> None:
        """Keep until when these were looked at, and when they come next."""
        columns: tuple[Column, ...] = (("id", "bigint"), ("looked_until", "moment"), ("next_at", "moment"))
        self._hand.run_rows(
            "UPDATE schedule SET looked_until = u.looked_until, next_at = u.next_at"
            f" FROM {self._hand.dialect.rows(columns)} WHERE schedule.id = u.id",
            columns,
            [(row.id, row.looked_until, row.next_at) for row in rows],
        )

    def keep_files(self, schedule: int, files: Sequence[Attachment]) -> None:
        """These files go with it from now on, in place of those before."""
        link = t.schedule_attachment
        self._hand.connection.execute(delete(link).where(link.c.schedule_id == schedule))
        self._keep_files(schedule, files)

    def _keep_files(self, schedule: int, files: Sequence[Attachment]) -> None:
        for file in files:
            keep_file(self._hand, file)
            link = {"schedule_id": schedule, "name": file.name, "sha256": file.sha256}
            self._hand.connection.execute(insert(t.schedule_attachment).values(link))

    def change_one(self, schedule: int, original: datetime, to: datetime | None, *, by: str) -> None:
        """Move an occurrence, or cancel it where `to` is None."""
        self.put_back(schedule, original)
        values = {
            "schedule_id": schedule,
            "original": original.isoformat(),
            "moved_to": to.isoformat() if to is not None else None,
            "made_at": self._hand.now,
            "made_by": by,
        }
        self._hand.connection.execute(insert(t.schedule_exception).values(values))

    def put_back(self, schedule: int, original: datetime) -> None:
        """An occurrence is again as the rule says."""
        table = t.schedule_exception
        self._hand.connection.execute(
            delete(table).where(table.c.schedule_id == schedule, table.c.original == original.isoformat())
        )

    def done(self, rows: Sequence[OccurrenceRow]) -> None:
        """Keep what became of occurrences that are not known yet."""
        values = [
            {
                "schedule_id": row.schedule,
                "original": row.original.isoformat(),
                "due_at": row.due_at,
                "outcome": row.outcome.value,
                "why": row.why,
                "at": row.at,
                "announcement": row.announcement,
            }
            for row in rows
        ]
        if values:
            self._hand.connection.execute(insert(t.occurrence), values)

    def known(self, schedules: Sequence[int], originals: Collection[datetime]) -> set[tuple[int, datetime]]:
        """(schedule, original) of those at one of these times of which it is known already what became."""
        query = (
            select(t.occurrence.c.schedule_id, t.occurrence.c.original)
            .where(text(self._hand.dialect.any_of("occurrence.schedule_id", "these")))
            .where(t.occurrence.c.original.in_([original.isoformat() for original in originals]))
        )
        rows = self._hand.connection.execute(query, {"these": self._hand.dialect.ids(schedules)})
        return {(row.schedule_id, datetime.fromisoformat(row.original)) for row in rows}

    def outcome(self, schedule: int, original: datetime) -> OccurrenceRow | None:
        """What became of one."""
        row = self._hand.connection.execute(
            select(t.occurrence).where(
                t.occurrence.c.schedule_id == schedule, t.occurrence.c.original == original.isoformat()
            )
        ).one_or_none()
        return None if row is None else outcome_of(row)

    def outcomes(self, schedule: int, *, limit: int) -> Sequence[OccurrenceRow]:
        """What became of the latest."""
        query = (
            select(t.occurrence)
            .where(t.occurrence.c.schedule_id == schedule)
            .order_by(t.occurrence.c.at.desc(), t.occurrence.c.original.desc())
            .limit(limit)
        )
        return [outcome_of(row) for row in self._hand.connection.execute(query)]

    def became(self, schedule: int, original: datetime, outcome: Outcome) -> None:
        """What became of it has changed."""
        self._hand.connection.execute(
            update(t.occurrence)
            .where(t.occurrence.c.schedule_id == schedule, t.occurrence.c.original == original.isoformat())
            .values(outcome=outcome.value)
        )

    def _one(self, query: Select[Any], *, lock: bool) -> ScheduleRow | None:
        if lock:
            query = query.with_for_update(of=t.schedule)
        found = self._rows(query)
        return found[0] if found else None

    def _rows(self, query: Select[Any]) -> list[ScheduleRow]:
        rows = self._hand.connection.execute(query).all()
        ids = [row.id for row in rows]
        exceptions, files = self._exceptions(ids), self._files(ids)
        return [_row(row, exceptions.get(row.id, {}), tuple(files.get(row.id, ()))) for row in rows]

    def _files(self, schedules: Sequence[int]) -> Mapping[int, Sequence[Attachment]]:
        found: dict[int, list[Attachment]] = {}
        link = t.schedule_attachment
        query = (
            select(link.c.schedule_id, link.c.name, t.attachment)
            .join(t.attachment, t.attachment.c.sha256 == link.c.sha256)
            .where(text(self._hand.dialect.any_of("schedule_attachment.schedule_id", "these")))
            .order_by(link.c.schedule_id, link.c.name)
        )
        these = {"these": self._hand.dialect.ids(schedules)}
        for row in self._hand.connection.execute(query, these) if schedules else ():
            file = Attachment(row.sha256, row.name, row.media_type, row.bytes)
            found.setdefault(row.schedule_id, []).append(file)
        return found

    def _exceptions(self, schedules: Sequence[int]) -> dict[int, Exceptions]:
        found: dict[int, dict[datetime, datetime | None]] = {}
        table = t.schedule_exception
        query = select(table).where(
            text(self._hand.dialect.any_of("schedule_exception.schedule_id", "these"))
        )
        these = {"these": self._hand.dialect.ids(schedules)}
        for row in self._hand.connection.execute(query, these) if schedules else ():
            to = datetime.fromisoformat(row.moved_to) if row.moved_to else None
            found.setdefault(row.schedule_id, {})[datetime.fromisoformat(row.original)] = to
        return dict[int, Exceptions](found)


def all_schedules() -> Select[Any]:
    """Every schedule, with its department."""
    return select(t.schedule, t.department.c.slug.label("department")).join(
        t.department, t.department.c.id == t.schedule.c.department_id
    )


def with_exceptions(
    hand: Hand, query: Select[Any], order: Sequence[Any], *, limit: int
) -> tuple[Sequence[ScheduleRow], int]:
    """The first of a select of `all_schedules` in some order, and how many it has in all: in one statement.

    For a page that says when they come and sends no file: the files that go with them are left out.
    """
    in_all = func.count().over().label("in_all")
    place = func.row_number().over(order_by=order).label("place")
    these = query.add_columns(in_all, place).order_by(*order).limit(limit).subquery("these")
    e = t.schedule_exception.c
    joined = (
        select(these, e.original.label("exception"), e.moved_to)
        .outerjoin(t.schedule_exception, e.schedule_id == these.c.id)
        .order_by(these.c.place)
    )
    found: dict[int, Row[Any]] = {}
    moved: dict[int, dict[datetime, datetime | None]] = {}
    for row in hand.connection.execute(joined):
        found.setdefault(row.id, row)
        if row.exception is not None:
            to = datetime.fromisoformat(row.moved_to) if row.moved_to else None
            moved.setdefault(row.id, {})[datetime.fromisoformat(row.exception)] = to
    count = next((row.in_all for row in found.values()), 0)
    return [_row(row, moved.get(row.id, {}), ()) for row in found.values()], count


def _values(row: ScheduleRow) -> dict[str, Any]:
    draft, pattern = row.draft, row.pattern
    return {
        "name": row.name,
        "folded_name": fold(row.name),
        "purpose": draft.purpose.value,
        "urgency": draft.urgency.value,
        "audience": draft.audience,
        "people": draft.people.value,
        "ways": json.dumps([list(step.channels) for step in draft.ways]),
        "language": draft.language,
        "template": draft.template,
        **{column: draft.parts.get(part) for part, column in _PARTS.items()},
        "expected": draft.expected,
        "starts": pattern.starts.isoformat(),
        "zone": pattern.zone,
        "rule": pattern.rule.text,
        "days": ",".join(sorted(pattern.on)),
        "missing": pattern.missing or "",
        "double": pattern.double or "",
        "ended": pattern.ended.isoformat() if pattern.ended is not None else None,
        "lasts_seconds": int(row.lasts.total_seconds()),
        "made_at": row.made_at,
        "made_by": row.made_by,
        "changed_at": row.changed_at,
        "approved_at": row.approved.at if row.approved else None,
        "approved_by": row.approved.by if row.approved else None,
        "approved_count": row.approved.counted if row.approved else None,
        "looked_until": row.looked_until,
        "next_at": row.next_at,
        "paused_at": row.paused_at,
        "ended_at": row.ended_at,
    }


def draft_of(row: Row[Any], files: tuple[Attachment, ...]) -> Draft:
    """What a schedule's row says, with its files."""
    parts = {part: words for part, column in _PARTS.items() if (words := row._mapping[column]) is not None}
    return Draft(
        department=row.department,
        audience=row.audience,
        people=People(row.people),
        ways=tuple(Step(tuple(step)) for step in json.loads(row.ways)),
        parts=parts,
        purpose=Purpose(row.purpose),
        urgency=Urgency(row.urgency),
        language=row.language,
        template=row.template,
        attachments=files,
        expected=row.expected,
    )


def _row(row: Row[Any], moved: Exceptions, files: tuple[Attachment, ...]) -> ScheduleRow:
    approved = Yes(row.approved_by, row.approved_at, row.approved_count) if row.approved_at else None
    pattern = Pattern(
        starts=datetime.fromisoformat(row.starts),
        zone=row.zone,
        rule=Rule(row.rule),
        on=frozenset(_kinds(row.days.split(","))),
        moved=moved,
        missing=Missing(row.missing) if row.missing else None,
        double=Double(row.double) if row.double else None,
        ended=datetime.fromisoformat(row.ended) if row.ended else None,
    )
    return ScheduleRow(
        row.id, row.public_id, row.name, draft_of(row, files), pattern, timedelta(seconds=row.lasts_seconds),
        row.made_by, row.made_at, row.changed_at, row.looked_until, row.next_at, row.paused_at, row.ended_at, approved,
    )  # fmt: skip


def _kinds(words: Iterable[str]) -> Iterable[DayKind]:
    return (DayKind(word) for word in words if word)


def outcome_of(row: Row[Any]) -> OccurrenceRow:
    """What became of one, read."""
    return OccurrenceRow(
        row.schedule_id,
        datetime.fromisoformat(row.original),
        row.due_at,
        Outcome(row.outcome),
        row.at,
        row.why,
        row.announcement,
    )
