"""A correction, delivery by delivery: who has the wrong text reads that it is corrected, the others the right one."""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text, update

from broker import fanout, intake, recover
from broker.actor import SYSTEM, Actor, ActorKind
from broker.announcement import Announcement, Part, Stage, Step, Urgency, stage
from broker.authority import approvals, operators, rule_changes, second_thoughts
from broker.authority.second_thoughts import TooLate
from broker.corrections import planning, verbs
from broker.corrections.law import Decision, NotFollowed, decide
from broker.delivery import State
from broker.duty import DutyState
from broker.errors import InvalidAnnouncement, NotToBeChanged, RuleBroken
from broker.ladders.ladder import Ladder, Opening
from broker.ports.approvals import OperatorRole
from broker.testing.channel_bench import Fault
from broker.values import Lane
from ledger import tables as t
from ledger.reads.status import status
from ledger.scrutiny.audit import audit
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


def duties(world: World, said: Announcement) -> dict[DutyState, int]:
    with world.ledger.reading() as hand:
        found = status(hand, said.public_id)
    assert found is not None
    return {state: n for state, n in found.duties.items() if n}


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


def test_half_sent_each_ends_with_the_right_text_and_only_who_had_the_wrong_one_reads_that_it_is_corrected(
    thirty: World,
):
    said = half_sent(thirty)
    again = correct(thirty, said)
    send_all(thirty, again)
    got = texts(thirty)
    assert sorted(map(len, got.values())) == [1] * 20 + [2] * 10
    assert {tuple(each) for each in got.values()} == {(WRONG, LEAD + RIGHT), (RIGHT,)}
    assert states(thirty, said) == {"sent": 10, "withdrawn": 20}
    assert states(thirty, again) == {"sent": 30}
    assert thirty.tallies(said) == {"sent": 10, "withdrawn": 20}
    assert duties(thirty, said) == {DutyState.MET: 10, DutyState.LAPSED: 20}
    assert duties(thirty, again) == {DutyState.MET: 30}
    assert stage(fresh(thirty, said), fresh(thirty, said).accepted_at) is Stage.CORRECTED


def test_what_was_not_begun_goes_to_its_audience_with_the_right_text(thirty: World):
    said = thirty.announce(parts={Part.SHORT: WRONG})
    again = correct(thirty, said)
    assert thirty.plan(said) == 0
    send_all(thirty, again)
    assert {tuple(each) for each in texts(thirty).values()} == {(RIGHT,)}
    assert not thirty.rows(select(t.delivery.c.id).where(t.delivery.c.announcement_id == said.id))


def test_what_was_said_before_its_time_is_corrected_before_its_time(thirty: World):
    later = thirty.announce(
        parts={Part.SHORT: WRONG},
        send_at=_now(thirty) + timedelta(hours=3),
        expires_at=_now(thirty) + timedelta(hours=9),
    )
    again = correct(thirty, later)
    assert (again.due_at, again.expires_at) == (later.due_at, later.expires_at)


def test_what_is_looked_up_is_decided_when_that_is_over(thirty: World):
    said = thirty.announce(parts={Part.SHORT: WRONG})
    thirty.plan(said)
    thirty.channels.texts.order(Fault.LOST_AFTER_ACCEPT, times=3)
    thirty.channels.texts.order(Fault.TIMEOUT_BEFORE, times=2)
    thirty.send("texts")
    assert states(thirty, said) == {"sent": 25, "uncertain": 5}
    thirty.channels.texts.cure()
    again = correct(thirty, said)
    thirty.plan(again)
    assert states(thirty, again) == {"queued": 25}
    assert fresh(thirty, again).fanned_out_at is None
    assert stage(fresh(thirty, again), _now(thirty)) is Stage.PLANNING
    for _ in range(6):
        thirty.pass_time(timedelta(minutes=2))
        thirty.sweep()
        thirty.send("texts")
        thirty.plan(again)
    thirty.send("texts")
    assert fresh(thirty, again).fanned_out_at is not None
    assert states(thirty, said) == {"sent": 28, "withdrawn": 2}
    got = texts(thirty)
    assert sorted(tuple(each) for each in got.values()) == sorted(
        [(WRONG, LEAD + RIGHT)] * 28 + [(RIGHT,)] * 2
    )


def test_a_mail_of_which_nobody_knows_gets_the_correction(thirty: World):
    said = thirty.announce(parts={Part.SHORT: WRONG}, ways=(Step(("email",)),))
    thirty.plan(said)
    thirty.channels.mails.order(Fault.LOST_AFTER_ACCEPT, times=1)
    thirty.send("mails")
    again = correct(thirty, said)
    send_all(thirty, again)
    assert states(thirty, again) == {"sent": 30}
    assert {row.content_version for row in _deliveries(thirty, again)} == {2}


def test_a_number_that_was_rejected_gets_the_right_text_instead(thirty: World):
    said = thirty.announce(parts={Part.SHORT: WRONG})
    thirty.plan(said)
    thirty.channels.texts.order(Fault.REJECTED_ADDRESS, times=1)
    thirty.send("texts")
    thirty.channels.texts.cure()
    again = correct(thirty, said)
    send_all(thirty, again)
    assert sorted(row.content_version for row in _deliveries(thirty, again)) == [1] + [2] * 29


def test_the_ledger_decides_as_the_law_does_for_every_pair_of_states(thirty: World):
    """Thirty addresses, two announcements before: whatever each of both stands at, and whether it is looked up."""
    first = thirty.announce(parts={Part.SHORT: WRONG})
    thirty.plan(first)
    second = correct(thirty, first)
    thirty.plan(second)
    stands = [(state, later) for state in State for later in (None, _now(thirty) + timedelta(hours=1))]
    pairs = random.Random(9).sample(list(itertools.product(stands, stands)), 30)
    both = [sorted(_deliveries(thirty, each), key=lambda row: row.address_id) for each in (first, second)]
    with thirty.ledger.begin() as tx:
        for rows, place in zip(both, (0, 1), strict=True):
            for row, pair in zip(rows, pairs, strict=True):
                state, later = pair[place]
                now = {"state": state.value, "lookup_at": later, "code": ""}
                tx.hand.connection.execute(update(t.delivery).where(t.delivery.c.id == row.id).values(**now))
    third = correct(thirty, second, TEN[0])
    thirty.plan(third)
    made = {row.address_id: row.content_version for row in _deliveries(thirty, third)}
    versions = {Decision.WAIT: None, Decision.CORRECT: 2, Decision.RIGHT_TEXT: 1}
    for row, pair in zip(both[0], pairs, strict=True):
        # What is queued is ended before anything is decided.
        known = [(State.WITHDRAWN, None) if state is State.QUEUED else (state, at) for state, at in pair]
        assert made.get(row.address_id) == versions[decide(known)], pair


def test_a_correction_waits_like_any_and_holds_the_wrong_text_meanwhile(thirty: World):
    said = half_sent(thirty)
    seconds_to_undo(thirty)
    again = correct(thirty, said)
    thirty.plan(again)
    thirty.send("texts")
    assert states(thirty, said) == {"sent": 10, "queued": 20}
    assert not states(thirty, again)
    second_thoughts.undo(thirty.ports, again.public_id, actor=SYSTEM)
    thirty.send("texts")
    assert states(thirty, said) == {"sent": 30}
    other = correct(thirty, said, "The coach leaves at ten.")
    assert other.corrects == said.id


def test_an_urgent_correction_waits_for_no_undoing(thirty: World):
    said = half_sent(thirty)
    seconds_to_undo(thirty)
    again = correct(thirty, said, urgent=True)
    assert again.urgency is Urgency.URGENT
    send_all(thirty, again)
    assert states(thirty, again) == {"sent": 30}
    with pytest.raises(TooLate):
        second_thoughts.undo(thirty.ports, again.public_id, actor=SYSTEM)


def test_ten_corrections_one_after_the_other_while_sends_run_end_with_the_last_word(thirty: World):
    said = half_sent(thirty)
    chain = [said]
    for n in range(10):
        chain.append(correct(thirty, chain[-1], TEN[n]))
        if n % 3 == 1:
            thirty.plan(chain[-1])
            thirty.sql("UPDATE delivery SET due_at = '2999-01-01' WHERE state = 'queued' AND id % 2 = 0")
            thirty.send("texts")
            thirty.sql("UPDATE delivery SET due_at = created_at WHERE state = 'queued'")
    send_all(thirty, *chain)
    last = TEN[-1]
    for got in texts(thirty).values():
        assert got[-1] == (last if len(got) == 1 else LEAD + last)
    assert states(thirty, chain[-1]) == {"sent": 30}
    assert {state for each in chain[:-1] for state in states(thirty, each)} <= {"sent", "withdrawn"}


def _withdrawn(world: World) -> Announcement:
    said = half_sent(world)
    intake.withdraw(world.ports, said.public_id, actor=SYSTEM)
    return said


def _expired(world: World) -> Announcement:
    said = half_sent(world)
    world.pass_time(timedelta(days=2))
    return said


def _corrected(world: World) -> Announcement:
    said = half_sent(world)
    correct(world, said)
    return said


@pytest.mark.parametrize(
    ("make", "code"), [(_withdrawn, "withdrawn"), (_expired, "expired"), (_corrected, "corrected")]
)
def test_what_is_over_is_not_corrected(thirty: World, make: Callable[[World], Announcement], code: str):
    said = make(thirty)
    count = thirty.rows(select(func.count()).select_from(t.announcement))[0][0]
    with pytest.raises(NotFollowed) as refused:
        correct(thirty, said, "The coach leaves at ten.")
    assert refused.value.problem.code == code
    assert thirty.rows(select(func.count()).select_from(t.announcement))[0][0] == count


def test_the_same_words_are_no_correction(thirty: World):
    said = half_sent(thirty)
    with pytest.raises(InvalidAnnouncement, match="said before"):
        correct(thirty, said, WRONG)
    thirty.send("texts")
    assert states(thirty, said) == {"sent": 30}


def test_nothing_that_was_corrected_is_tried_again(thirty: World):
    said = thirty.announce(parts={Part.SHORT: WRONG})
    thirty.plan(said)
    thirty.channels.texts.order(Fault.REJECTED_ADDRESS, times=1)
    thirty.send("texts")
    rejected = next(row for row in _deliveries(thirty, said) if row.state == "rejected")
    correct(thirty, said)
    with pytest.raises(RuleBroken, match="corrected"):
        recover.requeue(thirty.ports, rejected.id, actor=SYSTEM)


def test_a_correction_taken_back_before_it_speaks_lets_the_first_one_go_on(thirty: World):
    said = half_sent(thirty)
    seconds_to_undo(thirty)
    again = correct(thirty, said)
    intake.withdraw(thirty.ports, again.public_id, actor=SYSTEM)
    assert fresh(thirty, said).corrected_by is None
    thirty.send("texts")
    assert states(thirty, said) == {"sent": 30}


def test_withdrawing_the_first_takes_its_correction_with_it(thirty: World):
    said = half_sent(thirty)
    again = correct(thirty, said)
    thirty.plan(again)
    intake.withdraw(thirty.ports, said.public_id, actor=SYSTEM)
    thirty.send("texts")
    assert states(thirty, again) == {"withdrawn": 30}


def test_the_same_key_is_the_same_correction(thirty: World):
    said = half_sent(thirty)
    once, twice = (correct(thirty, said, key="k1") for _ in range(2))
    assert once.id == twice.id


@pytest.mark.runs_on("sqlite")
def test_the_same_key_is_the_same_correction_when_its_times_are_past(thirty: World):
    with thirty.ledger.look() as tx:
        later = tx.now + timedelta(hours=1)
    ladder = Ladder((Opening(timedelta(hours=1)), Opening(timedelta(hours=2))))
    ways = (Step(("sms",)), Step(("email",)))
    said = thirty.announce(parts={Part.SHORT: WRONG}, send_at=later, ways=ways, ladder=ladder)
    once = correct(thirty, said, key="k1", expires_at=later + timedelta(hours=9))
    thirty.pass_time(timedelta(hours=3))
    assert correct(thirty, said, key="k1", expires_at=later + timedelta(hours=9)).id == once.id


def test_the_record_tells_of_it_and_the_rows_agree(thirty: World):
    said = half_sent(thirty)
    again = correct(thirty, said)
    thirty.plan(again)
    thirty.send("texts")
    kinds = thirty.record()
    assert {"announcement.follows", "announcement.being_corrected", "announcement.corrected"} <= set(kinds)
    thirty.sweep()
    assert not audit(thirty.ledger).faults


def _now(world: World) -> Any:
    with world.ledger.begin() as tx:
        return tx.now


def _deliveries(world: World, said: Announcement) -> list[Any]:
    return world.rows(select(t.delivery).where(t.delivery.c.announcement_id == said.id))


def test_what_settles_while_it_is_being_planned_is_not_forgotten(
    thirty: World, monkeypatch: pytest.MonkeyPatch
):
    """A text comes back unsent after the texts were looked at, before the mails are."""
    said = thirty.announce(parts={Part.SHORT: WRONG}, ways=(Step(("sms", "email")),))
    thirty.plan(said)
    again = correct(thirty, said)
    thirty.sql("UPDATE delivery SET state = 'sending', lease_until = '2999-01-01' WHERE channel = 'sms'")
    look = planning._step

    def meanwhile(ports: Any, tx: Any, announcement: Any, channel: str, still: Any) -> Any:
        if channel == "email":
            ours = "announcement_id = 1 AND channel = 'sms'"
            tx.hand.connection.execute(text(f"UPDATE delivery SET state = 'withdrawn' WHERE {ours}"))
        return look(ports, tx, announcement, channel, still)

    monkeypatch.setattr(planning, "_step", meanwhile)
    thirty.plan(again)
    assert states(thirty, again) == {"queued": 30}
    assert fresh(thirty, again).fanned_out_at is None
    thirty.pass_time(timedelta(seconds=20))
    thirty.plan(again)
    assert states(thirty, again) == {"queued": 60}
    assert fresh(thirty, again).fanned_out_at is not None


def test_a_correction_that_would_be_over_while_it_may_be_undone_is_refused(thirty: World):
    said = half_sent(thirty)
    seconds_to_undo(thirty)
    with pytest.raises(InvalidAnnouncement) as refused:
        correct(thirty, said, expires_at=_now(thirty) + timedelta(seconds=30))
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
    again = correct(thirty, said, expires_at=_now(thirty) + timedelta(hours=1))
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
    again = correct(thirty, said, expires_at=_now(thirty) + timedelta(hours=1))
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
    again = correct(thirty, said, expires_at=_now(thirty) + timedelta(hours=1))
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
