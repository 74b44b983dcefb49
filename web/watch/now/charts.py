"""The figures: what was sent, how long it took, what was spent; each chart with its table, and each table whole."""

from __future__ import annotations

from datetime import date, timedelta

from fastapi import APIRouter, Response

from broker.money import month_of
from ledger.reads.departments import departments
from ledger.reads.figures import figures
from ledger.reads.watch import zone
from web.watch.desk import At, Desk
from web.watch.forms import day_of
from web.watch.now.charted import (
    FORTNIGHT,
    day_in_words,
    days_until,
    of_days,
    of_hours,
    of_spend,
    of_times,
)
from web.watch.now.topic import months_until
from web.watch.signing_in import NoPage

router = APIRouter()
MONTHS = 12


@router.get("/watch/figures")
def charted(at: Desk) -> Response:
    """A fortnight by its days, or one day by its hours; and a year of spending."""
    day = day_of(at.query("day")) if at.query("day") else None
    with at.reading() as hand:
        local, now = zone(hand), hand.now
        slugs = departments(hand) if at.department is None else {}
        chosen = _department(at, list(slugs))
        today = days_until(now, local, 1)[0]
        last = day or (day_of(at.query("until")) if at.query("until") else today)
        days = [day] if day else [last - timedelta(days=back) for back in reversed(range(FORTNIGHT))]
        months = [] if day else months_until(month_of(now, local), MONTHS)
        found = figures(hand, days[0], days[-1], months, department=chosen, hourly=day is not None)
    return at.page(
        "now/figures",
        charts=[of_hours(found, day)] if day else [of_days(found, days), of_times(found, days)],
        money=None if day else of_spend(found, months, at.settings.school.currency),
        day=day,
        told=day_in_words(day) if day else f"{day_in_words(days[0])} to {day_in_words(days[-1])}",
        departments=slugs,
        chosen=chosen if at.department is None else None,
        **_leaf(day, last, today),
        zone=local,
    )


def _department(at: At, slugs: list[str]) -> str | None:
    if at.department is not None:
        return at.department
    chosen = at.query("department") or None
    if chosen is not None and chosen not in slugs:
        raise NoPage(404, "not_found")
    return chosen


def _leaf(day: date | None, last: date, today: date) -> dict[str, str]:
    """Where the stretch before this one is, and the one after it; none of what is to come."""
    step = timedelta(days=1 if day else FORTNIGHT)
    name = "day" if day else "until"
    earlier = f"?{name}={last - step}"
    return {"earlier": earlier, "later": f"?{name}={min(last + step, today)}" if last < today else ""}
