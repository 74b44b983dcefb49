"""Rules that are changed while something goes out: what they still say to it, and that nothing of it is stranded."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from broker import intake
from broker.actor import SYSTEM, Actor, ActorKind
from broker.announcement import Announcement, Part, Step, Urgency
from broker.authority import approvals, operators, rule_changes, second_thoughts
from broker.errors import RuleBroken
from broker.ports.approvals import Decided, OperatorRole
from broker.values import Lane
from ledger import tables as t
from ledger.plans import Plans
from ledger.reads.approvals import looked_at, waiting
from tests.support.broker_world import World

BELL, HEAD = (Actor(ActorKind.PERSON, name) for name in ("Mrs Bell", "The Head"))
SALE: dict[str, Any] = {"parts": {Part.SHORT: "Please donate to the new piano."}}


def setting(world: World, key: str, value: str) -> None:
    rule_changes.change(world.ports, key, value, "the test", actor=HEAD)


def refused(what: Any) -> str:
    with pytest.raises(RuleBroken) as broken:
        what()
    return broken.value.problem.code


def verdicts(world: World, said: Announcement) -> list[tuple[str, str]]:
    with world.ledger.look() as tx:
        return [(each.answer, each.code) for each in tx.verdicts.of(said)]


def listed(world: World) -> list[Any]:
    with world.ledger.reading() as hand:
        return [each.id for each in waiting(hand)]


@pytest.fixture
def choir(thirty: World) -> World:
    operators.add(thirty.ports, "The Head", [OperatorRole.APPROVER, OperatorRole.ADMIN], None, actor=HEAD)
    operators.add(
        thirty.ports, "Mrs Bell", [OperatorRole.AUTHOR, OperatorRole.APPROVER], "office", actor=HEAD
    )
    return thirty


def begun(world: World, **changes: Any) -> Announcement:
    """Something that is planned, and goes out."""
    said = intake.accept(world.ports, world.draft(**changes), actor=BELL).announcement
    world.plan(said)
    assert world.states(said) == {"queued": 30}
    return said


@pytest.mark.parametrize(
    ("rule", "value", "code"),
    [
        ("approval.needed", "any/any/any", "began_before"),
        ("blast.size", "5", ""),
        ("undo.window", "1 h", ""),
    ],
)
def test_what_has_begun_goes_on_as_it_was_agreed_to(choir: World, rule: str, value: str, code: str) -> None:
    said = begun(choir)
    setting(choir, rule, value)
    choir.send()
    assert choir.states(said) == {"sent": 30}
    assert verdicts(choir, said) == [("allow", ""), ("allow", code)]
    after = intake.accept(choir.ports, choir.draft(), actor=BELL)
    assert after.hold is not None  # the next one is asked about


def test_a_planner_that_died_is_continued_whatever_rules_were_made_since(
    choir: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting(choir, "approval.needed", "any/any/any")
    said = intake.accept(choir.ports, choir.draft(ways=(Step(("sms", "email")),)), actor=BELL).announcement
    approvals.approve(choir.ports, said.public_id, actor=HEAD)
    whole = Plans.add_partition

    def dies_at_the_mails(
        self: Plans, announcement: Announcement, channel: str, *rest: Any, **more: Any
    ) -> Any:
        if channel == "email":
            raise ConnectionResetError("the database went away")
        return whole(self, announcement, channel, *rest, **more)

    with monkeypatch.context() as dying:
        dying.setattr(Plans, "add_partition", dies_at_the_mails)
        with pytest.raises(ConnectionResetError):
            choir.plan(said)
    setting(choir, "blast.size", "5")
    choir.plan(said)
    choir.send()
    choir.send("mails")
    assert choir.states(said) == {"sent": 60}
    assert choir.record().count("approval.void") == 0


def test_a_rule_about_what_its_words_do_stops_the_rest_until_a_second_person_agrees(choir: World) -> None:
    said = begun(choir, **SALE)
    setting(choir, "purpose.sale_waits", "yes")
    choir.send()
    assert choir.states(said) == {"queued": 30}
    assert verdicts(choir, said)[-1] == ("hold", "sale_words")
    assert listed(choir) == [said.public_id]
    alarm = select(t.alarm.c.subject).where(t.alarm.c.kind == "approval_void", t.alarm.c.cleared_at.is_(None))
    assert [row.subject for row in choir.rows(alarm)] == [str(said.public_id)]
    with choir.ledger.reading() as hand:
        found = looked_at(hand, said.public_id)
    assert found is not None
    assert found.waits
    assert "piano" not in found.why
    assert refused(lambda: approvals.approve(choir.ports, said.public_id, actor=BELL)) == "own_announcement"
    approvals.approve(choir.ports, said.public_id, actor=HEAD, seen=found.binding.digest)
    assert listed(choir) == []
    assert choir.rows(alarm) == []
    choir.send()
    assert choir.states(said) == {"sent": 30}
    assert refused(lambda: approvals.approve(choir.ports, said.public_id, actor=HEAD)) == "decided"


def test_a_no_in_the_middle_takes_back_what_has_not_left(choir: World) -> None:
    said = begun(choir, **SALE)
    setting(choir, "purpose.sale_waits", "yes")
    choir.send()
    approvals.reject(choir.ports, said.public_id, "not by text", actor=HEAD)
    assert choir.states(said) == {"withdrawn": 30}
    assert listed(choir) == []
    assert choir.record().count("announcement.withdrawn") == 1


def test_what_went_without_a_second_person_waits_for_one_after_all(choir: World) -> None:
    setting(choir, "approval.needed", "any/any/any")
    said = intake.accept(choir.ports, choir.draft(urgency=Urgency.URGENT, **SALE), actor=BELL).announcement
    approvals.override(choir.ports, said.public_id, "now", actor=BELL)
    choir.plan(said)
    setting(choir, "purpose.sale_waits", "yes")
    choir.send(lane=Lane.URGENT)
    assert choir.states(said) == {"queued": 30}
    assert refused(lambda: approvals.override(choir.ports, said.public_id, "now", actor=BELL)) == "decided"
    decision = approvals.approve(choir.ports, said.public_id, actor=HEAD)
    assert decision.decided is Decided.APPROVED
    choir.send(lane=Lane.URGENT)
    assert choir.states(said) == {"sent": 30}
    assert listed(choir) == [said.public_id]  # the override is still to be reviewed
    approvals.review(choir.ports, said.public_id, "right", actor=HEAD)
    assert listed(choir) == []


def test_what_nobody_agreed_to_in_time_is_not_taken_for_agreed_when_it_is_planned(choir: World) -> None:
    setting(choir, "approval.needed", "any/any/any")
    said = intake.accept(choir.ports, choir.draft(), actor=BELL).announcement
    choir.pass_time(timedelta(days=2))
    choir.sweep()
    choir.plan(said)
    choir.send()
    assert choir.states(said) == {"refused": 30}
    assert verdicts(choir, said) == [("hold", "needs_approval")]
    assert {row.code for row in choir.rows(select(t.delivery.c.code))} == {"not_approved"}


def test_a_number_nobody_typed_in_time_is_told_as_not_agreed_to(choir: World) -> None:
    setting(choir, "blast.size", "5")
    said = choir.announce()
    choir.pass_time(timedelta(days=2))
    choir.plan(said)
    choir.send()
    assert {row.code for row in choir.rows(select(t.delivery.c.code))} == {"not_approved"}
    assert (
        refused(lambda: second_thoughts.expect(choir.ports, said.public_id, 30, actor=SYSTEM)) == "too_late"
    )
