"""What every command that reads a roster says the same way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

from broker.moments import day_at
from broker.rosters.roster import RosterProblem
from cli import show
from config.settings import load

MOST_PROBLEMS = 20


def today_and_region() -> tuple[date, str]:
    """The school's day, and the country whose numbers are written without a code."""
    school = load().school
    return day_at(datetime.now(UTC), school.zone), school.region


def show_problems(problems: Sequence[RosterProblem]) -> None:
    """What cannot be used, and where it stands."""
    if not problems:
        return
    show.say(
        "", f"{show.many(len(problems), 'value or link', 'values or links')} cannot be used as it stands:"
    )
    show.table(
        ("file", "row", "column", "what is wrong"),
        [(p.file, p.row or "", p.column, p.message) for p in problems[:MOST_PROBLEMS]],
    )
    if len(problems) > MOST_PROBLEMS:
        show.say(f"and {len(problems) - MOST_PROBLEMS} more; --json lists them all")
