"""An event that is for other groups than before: who is told, who is reminded, and who hears nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from broker.announcement import People
from broker.diary import event_book
from broker.diary.event_changes import Changed
from broker.errors import NotToBeChanged, RuleBroken
from broker.testing.clock import PretendClock
from ledger import tables as t
from tests.support.broker_world import World
from tests.support.events import BELL, bring, gone_out, look, rule, said, the_event, told
from tests.support.school import SmallSchool

THURSDAY = datetime(2026, 9, 3, 14, tzinfo=UTC)
NOW_FOR = "Change: Choir on Thu 3 Sep at 14:00, Hall, is now for {}."


@pytest.fixture
def two_groups(clocked: World) -> World:
    """Two families of the choir and two of the band; one pupil is in both."""
    school = SmallSchool()
    for n, groups in enumerate((["Choir"], ["Choir", "Band"], ["Band"])):
        pupil = school.pupil(f"Pupil{n}", *groups)
        school.guardian(f"Parent{n}", pupil, emails=(f"p{n}@example.org",))
    clocked.bring(school)
    return clocked


def typed_in(world: World, to: str = "Choir") -> None:
    event_book.add(world.ports, told("a", THURSDAY), department="music", audience=to, actor=BELL)


def is_for(world: World, to: str, **more: object) -> None:
    event_book.change(world.ports, the_event(world).public_id, Changed(audience=to, **more), actor=BELL)  # type: ignore[arg-type]


def mails(world: World) -> list[tuple[str, str]]:
    """(kind of announcement, where it went), in the order in which they were announced."""
    query = (
        select(t.announcement.c.idempotency_key, t.address.c.value)
        .join(t.delivery, t.delivery.c.announcement_id == t.announcement.c.id)
        .join(t.address, t.address.c.id == t.delivery.c.address_id)
        .where(t.delivery.c.state == "sent")
        .order_by(t.announcement.c.id, t.address.c.value)
    )
    return [(row.idempotency_key.partition(":")[0], row.value[:2]) for row in world.rows(query)]


@pytest.fixture
def reminded(two_groups: World, clock: PretendClock) -> World:
    """The choir was reminded by mail."""
    rule(two_groups, "Mail", timedelta(days=2), "email")
    typed_in(two_groups)
    clock.advance(timedelta(hours=9))
    look(two_groups)
    gone_out(two_groups)
    assert mails(two_groups) == [("reminder", "p0"), ("reminder", "p1")]
    return two_groups


def test_before_anybody_heard_of_it_its_reminders_go_to_the_new_groups_and_nobody_is_told(
    two_groups: World, clock: PretendClock
) -> None:
    rule(two_groups, "Mail", timedelta(days=2), "email")
    typed_in(two_groups)
    is_for(two_groups, "Band")
    clock.advance(timedelta(hours=9))
    look(two_groups)
    gone_out(two_groups)
    assert mails(two_groups) == [("reminder", "p1"), ("reminder", "p2")]


def test_whoever_heard_is_told_for_whom_it_is_now_and_those_who_did_not_are_reminded_at_once(
    reminded: World,
) -> None:
    is_for(reminded, "Band")
    look(reminded)
    gone_out(reminded)
    assert mails(reminded)[2:] == [("reminder", "p2"), ("notice", "p0"), ("notice", "p1")]
    assert ("notice", NOW_FOR.format("Band")) in said(reminded)


def test_for_more_people_than_before_nobody_who_heard_hears_again(reminded: World) -> None:
    is_for(reminded, "Choir + Band")
    look(reminded)
    gone_out(reminded)
    assert mails(reminded)[2:] == [("reminder", "p2")]


def test_whose_groups_are_the_same_in_another_order_is_no_change(reminded: World) -> None:
    before = the_event(reminded)
    is_for(reminded, "Choir + choir")
    assert the_event(reminded) == before
    assert look(reminded) == 0


def test_set_back_before_its_notice_left_nobody_hears_of_either(reminded: World) -> None:
    is_for(reminded, "Band")
    look(reminded)
    is_for(reminded, "Choir + Band")
    look(reminded)
    gone_out(reminded)
    assert mails(reminded)[2:] == [("reminder", "p2"), ("notice", "p0"), ("notice", "p1")]
    assert said(reminded)[-1] == ("notice", NOW_FOR.format("Choir and Band"))


def test_whose_it_is_again_is_told_so(reminded: World) -> None:
    is_for(reminded, "Band")
    look(reminded)
    gone_out(reminded)
    is_for(reminded, "Choir")
    look(reminded)
    gone_out(reminded)
    assert mails(reminded)[5:] == [("notice", "p0"), ("notice", "p1"), ("notice", "p2")]
    assert said(reminded)[-1] == ("notice", NOW_FOR.format("Choir"))


def test_after_that_every_change_says_for_whom_it_is(reminded: World) -> None:
    is_for(reminded, "Band")
    look(reminded)
    gone_out(reminded)
    later = THURSDAY + timedelta(days=1)
    event = the_event(reminded).public_id
    event_book.move(reminded.ports, event, wall=later.replace(tzinfo=None), starts_at=later, actor=BELL)
    look(reminded)
    assert said(reminded)[-1] == ("notice", "Change: Choir is now on Fri 4 Sep at 14:00, Hall, for Band.")


def test_moved_and_for_others_at_once_is_told_once(reminded: World) -> None:
    later = THURSDAY + timedelta(days=1)
    is_for(reminded, "Band", wall=later.replace(tzinfo=None), starts_at=later)
    look(reminded)
    gone_out(reminded)
    assert said(reminded)[-1] == ("notice", "Change: Choir is now on Fri 4 Sep at 14:00, Hall, for Band.")
    assert [one for one in mails(reminded)[2:] if one[0] == "notice"] == [("notice", "p0"), ("notice", "p1")]


def test_of_several_reminders_whose_time_is_past_those_who_join_get_the_last(
    two_groups: World, clock: PretendClock
) -> None:
    rule(two_groups, "Days", timedelta(days=2), "email")
    rule(two_groups, "Day", timedelta(days=1), "email")
    typed_in(two_groups)
    for hours in (9, 24):
        clock.advance(timedelta(hours=hours))
        look(two_groups)
        gone_out(two_groups)
    is_for(two_groups, "Choir + Band")
    look(two_groups)
    gone_out(two_groups)
    assert mails(two_groups) == [("reminder", who) for who in ("p0", "p1", "p0", "p1", "p2")]


def test_the_outlook_says_beforehand_who_is_told_and_for_how_many_it_is_new(reminded: World) -> None:
    event = the_event(reminded).public_id
    found = event_book.outlook(reminded.ports, event, Changed(audience="Band"), actor=BELL)
    assert (found.words, found.told, found.heard, found.joining) == (NOW_FOR.format("Band"), 2, 2, 1)
    wider = event_book.outlook(reminded.ports, event, Changed(audience="Choir + Band"), actor=BELL)
    assert (wider.words, wider.told, wider.heard, wider.joining) == ("", 0, 2, 1)
    assert the_event(reminded).audience == "Choir"


def test_a_rule_for_one_group_reminds_no_other(two_groups: World, clock: PretendClock) -> None:
    typed_in(two_groups)
    rule(two_groups, "Pupils", timedelta(days=2), "email", people=People.PUPILS)
    found = event_book.outlook(
        two_groups.ports, the_event(two_groups).public_id, Changed(audience="Band"), actor=BELL
    )
    assert (found.told, found.joining) == (0, 1)


def test_a_calendar_says_itself_whose_its_events_are(two_groups: World) -> None:
    bring(two_groups, [told("a", THURSDAY)])
    with pytest.raises(NotToBeChanged, match="the calendar that it comes from"):
        is_for(two_groups, "Band")
    is_for(two_groups, "Choir", place="Chapel")
    assert the_event(two_groups).place == "Chapel"


def test_groups_that_are_not_there_change_nothing(reminded: World) -> None:
    with pytest.raises(RuleBroken, match="there is no group"):
        is_for(reminded, "Tuba")
    assert the_event(reminded).audience == "Choir"
    assert look(reminded) == 0


def test_a_calendar_that_tells_other_groups_tells_those_who_heard(
    two_groups: World, clock: PretendClock
) -> None:
    rule(two_groups, "Mail", timedelta(days=2), "email")
    bring(two_groups, [told("a", THURSDAY)])
    clock.advance(timedelta(hours=9))
    look(two_groups)
    gone_out(two_groups)
    bring(two_groups, [told("a", THURSDAY, group="Band")])
    look(two_groups)
    gone_out(two_groups)
    assert mails(two_groups)[2:] == [("reminder", "p2"), ("notice", "p0"), ("notice", "p1")]
