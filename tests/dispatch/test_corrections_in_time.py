"""A correction that waits: for a yes, for a number, for what went before; and the alarm when its time is over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from broker import fanout, intake
from broker.actor import SYSTEM, Actor, ActorKind
from broker.announcement import Part
from broker.authority import approvals, operators, rule_changes, second_thoughts
from broker.authority.second_thoughts import TooLate
from broker.errors import InvalidAnnouncement, NotToBeChanged
from broker.ports.approvals import OperatorRole
from ledger import tables as t
from tests.support.broker_world import World
from tests.support.corrected import (
    correct,
    fresh,
    half_sent,
    now_of,
    seconds_to_undo,
    send_all,
    states,
    texts,
)


def test_a_correction_that_would_be_over_while_it_may_be_undone_is_refused(thirty: World):
    said = half_sent(thirty)
    seconds_to_undo(thirty)
    with pytest.raises(InvalidAnnouncement) as refused:
        correct(thirty, said, expires_at=now_of(thirty) + timedelta(seconds=30))
    assert (refused.value.problem.code, refused.value.problem.field) == ("undo_too_late", "expires")
    assert fresh(thirty, said).corrected_by is None


def alarms(world: World) -> list[tuple[str, str]]:
    rows = world.rows(select(t.alarm).where(t.alarm.c.cleared_at.is_(None)))
    return [(row.kind, row.subject) for row in rows]


def test_a_correction_whose_time_is_over_while_it_waits_for_a_yes_is_an_alarm_until_it_is_taken_back(
    thirty: World,
):
    said = half_sent(thirty)
    rule_changes.change(thirty.ports, "blast.size", "20", "a test", actor=SYSTEM)
    again = correct(thirty, said, expires_at=now_of(thirty) + timedelta(hours=1))
    assert fresh(thirty, again).hold_code == "size_unconfirmed"
    thirty.plan(again)
    assert alarms(thirty) == []
    thirty.pass_time(timedelta(hours=1))
    send_all(thirty, said, again)
    assert states(thirty, again) == {"refused": 30}
    assert states(thirty, said) == {"sent": 10, "withdrawn": 20}
    assert alarms(thirty) == [("correction_over", str(again.public_id))]
    intake.withdraw(thirty.ports, again.public_id, actor=SYSTEM)
    assert alarms(thirty) == []


def test_a_correction_whose_time_is_over_before_all_went_before_is_settled_is_an_alarm_too(thirty: World):
    said = half_sent(thirty)
    thirty.sql("UPDATE delivery SET state = 'uncertain', lookup_at = '2999-01-01' WHERE id = 1")
    again = correct(thirty, said, expires_at=now_of(thirty) + timedelta(hours=1))
    send_all(thirty, again)
    assert states(thirty, again) == {"sent": 29}
    assert alarms(thirty) == []
    thirty.pass_time(timedelta(hours=1))
    thirty.plan(again)
    assert alarms(thirty) == [("correction_over", str(again.public_id))]


def test_a_worker_that_dies_before_it_ends_such_a_correction_leaves_the_alarm_to_the_next(
    thirty: World, monkeypatch: pytest.MonkeyPatch
):
    said = half_sent(thirty)
    thirty.sql("UPDATE delivery SET state = 'uncertain', lookup_at = '2999-01-01' WHERE id = 1")
    again = correct(thirty, said, expires_at=now_of(thirty) + timedelta(hours=1))
    send_all(thirty, again)
    thirty.pass_time(timedelta(hours=1))

    def dies(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(fanout, "_finish", dies)
        with pytest.raises(KeyboardInterrupt):
            thirty.plan(again)
    assert sum(states(thirty, again).values()) == 30
    assert alarms(thirty) == []
    thirty.plan(again)
    assert alarms(thirty) == [("correction_over", str(again.public_id))]


def test_a_correction_that_went_out_in_time_is_no_alarm(thirty: World):
    said = half_sent(thirty)
    again = correct(thirty, said)
    send_all(thirty, again)
    thirty.pass_time(timedelta(days=2))
    thirty.plan(again)
    assert alarms(thirty) == []


def test_once_it_speaks_instead_it_cannot_be_undone_though_nothing_of_it_is_planned(thirty: World):
    said = half_sent(thirty)
    again = correct(thirty, said)
    thirty.sql("UPDATE delivery SET state = 'sending', lease_until = '2999-01-01' WHERE announcement_id = 1")
    thirty.plan(again)
    assert not states(thirty, again)
    with pytest.raises(TooLate):
        second_thoughts.undo(thirty.ports, again.public_id, actor=SYSTEM)


def test_it_waits_for_the_number_of_those_whom_it_is_about(thirty: World):
    said = half_sent(thirty)
    rule_changes.change(thirty.ports, "blast.size", "20", "a test", actor=SYSTEM)
    again = correct(thirty, said)
    assert fresh(thirty, again).hold_code == "size_unconfirmed"
    assert second_thoughts.expect(thirty.ports, again.public_id, 30, actor=SYSTEM) == 30
    send_all(thirty, again)
    assert states(thirty, again) == {"sent": 30}


def test_a_second_person_says_no_to_one_correction_and_yes_to_the_next(thirty: World):
    head, bell = (Actor(ActorKind.PERSON, name) for name in ("The Head", "Mrs Bell"))
    operators.add(thirty.ports, head.id, [OperatorRole.APPROVER, OperatorRole.ADMIN], None, actor=SYSTEM)
    operators.add(thirty.ports, bell.id, [OperatorRole.AUTHOR], "office", actor=head)
    said = half_sent(thirty)
    thirty.pass_time(timedelta(minutes=2))
    rule_changes.change(thirty.ports, "approval.needed", "any/any/any", "a test", actor=head)
    refused = correct(thirty, said, actor=bell)
    thirty.send("texts")
    assert states(thirty, said) == {"queued": 20, "sent": 10}
    approvals.reject(thirty.ports, refused.public_id, "it is at six", actor=head)
    assert fresh(thirty, said).corrected_by is None
    right = correct(thirty, said, actor=bell)
    with pytest.raises(NotToBeChanged, match="two"):
        approvals.reword(thirty.ports, right.public_id, {Part.SHORT: "It is at nine."}, actor=bell)
    approvals.approve(thirty.ports, right.public_id, actor=head)
    send_all(thirty, said, right)
    assert states(thirty, right) == {"sent": 30}
    assert sorted(map(len, texts(thirty).values())) == [1] * 20 + [2] * 10
