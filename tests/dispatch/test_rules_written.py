"""Rules as they are written: what is refused, what is kept of each version, and two who write at once."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from broker.authority import rule_changes
from broker.errors import RuleRefused
from broker.rules import approval
from tests.support.broker_world import World
from tests.support.under_rules import BELL, setting

# --- changing rules -------------------------------------------------------------------------------------------------


def test_nonsense_is_refused_and_the_old_rule_stays(world: World) -> None:
    setting(world, "undo.window", "90 s")
    told = world.record().count("rules.changed")
    for key, value in (("undo.window", "-1 s"), ("undo.windwo", "1 s"), ("windows.open", "sms mon 9-5"),
                       ("windows.open", "sms mon 08:00-10:00; sms mon 09:00-11:00")):  # fmt: skip
        with pytest.raises(RuleRefused):
            setting(world, key, value)
    with world.ledger.look() as tx:
        rules = tx.rules.current()
    assert rules.duration("undo.window") == timedelta(seconds=90)
    assert world.record().count("rules.changed") == told


@pytest.mark.parametrize(
    ("key", "value"),
    [("windows.open", "smz mon-fri 07:00-20:00"), (approval.NEEDED, "public/any/any, smz/any/any")],
)
def test_a_rule_about_a_channel_that_there_is_not_is_refused(world: World, key: str, value: str) -> None:
    with pytest.raises(RuleRefused, match="knows no channel smz"):
        setting(world, key, value)


def test_every_version_is_kept_with_who_and_why_and_a_default_is_no_change(world: World) -> None:
    setting(world, "undo.window", "90 s")
    rule_changes.change(world.ports, "undo.window", "60 s", "as it was", actor=BELL)
    rule_changes.reset(world.ports, None, "from the start", actor=BELL)
    with pytest.raises(RuleRefused):
        rule_changes.reset(world.ports, None, "once more", actor=BELL)
    with world.ledger.look() as tx:
        versions = tx.rules.history()
    assert [each.version for each in versions] == [4, 3, 2, 1]
    assert versions[0].changed == {}
    assert "undo.window" not in versions[1].changed
    assert (versions[0].by, versions[0].why) == ("Mrs Bell", "from the start")


def test_rules_that_changed_since_they_were_read_are_not_written_over(world: World) -> None:
    with world.ledger.look() as tx:
        before = tx.rules.current()
    setting(world, "undo.window", "90 s")
    with pytest.raises(IntegrityError), world.ledger.begin() as tx:
        tx.rules.add({"blast.size": "700"}, by=BELL, why="the test", after=before.version)


def test_two_who_change_rules_at_once_lose_nothing(world: World) -> None:
    faults: list[Exception] = []

    def change(key: str, value: str) -> None:
        try:
            setting(world, key, value)
        except Exception as fault:  # noqa: BLE001 - told to the test
            faults.append(fault)

    hands = [
        threading.Thread(target=change, args=pair)
        for pair in (
            ("undo.window", "90 s"),
            ("blast.floor", "10"),
            ("blast.drift", "0.2"),
            ("blast.size", "700"),
        )
    ]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert faults == []
    with world.ledger.look() as tx:
        changed = tx.rules.current().changed
    wanted = {"undo.window": "90 s", "blast.floor": "10", "blast.drift": "0.2", "blast.size": "700"}
    assert {key: changed[key] for key in wanted} == wanted
