"""Money: a department spends no more in a month than it was given; what would go beyond waits, and says so.

A hold comes before anybody is told: an announcement that there is not money enough for waits as a whole, rather than
reach half of the parents. Only where it was reckoned too low does the money end on the way, and the rest then waits.
"""

from __future__ import annotations

from decimal import Decimal

from broker.money import next_month
from broker.policy import ALLOW, Allow, Evidence, Hold, Verdict
from broker.rules.case import AnnouncementCase, Family
from broker.rules.parameters import Kind, Parameter

USED_UP = "budget_used_up"
BEYOND = "beyond_budget"

PARAMETERS = (
    Parameter(
        "money.holds",
        Kind.YES_NO,
        "yes",
        "What would cost more than is left of its department's budget waits until the next month, or until the budget"
        " is raised; no: an alarm says so, and it goes.",
        "design: a bill; R20: liability",
    ),
    Parameter(
        "money.urgent_beyond",
        Kind.YES_NO,
        "yes",
        "Urgent announcements go beyond a budget, and an alarm says so: no child waits at the gate for want of one.",
        "design: a budget is none of what holds an urgent announcement; R2",
    ),
    Parameter(
        "money.warn_at",
        Kind.RATIO,
        "0.8",
        "From this part of a month's budget on an alarm says how much is spent.",
        "design: warn, hold, forecast",
        most="1",
    ),
)


def within_budget(case: AnnouncementCase) -> Verdict:
    """Before it begins all of it must be affordable, beside what waits already; once it has begun, the next message."""
    if case.budget is None or not case.unit:
        return ALLOW
    left = case.budget - case.spent - (Decimal(0) if case.begun else case.committed)
    need = case.unit if case.begun else case.unit * max(case.messages, 1)
    return ALLOW if need <= left else used_up(case, left, need)


def used_up(case: AnnouncementCase, left: Decimal, need: Decimal) -> Verdict:
    """What is said where money does not suffice."""
    told = f"{case.department} has {_plain(max(left, Decimal(0)))} left of this month's {_plain(case.budget)}"
    why = f"{told}, and {'the next message' if case.begun else 'this'} would cost about {_plain(need)}"
    if may_exceed(case):
        return Allow(BEYOND, why, _evidence(case, left, need))
    # Never beyond its expiry: there it would hide what a person could do about the announcement.
    until = min(next_month(case.now, case.zone), case.expires_at)
    return Hold(until, USED_UP, why, _evidence(case, left, need), whole=not case.begun)


def may_exceed(case: AnnouncementCase) -> bool:
    """Whether a budget only warns of this one."""
    return not case.rules.yes("money.holds") or (case.urgent and case.rules.yes("money.urgent_beyond"))


def _evidence(case: AnnouncementCase, left: Decimal, need: Decimal) -> Evidence:
    return {
        "unit": str(case.unit),
        "messages": case.messages,
        "budget": str(case.budget),
        "left": str(left),
        "need": str(need),
    }


def _plain(amount: Decimal | None) -> str:
    return f"{amount:,.2f}" if amount is not None else "no budget"


FAMILY = Family("money", PARAMETERS, each_time=(within_budget,))
