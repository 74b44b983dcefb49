"""Money: amounts, months by the school's clocks, what a month is expected to come to, and when a budget holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.actor import Actor, ActorKind
from broker.announcement import Purpose, Urgency
from broker.errors import RuleBroken
from broker.money import amount_of, forecast, micros, month_of, next_month, read_amount, read_month, written
from broker.policy import Allow, Hold
from broker.rules import book
from broker.rules.case import AnnouncementCase
from broker.rules.money import within_budget

NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
LONDON = "Europe/London"
CASE = AnnouncementCase(
    now=NOW,
    rules=book.rules_of({}),
    zone=LONDON,
    department="office",
    channel="sms",
    account="texts",
    purpose=Purpose.SERVICE,
    urgency=Urgency.ROUTINE,
    due_at=NOW,
    expires_at=NOW + timedelta(days=1),
    unit=Decimal("0.04"),
    messages=100,
    budget=Decimal(10),
)


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({}, "allow"),
        ({"budget": None, "spent": Decimal(999)}, "allow"),
        ({"unit": Decimal(0), "budget": Decimal(0)}, "allow"),
        ({"spent": Decimal(6)}, "allow"),
        ({"spent": Decimal("6.01")}, "hold"),
        ({"committed": Decimal("6.01")}, "hold"),
        ({"committed": Decimal("6.01"), "begun": True}, "allow"),
        ({"spent": Decimal("9.96"), "begun": True}, "allow"),
        ({"spent": Decimal("9.97"), "begun": True}, "hold"),
        ({"budget": Decimal(0)}, "hold"),
        ({"messages": 0, "budget": Decimal("0.03")}, "hold"),
        ({"spent": Decimal(10), "urgency": Urgency.URGENT}, "note"),
        (
            {
                "spent": Decimal(10),
                "urgency": Urgency.URGENT,
                "rules": book.rules_of({"money.urgent_beyond": "no"}),
            },
            "hold",
        ),
        ({"spent": Decimal(10), "rules": book.rules_of({"money.holds": "no"})}, "note"),
    ],
)
def test_a_budget_holds_what_it_cannot_pay_for(changes: dict[str, object], answer: str) -> None:
    verdict = within_budget(replace(CASE, **changes))  # type: ignore[arg-type]
    if answer == "hold":
        assert isinstance(verdict, Hold)
        assert verdict.code == "budget_used_up"
        assert verdict.until == datetime(2026, 12, 1, tzinfo=UTC)
        assert verdict.whole is not bool(changes.get("begun"))
        assert verdict.evidence["budget"]
    else:
        assert isinstance(verdict, Allow)
        assert verdict.code == ("beyond_budget" if answer == "note" else "")


@pytest.mark.parametrize(
    ("moment", "zone", "month", "following"),
    [
        (datetime(2026, 7, 31, 22, 59, tzinfo=UTC), LONDON, "2026-07", datetime(2026, 7, 31, 23, tzinfo=UTC)),
        (datetime(2026, 7, 31, 23, tzinfo=UTC), LONDON, "2026-08", datetime(2026, 8, 31, 23, tzinfo=UTC)),
        (datetime(2026, 12, 31, 12, tzinfo=UTC), LONDON, "2026-12", datetime(2027, 1, 1, tzinfo=UTC)),
        (
            datetime(2026, 11, 30, 12, tzinfo=UTC),
            "Pacific/Auckland",
            "2026-12",
            datetime(2026, 12, 31, 11, tzinfo=UTC),
        ),
    ],
)
def test_months_go_by_the_schools_clocks(
    moment: datetime, zone: str, month: str, following: datetime
) -> None:
    assert month_of(moment, zone) == month
    assert next_month(moment, zone) == following
    assert month_of(following, zone) != month_of(following - timedelta(seconds=1), zone)


@given(st.decimals(min_value=0, max_value=10_000, places=6))
def test_what_is_kept_is_what_was_meant_to_the_millionth(amount: Decimal) -> None:
    assert amount_of(micros(amount)) == amount


@given(st.lists(st.sampled_from(["0.04", "0.007901", "0.1", "0.3"]), max_size=300))
def test_a_thousand_small_prices_add_up_without_drifting(prices: list[str]) -> None:
    assert amount_of(sum(micros(Decimal(price)) for price in prices)) == sum(map(Decimal, prices))


@pytest.mark.parametrize(
    ("amount", "currency", "said"),
    [
        ("12.4", "GBP", "£12.40"),
        ("1234.5", "EUR", "€1,234.50"),
        ("0.0079", "GBP", "£0.0079"),
        ("0", "GBP", "£0.00"),
        ("3", "CHF", "3.00 CHF"),
    ],
)
def test_amounts_are_written_as_people_write_them(amount: str, currency: str, said: str) -> None:
    assert written(Decimal(amount), currency) == said


@pytest.mark.parametrize("text", ["", "ten", "-1", "NaN", "inf", "1e12", "1.234", "£", "1,5"])
def test_no_amount_is_refused(text: str) -> None:
    with pytest.raises(RuleBroken):
        read_amount(text)


@pytest.mark.parametrize("text", ["", "2026", "2026-13", "2026-1-1", "November"])
def test_no_month_is_refused(text: str) -> None:
    with pytest.raises(RuleBroken):
        read_month(text)


def test_a_forecast_goes_straight_on_and_never_below_what_waits() -> None:
    middle = datetime(2026, 11, 16, tzinfo=UTC)
    found = forecast(Decimal(15), Decimal(5), Decimal(25), now=middle, zone=LONDON)
    assert (found.at_this_rate, found.expected, found.beyond) == (Decimal("30.00"), Decimal(30), True)
    waiting = forecast(Decimal(15), Decimal(50), None, now=middle, zone=LONDON)
    assert (waiting.expected, waiting.beyond) == (Decimal(65), False)
    first = forecast(
        Decimal(15), Decimal(0), Decimal(25), now=datetime(2026, 11, 1, 9, tzinfo=UTC), zone=LONDON
    )
    assert first.at_this_rate is None, "one morning tells nothing of a month"


def test_what_ends_no_later_is_told_beside_it_and_a_person_can_still_agree() -> None:
    """The money comes after its time is over: that must not hide that somebody could agree, nor the other way about."""
    rules = book.rules_of({"approval.needed": "any/any/any"})
    bell = Actor(ActorKind.PERSON, "Mrs Bell")
    short = {"expires_at": NOW + timedelta(hours=2), "spent": Decimal(10), "rules": rules, "author": bell}
    verdict = book.judged_each_time(replace(CASE, **short))  # type: ignore[arg-type]
    assert isinstance(verdict, Hold)
    assert (verdict.code, verdict.until) == ("needs_approval", NOW + timedelta(hours=2))
    assert [each.code for each in verdict.besides] == ["undo_window", "budget_used_up"]
    assert "10.00" in verdict.told
    assert "second person" in verdict.told
    agreed = book.judged_each_time(replace(CASE, **short, second_person=True))  # type: ignore[arg-type]
    assert isinstance(agreed, Hold)
    assert agreed.code == "budget_used_up"
