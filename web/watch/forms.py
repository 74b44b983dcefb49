"""What every form and list has in common: a reason, a number, a day, how far down; its button, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, time
from typing import TypeVar
from zoneinfo import ZoneInfo

from fastapi import Response

from broker.errors import NotAllowed, NotFound, Problem, RuleBroken
from broker.moments import EARLIEST_YEAR, LATEST_YEAR
from web.watch.desk import Form
from web.watch.signing_in import NoPage

Act = TypeVar("Act")

LONGEST_WHY = 300  # characters, as every door takes a reason
MOST_PEOPLE = 10_000_000  # more than any school has
LAST = 1_000_000  # of a list; no school has so many


def reason(text: str, field: str = "why", *, needed: str = "", hint: str = "") -> str:
    """Why somebody does something, on one line, as the record keeps it; `needed`: what is said where there is none.

    Raises RuleBroken: a reason is never cut, for it would say something else then.
    """
    words = " ".join(text.split())
    if not words and needed:
        raise RuleBroken(Problem("no_reason", field, needed, hint))
    if len(words) > LONGEST_WHY or not words.isprintable():
        message = f"a reason is one line of at most {LONGEST_WHY} characters"
        raise RuleBroken(Problem("bad_reason", field, message, "make it shorter"))
    return words


def people_meant(text: str, field: str = "count") -> int:
    """How many people somebody says that they mean: 812, or 1,200. Raises RuleBroken."""
    plain = text.replace(",", "").replace(" ", "")
    if not (plain.isascii() and plain.isdigit() and len(plain) < 9 and int(plain) <= MOST_PEOPLE):
        hint = "type how many people you mean, in figures, such as 812"
        raise RuleBroken(Problem("no_number", field, "this is not a number", hint))
    return int(plain)


def day_of(text: str) -> date:
    """A day as a browser sends it: 2026-11-23. Raises NoPage, also for one that no clock's arithmetic comes to."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise NoPage(404, "not_found") from None
    if not EARLIEST_YEAR < day.year < LATEST_YEAR:
        raise NoPage(404, "not_found")
    return day


def begins(day: date, zone: str) -> datetime:
    """When a day begins, by the school's clocks."""
    return datetime.combine(day, time(), ZoneInfo(zone))


def further(text: str) -> int:
    """How far down a list somebody has come, as its form carries it; 0 at the beginning. Raises NoPage."""
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) < 8) or int(text) > LAST:
        raise NoPage(400, "refused")
    return int(text)


def called(problem: Problem, fields: Mapping[str, str]) -> Problem:
    """A problem beside the field that this page calls so: the law's own name of a field → the page's."""
    return replace(problem, field=fields.get(problem.field, problem.field))


def status_of(refused: RuleBroken) -> int:
    """What a page answers with that says why something was not done."""
    return 403 if isinstance(refused, NotAllowed) else 422


def pressed(form: Form, acts: Mapping[str, Act]) -> Act:
    """Of what a page offers to do, what the button says that was pressed ("do"). Raises NoPage for another."""
    if form["do"] not in acts:
        raise NoPage(400, "refused")
    return acts[form["do"]]


def answered(work: Callable[[], Response], again: Callable[[Problem, int], Response]) -> Response:
    """What was asked for; where it is refused, the page `again`, with what is wrong and the status to answer in.

    Raises NoPage where something is not there.
    """
    try:
        return work()
    except NotFound:
        raise NoPage(404, "not_found") from None
    except RuleBroken as refused:
        return again(refused.problem, status_of(refused))
