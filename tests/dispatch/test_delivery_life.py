"""The life of a delivery, through the real verbs and a real ledger."""

from __future__ import annotations

from broker.announcement import Step
from tests.support.broker_world import World


def test_every_guardian_of_a_group_gets_one_text(thirty: World) -> None:
    said = thirty.announce(audience="Choir")
    assert thirty.plan(said) == 30
    assert thirty.send() == 30
    assert thirty.states(said) == {"sent": 30}
    assert len(thirty.channels.texts.truth) == 30
    assert thirty.tallies(said) == {"sent": 30}


def test_two_ways_at_once_reach_each_person_by_both(thirty: World) -> None:
    said = thirty.announce(ways=(Step(("sms", "email")),))
    assert thirty.plan(said) == 60
    thirty.send("texts")
    thirty.send("mails")
    assert thirty.states(said) == {"sent": 60}
    assert len(thirty.channels.mails.truth) == 30
