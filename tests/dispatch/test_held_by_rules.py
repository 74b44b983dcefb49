"""What the rules hold, refuse and let go: over the real verbs and ledgers, at fan-out, in the claim and in mid-send."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from broker import intake
from broker.actor import SYSTEM, Actor, ActorKind
from broker.announcement import Announcement, Part, Purpose, Step, Urgency
from broker.authority import approvals, rule_changes, second_thoughts, switching
from broker.authority.second_thoughts import TooLate
from broker.errors import InvalidAnnouncement, NotFound, RuleBroken, RuleRefused
from broker.policy import ALLOW
from broker.rules import approval, book
from broker.rules.case import AnnouncementCase
from broker.rules.switches import SwitchKind
from broker.values import Lane
from ledger import tables as t
from tests.support.broker_world import World

BELL = Actor(ActorKind.PERSON, "Mrs Bell")


def setting(world: World, key: str, value: str) -> None:
    rule_changes.change(world.ports, key, value, "the test", actor=BELL)


def verdicts(world: World, announcement: Announcement) -> list[tuple[str, str]]:
    with world.ledger.look() as tx:
        return [(each.answer, each.code) for each in tx.verdicts.of(announcement)]


def held(world: World, announcement: Announcement) -> str:
    with world.ledger.look() as tx:
        found = tx.announcements.by_id(announcement.id)
    return found.hold_code if found.held_until is not None else ""


def go_through(world: World, announcement: Announcement, lane: Lane = Lane.ROUTINE) -> None:
    """What a worker's hints and sweeps would bring about."""
    world.plan(announcement)
    world.send(lane=lane)


# --- the undo window ------------------------------------------------------------------------------------------------


def test_a_routine_announcement_waits_out_its_undo_window_and_then_leaves(thirty: World) -> None:
    setting(thirty, "undo.window", "60 s")
    told = thirty.hints.published
    accepted = intake.accept(thirty.ports, thirty.draft(), actor=BELL)
    assert accepted.hold is not None
    assert accepted.hold.code == "undo_window"
    assert thirty.hints.published == told  # nobody is hurried to what has to wait
    said = accepted.announcement
    go_through(thirty, said)
    assert thirty.states(said) == {}
    thirty.pass_time(timedelta(seconds=61))
    thirty.sweep()
    go_through(thirty, said)
    assert thirty.states(said) == {"sent": 30}
    assert verdicts(thirty, said) == [("hold", "undo_window"), ("allow", "")]
    assert thirty.record().count("announcement.judged") == 2


def test_other_words_wait_out_a_window_of_their_own(thirty: World) -> None:
    setting(thirty, "undo.window", "60 s")
    said = intake.accept(thirty.ports, thirty.draft(), actor=BELL).announcement
    thirty.pass_time(timedelta(seconds=61))
    approvals.reword(thirty.ports, said.public_id, {Part.SHORT: "The coach leaves at nine."}, actor=BELL)
    thirty.sweep()
    go_through(thirty, said)
    assert thirty.states(said) == {}
    assert verdicts(thirty, said) == [("hold", "undo_window")]
    thirty.pass_time(timedelta(seconds=61))
    thirty.sweep()
    go_through(thirty, said)
    assert thirty.states(said) == {"sent": 30}


def test_what_is_undone_in_time_never_leaves(thirty: World) -> None:
    setting(thirty, "undo.window", "60 s")
    said = thirty.announce()
    second_thoughts.undo(thirty.ports, said.public_id, actor=BELL)
    second_thoughts.undo(thirty.ports, said.public_id, actor=BELL)  # safe to repeat
    thirty.pass_time(timedelta(seconds=61))
    thirty.sweep()
    go_through(thirty, said)
    assert thirty.states(said) == {}
    assert thirty.record().count("announcement.withdrawn") == 1


def test_what_has_begun_to_go_out_cannot_be_undone(thirty: World) -> None:
    said = thirty.announce()
    thirty.plan(said)
    with pytest.raises(TooLate) as late:
        second_thoughts.undo(thirty.ports, said.public_id, actor=BELL)
    assert late.value.problem.code == "too_late"
    thirty.send()
    assert thirty.states(said) == {"sent": 30}


def test_an_urgent_one_does_not_wait_and_that_is_kept(thirty: World) -> None:
    setting(thirty, "undo.window", "60 s")
    setting(thirty, "windows.open", closed_now(thirty))
    said = thirty.announce(urgency=Urgency.URGENT)
    go_through(thirty, said, Lane.URGENT)
    assert thirty.states(said) == {"sent": 30}
    assert verdicts(thirty, said) == [("allow", "undo_skipped window_skipped")]


# --- hours ----------------------------------------------------------------------------------------------------------


def closed_now(world: World, opens_in: timedelta = timedelta(hours=26), channel: str = "sms") -> str:
    """Hours of a minute, a day and more from now."""
    with world.ledger.look() as tx:
        wall = (tx.now + opens_in).astimezone(ZoneInfo(tx.school.zone))
    begins = min(wall.hour * 60 + wall.minute, 1438)
    day = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[wall.weekday()]
    return f"{channel} {day} {begins // 60:02d}:{begins % 60:02d}-{(begins + 1) // 60:02d}:{(begins + 1) % 60:02d}"


def test_outside_its_hours_an_announcement_waits_as_a_whole_where_no_other_way_is_open(thirty: World) -> None:
    setting(thirty, "windows.open", closed_now(thirty))
    said = thirty.announce(expires_at=soon(thirty, days=3))
    assert held(thirty, said) == "window_closed"
    go_through(thirty, said)
    assert thirty.states(said) == {}


def test_a_way_that_is_open_does_not_wait_for_one_that_is_not(thirty: World) -> None:
    setting(thirty, "windows.open", closed_now(thirty))
    said = thirty.announce(ways=(Step(("sms", "email")),), expires_at=soon(thirty, days=3))
    assert held(thirty, said) == ""
    go_through(thirty, said)
    thirty.send("mails")
    assert thirty.states(said) == {"queued": 30, "sent": 30}
    waiting = thirty.rows(select(t.delivery.c.code).where(t.delivery.c.state == "queued").distinct())
    assert [row.code for row in waiting] == ["window_closed"]


def test_what_would_be_over_before_it_may_leave_is_refused_at_once_and_the_record_knows(
    thirty: World,
) -> None:
    setting(thirty, "windows.open", closed_now(thirty))
    with pytest.raises(InvalidAnnouncement) as refused:
        intake.accept(thirty.ports, thirty.draft(expires_at=soon(thirty, hours=2)), actor=BELL)
    assert refused.value.problem.code == "window_too_late"
    assert thirty.rows(select(t.announcement)) == []
    assert thirty.record()[-1] == "announcement.refused"


def test_a_bulk_under_way_is_held_when_its_hours_end(thirty: World) -> None:
    said = thirty.announce(expires_at=soon(thirty, days=3))
    thirty.plan(said)
    setting(thirty, "windows.open", closed_now(thirty))
    thirty.send()
    assert thirty.states(said) == {"queued": 30}
    setting(thirty, "windows.open", "")  # what waited for a rule is judged again at once
    thirty.send()
    assert thirty.states(said) == {"sent": 30}
    assert verdicts(thirty, said) == [("allow", ""), ("hold", "window_closed"), ("allow", "")]


def soon(world: World, **by: float) -> Any:
    with world.ledger.look() as tx:
        return tx.now + timedelta(**by)


# --- size -----------------------------------------------------------------------------------------------------------


def test_an_audience_beyond_the_size_waits_until_somebody_typed_its_number(thirty: World) -> None:
    setting(thirty, "blast.size", "20")
    accepted = intake.accept(thirty.ports, thirty.draft(), actor=BELL)
    said = accepted.announcement
    assert accepted.hold is not None
    assert accepted.hold.evidence["counted"] == 30
    go_through(thirty, said)
    assert thirty.states(said) == {}
    with pytest.raises(RuleBroken) as differs:
        second_thoughts.expect(thirty.ports, said.public_id, 29, actor=BELL)
    assert "30 people, not 29" in differs.value.problem.message
    second_thoughts.expect(thirty.ports, said.public_id, 30, actor=BELL)
    go_through(thirty, said)
    assert thirty.states(said) == {"sent": 30}


def test_what_is_planned_or_over_waits_for_no_number_any_more(thirty: World) -> None:
    said, over = thirty.announce(), thirty.announce()
    thirty.plan(said)
    intake.withdraw(thirty.ports, over.public_id, actor=BELL)
    for each in (said, over):
        with pytest.raises(TooLate):
            second_thoughts.expect(thirty.ports, each.public_id, 30, actor=BELL)


def test_a_number_typed_at_once_lets_it_go_and_a_wrong_one_is_refused(thirty: World) -> None:
    setting(thirty, "blast.size", "20")
    with pytest.raises(InvalidAnnouncement) as refused:
        thirty.announce(expected=300)
    assert refused.value.problem.field == "expect"
    said = thirty.announce(expected=30)
    go_through(thirty, said)
    assert thirty.states(said) == {"sent": 30}


def test_far_more_than_the_department_usually_tells_waits(thirty: World) -> None:
    setting(thirty, "blast.ratio", "3")
    setting(thirty, "blast.floor", "5")
    for _ in range(5):
        go_through(thirty, thirty.announce(audience="Choir - Choir"))
    said = thirty.announce()
    assert held(thirty, said) == "size_unconfirmed"
    [row] = thirty.rows(select(t.headcount).where(t.headcount.c.announcement_id == said.id))
    assert (row.counted, row.norm) == (30, 0)


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


# --- broken rules ---------------------------------------------------------------------------------------------------


def _fails(case: AnnouncementCase) -> Any:
    raise ZeroDivisionError(case.account)


def test_a_rule_that_raises_holds_its_account_says_so_and_loses_nothing(
    thirty: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def only_texts(case: AnnouncementCase) -> Any:
        return _fails(case) if case.channel == "sms" else ALLOW

    said = thirty.announce(ways=(Step(("sms", "email")),))
    thirty.plan(said)
    with monkeypatch.context() as broken:
        broken.setattr(book, "EACH_TIME", (*book.EACH_TIME, only_texts))
        for _ in range(3):
            thirty.send()
        assert thirty.record().count("account.paused") == 1  # what is paused does not meet the rule again
        thirty.send("mails")
        assert thirty.states(said) == {"queued": 30, "sent": 30}
        other = thirty.announce(ways=(Step(("sms",)),))  # accepted all the same, and held
        assert held(thirty, other) == "policy_failed"
    alarms = thirty.rows(select(t.alarm.c.kind, t.alarm.c.subject, t.alarm.c.cleared_at))
    assert [tuple(row) for row in alarms] == [("policy_failed", "texts", None)]
    switching.go(thirty.ports, SwitchKind.ACCOUNT, "texts", "mended", actor=BELL)
    thirty.pass_time(timedelta(minutes=2))
    thirty.plan(other)
    thirty.send()
    assert thirty.states() == {"sent": 90}


@pytest.mark.parametrize("table", ["rules", "verdict", "switch", "headcount"])
def test_with_a_table_of_the_rules_gone_nothing_leaves_nothing_is_lost_and_it_goes_on_when_mended(
    thirty: World, table: str
) -> None:
    said = thirty.announce()
    thirty.plan(said)
    thirty.sql(f"ALTER TABLE {table} RENAME TO broken")
    assert thirty.send() == 0
    assert thirty.states(said) == {"queued": 30}
    assert thirty.sweep().failed["rules"] == "RulesUnreadable"
    assert [row.kind for row in thirty.rows(select(t.alarm.c.kind))] == ["rules_unreadable"]
    thirty.sql(f"ALTER TABLE broken RENAME TO {table}")
    assert thirty.sweep().clean
    assert [row.cleared_at is None for row in thirty.rows(select(t.alarm.c.cleared_at))] == [False]
    thirty.send()
    assert thirty.states(said) == {"sent": 30}


def test_a_table_of_the_rules_that_breaks_under_load_stops_it_and_it_goes_on_when_mended(
    thirty: World,
) -> None:
    said = thirty.announce()
    thirty.plan(said)
    thirty.tempo = replace(thirty.tempo, chunk=5)
    texts = thirty.channels.texts
    texts.answer_in = timedelta(milliseconds=200)
    broken: list[datetime] = []

    def breaking() -> None:
        until = time.monotonic() + 20
        while not texts.truth and time.monotonic() < until:
            time.sleep(0.01)
        thirty.sql("ALTER TABLE verdict RENAME TO broken")
        broken.append(datetime.now(UTC))

    hand = threading.Thread(target=breaking)
    hand.start()
    thirty.send()
    hand.join()
    left = len(texts.truth)
    # What a claim had taken by then was judged; nothing else is taken any more.
    assert 0 < left < 30
    assert thirty.send() == 0
    assert thirty.states(said) == {"sent": left, "queued": 30 - left}
    thirty.sql("ALTER TABLE broken RENAME TO verdict")
    thirty.send()
    assert thirty.states(said) == {"sent": 30}
    assert len(texts.truth) == 30


@pytest.mark.parametrize(
    "body", ["nonsense", "[]", '{"undo.window": "-1 s"}', '{"undo.windwo": "1 s"}', '{"undo.window": 5}']
)
def test_rules_that_cannot_be_read_stop_everything_until_they_are_reset(thirty: World, body: str) -> None:
    said = thirty.announce()
    thirty.plan(said)
    with thirty.ledger.begin() as tx:
        tx.hand.connection.execute(t.rules.update().values(body=body))
    assert thirty.send() == 0
    with pytest.raises(RuleBroken) as unreadable:
        thirty.announce()
    assert unreadable.value.problem.code == "rules_unreadable"
    rule_changes.reset(thirty.ports, None, "begin anew", actor=BELL)
    for rule, value in (("undo.window", "0"), ("windows.open", "")):
        setting(thirty, rule, value)
    thirty.send()
    assert thirty.states(said) == {"sent": 30}


# --- what it costs --------------------------------------------------------------------------------------------------


def test_an_answer_that_is_no_other_is_kept_once(thirty: World) -> None:
    said = thirty.announce()
    for _ in range(3):
        go_through(thirty, said)
    assert verdicts(thirty, said) == [("allow", "")]


def test_purpose_and_department_reach_the_rules_as_they_were_said(
    thirty: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[AnnouncementCase] = []

    def look(case: AnnouncementCase) -> Any:
        seen.append(case)
        return ALLOW

    monkeypatch.setattr(book, "ONCE", (*book.ONCE, look))
    said = intake.accept(thirty.ports, thirty.draft(purpose=Purpose.SERVICE), actor=BELL).announcement
    go_through(thirty, said)
    go_through(thirty, thirty.announce())
    asked, planned, claimed = seen[0], seen[1], seen[2]
    assert (asked.announcement, asked.accepted_at) == (None, None)
    assert asked.author == planned.author == claimed.author == BELL
    assert asked.contents == planned.contents == claimed.contents != ()
    assert asked.counted == planned.counted == claimed.counted == 30
    assert SYSTEM.id
