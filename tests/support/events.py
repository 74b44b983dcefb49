"""A choir whose events are told of: the verbs and questions that the tests of reminders share."""

# ruff: noqa: DTZ001 - a wall time has no zone
from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from broker import fanout
from broker.actor import SYSTEM, Actor, ActorKind
from broker.announcement import Part, People, Step
from broker.diary import event_book, reminders, reminding
from broker.diary.events import ToldEvent
from broker.ports.events import EventRow, ReminderRule
from ledger import tables as t
from tests.support.broker_world import World

BELL = Actor(ActorKind.PERSON, "Mrs Bell")


def rule(
    world: World,
    name: str,
    before: timedelta,
    way: str,
    words: str = "{title}: {starts}, {place}.",
    people: People = People.GUARDIANS,
) -> None:
    made = ReminderRule(0, "music", name, "", before, people, (Step((way,)),), {Part.SHORT: words})
    reminders.add_rule(world.ports, made, actor=BELL)


def bring(world: World, events: list[ToldEvent], **more: Any) -> event_book.Brought:
    return event_book.bring(
        world.ports, "choir.ics", events, department="music", audience="Choir", actor=BELL, **more
    )


def told(
    uid: str,
    starts: datetime,
    place: str = "Hall",
    *,
    cancelled: bool = False,
    title: str = "Choir",
    group: str = "",
) -> ToldEvent:
    return ToldEvent(
        uid, datetime(2000, 1, 1), starts.replace(tzinfo=None), starts, starts + timedelta(hours=1), title, place,
        group=group, cancelled=cancelled,
    )  # fmt: skip


def said(world: World) -> list[tuple[str, str]]:
    """(kind of key, words) of every announcement that stands."""
    query = (
        select(t.announcement.c.idempotency_key, t.content.c.text)
        .join(t.content, t.content.c.announcement_id == t.announcement.c.id)
        .where(t.announcement.c.withdrawn_at.is_(None))
        .order_by(t.announcement.c.id)
    )
    return [(row.idempotency_key.partition(":")[0], row.text) for row in world.rows(query)]


def the_event(world: World) -> EventRow:
    with world.ledger.look() as tx:
        return tx.events.between(tx.now, tx.now + timedelta(days=400))[0]


def look(world: World) -> int:
    return reminding.make_due(world.ports, actor=SYSTEM)


def gone_out(world: World) -> None:
    """All that is announced is planned and sent."""
    for row in world.rows(select(t.announcement.c.public_id)):
        fanout.plan(world.ports, row.public_id, actor=SYSTEM)
    world.send("mails")
    world.send("texts")
