"""Money: amounts, months, and what is to be expected of one. Pure.

Amounts are decimals in the school's one currency; the ledger keeps whole millionths, which add up without drifting.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from broker.errors import Problem, RuleBroken

MICROS = 1_000_000
_SIGNS: Mapping[str, str] = {"GBP": "£", "EUR": "€", "USD": "$"}
_CENT = Decimal("0.01")


@lru_cache(maxsize=256)  # a handful of prices, asked for with every message
def micros(amount: Decimal) -> int:
    """Millionths of the currency, as the ledger keeps them."""
    return int((amount * MICROS).to_integral_value(ROUND_HALF_UP))


def amount_of(kept: int) -> Decimal:
    """The amount that so many millionths are."""
    return (Decimal(kept) / MICROS).normalize() + 0


def written(amount: Decimal, currency: str) -> str:
    """An amount for people: £12.40, 12.40 CHF; to the hundredth, and finer only where it is less than one."""
    fine = amount if 0 < abs(amount) < _CENT else amount.quantize(_CENT, ROUND_HALF_UP)
    number = f"{fine:,f}"
    sign = _SIGNS.get(currency)
    return f"{sign}{number}" if sign else f"{number} {currency}"


def read_amount(text: str) -> Decimal:
    """An amount as typed. Raises RuleBroken."""
    try:
        amount = Decimal(text.strip().lstrip("£€$"))
    except ArithmeticError:
        amount = Decimal(-1)
    if (
        not (amount.is_finite() and 0 <= amount <= 10_000_000)
        or (exponent := amount.as_tuple().exponent) == "F"
    ):
        raise _bad("amount", "this is no amount of money", "write it as 120 or 120.50")
    if isinstance(exponent, int) and exponent < -2:
        raise _bad("amount", "this amount has more than two decimals", "write it as 120.50")
    return amount


def month_of(moment: datetime, zone: str) -> str:
    """The month by the school's clocks: 2026-11."""
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m}"


def read_month(text: str) -> str:
    """A month as typed. Raises RuleBroken."""
    try:
        return f"{datetime.strptime(text.strip(), '%Y-%m').replace(tzinfo=UTC):%Y-%m}"
    except ValueError:
        raise _bad("month", "this is no month", "write it as 2026-11") from None


def next_month(moment: datetime, zone: str) -> datetime:
    """When the next month begins by the school's clocks."""
    wall = moment.astimezone(ZoneInfo(zone))
    year, month = (wall.year + 1, 1) if wall.month == 12 else (wall.year, wall.month + 1)
    return datetime(year, month, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a month is expected to come to. `at_this_rate` is None in the month's first two days, which tell nothing."""

    spent: Decimal
    waiting: Decimal  # accepted, and not begun yet
    at_this_rate: Decimal | None
    budget: Decimal | None

    @property
    def expected(self) -> Decimal:
        """The most that is known to be coming."""
        return max(self.spent + self.waiting, self.at_this_rate or Decimal(0))

    @property
    def beyond(self) -> bool:
        """Whether that is more than the budget."""
        return self.budget is not None and self.expected > self.budget


def forecast(
    spent: Decimal, waiting: Decimal, budget: Decimal | None, *, now: datetime, zone: str
) -> Forecast:
    """Straight on from the days that have passed; and what waits on top of what is spent, should that be more."""
    wall = now.astimezone(ZoneInfo(zone))
    days = calendar.monthrange(wall.year, wall.month)[1]
    passed = Decimal(wall.day - 1) + Decimal(wall.hour) / 24
    rate = (spent / passed * days).quantize(_CENT, ROUND_HALF_UP) if passed >= 2 else None
    return Forecast(spent, waiting, rate, budget)


def _bad(field: str, message: str, hint: str) -> RuleBroken:
    return RuleBroken(Problem(f"bad_{field}", field, message, hint))
