"""Events: each is reminded once by each rule and never after it began; a change is told once to those reminded."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from broker.actor import Actor, ActorKind
from broker.announcement import People
from broker.authority import rule_changes
from broker.diary import event_book, reminders, reminding
from broker.errors import InvalidAnnouncement, NotToBeChanged, RuleBroken
from broker.ports.events import Told
from broker.testing.clock import PretendClock
from ledger import tables as t
from sources.calendars import events_of_ics
from tests.support.broker_world import World
from tests.support.events import BELL, bring, gone_out, look, rule, said, the_event, told

LONDON = "Europe/London"
WEEKLY = b"""BEGIN:VCALENDAR\r
VERSION:2.0\r
BEGIN:VEVENT\r
UID:choir\r
SUMMARY:Choir\r
LOCATION:Hall\r
DTSTART;TZID=Europe/London:20260901T153000\r
DTEND;TZID=Europe/London:20260901T163000\r
RRULE:FREQ=WEEKLY\r
END:VEVENT\r
END:VCALENDAR\r
"""


LOOKS_EVERY = timedelta(minutes=173)  # in a simulated year: at every minute of the day in its turn


@pytest.fixture
def two_rules(clocked: World) -> World:
    rule(clocked, "Mail", timedelta(days=2), "email")
    rule(clocked, "Text", timedelta(hours=3), "sms")
    return clocked


@pytest.mark.timeout(240)  # three thousand looks
def test_a_simulated_year_reminds_of_every_rehearsal_once_by_each_rule_and_in_no_holidays(
    two_rules: World, clock: PretendClock
) -> None:
    begins = clock.now
    for month in range(13):  # a subscribed calendar is looked at again and again
        if month:
            while clock.now < begins + timedelta(days=28 * month):
                clock.advance(LOOKS_EVERY)
                look(two_rules)
        today = clock.now.date()
        calendar = events_of_ics(WEEKLY, zone=LONDON, begins=today, ends=today + timedelta(days=400))
        bring(two_rules, list(calendar.events), in_term=True)
    with two_rules.ledger.look() as tx:
        events = [one for one in tx.events.between(begins, clock.now) if one.cancelled_at is None]
        reminded = tx.events.reminded([one.id for one in events])
        before = {each.id: each.before for each in tx.events.rules()}
    assert len(events) == 39
    assert {one.wall.strftime("%H:%M") for one in events} == {"15:30"}
    assert not [one for one in events if date(2026, 10, 26) <= one.wall.date() <= date(2026, 10, 30)]
    assert Counter(one.event for one in reminded) == {one.id: 2 for one in events}
    outcomes = Counter(one.told for one in reminded)
    # The first rehearsal was that very day when the calendar was brought: its mail was not worth sending any more.
    assert outcomes == {Told.SENT: 77, Told.PASSED: 1}
    starts = {one.id: one.starts_at for one in events}
    late = [one.at - (starts[one.event] - before[one.rule]) for one in reminded if one.told is Told.SENT]
    # None before its time, none past the next look.
    assert timedelta() <= min(late) <= max(late) <= LOOKS_EVERY
    assert len(said(two_rules)) == 77


def test_an_event_says_where_and_when_in_plain_words(two_rules: World, clock: PretendClock) -> None:
    bring(two_rules, [told("a", datetime(2026, 9, 3, 14, 30, tzinfo=UTC), place="")])
    clock.advance(timedelta(hours=12))
    assert look(two_rules) == 1
    assert said(two_rules) == [("reminder", "Choir: Thu 3 Sep at 14:30, the usual place.")]
    (row,) = two_rules.rows(select(t.announcement))
    assert row.expires_at == datetime(2026, 9, 3, 14, 30, tzinfo=UTC)
    assert look(two_rules) == 0


def test_a_trip_of_a_whole_day_is_announced_for_that_day_and_not_at_midnight(
    two_rules: World, clock: PretendClock
) -> None:
    # Of a day, and of the four on which the clocks go back.
    days = (b"DTSTART;VALUE=DATE:20260910", b"DTSTART;VALUE=DATE:20261023\r\nDTEND;VALUE=DATE:20261027")
    for uid, when in zip((b"a", b"b"), days, strict=True):
        event = b"BEGIN:VEVENT\r\nUID:%s\r\nSUMMARY:Trip\r\nLOCATION:Kew\r\n%s\r\nEND:VEVENT\r\n" % (
            uid,
            when,
        )
        calendar = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n%sEND:VCALENDAR\r\n" % event
        read = events_of_ics(calendar, zone=LONDON, begins=date(2026, 9, 1), ends=date(2026, 12, 1))
        event_book.bring(
            two_rules.ports, uid.decode(), read.events, department="music", audience="Choir", actor=BELL
        )
    for before in (date(2026, 9, 8), date(2026, 10, 21)):
        clock.advance(datetime(before.year, before.month, before.day, 12, tzinfo=UTC) - clock.now)
        look(two_rules)
    assert [words for _, words in said(two_rules)] == ["Trip: Thu 10 Sep, Kew.", "Trip: Fri 23 Oct, Kew."]


def test_moved_before_anybody_was_reminded_its_reminders_move_and_nobody_is_told(
    two_rules: World, clock: PretendClock
) -> None:
    bring(two_rules, [told("a", datetime(2026, 9, 10, 14, tzinfo=UTC))])
    assert bring(two_rules, [told("a", datetime(2026, 9, 17, 14, tzinfo=UTC))]).moved == 1
    clock.advance(timedelta(days=8))
    assert look(two_rules) == 0
    clock.advance(timedelta(days=7))
    look(two_rules)
    assert [kind for kind, _ in said(two_rules)] == ["reminder"]


def test_moved_after_they_were_reminded_they_are_told_once_and_the_other_reminder_moves(
    two_rules: World, clock: PretendClock
) -> None:
    bring(two_rules, [told("a", datetime(2026, 9, 3, 14, tzinfo=UTC))])
    clock.advance(timedelta(hours=9))
    look(two_rules)
    gone_out(two_rules)
    moved = datetime(2026, 9, 4, 14, tzinfo=UTC)
    event_book.move(
        two_rules.ports,
        the_event(two_rules).public_id,
        wall=moved.replace(tzinfo=None),
        starts_at=moved,
        actor=BELL,
    )
    assert look(two_rules) == 1
    assert look(two_rules) == 0
    assert said(two_rules) == [("notice", "Change: Choir is now on Fri 4 Sep at 14:00, Hall.")]
    clock.advance(timedelta(days=2))
    assert look(two_rules) == 1  # the mail's new time: everybody has the notice
    assert [kind for kind, _ in said(two_rules)] == ["notice"]
    clock.advance(timedelta(hours=21))
    look(two_rules)
    assert [kind for kind, _ in said(two_rules)] == ["notice", "reminder"]


def states_of(world: World, announcement: int) -> dict[str, int]:
    query = select(t.delivery.c.state).where(t.delivery.c.announcement_id == announcement)
    return dict(Counter(row.state for row in world.rows(query)))


def test_a_reminder_that_had_not_left_is_taken_back_and_made_anew(
    two_rules: World, clock: PretendClock
) -> None:
    bring(two_rules, [told("a", datetime(2026, 9, 3, 14, tzinfo=UTC))])
    clock.advance(timedelta(hours=9))
    look(two_rules)
    bring(two_rules, [told("a", datetime(2026, 9, 3, 16, tzinfo=UTC), place="Chapel")])
    assert said(two_rules) == []
    clock.advance(timedelta(hours=2))
    look(two_rules)
    assert [kind for kind, _ in said(two_rules)] in ([], ["reminder"])
    clock.advance(timedelta(days=1, hours=20))
    look(two_rules)
    assert said(two_rules)[-1] == ("reminder", "Choir: Thu 3 Sep at 16:00, Chapel.")


THURSDAY = datetime(2026, 9, 3, 14, tzinfo=UTC)


def test_renamed_a_reminder_that_waits_is_taken_back_and_says_the_new_title(
    two_rules: World, clock: PretendClock
) -> None:
    """And the time for second thoughts begins anew: these words nobody has seen yet."""
    rule_changes.change(two_rules.ports, "undo.window", "10 min", "the test", actor=BELL)
    bring(two_rules, [told("a", THURSDAY)])
    clock.advance(timedelta(hours=9))
    look(two_rules)
    (first,) = two_rules.rows(select(t.announcement))
    bring(two_rules, [told("a", THURSDAY, title="Chior")])
    assert said(two_rules) == []
    look(two_rules)
    assert said(two_rules) == [("reminder", "Chior: Thu 3 Sep at 14:00, Hall.")]
    (again,) = two_rules.rows(select(t.announcement).where(t.announcement.c.withdrawn_at.is_(None)))
    assert again.hold_code == "undo_window"
    assert again.held_until == clock.now + timedelta(minutes=10)
    gone_out(two_rules)
    assert states_of(two_rules, first.id) == {}
    clock.advance(timedelta(minutes=11))
    gone_out(two_rules)
    assert states_of(two_rules, again.id) == {"sent": 3}


def test_renamed_after_they_were_reminded_they_are_told_once_under_which_name_they_know_it(
    two_rules: World, clock: PretendClock
) -> None:
    bring(two_rules, [told("a", THURSDAY)])
    clock.advance(timedelta(hours=9))
    look(two_rules)
    gone_out(two_rules)
    bring(two_rules, [told("a", THURSDAY, title="CHOIR")])
    look(two_rules)
    assert [kind for kind, _ in said(two_rules)] == []
    bring(two_rules, [told("a", THURSDAY, title="Band")])
    look(two_rules)
    gone_out(two_rules)
    look(two_rules)
    assert said(two_rules) == [("notice", "Change: CHOIR is now Band, on Thu 3 Sep at 14:00, Hall.")]
    clock.advance(timedelta(days=1, hours=20))
    look(two_rules)
    assert said(two_rules)[1:] == [("reminder", "Band: Thu 3 Sep at 14:00, Hall.")]


def test_of_other_groups_a_reminder_that_waits_is_made_anew_for_them(
    two_rules: World, clock: PretendClock
) -> None:
    bring(two_rules, [told("a", THURSDAY)])
    clock.advance(timedelta(hours=9))
    look(two_rules)
    bring(two_rules, [told("a", THURSDAY, group="everyone")])
    assert said(two_rules) == []
    look(two_rules)
    (row,) = two_rules.rows(select(t.announcement).where(t.announcement.c.withdrawn_at.is_(None)))
    assert row.audience == "everyone"
    gone_out(two_rules)
    bring(two_rules, [told("a", THURSDAY)])  # whoever was told was told of the right time
    look(two_rules)
    assert [kind for kind, _ in said(two_rules)] == []


def test_whoever_worded_an_event_last_has_not_agreed_to_it(two_rules: World) -> None:
    bring(two_rules, [told("a", THURSDAY)])
    assert the_event(two_rules).made_by == "Mrs Bell"
    head = Actor(ActorKind.PERSON, "The Head")
    event = the_event(two_rules)
    event_book.move(
        two_rules.ports, event.public_id, wall=event.wall, starts_at=THURSDAY, place="my house", actor=head
    )
    assert the_event(two_rules).made_by == "The Head"


def test_cancelled_its_reminders_go_and_those_told_are_told(two_rules: World, clock: PretendClock) -> None:
    bring(
        two_rules,
        [told("a", datetime(2026, 9, 3, 14, tzinfo=UTC)), told("b", datetime(2026, 9, 8, 14, tzinfo=UTC))],
    )
    clock.advance(timedelta(hours=9))
    look(two_rules)
    gone_out(two_rules)
    brought = bring(two_rules, [told("a", datetime(2026, 9, 3, 14, tzinfo=UTC), cancelled=True)])
    assert brought.cancelled == 2  # one by its word, one because it is gone
    assert look(two_rules) == 1
    clock.advance(timedelta(days=7))
    assert look(two_rules) == 0
    assert said(two_rules) == [("notice", "Cancelled: Choir on Thu 3 Sep at 14:00 does not take place.")]


def test_nobody_is_reminded_of_what_has_begun_and_it_is_told_as_missed(
    two_rules: World, clock: PretendClock
) -> None:
    bring(two_rules, [told("a", datetime(2026, 9, 3, 14, tzinfo=UTC))])
    clock.advance(timedelta(days=3))
    assert look(two_rules) == 2
    assert said(two_rules) == []
    assert len(two_rules.rows(select(t.alarm).where(t.alarm.c.kind == reminding.MISSED))) == 2


def test_an_event_known_too_late_for_its_only_reminder_is_reminded_of_at_once(
    clocked: World, clock: PretendClock
) -> None:
    rule(clocked, "Mail", timedelta(days=2), "email")
    bring(clocked, [told("a", clock.now + timedelta(hours=5))])
    look(clocked)
    assert [kind for kind, _ in said(clocked)] == ["reminder"]


@pytest.mark.parametrize(
    ("others", "reminders"), [(People.PUPILS, 1), (People.STAFF, 1), (People.GUARDIANS, 0), (People.BOTH, 0)]
)
def test_a_reminder_to_come_silences_an_earlier_one_only_where_the_same_people_hear_it(
    clocked: World, clock: PretendClock, others: People, reminders: int
) -> None:
    rule(clocked, "Mail", timedelta(days=2), "email")
    rule(clocked, "Text", timedelta(hours=3), "sms", people=others)
    bring(clocked, [told("a", clock.now + timedelta(days=1))])
    look(clocked)
    assert len(said(clocked)) == reminders


def test_a_new_rule_says_nothing_late_where_another_comes_and_misses_nothing_from_before_it_was_made(
    clocked: World, clock: PretendClock
) -> None:
    rule(clocked, "Text", timedelta(hours=3), "sms")
    bring(clocked, [told("a", clock.now + timedelta(hours=1)), told("b", clock.now + timedelta(days=9))])
    assert look(clocked) == 1
    clock.advance(timedelta(days=3))
    rule(clocked, "Week", timedelta(days=7), "email")
    look(clocked)
    assert len(said(clocked)) == 1
    assert clocked.rows(select(t.alarm).where(t.alarm.c.kind == reminding.MISSED)) == []


def test_two_schedulers_at_once_remind_once(world: World) -> None:
    rule(world, "Text", timedelta(hours=3), "sms")
    with world.ledger.look() as tx:
        starts = (tx.now + timedelta(hours=1)).replace(microsecond=0)
    bring(world, [told("a", starts)])
    threads = [threading.Thread(target=look, args=(world,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(said(world)) == 1


def test_a_calendar_that_is_empty_all_at_once_is_not_believed(two_rules: World) -> None:
    events = [told(str(n), datetime(2026, 9, 3 + n, 14, tzinfo=UTC)) for n in range(6)]
    assert bring(two_rules, events).new == 6
    assert bring(two_rules, events).unchanged == 6
    with pytest.raises(NotToBeChanged) as refused:
        bring(two_rules, [])
    assert refused.value.problem.code == "all_gone"
    assert bring(two_rules, [], expect_gone=True).cancelled == 6


def test_a_reminder_that_cannot_be_meant_is_refused(clocked: World) -> None:
    with pytest.raises(InvalidAnnouncement, match="nothing belongs"):
        rule(clocked, "Text", timedelta(hours=3), "sms", "{name} at {starts}")
    with pytest.raises(NotToBeChanged):
        rule(clocked, "Text", timedelta(days=90), "sms")
    with pytest.raises(RuleBroken):
        rule(clocked, "Text", timedelta(hours=3), "pigeon")
    rule(clocked, "Text", timedelta(hours=3), "sms")
    with pytest.raises(NotToBeChanged, match="of this name"):
        rule(clocked, "Text", timedelta(hours=3), "sms")
    reminders.retire_rule(clocked.ports, "Text", actor=BELL)
    rule(clocked, "Text", timedelta(hours=3), "sms")
