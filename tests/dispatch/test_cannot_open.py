"""An account that cannot be opened: its way waits and says so, the others go on, nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from broker import accounts, intake
from broker.actor import SYSTEM, Actor, ActorKind
from broker.announcement import Announcement, Part, Step
from broker.authority import rule_changes, spending
from broker.channel import Channel, Traits
from broker.corrections import planning, verbs
from broker.errors import MissingExtra, Problem, SetupError
from broker.intake_many import Wanted, accept_all
from broker.testing.provider import PretendChannel
from ledger import tables as t
from ledger.setup import ConfiguredAccount, School, install
from tests.support.broker_world import World

SCHOOL = School("st-brides", "St Bride's", "Europe/London", "en-GB", "GB")
BELL = Actor(ActorKind.PERSON, "Mrs Bell")
FAULT = Problem("missing_setting", "CARILLON_ACCOUNTS__TEXTS__TOKEN", "is not set", "set it")


@contextmanager
def shut(world: World, name: str = "texts") -> Iterator[None]:
    """For as long as it lasts nobody can open the account."""
    channels = world.channels
    plain = channels.open

    def opens(account: str) -> Channel:
        if account == name:
            raise SetupError(FAULT)
        return plain(account)

    channels.open = opens  # type: ignore[method-assign]
    try:
        yield
    finally:
        del channels.open


def alarms(world: World) -> list[tuple[str, str]]:
    query = select(t.alarm.c.kind, t.alarm.c.subject).where(t.alarm.c.cleared_at.is_(None))
    return [(row.kind, row.subject) for row in world.rows(query)]


def verdicts(world: World, said: Announcement) -> list[tuple[str, str, str]]:
    with world.ledger.look() as tx:
        return [(each.account_name, each.answer, each.code) for each in tx.verdicts.of(said)]


def test_its_announcement_waits_says_why_and_goes_on_when_it_opens(thirty: World) -> None:
    said = thirty.announce()
    with shut(thirty):
        assert thirty.plan(said) == 0
        with thirty.ledger.look() as tx:
            held = tx.announcements.by_id(said.id)
        assert held.hold_code == "cannot_open"
        assert "texts cannot be opened: is not set" in held.hold_why
        assert verdicts(thirty, said)[-1] == ("texts", "hold", "cannot_open")
        assert alarms(thirty) == [("cannot_open", "texts")]
        assert thirty.sweep().clean
        assert alarms(thirty) == [("cannot_open", "texts")]
    thirty.pass_time(timedelta(minutes=2))
    assert thirty.sweep().clean
    assert alarms(thirty) == []
    thirty.plan(said)
    thirty.send()
    assert thirty.states(said) == {"sent": 30}


def test_the_other_way_goes_on_meanwhile(thirty: World) -> None:
    said = thirty.announce(ways=(Step(("sms", "email")),))
    with shut(thirty):
        assert thirty.plan(said) == 60
        assert thirty.send() == 0
        thirty.send("mails")
        assert thirty.states(said) == {"queued": 30, "sent": 30}
    thirty.send()
    assert thirty.states(said) == {"sent": 60}


def test_a_way_of_a_correction_that_cannot_be_had_keeps_no_other_waiting(thirty: World) -> None:
    said = thirty.announce(ways=(Step(("sms", "email")),))
    thirty.plan(said)
    thirty.send()
    thirty.send("mails")
    draft = verbs.correction(thirty.ports, said.public_id, {Part.SHORT: "At nine."})
    right = intake.accept(thirty.ports, draft, actor=SYSTEM).announcement
    channels = thirty.channels
    plain = channels.traits

    def traits(channel: str) -> Traits:
        if channel == "sms":
            raise SetupError(FAULT)
        return plain(channel)

    channels.traits = traits  # type: ignore[method-assign]
    try:
        planning.plan(thirty.ports, right, actor=SYSTEM, still=lambda tx, _: tx.announcements.by_id(right.id))
        thirty.send("mails")
        assert thirty.states(right) == {"sent": 30}
    finally:
        del channels.traits
    thirty.plan(right)
    thirty.send()
    assert thirty.states(right) == {"sent": 60}


def test_what_breaks_in_mid_send_is_told_and_waits(thirty: World) -> None:
    said = thirty.announce()
    thirty.plan(said)
    with shut(thirty):
        assert thirty.send() == 0
        assert alarms(thirty) == [("cannot_open", "texts")]
    thirty.send()
    assert thirty.states(said) == {"sent": 30}


def test_a_second_person_is_asked_all_the_same(thirty: World) -> None:
    bell = Actor(ActorKind.PERSON, "Mrs Bell")
    said = intake.accept(thirty.ports, thirty.draft(), actor=bell).announcement
    rule_changes.change(thirty.ports, "approval.needed", "any/any/any", "a test", actor=SYSTEM)
    with shut(thirty):
        thirty.plan(said)
        with thirty.ledger.look() as tx:
            held = tx.announcements.by_id(said.id)
    assert held.hold_code == "needs_approval"
    assert "cannot be opened" in held.hold_why


def test_a_channel_whose_package_has_gone_leaves_the_other_ways_alone(
    thirty: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = thirty.announce(ways=(Step(("sms", "email")),))
    plain = thirty.channels.traits

    def traits(channel: str) -> object:
        if channel == "sms":
            raise MissingExtra(Problem("missing_extra", "channel", "the channel sms needs a package", ""))
        return plain(channel)

    with monkeypatch.context() as gone:
        gone.setattr(thirty.channels, "traits", traits)
        assert thirty.plan(said) == 30
        thirty.send("mails")
        assert thirty.states(said) == {"sent": 30}
    thirty.plan(said)
    thirty.send()
    assert thirty.states(said) == {"sent": 60}


def test_what_a_dead_worker_held_of_it_is_recovered_with_the_rest(thirty: World) -> None:
    said = thirty.announce(ways=(Step(("sms", "email")),))
    thirty.plan(said)
    thirty.sql(
        "UPDATE delivery SET state = 'sending', fence = 1, holder = 'dead', lease_until = '2000-01-01 00:00:00+00:00'"
    )
    with shut(thirty):
        assert thirty.sweep().clean
    assert thirty.states(said) == {"queued": 60}


def test_what_is_announced_by_itself_is_accepted_all_the_same_and_its_way_waits(thirty: World) -> None:
    drafts = [thirty.draft(ways=(Step((way,)),), key=way) for way in ("sms", "email")]
    with shut(thirty):
        with pytest.raises(SetupError):  # a person is told, and can choose another way
            thirty.announce()
        with thirty.ledger.begin() as tx:
            texts, mails = accept_all(thirty.ports, tx, [Wanted(each, SYSTEM) for each in drafts])
        assert isinstance(texts, intake.Accepted)
        assert isinstance(mails, intake.Accepted)
        assert texts.hold is not None
        assert (texts.hold.code, mails.hold) == ("cannot_open", None)
        thirty.plan(mails.announcement)
        thirty.send("mails")
        assert thirty.states() == {"sent": 30}
    thirty.pass_time(timedelta(minutes=2))
    thirty.plan(texts.announcement)
    thirty.send()
    assert thirty.states() == {"sent": 60}


def test_what_nobody_could_reckon_is_reckoned_before_it_is_planned(thirty: World) -> None:
    """Accepted while its account could not be opened it had no price, and no budget would have held it."""
    thirty.channels.texts.price = Decimal("0.04")
    spending.set_budget(thirty.ports, "office", Decimal("1.00"), actor=BELL)
    with shut(thirty), thirty.ledger.begin() as tx:
        (texts,) = accept_all(thirty.ports, tx, [Wanted(thirty.draft(), SYSTEM)])
    assert isinstance(texts, intake.Accepted)
    thirty.pass_time(timedelta(minutes=2))
    thirty.plan(texts.announcement)
    thirty.send()
    assert thirty.channels.texts.truth == []
    assert verdicts(thirty, texts.announcement)[-1] == ("texts", "hold", "budget_used_up")
    spending.set_budget(thirty.ports, "office", Decimal("1.20"), actor=BELL)
    thirty.plan(texts.announcement)
    thirty.send()
    assert thirty.states() == {"sent": 30}


def paused(world: World) -> None:
    accounts.pause(world.ports, "texts", "too many wrong numbers", actor=BELL)


def lapsed(world: World) -> None:
    with world.ledger.begin() as tx:
        tx.hand.connection.execute(update(t.licence).values(stands_until=tx.now - timedelta(minutes=1)))


def taken_away(world: World) -> None:
    mails = ConfiguredAccount("mails", "email")
    install(world.ledger, SCHOOL, {"office": "School office"}, [mails], sandbox=True)


@pytest.mark.parametrize("close", [paused, lapsed, taken_away], ids=lambda close: close.__name__)
def test_an_account_that_was_shut_since_sends_nothing_and_whoever_asks_learns_why(
    thirty: World, close: Callable[[World], None]
) -> None:
    thirty.channels.texts.price = Decimal("0.04")
    spending.set_budget(thirty.ports, "office", Decimal(100), actor=BELL)
    said = thirty.announce()
    close(thirty)
    thirty.plan(said)
    thirty.send()
    assert thirty.channels.texts.truth == []
    thirty.sweep()
    thirty.pass_time(timedelta(days=2))  # its time is over, and everybody is told of
    thirty.plan(said)
    thirty.send()
    thirty.sweep()
    assert thirty.channels.texts.truth == []
    assert set(thirty.states(said)) <= {"refused"}
    assert thirty.rows(select(t.announcement.c.id).where(t.announcement.c.fanned_out_at.is_(None))) == []


def test_an_account_that_is_no_more_keeps_no_alarm(thirty: World) -> None:
    with thirty.ledger.begin() as tx:
        tx.sweeps.raise_alarm("cannot_open", "long gone", "it was")
    thirty.sweep()
    assert alarms(thirty) == []


def test_a_channel_that_cannot_say_who_speaks_waits_or_is_paused_and_the_others_go_on(
    thirty: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(PretendChannel):
        def sender(self) -> object:
            raise ValueError("+447400123456")

    planned = thirty.announce()
    thirty.plan(planned)
    said = thirty.announce(ways=(Step(("sms", "email")),))
    with monkeypatch.context() as failing:
        failing.setattr(thirty.channels.open("texts"), "__class__", Broken)
        assert thirty.plan(said) == 60
        thirty.send("mails")
        assert alarms(thirty) == [("cannot_open", "texts")]
        assert thirty.send() == 0
    assert thirty.states(said) == {"queued": 30, "sent": 30}
    assert ("policy_failed", "texts") in alarms(thirty)
    assert thirty.faults == []
