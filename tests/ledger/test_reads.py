"""What people ask of the ledger: how an announcement stands, who got it, who would, what waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update

from broker.actor import SYSTEM
from broker.announcement import Announcement, Draft, Part, People, Stage, Step
from broker.delivery import State
from broker.duty import DutyState
from broker.fanout import plan
from broker.ports import Ports
from broker.rosters.imports import import_roster
from ledger import tables as t
from ledger.connect import Ledger
from ledger.reads.deliveries import FAILURES, Wanted, deliveries
from ledger.reads.health import health
from ledger.reads.reached import Told, reached
from ledger.reads.status import Status, status
from tests.support.school import SmallSchool, family

pytestmark = pytest.mark.usefixtures("sandbox_school")
MUM, DAD = "+447911100001", "+447911100002"
HOUR = timedelta(hours=1)


def announce(
    ports: Ports,
    *,
    audience: str = "Choir + 7B",
    people: People = People.GUARDIANS,
    channels: tuple[str, ...] = ("sms",),
    expires_in: timedelta = HOUR,
    planned: bool = True,
) -> Announcement:
    draft = Draft("music", audience, people, (Step(channels),), {Part.SHORT: "Rehearsal at four."})
    with ports.ledger.begin() as tx:
        made = tx.announcements.add(
            draft, digest="d", actor=SYSTEM, due_at=tx.now - HOUR, expires_at=tx.now + expires_in
        )
    if planned:
        plan(ports, made.public_id, actor=SYSTEM)
    return made


def move(ledger: Ledger, state: State, *, address: str | None = None, **values: Any) -> None:
    """Put deliveries (of one address) into a state, as a worker would, with the counters it would append."""
    with ledger.begin() as tx:
        which = select(t.delivery.c.id)
        if address is not None:
            which = which.join(t.address, t.address.c.id == t.delivery.c.address_id)
            which = which.where(t.address.c.value == address)
        found = list(tx.hand.connection.execute(which).scalars())
        rows = tx.hand.connection.execute(select(t.delivery).where(t.delivery.c.id.in_(found))).all()
        for row in rows:
            tx.deliveries.tally(
                [
                    (row.announcement_id, row.channel, State(row.state), -1),
                    (row.announcement_id, row.channel, state, 1),
                ]
            )
        tx.hand.connection.execute(
            update(t.delivery).where(t.delivery.c.id.in_(found)).values(state=state.value, **values)
        )


def stands(ledger: Ledger, announcement: Announcement) -> Status:
    with ledger.reading() as hand:
        found = status(hand, announcement.public_id)
    assert found is not None
    return found


def who(ledger: Ledger, announcement: Announcement, limit: int = 1000) -> dict[str, Told]:
    found: dict[str, Told] = {}
    with ledger.reading() as hand:
        known = stands(ledger, announcement).announcement
        after = 0
        while page := reached(hand, known, after=after, limit=limit):
            found |= {one.name.removesuffix(" Bell"): one for one in page}
            after = page[-1].duty
    return found


@pytest.fixture
def school() -> SmallSchool:
    """The family, next door, and a pupil without a guardian."""
    made = family()
    made.pupil("Gus", "7B")
    return made


@pytest.fixture
def imported(ports: Ports, school: SmallSchool) -> Ports:
    import_roster(ports, school.roster(), actor=SYSTEM)
    return ports


# --- status ---------------------------------------------------------------------------------------------------------


def test_an_announcement_that_is_not_there_has_no_status(ledger):
    with ledger.reading() as hand:
        assert status(hand, uuid4()) is None


def test_what_is_not_planned_yet_is_not_settled(imported, ledger):
    found = stands(ledger, announce(imported, planned=False))
    assert (found.stage, found.settled, found.channels) == (Stage.PLANNING, False, {})


def test_one_text_a_number_and_a_duty_a_child(imported, ledger):
    found = stands(ledger, announce(imported))
    assert found.stage is Stage.SENDING
    assert found.channels == {"sms": {State.QUEUED: 3}}
    assert found.duties == {DutyState.OPEN: 5, DutyState.MET: 0, DutyState.LAPSED: 1}
    assert not found.settled


def test_one_parents_text_meets_the_duties_to_all_four_children(imported, ledger):
    made = announce(imported)
    move(ledger, State.SENT, address=MUM)
    found = stands(ledger, made)
    assert found.duties == {DutyState.OPEN: 1, DutyState.MET: 4, DutyState.LAPSED: 1}
    assert found.channels == {"sms": {State.QUEUED: 2, State.SENT: 1}}


def test_counters_say_the_same_before_and_after_folding(imported, ledger):
    made = announce(imported)
    move(ledger, State.SENT, address=MUM)
    before = stands(ledger, made).channels
    with ledger.begin() as tx:
        assert tx.sweeps.fold_tallies()
    assert stands(ledger, made).channels == before
    move(ledger, State.DELIVERED, address=MUM)
    assert stands(ledger, made).channels == {"sms": {State.QUEUED: 2, State.DELIVERED: 1}}


def test_everything_sent_is_settled(imported, ledger):
    made = announce(imported)
    move(ledger, State.SENT)
    assert stands(ledger, made).settled


def test_uncertain_is_unsettled_while_a_look_up_is_due_and_meets_nothing(imported, ledger):
    made = announce(imported)
    move(ledger, State.UNCERTAIN, lookup_at=datetime.now(UTC) + HOUR)
    found = stands(ledger, made)
    assert not found.settled
    assert found.duties[DutyState.OPEN] == 5
    move(ledger, State.UNCERTAIN, lookup_at=None)
    found = stands(ledger, made)
    assert found.settled
    assert found.duties == {DutyState.OPEN: 5, DutyState.MET: 0, DutyState.LAPSED: 1}


def test_an_uncertain_delivery_that_somebody_settled_leaves_its_duty_lapsed(imported, ledger):
    made = announce(imported)
    move(ledger, State.UNCERTAIN, settled_at=datetime.now(UTC), settled_by="head")
    assert stands(ledger, made).duties == {DutyState.OPEN: 0, DutyState.MET: 0, DutyState.LAPSED: 6}


def test_a_refused_delivery_beside_a_sent_one_costs_nobody_anything(imported, ledger):
    made = announce(imported)
    move(ledger, State.SENT)
    move(ledger, State.REFUSED, address=DAD, why="this address asked for no more messages")
    assert stands(ledger, made).duties[DutyState.MET] == 5


def test_a_dropped_cover_meets_no_duty(imported, ledger):
    made = announce(imported)
    move(ledger, State.SENT)
    with ledger.begin() as tx:
        eve = select(t.duty.c.id).join(t.person, t.person.c.id == t.duty.c.person_id)
        eve = eve.where(t.person.c.source_id == "eve")
        tx.hand.connection.execute(
            update(t.delivery_covers).where(t.delivery_covers.c.duty_id.in_(eve)).values(dropped=True)
        )
    assert stands(ledger, made).duties == {DutyState.OPEN: 0, DutyState.MET: 4, DutyState.LAPSED: 2}


def test_a_broadcast_meets_no_duty(imported, ledger):
    made = announce(imported, channels=("rss",))
    move(ledger, State.SENT)
    found = stands(ledger, made)
    assert found.channels == {"rss": {State.SENT: 1}}
    assert found.duties[DutyState.MET] == 0


def test_what_expired_before_it_was_planned_is_settled_and_over(imported, ledger):
    made = announce(imported, planned=False, expires_in=-HOUR / 2)
    found = stands(ledger, made)
    assert (found.stage, found.settled) == (Stage.EXPIRED, True)


# --- who got it -----------------------------------------------------------------------------------------------------


def test_it_says_who_got_it_by_which_way_with_addresses_masked(imported, ledger):
    made = announce(imported)
    move(ledger, State.SENT, address=MUM)
    move(ledger, State.REJECTED, address=DAD, why="the number is not in use")
    found = who(ledger, made)
    ann = found["Ann"]
    assert (ann.state, ann.why) == (DutyState.MET, "")
    assert {(way.address, way.state) for way in ann.ways} == {
        ("+44 ••• ••• 001", State.SENT),
        ("+44 ••• ••• 002", State.REJECTED),
    }


def test_it_says_who_did_not_get_it_and_why(imported, ledger):
    made = announce(imported)
    move(ledger, State.REJECTED, address="+447911100003", why="the number is not in use")
    found = who(ledger, made)
    assert (found["Eve"].state, found["Eve"].why) == (DutyState.LAPSED, "sms: the number is not in use")
    assert (found["Gus"].state, found["Gus"].why) == (DutyState.LAPSED, "no guardian on file")
    assert (found["Ben"].state, found["Ben"].why) == (DutyState.OPEN, "sms: waiting")


def test_it_comes_page_by_page_and_misses_nobody(imported, ledger):
    made = announce(imported)
    assert who(ledger, made, limit=2) == who(ledger, made)
    assert len(who(ledger, made)) == 6


# --- deliveries -----------------------------------------------------------------------------------------------------


def test_failures_are_listed_newest_first_and_masked(imported, ledger):
    announce(imported, channels=("sms", "email"))
    move(ledger, State.SENT)
    move(ledger, State.EXHAUSTED, address=DAD, why="tried five times", code="30003")
    move(ledger, State.UNCERTAIN, address="bells@example.org")
    with ledger.reading() as hand:
        found = deliveries(hand, FAILURES)
    assert [(one.channel, one.address, one.state) for one in found] == [
        ("email", "b•••@e•••.org", State.UNCERTAIN),
        ("sms", "+44 ••• ••• 002", State.EXHAUSTED),
    ]
    assert (found[1].code, found[1].why) == ("30003", "tried five times")


def test_filters_hold_together_and_pages_follow_each_other(imported, ledger):
    first = announce(imported, channels=("sms", "email", "rss"))
    announce(imported)
    with ledger.reading() as hand:
        both = deliveries(hand, Wanted())
        texts = deliveries(hand, Wanted(announcement=first.public_id, channel="sms"))
        page = deliveries(hand, Wanted(), limit=3)
        rest = deliveries(hand, Wanted(), before=page[-1].id)
        none = deliveries(hand, Wanted(states=frozenset({State.SENT})))
    assert len(both) == 8
    assert {(one.announcement, one.channel) for one in texts} == {(first.public_id, "sms")}
    assert [*page, *rest] == list(both)
    assert [one.address for one in both if one.channel == "rss"] == ["the public"]
    assert not none


# --- health ---------------------------------------------------------------------------------------------------------


def test_health_tells_what_waits_and_for_how_long(imported, ledger):
    announce(imported)
    move(ledger, State.SENDING, address=MUM)
    with ledger.begin() as tx:
        tx.sweeps.raise_alarm("account", "texts", "the provider refused it")
        tx.sweeps.beat("worker-1")
        mails = tx.accounts.named("mails")
        assert mails is not None
        tx.accounts.pause(mails.id, "a test")
    with ledger.reading() as hand:
        found = health(hand)
    texts = next(one for one in found.accounts if one.account == "texts")
    assert (texts.due, texts.sending, texts.paused_why) == (2, 1, None)
    assert texts.oldest_due is not None
    assert found.at - texts.oldest_due >= HOUR
    paused = next(one for one in found.accounts if one.account == "mails")
    assert (paused.due, paused.paused_why) == (0, "a test")
    assert [alarm.subject for alarm in found.alarms] == ["texts"]
    assert [seen.name for seen in found.workers] == ["worker-1"]
    assert found.receipts == 0


def test_health_counts_what_the_record_has_not_sealed(imported, ledger):
    with ledger.reading() as hand:
        kept = hand.connection.execute(select(func.count()).select_from(t.record_entry)).scalar_one()
        assert health(hand).unsealed == kept > 0
    with ledger.begin() as tx:
        tx.record.seal()
    with ledger.reading() as hand:
        found = health(hand)
    assert found.unsealed == 0
    assert found.sealed_at is not None
