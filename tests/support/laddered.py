"""Announcements that go by one way and then the next: climb, and see who stands on which rung."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from broker.actor import SYSTEM
from broker.announcement import Announcement, Step
from broker.duty import DutyState
from broker.ladders import climbing
from broker.ladders.ladder import Ladder, Opening
from broker.office.reach import kinds_of
from ledger import tables as t
from ledger.reads.reached import reached
from tests.support.broker_world import World

TEXT_THEN_MAIL = (Step(("sms",)), Step(("email",)))
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
DEAD = "+447911123401"


def laddered(
    world: World, *openings: Opening, ways: tuple[Step, ...] = TEXT_THEN_MAIL, **more: Any
) -> Announcement:
    ladder = Ladder(openings) if openings else None
    said = world.announce(ways=ways, ladder=ladder, **more)
    world.plan(said)
    return said


def climb(world: World) -> int:
    """One look, whatever its time."""
    world.sql("UPDATE ladder SET look_at = '2000-01-01 00:00:00'")
    return climbing.climb(world.ports, actor=SYSTEM)


def rungs(world: World, said: Announcement) -> dict[str, list[tuple[int, str]]]:
    """First name → the steps opened for it, and why."""
    query = (
        select(t.person.c.given_name, t.rung.c.step, t.rung.c.code)
        .join(t.duty, t.duty.c.id == t.rung.c.duty_id)
        .join(t.person, t.person.c.id == t.duty.c.person_id)
        .where(t.duty.c.announcement_id == said.id)
        .order_by(t.duty.c.id, t.rung.c.step)
    )
    found: dict[str, list[tuple[int, str]]] = {}
    for row in world.rows(query):
        found.setdefault(row.given_name, []).append((row.step, row.code))
    return found


def states(world: World, said: Announcement) -> dict[str, DutyState]:
    with world.ledger.reading() as hand:
        told = reached(hand, said_now(world, said), kinds=kinds_of(world.channels, said))
    return {one.name.split()[0]: one.state for one in told}


def said_now(world: World, said: Announcement) -> Announcement:
    with world.ledger.look() as tx:
        return tx.announcements.by_id(said.id)


def gone(world: World, account: str) -> None:
    """The settings name it no more."""
    world.sql(f"UPDATE account SET active = false WHERE name = '{account}'")
