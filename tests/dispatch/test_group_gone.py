"""A group that went between acceptance and its time: nobody is told by mistake, and somebody is told why."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from broker import intake
from broker.actor import SYSTEM
from broker.announcement import Part
from broker.corrections import verbs
from broker.errors import UnknownAudience
from broker.office import groups
from ledger import tables as t
from tests.support.broker_world import World
from tests.support.school import family


def alarms(world: World) -> list[str]:
    return [row.kind for row in world.rows(select(t.alarm).where(t.alarm.c.cleared_at.is_(None)))]


def test_an_announcement_waits_for_a_person_when_whom_it_leaves_out_is_not_known_any_more(world: World):
    world.bring(family())
    groups.keep(world.ports, "Excused", department=None, actor=SYSTEM)
    groups.add_members(world.ports, "Excused", ["eve"], actor=SYSTEM)
    said = world.announce(audience="7B - Excused")
    groups.retire(world.ports, "Excused", actor=SYSTEM)
    assert world.plan(said) == 0
    assert world.plan(said) == 0
    assert world.rows(select(t.duty)) == []
    assert alarms(world) == ["audience_gone"]
    groups.keep(world.ports, "Excused", department=None, actor=SYSTEM)
    groups.add_members(world.ports, "Excused", ["eve"], actor=SYSTEM)
    assert world.plan(said) == 2  # Ann's mother and father
    assert alarms(world) == []


def test_what_was_said_to_a_group_that_is_gone_is_corrected_and_taken_back_all_the_same(world: World):
    world.bring(family())
    groups.keep(world.ports, "Trip", department=None, actor=SYSTEM)
    groups.add_members(world.ports, "Trip", ["eve"], actor=SYSTEM)
    said = world.announce(audience="Trip")
    world.plan(said)
    world.send()
    before = world.states(said)
    draft = verbs.correction(world.ports, said.public_id, {Part.SHORT: "At nine."})
    right = intake.accept(world.ports, draft, actor=SYSTEM).announcement
    groups.retire(world.ports, "Trip", actor=SYSTEM)
    world.plan(right)
    world.send()
    assert world.states(right) == before == {"sent": sum(before.values())}
    assert alarms(world) == []
    again = verbs.correction(world.ports, right.public_id, {Part.SHORT: "At ten."})
    last = intake.accept(world.ports, again, actor=SYSTEM).announcement
    world.plan(last)
    gone = verbs.withdrawal(world.ports, last.public_id, {Part.SHORT: "There is no coach."})
    _, told = verbs.withdraw_and_tell(world.ports, gone, actor=SYSTEM)
    world.plan(told.announcement)
    world.send()
    assert world.states(told.announcement) == before


def test_what_told_nobody_yet_is_not_corrected_for_a_group_that_is_gone(world: World):
    world.bring(family())
    groups.keep(world.ports, "Trip", department=None, actor=SYSTEM)
    said = world.announce(audience="7B + Trip")
    groups.retire(world.ports, "Trip", actor=SYSTEM)
    draft = verbs.correction(world.ports, said.public_id, {Part.SHORT: "At nine."})
    with pytest.raises(UnknownAudience):
        intake.accept(world.ports, draft, actor=SYSTEM)


def test_when_its_time_is_over_who_was_not_told_is_known_all_the_same(world: World):
    world.bring(family())
    groups.keep(world.ports, "Excused", department=None, actor=SYSTEM)
    said = world.announce(audience="7B + Excused")
    groups.retire(world.ports, "Excused", actor=SYSTEM)
    world.pass_time(timedelta(days=2))
    world.plan(said)
    world.send()
    assert set(world.states(said)) == {"refused"}
    assert len(world.rows(select(t.duty))) == 2
