"""A world under rules of its own: set one, see what it holds and why."""

from __future__ import annotations

from broker.actor import Actor, ActorKind
from broker.announcement import Announcement
from broker.authority import rule_changes
from broker.values import Lane
from tests.support.broker_world import World

BELL = Actor(ActorKind.PERSON, "Mrs Bell")


def setting(world: World, key: str, value: str) -> None:
    rule_changes.change(world.ports, key, value, "the test", actor=BELL)


def held(world: World, announcement: Announcement) -> str:
    with world.ledger.look() as tx:
        found = tx.announcements.by_id(announcement.id)
    return found.hold_code if found.held_until is not None else ""


def go_through(world: World, announcement: Announcement, lane: Lane = Lane.ROUTINE) -> None:
    """What a worker's hints and sweeps would bring about."""
    world.plan(announcement)
    world.send(lane=lane)
