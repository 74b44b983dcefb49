"""An urgent announcement that goes without a second person, and is listed until somebody has reviewed it."""

from __future__ import annotations

from sqlalchemy import select

from broker.announcement import Urgency
from broker.authority import approvals
from broker.values import Lane
from ledger import tables as t
from tests.support.broker_world import World
from tests.support.second_person import BELL, DEPUTY, HEAD, announced, go, listed, refused, setting


def test_an_urgent_one_may_go_without_a_second_person_and_is_listed_until_reviewed(two: World) -> None:
    said = announced(two, urgency=Urgency.URGENT)
    assert go(two, said) == {}
    approvals.override(two.ports, said.public_id, "the boiler has failed", actor=BELL)
    two.plan(said)
    two.send(lane=Lane.URGENT)
    assert two.states(said) == {"sent": 30}
    assert listed(two) == [(said.public_id, True)]
    alarms = select(t.alarm.c.subject).where(
        t.alarm.c.kind == "approval_overridden", t.alarm.c.cleared_at.is_(None)
    )
    assert [row.subject for row in two.rows(alarms)] == [str(said.public_id)]
    assert (
        refused(lambda: approvals.review(two.ports, said.public_id, "fine", actor=BELL)) == "own_announcement"
    )
    approvals.review(two.ports, said.public_id, "right to send it", actor=HEAD)
    assert listed(two) == []
    assert two.rows(alarms) == []
    assert (
        refused(lambda: approvals.review(two.ports, said.public_id, "x", actor=DEPUTY)) == "nothing_to_review"
    )
    assert two.record().count("announcement.overridden") == 1


def test_nothing_is_accepted_whose_waiver_is_refused(two: World) -> None:
    setting(two, "blast.size", "10")
    draft = two.draft(urgency=Urgency.URGENT)
    before = two.record()
    code = refused(lambda: approvals.accept_overridden(two.ports, draft, "the boiler has failed", actor=BELL))
    assert code == "always_checked"
    assert two.rows(select(t.announcement)) == []
    assert two.rows(select(t.alarm).where(t.alarm.c.kind == "approval_overridden")) == []
    assert two.record() == before
    setting(two, "blast.size", "1000")
    said = approvals.accept_overridden(two.ports, draft, "the boiler has failed", actor=BELL)
    assert (said.created, said.hold) == (True, None)
    assert listed(two) == [(said.announcement.public_id, True)]
    two.plan(said.announcement)
    two.send(lane=Lane.URGENT)
    assert two.states(said.announcement) == {"sent": 30}


def test_a_routine_one_waits_whatever_the_reason(two: World) -> None:
    said = announced(two)
    assert refused(lambda: approvals.override(two.ports, said.public_id, "hurry", actor=BELL)) == "not_urgent"
    assert go(two, said) == {}
