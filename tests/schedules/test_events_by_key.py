"""An event that a program adds under a key of its own is found again by it, and by nobody of another department."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from broker.actor import Actor, ActorKind
from broker.diary import event_book
from broker.diary.events import ALONE, ToldEvent
from broker.errors import KeyConflict, NotAllowed
from broker.ports.events import EventRow
from tests.support.broker_world import World

MACHINE = Actor(ActorKind.TOKEN, "school calendar", "music")


def before(world: World, uid: str, actor: Actor = MACHINE) -> EventRow | None:
    with world.ledger.look() as tx:
        return event_book.added_before(tx, uid, department="music", actor=actor)


def test_it_is_found_by_its_key_and_another_body_is_a_conflict(world: World) -> None:
    starts = datetime.now(UTC).replace(microsecond=0) + timedelta(days=7)
    uid = event_book.uid_of("music", "a_key%", "Concert")
    assert before(world, uid) is None
    told = ToldEvent(
        uid, ALONE, starts.replace(tzinfo=None), starts, starts + timedelta(hours=1), "Concert", "Hall"
    )
    added = event_book.add(world.ports, told, department="music", audience="Choir", actor=MACHINE)
    found = before(world, uid)
    assert found is not None
    assert found.public_id == added.public_id
    assert before(world, event_book.uid_of("music", "aXkey%", "Concert")) is None
    with pytest.raises(KeyConflict):
        before(world, event_book.uid_of("music", "a_key%", "Another concert"))
    with pytest.raises(NotAllowed):
        before(world, uid, Actor(ActorKind.TOKEN, "sport's calendar", "sport"))
