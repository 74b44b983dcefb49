"""A correction, delivery by delivery: who has the wrong text reads that it is corrected, the others the right one."""

from __future__ import annotations

import itertools
import random
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update

from broker.actor import SYSTEM
from broker.announcement import Announcement, Part, Stage, Step, Urgency, stage
from broker.authority import second_thoughts
from broker.authority.second_thoughts import TooLate
from broker.corrections import planning
from broker.corrections.law import Decision, decide
from broker.delivery import State
from broker.duty import DutyState
from broker.testing.channel_bench import Fault
from ledger import tables as t
from ledger.reads.status import status
from tests.support.broker_world import World
from tests.support.corrected import (
    LEAD,
    RIGHT,
    TEN,
    WRONG,
    correct,
    deliveries_of,
    fresh,
    half_sent,
    now_of,
    seconds_to_undo,
    send_all,
    states,
    texts,
)


def duties(world: World, said: Announcement) -> dict[DutyState, int]:
    with world.ledger.reading() as hand:
        found = status(hand, said.public_id)
    assert found is not None
    return {state: n for state, n in found.duties.items() if n}


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
        send_at=now_of(thirty) + timedelta(hours=3),
        expires_at=now_of(thirty) + timedelta(hours=9),
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
    assert stage(fresh(thirty, again), now_of(thirty)) is Stage.PLANNING
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
    assert {row.content_version for row in deliveries_of(thirty, again)} == {2}


def test_a_number_that_was_rejected_gets_the_right_text_instead(thirty: World):
    said = thirty.announce(parts={Part.SHORT: WRONG})
    thirty.plan(said)
    thirty.channels.texts.order(Fault.REJECTED_ADDRESS, times=1)
    thirty.send("texts")
    thirty.channels.texts.cure()
    again = correct(thirty, said)
    send_all(thirty, again)
    assert sorted(row.content_version for row in deliveries_of(thirty, again)) == [1] + [2] * 29


def test_the_ledger_decides_as_the_law_does_for_every_pair_of_states(thirty: World):
    """Thirty addresses, two announcements before: whatever each of both stands at, and whether it is looked up."""
    first = thirty.announce(parts={Part.SHORT: WRONG})
    thirty.plan(first)
    second = correct(thirty, first)
    thirty.plan(second)
    stands = [(state, later) for state in State for later in (None, now_of(thirty) + timedelta(hours=1))]
    pairs = random.Random(9).sample(list(itertools.product(stands, stands)), 30)
    both = [sorted(deliveries_of(thirty, each), key=lambda row: row.address_id) for each in (first, second)]
    with thirty.ledger.begin() as tx:
        for rows, place in zip(both, (0, 1), strict=True):
            for row, pair in zip(rows, pairs, strict=True):
                state, later = pair[place]
                now = {"state": state.value, "lookup_at": later, "code": ""}
                tx.hand.connection.execute(update(t.delivery).where(t.delivery.c.id == row.id).values(**now))
    third = correct(thirty, second, TEN[0])
    thirty.plan(third)
    made = {row.address_id: row.content_version for row in deliveries_of(thirty, third)}
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
