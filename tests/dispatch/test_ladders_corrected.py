"""A correction climbs a ladder like what it corrects, and says so only where a wrong text may be."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select

from broker import intake
from broker.actor import SYSTEM
from broker.announcement import AS_CORRECTION, RIGHT_TEXT, Part, Urgency
from broker.corrections import verbs
from broker.ladders.ladder import Climbed, Opening
from broker.testing.channel_bench import Fault
from ledger import tables as t
from tests.support.broker_world import World
from tests.support.laddered import HOUR, MINUTE, climb, gone, laddered, rungs


def now_of(world: World) -> datetime:
    with world.ledger.look() as tx:
        return tx.now


def test_the_next_way_of_a_correction_opens_where_the_first_ones_account_is_gone(four: World) -> None:
    said = laddered(four)
    draft = verbs.correction(four.ports, said.public_id, {Part.SHORT: "The coach leaves at nine."})
    right = intake.accept(four.ports, draft, actor=SYSTEM).announcement
    gone(four, "texts")
    four.plan(right)
    climb(four)
    four.send("mails")
    assert len(four.channels.mails.truth) == 3


def test_a_correction_climbs_and_says_so_only_where_a_wrong_text_may_be(four: World) -> None:
    said = laddered(four)
    four.send("texts")  # Amy's mother has the wrong text, and Ben's has a dead number
    climb(four)
    draft = verbs.correction(four.ports, said.public_id, {Part.SHORT: "The coach leaves at nine."})
    right = intake.accept(four.ports, draft, actor=SYSTEM).announcement
    four.plan(right)
    four.channels.texts.order(Fault.REJECTED_ADDRESS)
    four.send("texts")
    climb(four)
    query = (
        select(t.address.c.value, t.delivery.c.content_version)
        .join(t.delivery, t.delivery.c.address_id == t.address.c.id)
        .where(t.delivery.c.announcement_id == right.id, t.delivery.c.channel == "email")
    )
    versions = {row.value: row.content_version for row in four.rows(query)}
    assert versions["a@example.org"] == AS_CORRECTION
    assert versions["b@example.org"] == versions["c@example.org"] == RIGHT_TEXT
    assert four.record().count("ladder.ended") == 1


def test_a_correction_of_what_was_to_open_soon_opens_the_next_way_all_the_same(four: World) -> None:
    """Its texts wait for ever; without a time of its own it would stand on that rung until it expires."""
    said = laddered(four, Opening(now_of(four) + 2 * HOUR), Opening())
    four.pass_time(2 * HOUR - MINUTE)
    draft = verbs.correction(four.ports, said.public_id, {Part.SHORT: "At nine."})
    right = intake.accept(four.ports, draft, actor=SYSTEM).announcement
    four.plan(right)
    four.pass_time(HOUR)
    assert climb(four) > 0
    assert (1, Climbed.NOT_REACHED) in rungs(four, right)["Amy"]


def test_a_ladder_that_waits_for_its_correction_keeps_no_other_from_its_turn(four: World) -> None:
    said = laddered(four)
    draft = verbs.correction(four.ports, said.public_id, {Part.SHORT: "At nine."})
    intake.accept(four.ports, replace(draft, urgency=Urgency.ROUTINE), actor=SYSTEM)
    climb(four)
    with four.ledger.look() as tx:
        assert said.public_id not in tx.ladders.due(limit=100)
