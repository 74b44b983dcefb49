"""Events, reminder rules, reminders, and notices of changes."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, exists, insert, select, text, update

from broker.announcement import Part, People, Step
from broker.delivery import State
from broker.ports.calendar import Yes
from broker.ports.events import EventRow, Owed, Reminded, ReminderRule, Told
from ledger import tables as t
from ledger.hand import Hand

_IN_HAND = (State.QUEUED.value, State.SENDING.value)
_PARTS = {Part.TITLE: "title", Part.SHORT: "short", Part.LONG: "long"}


class Events:
    """See broker.ports.Events."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def of_source(self, source: str, *, begins: datetime) -> Sequence[EventRow]:
        """Everything of one source that begins from then on, cancelled or not; locked."""
        query = events().where(t.event.c.source == source, t.event.c.starts_at >= begins)
        return self._rows(query.order_by(t.event.c.id).with_for_update(of=t.event))

    def struck(self, hashes: Collection[bytes]) -> Collection[bytes]:
        """Those of these words' hashes out of which somebody was struck."""
        kept = self._hand.connection.execute(select(t.erased.c.hash)).scalars()
        return {bytes(one) for one in kept} & set(hashes)

    def between(self, begins: datetime, ends: datetime) -> Sequence[EventRow]:
        """Everything that begins in [begins, ends), cancelled or not, in the order of time."""
        query = events().where(t.event.c.starts_at >= begins, t.event.c.starts_at < ends)
        return self._rows(query.order_by(t.event.c.starts_at, t.event.c.id))

    def typed_in(self, key: str) -> EventRow | None:
        """The one of no source whose uid begins with this key and a dot."""
        known = t.event.c.uid.startswith(f"{key}.", autoescape=True)
        return self._one(events().where(t.event.c.source == "", known).limit(1), lock=False)

    def by_public_id(self, public_id: UUID, *, lock: bool = False) -> EventRow | None:
        """One."""
        return self._one(events().where(t.event.c.public_id == public_id), lock=lock)

    def by_id(self, event: int, *, lock: bool = False) -> EventRow | None:
        """One, by its number."""
        return self._one(events().where(t.event.c.id == event), lock=lock)

    def add(self, row: EventRow) -> int:
        """Keep a new one; its number here."""
        values = {
            **_values(row),
            "public_id": row.public_id,
            "department_id": _owner(row.department),
            "source": row.source,
            "uid": row.uid,
        }
        made = insert(t.event).values(values).returning(t.event.c.id)
        return int(self._hand.connection.execute(made).scalar_one())

    def keep(self, row: EventRow) -> None:
        """Keep what is changed about one."""
        self._hand.connection.execute(update(t.event).where(t.event.c.id == row.id).values(_values(row)))

    def rules(self) -> Sequence[ReminderRule]:
        """Every reminder rule in force, the longest before first."""
        order = t.reminder_rule.c.before_seconds.desc(), t.reminder_rule.c.id
        return [rule_of(row) for row in self._hand.connection.execute(rules_in_force().order_by(*order))]

    def add_rule(self, rule: ReminderRule) -> int:
        """Keep a new rule; its number here."""
        made = insert(t.reminder_rule).values(self._of_rule(rule)).returning(t.reminder_rule.c.id)
        return int(self._hand.connection.execute(made).scalar_one())

    def change_rule(self, rule: ReminderRule) -> None:
        """What the rule of this number says from now on, for whom and when; nobody has said yes to that yet."""
        values = {**self._of_rule(rule), "approved_at": None, "approved_by": None}
        self._hand.connection.execute(
            update(t.reminder_rule).where(t.reminder_rule.c.id == rule.id).values(values)
        )

    def _of_rule(self, rule: ReminderRule) -> dict[str, Any]:
        return {
            "department_id": _owner(rule.department),
            "name": rule.name,
            "audience": rule.audience,
            "before_seconds": int(rule.before.total_seconds()),
            "clock": f"{rule.clock:%H:%M}" if rule.clock is not None else None,
            "people": rule.people.value,
            "ways": json.dumps([list(step.channels) for step in rule.ways]),
            **{column: rule.parts.get(part) for part, column in _PARTS.items()},
            "made_by": rule.made_by,
            "made_at": self._hand.now,
        }

    def approve_rule(self, rule: int, *, by: str) -> None:
        """A second person said yes to all it will say."""
        yes = {"approved_at": self._hand.now, "approved_by": by}
        self._hand.connection.execute(update(t.reminder_rule).where(t.reminder_rule.c.id == rule).values(yes))

    def retire_rule(self, rule: int) -> None:
        """It reminds nobody any more."""
        self._hand.connection.execute(
            update(t.reminder_rule).where(t.reminder_rule.c.id == rule).values(retired_at=self._hand.now)
        )

    def reminded(self, events: Sequence[int]) -> Sequence[Reminded]:
        """What became of the reminders of these events."""
        if not events:
            return []
        query = (
            select(t.reminder)
            .where(text(self._hand.dialect.any_of("reminder.event_id", "these")))
            .order_by(t.reminder.c.event_id, t.reminder.c.rule_id, t.reminder.c.sequence)
        )
        return [
            Reminded(
                row.event_id, row.rule_id, row.sequence, Told(row.told), row.at, row.why, row.announcement
            )
            for row in self._hand.connection.execute(query, {"these": self._hand.dialect.ids(events)})
        ]

    def remind(self, reminded: Reminded) -> bool:
        """Keep what became of one; False where it is known already."""
        table = t.reminder
        known = select(table.c.told).where(
            table.c.event_id == reminded.event,
            table.c.rule_id == reminded.rule,
            table.c.sequence == reminded.sequence,
        )
        if self._hand.connection.execute(known).first() is not None:
            return False
        values = {
            "event_id": reminded.event,
            "rule_id": reminded.rule,
            "sequence": reminded.sequence,
            "told": reminded.told.value,
            "at": reminded.at,
            "why": reminded.why,
            "announcement": reminded.announcement,
        }
        self._hand.connection.execute(insert(table).values(values))
        return True

    def remind_anew(self, event: int) -> None:
        """Its reminders so far were about a time or a place that is not so any more."""
        self._hand.connection.execute(
            update(t.reminder).where(t.reminder.c.event_id == event).values(told=Told.MOVED.value)
        )

    def owe_notice(self, owed: Owed) -> None:
        """Those who were reminded have to be told of a change."""
        values = {
            "event_id": owed.event,
            "sequence": owed.sequence,
            "words": owed.words,
            "ways": json.dumps(list(owed.ways)),
            "people": owed.people.value,
            "owed_at": self._hand.now,
        }
        self._hand.connection.execute(insert(t.event_notice).values(values))

    def owed(self, *, limit: int) -> Sequence[Owed]:
        """The notices that have not been made yet, the oldest first."""
        table = t.event_notice
        query = select(table).where(table.c.made_at.is_(None)).order_by(table.c.owed_at).limit(limit)
        return [
            Owed(row.event_id, row.sequence, row.words, tuple(json.loads(row.ways)), People(row.people))
            for row in self._hand.connection.execute(query)
        ]

    def in_hand(self, events: Sequence[int]) -> Mapping[int, Sequence[UUID]]:
        """Event → its announcements, taken back, of which, or of whose corrections, something has yet to leave."""
        these = {"these": self._hand.dialect.ids(events)}
        found: dict[int, list[UUID]] = {}
        said, sent = t.announcement, t.delivery
        for table in (t.reminder, t.event_notice):
            about = text(self._hand.dialect.any_of(f"{table.name}.event_id", "these"))
            first = (
                select(table.c.event_id, said.c.public_id, said.c.id)
                .join(said, said.c.public_id == table.c.announcement)
                .where(about, said.c.withdrawn_at.is_not(None))
                .cte("whole", recursive=True)
            )
            whole = first.union(
                select(first.c.event_id, first.c.public_id, said.c.id)
                .join(said, said.c.corrects == first.c.id)
                .where(said.c.withdrawn_at.is_not(None))  # what tells of the withdrawal goes on
            )
            in_hand = exists().where(sent.c.announcement_id == whole.c.id, sent.c.state.in_(_IN_HAND))
            query = select(whole.c.event_id, whole.c.public_id).where(in_hand).distinct()
            for row in self._hand.connection.execute(query, these):
                found.setdefault(row.event_id, []).append(row.public_id)
        return found

    def lock(self, events: Sequence[int]) -> None:
        """Keep other schedulers away from these until the end."""
        about = text(self._hand.dialect.any_of("event.id", "these"))
        query = select(t.event.c.id).where(about).order_by(t.event.c.id).with_for_update()
        self._hand.connection.execute(query, {"these": self._hand.dialect.ids(events)})

    def notices(self, event: int) -> Sequence[UUID]:
        """The announcements of its notices so far."""
        table = t.event_notice
        query = select(table.c.announcement).where(
            table.c.event_id == event, table.c.announcement.is_not(None)
        )
        return self._hand.connection.execute(query.order_by(table.c.sequence)).scalars().all()

    def noticed(self, event: int, sequence: int, announcement: UUID | None) -> None:
        """The notice is made, or came too late."""
        table = t.event_notice
        self._hand.connection.execute(
            update(table)
            .where(table.c.event_id == event, table.c.sequence == sequence)
            .values(made_at=self._hand.now, announcement=announcement)
        )

    def _one(self, query: Select[Any], *, lock: bool) -> EventRow | None:
        found = self._rows(query.with_for_update(of=t.event) if lock else query)
        return found[0] if found else None

    def _rows(self, query: Select[Any]) -> list[EventRow]:
        return [event_of(row) for row in self._hand.connection.execute(query)]


def events() -> Select[Any]:
    """Every event, with its department."""
    return select(t.event, t.department.c.slug.label("department")).join(
        t.department, t.department.c.id == t.event.c.department_id
    )


def rules_in_force() -> Select[Any]:
    """Every reminder rule that reminds somebody, with its department."""
    table = t.reminder_rule
    return (
        select(table, t.department.c.slug.label("department"))
        .join(t.department, t.department.c.id == table.c.department_id)
        .where(table.c.retired_at.is_(None))
    )


def _owner(slug: str) -> Any:
    return select(t.department.c.id).where(t.department.c.slug == slug).scalar_subquery()


def _values(row: EventRow) -> dict[str, Any]:
    return {
        "original": row.original.isoformat(),
        "audience": row.audience,
        "title": row.title,
        "place": row.place,
        "wall": row.wall.isoformat(),
        "starts_at": row.starts_at,
        "ends_at": row.ends_at,
        "sequence": row.sequence,
        "known_at": row.known_at,
        "made_by": row.made_by,
        "cancelled_at": row.cancelled_at,
        "changed_at": row.changed_at,
    }


def event_of(row: Row[Any]) -> EventRow:
    """An event's row, read."""
    return EventRow(
        row.id,
        row.public_id,
        row.department,
        row.audience,
        row.source,
        row.uid,
        datetime.fromisoformat(row.original),
        row.title,
        row.place,
        datetime.fromisoformat(row.wall),
        row.starts_at,
        row.ends_at,
        row.known_at,
        row.made_by,
        row.sequence,
        row.cancelled_at,
        row.changed_at,
    )


def rule_of(row: Row[Any]) -> ReminderRule:
    """A reminder rule's row, read."""
    parts = {part: words for part, column in _PARTS.items() if (words := row._mapping[column]) is not None}
    ways = tuple(Step(tuple(step)) for step in json.loads(row.ways))
    before = timedelta(seconds=row.before_seconds)
    approved = Yes(row.approved_by, row.approved_at) if row.approved_at else None
    return ReminderRule(
        row.id, row.department, row.name, row.audience, before, People(row.people), ways, parts, row.made_by,
        row.made_at, approved, time.fromisoformat(row.clock) if row.clock else None,
    )  # fmt: skip
