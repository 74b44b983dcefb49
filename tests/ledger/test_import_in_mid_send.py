"""An import between fan-out and dispatch: what waits is judged by what the school knows now."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from broker.actor import SYSTEM
from broker.announcement import Draft, Part, People, Step
from broker.fanout import plan
from broker.policy import covered
from broker.ports import Ports
from broker.rosters.imports import import_roster
from broker.values import Lane
from ledger import tables as t
from ledger.connect import Ledger
from tests.support.school import SmallSchool, family

pytestmark = pytest.mark.usefixtures("sandbox_school")
MUM, DAD, FAY = "+447911100001", "+447911100002", "+447911100003"


def planned(ports: Ports, school: SmallSchool) -> int:
    import_roster(ports, school.roster(), actor=SYSTEM)
    draft = Draft("music", "everyone", People.GUARDIANS, (Step(("sms",)),), {Part.SHORT: "Rehearsal."})
    with ports.ledger.begin() as tx:
        hour = timedelta(hours=1)
        made = tx.announcements.add(
            draft, digest="d", actor=SYSTEM, due_at=tx.now - hour, expires_at=tx.now + hour
        )
    plan(ports, made.public_id, actor=SYSTEM)
    return made.id


def would_tell(ledger: Ledger) -> dict[str, list[str]]:
    """Number → the children whom a text to it would name now."""
    with ledger.begin() as tx:
        texts = tx.accounts.named("texts")
        assert texts is not None
        picked = tx.deliveries.pick(texts, Lane.ROUTINE, limit=100)
        return {one.address: sorted(cover.name for cover in covered(one.case)) for one in picked}


def test_one_text_a_number_names_all_four_children(ports, ledger):
    planned(ports, family())
    children = ["Ann", "Ben", "Cat", "Dan"]
    assert would_tell(ledger) == {MUM: children, DAD: children, FAY: ["Eve"]}


def test_a_block_that_comes_after_the_fan_out_takes_that_child_alone_out(ports, ledger):
    school = family()
    planned(ports, school)
    school.block("dad", "ann")
    import_roster(ports, school.roster(), actor=SYSTEM)
    assert would_tell(ledger)[DAD] == ["Ben", "Cat", "Dan"]
    assert would_tell(ledger)[MUM] == ["Ann", "Ben", "Cat", "Dan"]


def test_a_number_given_to_somebody_else_tells_of_the_children_no_more(ports, ledger):
    school = family()
    planned(ports, school)
    school.people["dad"] = replace(school.people["dad"], mobiles=())
    school.people["fay"] = replace(school.people["fay"], mobiles=(FAY, DAD))
    import_roster(ports, school.roster(), actor=SYSTEM)
    assert would_tell(ledger)[DAD] == []


def test_a_guardian_who_left_speaks_for_nobody_at_a_number_that_others_share(ports, ledger):
    school = family()
    school.people["fay"] = replace(school.people["fay"], mobiles=(FAY, DAD))
    planned(ports, school)
    assert would_tell(ledger)[DAD] == ["Ann", "Ben", "Cat", "Dan", "Eve"]
    school.leave("dad")
    import_roster(ports, school.roster(), actor=SYSTEM, expect_leaving=1)
    assert would_tell(ledger)[DAD] == ["Eve"]


def test_a_fan_out_explains_an_address_lost_to_a_blocked_guardian(ports, ledger):
    school = family()
    school.people["mum"] = replace(school.people["mum"], mobiles=(DAD,))
    school.block("dad", "ann")
    made = planned(ports, school)
    with ledger.reading() as hand:
        rows = hand.connection.execute(
            select(t.person.c.source_id, t.duty.c.unreached)
            .join(t.person, t.person.c.id == t.duty.c.person_id)
            .where(t.duty.c.announcement_id == made, t.duty.c.unreached.is_not(None))
        ).all()
    assert [tuple(row) for row in rows] == [("ann", "blocked")]
