"""When the next way of a ladder opens: at its time, after the look-ups, and not while all is stopped or over."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from broker.actor import SYSTEM
from broker.authority import switching
from broker.duty import DutyState
from broker.intake import withdraw
from broker.ladders import climbing
from broker.ladders.ladder import Climbed, Opening
from broker.rules.switches import SwitchKind
from broker.testing.channel_bench import Fault
from tests.support.broker_world import World
from tests.support.laddered import HOUR, MINUTE, climb, laddered, rungs, states


def test_at_its_time_the_next_way_opens_for_whom_nothing_has_reached(four: World) -> None:
    said = laddered(four, Opening(HOUR), Opening(2 * HOUR))
    four.channels.texts.order(Fault.UNREACHABLE)
    four.send("texts")
    assert "Amy" not in rungs(four, said)
    assert climb(four) == 3
    four.pass_time(HOUR + MINUTE)
    climb(four)
    assert rungs(four, said)["Amy"] == [(1, Climbed.NOT_REACHED)]
    four.pass_time(HOUR + MINUTE)
    climb(four)
    assert rungs(four, said)["Amy"] == [(1, Climbed.NOT_REACHED), (2, Climbed.NOT_REACHED)]
    assert states(four, said)["Amy"] is DutyState.OPEN  # both are under way still


@pytest.mark.parametrize("first", [True, False])
def test_an_uncertain_text_waits_for_its_look_ups_unless_the_rule_says_otherwise(
    four: World, first: bool
) -> None:
    if not first:
        with four.ledger.begin() as tx:
            tx.rules.add(
                {**tx.rules.current().changed, "ladders.look_ups_first": "no"}, by=SYSTEM, why="a test"
            )
    four.channels.texts.order(Fault.LOST_AFTER_ACCEPT, address="+447911123400")
    said = laddered(four, Opening(HOUR), Opening(2 * HOUR))
    four.send("texts")
    climb(four)
    assert rungs(four, said).get("Amy", []) == ([] if first else [(1, Climbed.UNCERTAIN)])


def test_when_its_time_comes_before_the_look_up_the_next_way_opens_and_that_is_kept(four: World) -> None:
    four.channels.texts.order(Fault.LOST_AFTER_ACCEPT, address="+447911123400")
    said = laddered(four, Opening(HOUR), Opening(2 * HOUR))
    four.send("texts")
    climb(four)
    four.pass_time(HOUR)
    climb(four)
    assert rungs(four, said)["Amy"] == [(1, Climbed.DEADLINE_NEARER)]
    assert "ladder.climbed" in four.record()


def test_ways_whose_times_passed_while_nothing_ran_open_one_after_the_other_each_with_its_least(
    four: World,
) -> None:
    said = laddered(four, Opening(HOUR), Opening(2 * HOUR))
    four.channels.texts.order(Fault.UNREACHABLE)
    four.send("texts")
    four.pass_time(3 * HOUR)  # nobody looked meanwhile
    climb(four)
    climb(four)
    assert rungs(four, said)["Amy"] == [(1, Climbed.NOT_REACHED)]  # the mail has its time before the paper
    four.pass_time(6 * MINUTE)
    climb(four)
    assert rungs(four, said)["Amy"][-1] == (2, Climbed.NOT_REACHED)


@pytest.mark.parametrize("kind", [SwitchKind.EVERYTHING, SwitchKind.DEPARTMENT])
def test_while_all_is_stopped_a_ladder_stands_still_and_then_gives_each_way_its_time(
    four: World, kind: SwitchKind
) -> None:
    subject = "office" if kind is SwitchKind.DEPARTMENT else ""
    said = laddered(four, Opening(HOUR), Opening(2 * HOUR))
    switching.stop(four.ports, kind, subject, "a wrong list", actor=SYSTEM)
    four.send("texts")
    four.pass_time(3 * HOUR)
    assert climb(four) == 0
    switching.go(four.ports, kind, subject, "mended", actor=SYSTEM)
    climb(four)
    assert "Amy" not in rungs(four, said)
    four.send("texts")
    climb(four)
    four.send("mails")
    assert [kept.address for kept in four.channels.texts.truth] == ["+447911123400"]
    assert sorted(kept.address for kept in four.channels.mails.truth) == ["b@example.org", "c@example.org"]
    four.pass_time(20 * MINUTE)
    climb(four)
    assert "Amy" not in rungs(four, said)
    assert rungs(four, said)["Dan"][-1] == (2, Climbed.NOT_APPLICABLE)


def test_a_way_that_is_stopped_alone_keeps_no_ladder_waiting(four: World) -> None:
    said = laddered(four, Opening(HOUR), Opening(2 * HOUR))
    switching.stop(four.ports, SwitchKind.CHANNEL, "sms", "the provider is down", actor=SYSTEM)
    four.send("texts")
    four.pass_time(HOUR)
    climb(four)
    assert rungs(four, said)["Amy"] == [(1, Climbed.NOT_REACHED)]


def test_a_withdrawal_that_races_a_climb_comes_before_or_after_it_and_never_between(four: World) -> None:
    said = laddered(four)
    four.send("texts")
    four.sql("UPDATE ladder SET look_at = '2000-01-01 00:00:00'")
    with ThreadPoolExecutor(4) as hands:
        looks = [hands.submit(climbing.climb_one, four.ports, said.public_id, actor=SYSTEM) for _ in range(4)]
        taken = hands.submit(withdraw, four.ports, said.public_id, actor=SYSTEM)
        for one in (*looks, taken):
            one.result()
    climb(four)
    four.send("mails")
    assert not four.channels.mails.truth
    left = four.states(said)
    assert left.pop("sent") + left.pop("rejected") == 2
    assert left.keys() <= {"withdrawn"}


def test_expiry_ends_all(four: World) -> None:
    said = laddered(four, Opening(2 * HOUR), Opening(3 * HOUR))
    four.pass_time(timedelta(hours=25))
    assert climb(four) == 0
    assert rungs(four, said) == {}
    assert climb(four) == 0
    assert four.record().count("ladder.ended") == 1


def test_a_withdrawal_ends_it_too(four: World) -> None:
    said = laddered(four)
    four.send("texts")
    withdraw(four.ports, said.public_id, actor=SYSTEM)
    assert climb(four) == 0
    assert set(states(four, said).values()) == {DutyState.MET, DutyState.LAPSED}
