"""Money over the real verbs, on both databases: counted when a try begins, given back, and never spent twice."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType

import pytest
from sqlalchemy import event, select

from broker import intake
from broker.actor import SYSTEM, Actor, ActorKind
from broker.announcement import Announcement, Step, Urgency
from broker.authority import rule_changes, spending
from broker.claim import claim
from broker.errors import InvalidAnnouncement
from broker.money import amount_of, month_of
from broker.testing.channel_bench import Fault
from broker.values import Lane
from ledger import tables as t
from tests.support.broker_world import World

BELL = Actor(ActorKind.PERSON, "Mrs Bell")
PRICE = Decimal("0.04")
ALL = 30 * PRICE


@pytest.fixture
def priced(thirty: World) -> World:
    """Thirty guardians with a number each; a text to all of them costs 1.20."""
    thirty.channels.texts.price = PRICE
    return thirty


def spent(world: World) -> Decimal:
    with world.ledger.look() as tx:
        rows = tx.money.spent(month_of(tx.now, tx.school.zone))
        return amount_of(sum(row.cost for row in rows if row.department == "office"))


def set_budget(world: World, amount: str | None) -> None:
    spending.set_budget(world.ports, "office", None if amount is None else Decimal(amount), actor=BELL)


def alarms(world: World) -> list[str]:
    rows = world.rows(select(t.alarm.c.kind).where(t.alarm.c.cleared_at.is_(None)))
    return sorted(row.kind for row in rows)


def held(world: World, said: Announcement) -> str:
    with world.ledger.look() as tx:
        found = tx.announcements.by_id(said.id)
    return found.hold_code if found.held_until is not None else ""


def test_what_was_sent_is_spent_and_kept_with_the_announcement(priced: World) -> None:
    said = priced.announce()
    [kept] = priced.rows(select(t.reckoning).where(t.reckoning.c.announcement_id == said.id))
    assert (amount_of(kept.unit), kept.messages) == (PRICE, 30)
    priced.plan(said)
    assert spent(priced) == 0
    priced.send()
    assert spent(priced) == ALL
    assert priced.sweep().clean
    assert spent(priced) == ALL, "folded, it is the same"
    assert priced.rows(select(t.spend_delta)) == []


def test_what_provably_did_not_leave_is_given_back(priced: World) -> None:
    priced.channels.texts.order(Fault.REJECTED_ADDRESS, times=4)
    priced.channels.texts.order(Fault.UNREACHABLE, times=5)
    said = priced.announce()
    priced.plan(said)
    priced.send()
    assert spent(priced) == 21 * PRICE


def test_what_is_uncertain_counts_until_it_is_proven_absent(priced: World) -> None:
    priced.channels.texts.order(Fault.TIMEOUT_BEFORE, times=3)
    said = priced.announce()
    priced.plan(said)
    priced.send()
    assert spent(priced) == ALL
    for _ in range(2):
        priced.pass_time(timedelta(minutes=2))
        priced.sweep()
    assert spent(priced) == 27 * PRICE, "absent twice: not spent, and queued again"
    priced.send()
    assert spent(priced) == ALL


def test_an_announcement_that_there_is_not_money_for_waits_whole_before_anybody_is_told(
    priced: World,
) -> None:
    set_budget(priced, "1.19")
    accepted = intake.accept(priced.ports, priced.draft(), actor=BELL)
    assert accepted.hold is not None
    assert accepted.hold.code == "budget_used_up"
    assert "1.19" in accepted.hold.why
    priced.plan(accepted.announcement)
    priced.send()
    assert priced.channels.texts.truth == []
    set_budget(priced, "1.20")
    priced.plan(accepted.announcement)
    priced.send()
    assert len(priced.channels.texts.truth) == 30


def test_what_waits_already_is_counted_before_the_next_is_let_through(priced: World) -> None:
    set_budget(priced, "2.00")
    first = priced.announce()
    second = priced.announce(audience="Choir")
    assert (held(priced, first), held(priced, second)) == ("", "budget_used_up")


def test_what_there_is_no_money_for_keeps_no_other_waiting(priced: World) -> None:
    set_budget(priced, "2.00")
    first = priced.announce()
    second = priced.announce(audience="Choir")
    priced.plan(first)
    priced.send()
    assert (held(priced, first), held(priced, second)) == ("", "budget_used_up")
    assert priced.states(first) == {"sent": 30}


def test_a_budget_used_up_on_the_way_holds_the_rest_and_not_one_too_many_goes(priced: World) -> None:
    said = priced.announce()
    priced.plan(said)
    set_budget(priced, "0.41")
    priced.send()
    assert len(priced.channels.texts.truth) == 10
    assert spent(priced) == 10 * PRICE
    rows = priced.rows(select(t.delivery.c.code).where(t.delivery.c.state == "queued"))
    assert {row.code for row in rows} == {"budget_used_up"}
    assert len(rows) == 20
    set_budget(priced, None)
    priced.send()
    assert len(priced.channels.texts.truth) == 30


def test_what_another_worker_has_in_hand_counts(priced: World) -> None:
    said = priced.announce()
    priced.plan(said)
    set_budget(priced, "1.00")
    with priced.ledger.look() as tx:
        account = tx.accounts.named("texts")
    assert account is not None

    def one(most: int) -> int:
        claimed = claim(
            priced.ports,
            account,
            priced.channels.open("texts"),
            Lane.ROUTINE,
            most=most,
            within=timedelta(seconds=1),
            lease=timedelta(seconds=60),
            actor=SYSTEM,
        )
        return len(claimed.taken)

    assert one(20) == 20, "claimed, and not begun by anybody"
    assert one(20) == 5
    assert one(20) == 0


def test_urgent_goes_beyond_a_budget_and_the_rule_can_say_otherwise(priced: World) -> None:
    set_budget(priced, "0.10")
    said = priced.announce(urgency=Urgency.URGENT)
    priced.plan(said)
    priced.send(lane=Lane.URGENT)
    assert len(priced.channels.texts.truth) == 30
    priced.sweep()
    assert alarms(priced) == ["budget_used_up"]
    rule_changes.change(priced.ports, "money.urgent_beyond", "no", "the governors said so", actor=BELL)
    assert held(priced, priced.announce(urgency=Urgency.URGENT, audience="Choir")) == "budget_used_up"


def test_a_budget_nearly_used_raises_an_alarm_once(priced: World) -> None:
    set_budget(priced, "1.40")
    said = priced.announce()
    priced.plan(said)
    priced.send()
    priced.sweep()
    priced.sweep()
    assert alarms(priced) == ["budget_nearly_used"]
    set_budget(priced, "9")
    assert alarms(priced) == []


def test_what_is_free_asks_for_no_money(priced: World) -> None:
    set_budget(priced, "0")
    said = priced.announce(ways=(Step(("email",)),))
    priced.plan(said)
    priced.send("mails")
    assert len(priced.channels.mails.truth) == 30
    assert spent(priced) == 0


def test_the_forecast_adds_what_waits(priced: World) -> None:
    set_budget(priced, "2.00")
    first = priced.announce()
    priced.plan(first)
    priced.send()
    priced.announce(send_at=None, audience="Choir", parts=MappingProxyType(dict(priced.draft().parts)))
    with priced.ledger.look() as tx:
        found = spending.forecast_of(tx, "office")
    assert (found.spent, found.waiting, found.budget) == (ALL, ALL, Decimal(2))
    assert found.beyond


def test_a_month_of_its_own_comes_before_the_standing_budget(priced: World) -> None:
    with priced.ledger.look() as tx:
        month = month_of(tx.now, tx.school.zone)
    set_budget(priced, "0.10")
    spending.set_budget(priced.ports, "office", Decimal(5), month=month, actor=BELL)
    assert held(priced, priced.announce()) == ""


def test_a_department_that_there_is_not_has_no_budget(priced: World) -> None:
    with pytest.raises(InvalidAnnouncement, match="not known"):
        spending.set_budget(priced.ports, "astronomy", Decimal(5), actor=BELL)


def test_no_text_costs_a_statement_of_its_own(priced: World) -> None:
    """As many statements with a budget near its end as there are chunks and windows, not as there are texts."""
    set_budget(priced, "1.20")
    said = priced.announce()
    priced.plan(said)
    asked: list[str] = []

    event.listen(priced.ledger.engine, "before_cursor_execute", lambda *call: asked.append(call[2]))
    priced.send()
    about_money = [s for s in asked if "spend" in s or "budget" in s or "reckoning" in s]
    assert len(about_money) <= 12, about_money
