"""An account is taken out of the settings while announcements count on it: the others go on, and nothing hangs."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from broker.announcement import Announcement, Step
from broker.duty import DutyState
from broker.testing.channel_bench import Fault
from ledger import tables as t
from ledger.reads.status import Status, status
from ledger.setup import ConfiguredAccount, School, install
from tests.support.broker_world import World

SCHOOL = School("st-brides", "St Bride's", "Europe/London", "en-GB", "GB")
TEXTS, MAILS = ConfiguredAccount("texts", "sms"), ConfiguredAccount("mails", "email")
BOTH = (Step(("sms", "email")),)


def configure(world: World, *accounts: ConfiguredAccount) -> None:
    install(world.ledger, SCHOOL, {"office": "School office"}, accounts, sandbox=True)


def now(world: World, said: Announcement) -> Status:
    with world.ledger.reading() as hand:
        found = status(hand, said.public_id)
    assert found is not None
    return found


def test_the_other_way_is_planned_and_the_missing_one_when_it_is_back(thirty: World) -> None:
    said = thirty.announce(ways=BOTH)
    configure(thirty, MAILS)
    assert thirty.plan(said) == 30
    thirty.send("mails")
    assert not now(thirty, said).settled
    configure(thirty, TEXTS, MAILS)
    assert thirty.plan(said) == 30
    thirty.send("texts")
    assert now(thirty, said).settled
    assert thirty.states(said) == {"sent": 60}


def test_a_way_that_never_comes_back_holds_nothing_up_once_its_time_passed(thirty: World) -> None:
    said = thirty.announce(ways=BOTH)
    configure(thirty, MAILS)
    thirty.plan(said)
    thirty.send("mails")
    thirty.pass_time(timedelta(days=2))
    assert thirty.plan(said) == 0
    assert thirty.rows(select(t.announcement.c.id).where(t.announcement.c.fanned_out_at.is_(None))) == []
    assert now(thirty, said).duties[DutyState.MET] == 30


def test_what_waited_for_it_is_refused_when_its_time_has_passed(thirty: World) -> None:
    said = thirty.announce()
    thirty.plan(said)
    configure(thirty, MAILS)
    thirty.sweep()
    assert thirty.states(said) == {"queued": 30}, "it may come back in time"
    thirty.pass_time(timedelta(days=2))
    thirty.sweep()
    assert thirty.states(said) == {"refused": 30} == thirty.tallies(said)
    found = now(thirty, said)
    assert found.settled
    assert found.duties[DutyState.LAPSED] == 30
    assert "deliveries.stranded" in thirty.record()


def test_what_nobody_can_ask_about_any_more_waits_for_a_person(thirty: World) -> None:
    thirty.channels.texts.silence = timedelta(0)
    thirty.channels.texts.order(Fault.LOST_AFTER_ACCEPT, times=1)
    said = thirty.announce()
    thirty.plan(said)
    thirty.send()
    configure(thirty, MAILS)
    thirty.pass_time(timedelta(minutes=5))
    thirty.sweep()
    assert thirty.states(said) == {"sent": 29, "uncertain": 1}
    assert now(thirty, said).settled
