"""What is said again goes by the ways that have opened, gives each its time anew, and goes no way twice."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from broker import intake
from broker.actor import SYSTEM
from broker.announcement import Announcement
from broker.corrections import verbs
from broker.duty import DutyState
from broker.ladders.ladder import Climbed, Opening
from broker.testing.channel_bench import Fault
from ledger import tables as t
from tests.support.broker_world import World
from tests.support.laddered import DEAD, HOUR, MINUTE, climb, laddered, rungs, states
from tests.support.school import SmallSchool


def again(world: World, said: Announcement, who: str, **more: Any) -> dict[str, list[str]]:
    """Say it again to somebody; by channel where it goes."""
    [row] = world.rows(select(t.person.c.public_id).where(t.person.c.given_name == who))
    draft = verbs.resend(world.ports, said.public_id, [row.public_id], **more)
    made = intake.accept(world.ports, draft, actor=SYSTEM).announcement
    world.plan(made)
    query = (
        select(t.delivery.c.channel, t.address.c.value)
        .join(t.address, t.address.c.id == t.delivery.c.address_id)
        .where(t.delivery.c.announcement_id == made.id)
    )
    found: dict[str, list[str]] = {}
    for one in world.rows(query):
        found.setdefault(one.channel, []).append(one.value)
    return found


def test_what_is_said_again_goes_by_the_ways_that_have_opened_for_somebody(four: World) -> None:
    said = laddered(four)
    four.send("texts")
    climb(four)
    four.send("mails")
    assert again(four, said, "Amy") == {"sms": ["+447911123400"]}
    assert again(four, said, "Ben") == {"sms": [DEAD], "email": ["b@example.org"]}
    assert again(four, said, "Amy", at_once=True) == {"sms": ["+447911123400"], "email": ["a@example.org"]}


def test_where_what_is_said_again_fails_the_ladder_goes_on(four: World) -> None:
    said = laddered(four)
    four.send("texts")
    four.sql("UPDATE delivery SET state = 'rejected' WHERE state = 'sent'")
    four.channels.texts.order(Fault.REJECTED_ADDRESS)
    assert again(four, said, "Amy") == {"sms": ["+447911123400"]}
    assert "Amy" not in rungs(four, said)
    climb(four)
    assert "Amy" not in rungs(four, said)  # it is under way again
    four.send("texts")
    climb(four)
    assert rungs(four, said)["Amy"] == [(1, Climbed.FAILED)]


def test_what_is_said_again_gives_each_further_way_its_time_anew(four: World) -> None:
    said = laddered(four, Opening(HOUR), Opening(2 * HOUR))
    four.channels.texts.order(Fault.UNREACHABLE, address="+447911123400")
    four.pass_time(HOUR - MINUTE)
    again(four, said, "Amy")
    four.pass_time(2 * MINUTE)
    climb(four)
    assert "Amy" not in rungs(four, said)
    four.pass_time(HOUR)
    climb(four)
    assert rungs(four, said)["Amy"] == [(1, Climbed.NOT_REACHED)]


def test_a_way_by_which_it_was_said_again_is_not_gone_a_second_time_by_the_ladder(four: World) -> None:
    said = laddered(four, Opening(HOUR), Opening(2 * HOUR))
    four.channels.texts.order(Fault.REJECTED_ADDRESS)
    assert "email" in again(four, said, "Amy", at_once=True)
    four.pass_time(HOUR + MINUTE)
    climb(four)
    for _ in range(2):
        four.send("texts")
        four.send("mails")
        climb(four)
    assert sorted(kept.address for kept in four.channels.mails.truth) == [
        "a@example.org",
        "b@example.org",
        "c@example.org",
    ]


def test_who_joined_since_climbs_the_ladder_from_its_foot(four: World) -> None:
    said = laddered(four)
    four.send("texts")
    climb(four)
    school = SmallSchool()
    for n, name in enumerate(("Amy", "Ben", "Cat", "Dan")):
        school.guardian(f"M{'abcd'[n]}", school.pupil(name, "Choir"), mobiles=(f"+44791112340{n}",))
    school.guardian("Me", school.pupil("Eve", "Choir"), mobiles=("+447911123409",), emails=("e@example.org",))
    four.bring(school)
    four.channels.texts.order(Fault.REJECTED_ADDRESS, address="+447911123409")
    draft = verbs.resend(four.ports, said.public_id, joined=True)
    made = intake.accept(four.ports, draft, actor=SYSTEM).announcement
    assert four.plan(made) == 1
    four.send("texts")
    climb(four)
    four.send("mails")
    assert rungs(four, said)["Eve"] == [(1, Climbed.FAILED)]
    assert states(four, said)["Eve"] is DutyState.MET
