"""What somebody sees first is found by what still moves or failed, however much was ever announced."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import insert, update

from broker.actor import SYSTEM
from broker.delivery import State
from broker.ports import Ports
from broker.rosters.imports import import_roster
from ledger import tables as t
from ledger.connect import Ledger
from ledger.reads.figures import figures
from ledger.reads.now import COUNTED, chosen, house
from tests.ledger.test_reads import announce, move
from tests.support.school import family

pytestmark = pytest.mark.usefixtures("sandbox_school")


@pytest.fixture
def school(ports: Ports) -> Ports:
    import_roster(ports, family().roster(), actor=SYSTEM)
    return ports


def test_what_waits_or_is_sent_is_live_before_and_after_folding(school: Ports, ledger: Ledger) -> None:
    made = announce(school)
    for fold in (False, True):
        if fold:
            with ledger.begin() as tx:
                assert tx.sweeps.fold_tallies()
        with ledger.reading() as hand:
            found = chosen(hand)
        assert (found.live, found.wrong, found.newest) == ([made.id], [], [made.id])


def test_what_is_finished_is_neither_live_nor_wrong(school: Ports, ledger: Ledger) -> None:
    made = announce(school)
    move(ledger, State.SENT)
    with ledger.begin() as tx:
        tx.sweeps.fold_tallies()
    with ledger.reading() as hand:
        found = chosen(hand)
    assert (found.live, found.wrong, found.uncertain, found.newest) == ([], [], {}, [made.id])


def test_what_failed_lately_is_wrong_and_an_old_failure_is_not(school: Ports, ledger: Ledger) -> None:
    made = announce(school)
    move(ledger, State.REJECTED)
    with ledger.reading() as hand:
        assert chosen(hand).wrong == [made.id]
    with ledger.begin() as tx:
        tx.hand.connection.execute(update(t.announcement).values(due_at=tx.now - timedelta(days=30)))
    with ledger.reading() as hand:
        assert chosen(hand).wrong == []


def test_what_is_uncertain_is_told_until_somebody_settles_it_however_old_it_is(
    school: Ports, ledger: Ledger
) -> None:
    made = announce(school)
    move(ledger, State.UNCERTAIN)
    with ledger.begin() as tx:
        tx.hand.connection.execute(update(t.announcement).values(due_at=tx.now - timedelta(days=300)))
    with ledger.reading() as hand:
        (count,) = chosen(hand).uncertain.values()
        assert list(chosen(hand).uncertain) == [made.id]
    assert count > 1
    with ledger.begin() as tx:
        tx.hand.connection.execute(update(t.delivery).values(settled_at=tx.now, settled_by="Mrs Bell"))
    with ledger.reading() as hand:
        assert chosen(hand).uncertain == {}


def test_what_a_look_up_will_still_find_out_needs_nobody(school: Ports, ledger: Ledger) -> None:
    announce(school)
    with ledger.begin() as tx:
        soon = tx.now + timedelta(minutes=1)
    move(ledger, State.UNCERTAIN, lookup_at=soon)
    with ledger.reading() as hand:
        assert chosen(hand).uncertain == {}


def test_a_department_finds_its_own_announcements_alone(school: Ports, ledger: Ledger) -> None:
    made = announce(school)
    move(ledger, State.REJECTED)
    with ledger.reading() as hand:
        assert chosen(hand, "music").wrong == chosen(hand, "music").newest == [made.id]
        assert not chosen(hand, "office").all


def test_the_five_that_should_have_gone_first_wait_and_all_of_them_are_counted(
    school: Ports, ledger: Ledger
) -> None:
    made = [announce(school, planned=False) for _ in range(7)]
    with ledger.begin() as tx:
        for place, one in enumerate(made):
            due = tx.now + timedelta(minutes=10 - place)
            where = t.announcement.c.id == one.id
            values = {"hold_code": "needs_approval", "due_at": due}
            tx.hand.connection.execute(update(t.announcement).where(where).values(values))
    with ledger.reading() as hand:
        found = chosen(hand)
    assert found.waiting == 7
    assert list(found.waits) == [one.id for one in reversed(made)][:5]


def test_an_account_tells_what_waits_and_since_when_and_counts_no_further_than_it_must(
    school: Ports, ledger: Ledger
) -> None:
    announce(school)
    with ledger.reading() as hand:
        ways = {way.account: way for way in house(hand).ways}
    assert 0 < ways["texts"].due < COUNTED
    assert ways["texts"].oldest_due is not None
    assert (ways["mails"].due, ways["mails"].oldest_due, ways["mails"].lately) == (0, None, 0)


def test_how_fast_an_account_goes_is_what_it_began_in_the_last_seconds(school: Ports, ledger: Ledger) -> None:
    announce(school)
    with ledger.begin() as tx:
        row = tx.hand.connection.execute(t.delivery.select().limit(1)).one()
        tries = {"delivery_id": row.id, "account_id": row.account_id, "gateway": "", "digest": "d"}
        for fence, ago in enumerate((3600, 5, 4, 3)):
            started = tx.now - timedelta(seconds=ago)
            tx.hand.connection.execute(insert(t.attempt).values(**tries, fence=fence, started_at=started))
    with ledger.reading() as hand:
        ways = {way.account: way for way in house(hand).ways}
    assert ways["texts"].lately == pytest.approx(0.3)


def test_alarms_and_answers_are_told_from_one_look(school: Ports, ledger: Ledger) -> None:
    with ledger.begin() as tx:
        tx.sweeps.raise_alarm("posture", "texts", "it is not as it must be")
        texts = tx.accounts.named("texts")
        assert texts is not None
        tx.accounts.pause(texts.id, "the bill")
    with ledger.reading() as hand:
        found = house(hand)
    assert [(alarm.kind, alarm.subject) for alarm in found.alarms] == [("posture", "texts")]
    assert {way.account: way.paused_why for way in found.ways}["texts"] == "the bill"
    assert found.answers == {}
    assert found.zone == "Europe/London"


def test_charts_add_up_what_is_counted_by_day_by_hour_and_by_department(
    school: Ports, ledger: Ledger
) -> None:
    rows = [
        ("2026-11-02 08", "sms", 3, 10),
        ("2026-11-02 09", "sms", 5, 5),
        ("2026-11-02 09", "email", -1, 2),
    ]
    with ledger.begin() as tx:
        run = tx.hand.connection.execute
        slugs = {row.slug: row.id for row in run(t.department.select())}
        account = tx.accounts.named("texts")
        assert account is not None
        for hour, channel, took, n in rows:
            for department in slugs.values():
                values = {"hour": hour, "department_id": department, "channel": channel, "took": took, "n": n}
                run(insert(t.figure).values(values))
        for table in (t.spend, t.spend_delta):
            spent = {"department_id": slugs["music"], "account_id": account.id, "month": "2026-11"}
            run(insert(table).values(**spent, cost=1_500_000))
        tx.money.set_budget("music", "", 100_000_000, by="Mrs Bell")
        tx.money.set_budget("music", "2026-11", 50_000_000, by="Mrs Bell")
    day, months = date(2026, 11, 2), ["2026-10", "2026-11"]
    with ledger.reading() as hand:
        whole = figures(hand, day, day, months)
        music = figures(hand, day, day, months, department="music", hourly=True)
        office = figures(hand, day, day, months, department="office")
    assert whole.sent["2026-11-02"].went == {"sms": 30}
    assert whole.sent["2026-11-02"].failed == {"email": 4}
    assert whole.channels == ["sms", "email"]
    assert {hour: sent.went["sms"] for hour, sent in music.sent.items()} == {
        "2026-11-02 08": 10,
        "2026-11-02 09": 5,
    }
    assert music.spent == {"2026-11": Decimal(3)}
    assert music.budgets == {"2026-10": Decimal(100), "2026-11": Decimal(50)}
    assert (office.spent, office.budgets) == ({}, {})
