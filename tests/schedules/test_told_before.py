"""A change of an event is told to exactly those whom its reminders told; whoever was not told is reminded anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from broker import fanout, intake
from broker.actor import SYSTEM
from broker.announcement import Announcement, Part, ToldBefore
from broker.authority import second_thoughts
from broker.corrections import verbs
from broker.diary import event_book, reminding
from broker.testing.clock import PretendClock
from ledger import tables as t
from tests.support.broker_world import World
from tests.support.events import BELL, bring, gone_out, look, rule, said, the_event, told
from tests.support.school import SmallSchool

STARTS = datetime(2026, 9, 3, 14, tzinfo=UTC)


@pytest.fixture
def reminded(clocked: World, clock: PretendClock) -> World:
    """Three families are about to be reminded by mail; nothing is planned yet."""
    rule(clocked, "Mail", timedelta(days=2), "email")
    bring(clocked, [told("a", STARTS)])
    clock.advance(timedelta(hours=9))
    assert look(clocked) == 1
    return clocked


def planned(world: World) -> None:
    for row in world.rows(select(t.announcement.c.public_id).where(t.announcement.c.fanned_out_at.is_(None))):
        fanout.plan(world.ports, row.public_id, actor=SYSTEM)


def moved(world: World, to: datetime) -> None:
    event = the_event(world).public_id
    event_book.move(world.ports, event, wall=to.replace(tzinfo=None), starts_at=to, actor=BELL)


def mails(world: World, kind: str) -> set[str]:
    """Where announcements of a kind went, or are to go."""
    query = (
        select(t.announcement.c.idempotency_key, t.address.c.value, t.delivery.c.state)
        .join(t.delivery, t.delivery.c.announcement_id == t.announcement.c.id)
        .join(t.address, t.address.c.id == t.delivery.c.address_id)
    )
    return {
        row.value
        for row in world.rows(query)
        if row.idempotency_key.startswith(kind) and row.state not in {"withdrawn", "refused"}
    }


def state_of(world: World, mail: str, state: str, *, of: str = "announcement_id") -> None:
    """Of every announcement, or of one by its number."""
    its = f"address_id = (SELECT id FROM address WHERE value = '{mail}')"
    world.sql(f"UPDATE delivery SET state = '{state}' WHERE {its} AND announcement_id = {of}")


def test_of_a_reminder_half_sent_those_it_told_hear_of_the_change_and_the_others_are_reminded_anew(
    reminded: World, clock: PretendClock
) -> None:
    planned(reminded)
    state_of(reminded, "p0@example.org", "sent")
    state_of(reminded, "p1@example.org", "uncertain")  # it may have left
    later = STARTS + timedelta(days=5)
    moved(reminded, later)
    look(reminded)
    planned(reminded)
    assert mails(reminded, "notice") == {"p0@example.org", "p1@example.org"}
    clock.advance(timedelta(days=5))
    look(reminded)
    planned(reminded)
    assert mails(reminded, "reminder") == {"p0@example.org", "p1@example.org", "p2@example.org"}
    anew = reminded.rows(select(t.announcement).order_by(t.announcement.c.id.desc()))[0]
    at_new_time = reminded.rows(select(t.duty.c.person_id).where(t.duty.c.announcement_id == anew.id))
    assert len(at_new_time) == 1  # the third family alone


def corrected(world: World, first: Announcement | UUID) -> UUID:
    """What says it rightly, planned."""
    number = first if isinstance(first, UUID) else first.public_id
    wanted = verbs.Wanted(key="rightly")
    draft = verbs.correction(world.ports, number, {Part.SHORT: "In the hall, not here."}, wanted)
    right = intake.accept(world.ports, draft, actor=SYSTEM).announcement
    fanout.plan(world.ports, right.public_id, actor=SYSTEM)
    return right.public_id


def test_whom_only_the_correction_of_a_reminder_told_hears_of_the_change_as_well(reminded: World) -> None:
    planned(reminded)
    state_of(reminded, "p0@example.org", "sent")
    (first,) = reminded.rows(select(t.announcement.c.public_id))
    corrected(reminded, first.public_id)
    state_of(reminded, "p1@example.org", "sent", of="2")  # she has the right text alone
    moved(reminded, STARTS + timedelta(hours=2))
    look(reminded)
    planned(reminded)
    assert mails(reminded, "notice") == {"p0@example.org", "p1@example.org"}


def test_a_correction_of_a_reminder_that_is_in_hand_is_waited_for(reminded: World) -> None:
    planned(reminded)
    state_of(reminded, "p0@example.org", "sent")
    (first,) = reminded.rows(select(t.announcement.c.public_id))
    corrected(reminded, first.public_id)
    state_of(reminded, "p1@example.org", "sending", of="2")
    moved(reminded, STARTS + timedelta(hours=2))
    assert look(reminded) == 0
    state_of(reminded, "p1@example.org", "sent", of="2")
    assert look(reminded) >= 1
    planned(reminded)
    assert mails(reminded, "notice") == {"p0@example.org", "p1@example.org"}


def test_on_either_database_the_whole_thread_is_asked_whom_it_told(world: World) -> None:
    first = world.announce(audience="Choir")
    world.plan(first)
    corrected(world, first)  # before anything of it has left
    world.send()
    assert world.states(first) == {"withdrawn": 3}
    before = ToldBefore((first.public_id,), again=True)
    again = world.announce(audience="everyone", key="again", told_before=before)
    but = world.announce(audience="Choir", key="but", told_before=replace(before, again=False))
    assert (world.plan(again), world.plan(but)) == (3, 0)


def test_who_left_the_group_since_is_told_and_who_joined_it_is_not(
    reminded: World, clock: PretendClock
) -> None:
    gone_out(reminded)
    school = SmallSchool()
    for n in (1, 2, 3):
        pupil = school.pupil(f"Pupil{n}", "Choir")
        school.guardian(f"Parent{n}", pupil, emails=(f"p{n}@example.org",))
    pupil = school.pupil("Pupil0", "Band")
    school.guardian("Parent0", pupil, emails=("p0@example.org",))
    reminded.bring(school)
    moved(reminded, STARTS + timedelta(hours=2))
    look(reminded)
    planned(reminded)
    assert mails(reminded, "notice") == {"p0@example.org", "p1@example.org", "p2@example.org"}


def test_while_a_reminder_is_in_hand_nobody_knows_yet_whom_it_tells_so_the_notice_waits(
    reminded: World,
) -> None:
    planned(reminded)
    state_of(reminded, "p0@example.org", "sending")
    moved(reminded, STARTS + timedelta(hours=2))
    assert look(reminded) == 0
    assert said(reminded) == []
    state_of(reminded, "p0@example.org", "sent")
    assert look(reminded) >= 1
    planned(reminded)
    assert mails(reminded, "notice") == {"p0@example.org"}


def test_nobody_is_told_of_a_change_where_nothing_had_left(reminded: World, clock: PretendClock) -> None:
    planned(reminded)
    moved(reminded, STARTS + timedelta(hours=2))
    look(reminded)
    clock.advance(timedelta(hours=2))
    look(reminded)
    planned(reminded)
    assert mails(reminded, "notice") == set()
    assert mails(reminded, "reminder") == {f"p{n}@example.org" for n in range(3)}


def test_a_second_change_takes_the_first_ones_notice_back_and_is_told_once(
    reminded: World, clock: PretendClock
) -> None:
    gone_out(reminded)
    moved(reminded, STARTS + timedelta(hours=2))
    look(reminded)
    moved(reminded, STARTS + timedelta(hours=3))
    look(reminded)
    assert said(reminded) == [("notice", "Change: Choir is now on Thu 3 Sep at 17:00, Hall.")]
    planned(reminded)
    assert len(mails(reminded, "notice")) == 3


def test_a_strangers_title_names_no_child(clocked: World, clock: PretendClock) -> None:
    rule(clocked, "Mail", timedelta(days=2), "email")
    bring(clocked, [replace(told("a", STARTS), title="{pupil} {x}")])
    clock.advance(timedelta(hours=9))
    look(clocked)
    assert said(clocked) == [("reminder", "(pupil) (x): Thu 3 Sep at 14:00, Hall.")]


def test_an_announcement_that_told_nobody_known_is_never_told_to_everybody(world: World) -> None:
    with pytest.raises(LookupError):
        world.announce(audience="Choir", told_before=ToldBefore((uuid4(),), again=True))
    assert world.rows(select(t.announcement)) == []


def test_on_either_database_a_notice_goes_where_the_first_one_went(world: World) -> None:
    first = world.announce(audience="Choir")
    world.plan(first)
    world.send()
    again = world.announce(
        audience="everyone", key="again", told_before=ToldBefore((first.public_id,), again=True)
    )
    but = world.announce(audience="Choir", key="but", told_before=ToldBefore((first.public_id,), again=False))
    assert (world.plan(again), world.plan(but)) == (3, 0)
    assert reminding.make_due(world.ports, actor=SYSTEM) == 0


def test_the_number_that_is_expected_is_of_those_who_were_told_before(reminded: World) -> None:
    planned(reminded)
    state_of(reminded, "p0@example.org", "sent")
    (first,) = reminded.rows(select(t.announcement.c.public_id))
    before = ToldBefore((first.public_id,), again=True)
    draft = reminded.draft(department="music", audience="Choir", told_before=before)
    said = intake.accept(reminded.ports, draft, actor=SYSTEM).announcement
    assert second_thoughts.expect(reminded.ports, said.public_id, 1, actor=SYSTEM) == 1
