"""The calendar as a month, a week, a day, and a whole term on one sheet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from fastapi import APIRouter, Response

from broker.diary.calendar import Span, SpanKind, TermCalendar
from web.watch.calendar.known import WRITES
from web.watch.calendar.sight import DAY, Sight, days_from, look
from web.watch.desk import At, Desk
from web.watch.forms import day_of

router = APIRouter()
IN_A_MONTH, IN_A_WEEK, IN_A_DAY = 4, 12, 100  # entries of one day before "and N more"
IN_A_TERM = 3  # so that fifteen full weeks print on one sheet
LONGEST_TERM = 32 * 7  # days on one sheet: half a school year and its holidays


@dataclass(frozen=True, slots=True)
class Turn:
    """Where one goes from a stretch of days: the one before, the one after, both by a day of theirs."""

    before: date
    after: date


@router.get("/watch/calendar")
def month(at: Desk) -> Response:
    """A month, in whole weeks."""
    with at.ledger.look() as tx:
        begun = look(tx)
        on = day_asked(at, begun.today)
        first = on.replace(day=1)
        last = _next_month(first) - DAY
        monday = first - DAY * first.weekday()
        count = ((last - monday).days // 7 + 1) * 7
        sight = days_from(begun, monday, count, department=at.department, most=IN_A_MONTH)
    turn = Turn((first - DAY).replace(day=1), _next_month(first))
    return _page(at, "month", sight, on, turn, month=first)


@router.get("/watch/calendar/week")
def week(at: Desk) -> Response:
    """A week from its Monday on."""
    with at.ledger.look() as tx:
        begun = look(tx)
        on = day_asked(at, begun.today)
        monday = on - DAY * on.weekday()
        sight = days_from(begun, monday, 7, department=at.department, most=IN_A_WEEK)
    return _page(at, "week", sight, on, Turn(monday - DAY * 7, monday + DAY * 7), monday=monday)


@router.get("/watch/calendar/day")
def day(at: Desk) -> Response:
    """One day, all of it."""
    with at.ledger.look() as tx:
        begun = look(tx)
        on = day_asked(at, begun.today)
        sight = days_from(begun, on, 1, department=at.department, most=IN_A_DAY)
    return _page(at, "day", sight, on, Turn(on - DAY, on + DAY))


@router.get("/watch/calendar/term")
def term(at: Desk) -> Response:
    """A whole term on one sheet, which prints on one."""
    with at.ledger.look() as tx:
        begun = look(tx)
        on = day_asked(at, begun.today)
        terms = terms_of(begun.calendar)
        found = term_near(terms, on)
        if found is None:
            return at.page(
                "calendar/term",
                sight=None,
                writes=at.may(*WRITES),
                view="term",
                on=on,
                zone=begun.zone,
                terms=(),
            )
        monday = found.begins_on - DAY * found.begins_on.weekday()
        count = min(((found.ends_on - monday).days // 7 + 1) * 7, LONGEST_TERM)
        sight = days_from(begun, monday, count, department=at.department, most=IN_A_TERM)
    return at.page(
        "calendar/term",
        writes=at.may(*WRITES),
        sight=sight,
        view="term",
        on=on,
        today=sight.today,
        zone=sight.zone,
        term=found,
        terms=terms,
    )


def day_asked(at: At, today: date) -> date:
    """The day that an address is about; today where it names none. Raises NoPage."""
    text = at.query("on", most=20)
    return day_of(text) if text else today


def terms_of(calendar: TermCalendar) -> list[Span]:
    """The terms that are known, the earliest first."""
    return [span for span in calendar.spans if span.kind is SpanKind.TERM]


def term_near(terms: list[Span], on: date) -> Span | None:
    """The term that a day is in, or the next one; after the last the last."""
    ahead = [span for span in terms if span.ends_on >= on]
    return ahead[0] if ahead else (terms[-1] if terms else None)


def _next_month(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1)


def _page(at: At, view: str, sight: Sight, on: date, turn: Turn, **known: object) -> Response:
    return at.page(
        f"calendar/{view}",
        sight=sight,
        view=view,
        on=on,
        today=sight.today,
        zone=sight.zone,
        turn=turn,
        writes=at.may(*WRITES),
        **known,
    )
