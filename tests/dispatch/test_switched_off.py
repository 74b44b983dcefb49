"""What is switched off: at fan-out, in the claim, and within a second by what is in hand."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from broker.announcement import Urgency
from broker.authority import switching
from broker.errors import NotFound
from broker.rules.switches import SwitchKind
from broker.values import Lane
from tests.support.broker_world import World
from tests.support.under_rules import BELL, go_through

# --- switches -------------------------------------------------------------------------------------------------------

SWITCHES = [
    (SwitchKind.EVERYTHING, ""),
    (SwitchKind.CHANNEL, "sms"),
    (SwitchKind.DEPARTMENT, "office"),
    (SwitchKind.ACCOUNT, "texts"),
]


@pytest.mark.parametrize(("kind", "subject"), SWITCHES)
def test_what_is_stopped_before_it_is_planned_waits_and_goes_on(
    thirty: World, kind: SwitchKind, subject: str
) -> None:
    switching.stop(thirty.ports, kind, subject, "a wrong list", actor=BELL)
    said = thirty.announce(urgency=Urgency.URGENT)  # a switch holds the urgent as well
    go_through(thirty, said, Lane.URGENT)
    assert thirty.states(said).get("sent", 0) == 0
    [off] = switching.stopped(thirty.ports)
    assert (off.kind, off.subject, off.why) == (kind, subject, "a wrong list")
    switching.go(thirty.ports, kind, subject, "put right", actor=BELL)
    assert switching.stopped(thirty.ports) == []
    thirty.sweep()
    go_through(thirty, said, Lane.URGENT)
    assert thirty.states(said) == {"sent": 30}


@pytest.mark.parametrize(("kind", "subject"), SWITCHES)
def test_a_switch_is_felt_within_a_second_by_what_is_in_hand(
    thirty: World, kind: SwitchKind, subject: str
) -> None:
    said = thirty.announce()
    thirty.plan(said)
    texts = thirty.channels.texts
    texts.answer_in = timedelta(milliseconds=400)  # four hands: three seconds for all
    thrown: list[datetime] = []

    def throw() -> None:
        until = time.monotonic() + 20
        while not texts.truth and time.monotonic() < until:
            time.sleep(0.01)
        switching.stop(thirty.ports, kind, subject, "a wrong list", actor=BELL)
        thrown.append(datetime.now(UTC))

    hand = threading.Thread(target=throw)
    hand.start()
    thirty.send()
    hand.join()
    a_second_and_a_call = thrown[0] + timedelta(seconds=1) + texts.answer_in
    assert [one for one in texts.truth if one.at is not None and one.at > a_second_and_a_call] == []
    states = thirty.states(said)
    assert states["queued"] > 0
    assert states["queued"] + states["sent"] == 30
    switching.go(thirty.ports, kind, subject, "", actor=BELL)
    texts.answer_in = timedelta(0)
    thirty.send()
    assert thirty.states(said) == {"sent": 30}


def test_a_department_that_is_stopped_stops_no_other(thirty: World) -> None:
    switching.stop(thirty.ports, SwitchKind.DEPARTMENT, "music", "the head asked", actor=BELL)
    said = thirty.announce()
    go_through(thirty, said)
    assert thirty.states(said) == {"sent": 30}


def test_two_switches_are_both_needed_on(thirty: World) -> None:
    said = thirty.announce()
    thirty.plan(said)
    for kind, subject in ((SwitchKind.EVERYTHING, ""), (SwitchKind.CHANNEL, "sms")):
        assert switching.stop(thirty.ports, kind, subject, "x", actor=BELL)
        assert not switching.stop(thirty.ports, kind, subject, "y", actor=BELL)
    switching.go(thirty.ports, SwitchKind.EVERYTHING, "", "", actor=BELL)
    thirty.send()
    assert thirty.states(said) == {"queued": 30}
    switching.go(thirty.ports, SwitchKind.CHANNEL, "sms", "", actor=BELL)
    assert not switching.go(thirty.ports, SwitchKind.CHANNEL, "sms", "", actor=BELL)
    thirty.send()
    assert thirty.states(said) == {"sent": 30}
    assert [kind for kind in thirty.record() if kind.startswith("switch.")] == [
        "switch.off", "switch.off", "switch.on", "switch.on",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", [SwitchKind.CHANNEL, SwitchKind.DEPARTMENT, SwitchKind.ACCOUNT])
def test_what_there_is_not_cannot_be_stopped(world: World, kind: SwitchKind) -> None:
    with pytest.raises(NotFound):
        switching.stop(world.ports, kind, "nothing", "x", actor=BELL)
