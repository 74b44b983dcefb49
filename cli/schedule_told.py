"""How schedules and their dates are told: as tables, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from broker.diary.recurrence import Occurrence
from broker.ports.calendar import ScheduleRow
from cli import show


def first(dates: Sequence[Occurrence]) -> Occurrence | None:
    """The next that takes place."""
    return next((one for one in dates if one.at is not None), None)


def as_told(row: ScheduleRow, following: Occurrence | None) -> dict[str, Any]:
    """One schedule, for JSON and for a line of the list."""
    return {
        "id": row.public_id,
        "name": row.name,
        "department": row.draft.department,
        "to": row.draft.audience,
        "every": row.pattern.rule.text,
        "next": following.wall if following else None,
        "paused": row.paused_at is not None,
    }


def show_dates(dates: Sequence[Occurrence], *, json: bool, kept: bool) -> None:
    """The dates before anything is kept, or what was kept."""
    if json:
        show.as_json({"kept": kept, "dates": dates_as_told(dates)})
        return
    table_of(dates)
    show.say("kept") if kept else show.hint("nothing is kept yet: say it again with --yes")


def dates_as_told(dates: Sequence[Occurrence]) -> list[dict[str, Any]]:
    """Dates, for JSON."""
    return [{"date": one.original, "wall": one.wall, "at": one.at, "left_out": why(one)} for one in dates]


def table_of(dates: Sequence[Occurrence]) -> None:
    """Dates, as a table with what is left out and why."""
    show.table(
        ("date", "", ""),
        [(f"{one.wall:%a %Y-%m-%d %H:%M}", "moved" if one.was_moved else "", why(one)) for one in dates],
        none="nothing of it is to come",
    )


def why(one: Occurrence) -> str:
    """Why it does not take place; "" where it does."""
    return one.why


def tell_waits(name: str, why: str) -> None:
    """That its announcements wait for a second person, and how one says yes to them all."""
    if why:
        show.hint(f"{why}; for all its dates at once somebody else says: carillon schedule approve {name!r}")
