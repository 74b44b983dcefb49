"""A coach that leaves at eight, corrected to nine: what was said, what stands at the provider, what the duties say."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from broker import intake
from broker.actor import SYSTEM, Actor
from broker.announcement import Announcement, Part
from broker.authority import rule_changes
from broker.corrections import verbs
from broker.values import Lane
from ledger import tables as t
from tests.support.broker_world import World

WRONG, RIGHT = "The coach leaves at eight.", "The coach leaves at nine."
LEAD = "Correction: "
TEN = [f"The coach leaves at {n} past nine." for n in range(10)]
SAID = {
    hashlib.sha256(words.encode()).hexdigest(): words
    for text in (WRONG, RIGHT, *TEN)
    for words in (text, LEAD + text)
}


def correct(
    world: World, said: Announcement, text: str = RIGHT, *, actor: Actor = SYSTEM, **wanted: Any
) -> Announcement:
    draft = verbs.correction(world.ports, said.public_id, {Part.SHORT: text}, replace(verbs.PLAIN, **wanted))
    return intake.accept(world.ports, draft, actor=actor).announcement


def send_all(world: World, *announcements: Announcement) -> None:
    for _ in range(3):
        for one in announcements:
            world.plan(one)
        for account in ("texts", "mails"):
            for lane in Lane:
                world.send(account, lane)
        world.pass_time(timedelta(seconds=2))


def texts(world: World) -> dict[str, list[str]]:
    """By number, what it got, in order."""
    got: dict[str, list[str]] = {}
    for one in world.channels.texts.truth:
        got.setdefault(one.address, []).append(SAID[one.digest])
    return got


def fresh(world: World, said: Announcement) -> Announcement:
    with world.ledger.begin() as tx:
        found = tx.announcements.by_public_id(said.public_id)
    assert found is not None
    return found


def states(world: World, said: Announcement) -> dict[str, int]:
    return world.states(said)


def half_sent(world: World, **more: Any) -> Announcement:
    """Ten of thirty have it."""
    said = world.announce(parts={Part.SHORT: WRONG}, **more)
    world.plan(said)
    world.sql("UPDATE delivery SET due_at = '2999-01-01' WHERE id > (SELECT min(id) + 9 FROM delivery)")
    world.send("texts")
    world.sql("UPDATE delivery SET due_at = created_at WHERE state = 'queued'")
    return said


def seconds_to_undo(world: World) -> None:
    """From now on; what was said before is past it."""
    world.pass_time(timedelta(minutes=2))
    rule_changes.change(world.ports, "undo.window", "60 s", "a test", actor=SYSTEM)


def now_of(world: World) -> Any:
    with world.ledger.begin() as tx:
        return tx.now


def deliveries_of(world: World, said: Announcement) -> list[Any]:
    return world.rows(select(t.delivery).where(t.delivery.c.announcement_id == said.id))
