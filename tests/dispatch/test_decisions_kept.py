"""A second person's yes stands in the record whichever way it was given: an audit that compares them agrees."""

from __future__ import annotations

import pytest

from broker import intake
from broker.actor import Actor, ActorKind
from broker.announcement import Urgency
from broker.authority import approvals, operators, rule_changes
from broker.intake_many import Agreed, Wanted, accept_all
from broker.ports.approvals import OperatorRole
from ledger.scrutiny.audit import audit
from tests.support.broker_world import World

BELL, HEAD = Actor(ActorKind.PERSON, "Mrs Bell"), Actor(ActorKind.PERSON, "The Head")


@pytest.fixture
def two(thirty: World) -> World:
    """Two people, and everything wants both."""
    operators.add(thirty.ports, "The Head", [OperatorRole.APPROVER, OperatorRole.ADMIN], None, actor=HEAD)
    operators.add(thirty.ports, "Mrs Bell", [OperatorRole.AUTHOR], None, actor=HEAD)
    rule_changes.change(thirty.ports, "approval.needed", "any/any/any", "the test", actor=HEAD)
    return thirty


def test_a_yes_given_to_what_many_are_made_from_is_told_of_each(two: World) -> None:
    agreed = Agreed("The Head", "every Friday")
    wanted = [Wanted(two.draft(key=f"week {n}"), BELL, agreed) for n in range(2)]
    with two.ledger.begin() as tx:
        accepted = accept_all(two.ports, tx, wanted)
    assert [getattr(each, "hold", each) for each in accepted] == [None, None]
    assert two.record().count("announcement.approved") == 2
    assert audit(two.ledger).faults == ()


def test_a_yes_a_no_and_an_override_are_told(two: World) -> None:
    said = [intake.accept(two.ports, two.draft(key=str(n)), actor=BELL).announcement for n in range(2)]
    urgent = intake.accept(two.ports, two.draft(urgency=Urgency.URGENT), actor=BELL).announcement
    approvals.approve(two.ports, said[0].public_id, actor=HEAD)
    approvals.reject(two.ports, said[1].public_id, "not this week", actor=HEAD)
    approvals.override(two.ports, urgent.public_id, "the coach has broken down", actor=BELL)
    approvals.review(two.ports, urgent.public_id, "seen", actor=HEAD)
    assert audit(two.ledger).faults == ()
