"""What charts show: how much was sent, how long it took, what was spent. From what is counted already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import Text, cast, func, literal, select, union_all

from broker.figures import FAILED, at_most
from broker.money import amount_of
from ledger import tables as t
from ledger.hand import Hand


@dataclass(slots=True)
class Sent:
    """What went in a stretch of time, by channel: how many did and did not go, and how long those that went took."""

    went: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    spans: Counter[int] = field(default_factory=Counter)

    def within(self, share: float) -> timedelta | None:
        """Within which time this share of them had gone; None of none."""
        return at_most(self.spans, share)


@dataclass(frozen=True, slots=True)
class Figures:
    """What was sent, by the day ("2026-11-23") or the hour ("2026-11-23 14"); what was spent, by the month.

    `budgets`: what might be spent of all departments that have one. A month without any budget has none in `budgets`.
    """

    sent: Mapping[str, Sent]
    spent: Mapping[str, Decimal]
    budgets: Mapping[str, Decimal]

    @property
    def channels(self) -> list[str]:
        """By which something was sent or failed, the busiest first."""
        all_of_them: Counter[str] = Counter()
        for sent in self.sent.values():
            all_of_them.update(sent.went + sent.failed)
        return [channel for channel, _ in all_of_them.most_common()]


def figures(
    hand: Hand,
    first: date,
    last: date,
    months: list[str],
    *,
    department: str | None = None,
    hourly: bool = False,
) -> Figures:
    """Of the days from the first to the last, and of these months, in one statement; of one department, or all."""
    f, s, z, b = t.figure.c, t.spend.c, t.spend_delta.c, t.budget.c
    its = select(t.department.c.id).where(t.department.c.slug == department).scalar_subquery()
    hour = f.hour if hourly else func.substr(f.hour, 1, 10)
    nobody = cast("", Text)
    sent = (
        select(literal("sent").label("what"), cast(hour, Text).label("at"), cast(f.channel, Text).label("by"),
               f.took.label("took"), func.sum(f.n).label("n"))
        .where(f.hour >= f"{first:%Y-%m-%d}", f.hour < f"{last + timedelta(days=1):%Y-%m-%d}")
        .group_by(hour, f.channel, f.took)
    )  # fmt: skip
    spent = [
        select(literal("spent"), cast(c.month, Text), nobody, literal(0), func.sum(c.cost))
        .where(c.month.in_(months))
        .group_by(c.month)
        for c in (s, z)
    ]
    budgets = select(literal("budget"), cast(b.month, Text), nobody, b.department_id, b.amount)
    budgets = budgets.where(b.month.in_(["", *months]))
    if department is not None:
        sent = sent.where(f.department_id == its)
        spent = [each.where(c.department_id == its) for each, c in zip(spent, (s, z), strict=True)]
        budgets = budgets.where(b.department_id == its)
    told: dict[str, Sent] = {}
    costs: Counter[str] = Counter()
    standing: dict[int, dict[str, int]] = {}
    for row in hand.connection.execute(union_all(sent, *spent, budgets)):
        if row.what == "spent":
            costs[row.at] += int(row.n)
        elif row.what == "budget":
            standing.setdefault(row.took, {})[row.at] = int(row.n)
        else:
            _add(told.setdefault(row.at, Sent()), row.by, row.took, int(row.n))
    return Figures(
        told, {month: amount_of(cost) for month, cost in costs.items()}, _budgets(standing, months)
    )


def _add(sent: Sent, channel: str, took: int, n: int) -> None:
    if took == FAILED:
        sent.failed[channel] += n
    else:
        sent.went[channel] += n
        sent.spans[took] += n


def _budgets(standing: Mapping[int, Mapping[str, int]], months: list[str]) -> Mapping[str, Decimal]:
    """Of every department together: the month's own, or what stands for every month."""
    found = {
        month: [its.get(month, its.get("")) for its in standing.values() if month in its or "" in its]
        for month in months
    }
    return {
        month: amount_of(sum(each for each in its if each is not None)) for month, its in found.items() if its
    }
