"""`carillon schedule show` and `coming`: one schedule, and all that goes out in the next fortnight."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import typer

from broker.diary import schedules as verbs
from broker.diary.recurrence import upcoming
from broker.diary.schedule_times import coming as everything_coming
from broker.diary.terms import calendar_now
from cli import show
from cli.house import reading, zone_of
from cli.options import Json
from cli.schedule_told import as_told, dates_as_told, first, table_of, why
from ledger.reads.coming import announcements_to_come

Name = Annotated[str, typer.Argument(help="The schedule, as `carillon schedule` lists it.")]


def show_(name: Name, json: Json = False) -> None:
    """Show a schedule: what it says, its next ten dates, and what became of the last ones.

    Example: `carillon schedule show Choir`
    """
    with reading() as house:
        with house.ledger.look() as tx:
            row = verbs.the(tx, name)
            dates = upcoming(row.pattern, calendar_now(tx), now=tx.now, count=verbs.SHOWN)
            told = tx.schedules.outcomes(row.id, limit=20)
        zone = zone_of(house)
    became = [
        {
            "date": one.original,
            "outcome": one.outcome.value,
            "at": one.at,
            "why": one.why,
            "announcement": one.announcement,
        }
        for one in told
    ]
    if json:
        show.as_json({**as_told(row, first(dates)), "dates": dates_as_told(dates), "became": became,
                      "seen": verbs.seen_of(row),
                      "parts": {part.value: text for part, text in row.draft.parts.items()}})  # fmt: skip
        return
    show.say(f"{row.name}, of {row.draft.department}, to {row.draft.audience}")
    if row.approved is not None:
        show.say(f"approved by {row.approved.by} on {row.approved.at:%Y-%m-%d}, until it is changed")
    for part, words in row.draft.parts.items():
        show.say(*(f"  | {show.plain(line)}" for line in f"{part.value}: {words}".splitlines()))
    table_of(dates)
    show.table(
        ("date", "became", "at", "announcement", ""),
        [
            (
                f"{one.original:%Y-%m-%d %H:%M}",
                one.outcome.value,
                show.wall(one.at, zone),
                one.announcement or "",
                one.why,
            )
            for one in told
        ],
        none="nothing has fallen due yet",
    )
    if row.approved is None:
        show.hint(f"a yes to all of it: carillon schedule approve {row.name!r} --seen {verbs.seen_of(row)}")


def coming(
    days: Annotated[int, typer.Option(min=1, max=400, help="How far to look ahead.")] = 14,
    json: Json = False,
) -> None:
    """Show what goes out in the next 14 days: of schedules, and of announcements that wait for their time.

    Example: `carillon schedule coming --days 7`
    """
    with reading() as house:
        zone = zone_of(house)
        with house.ledger.look() as tx:
            until = tx.now + timedelta(days=days)
            found = everything_coming(tx, calendar_now(tx), until=until)
            waiting = announcements_to_come(tx.hand, until=until)
    rows: list[dict[str, Any]] = [
        {"at": one.occurrence.at, "wall": one.occurrence.wall, "schedule": one.schedule.name,
         "to": one.schedule.draft.audience, "left_out": why(one.occurrence)}
        for one in found
    ] + [
        {"at": one.due_at, "wall": one.due_at.astimezone(zone).replace(tzinfo=None), "announcement": one.public_id,
         "to": one.audience, "left_out": ""}
        for one in waiting
    ]  # fmt: skip
    rows.sort(key=lambda row: row["wall"])
    if json:
        show.as_json({"coming": rows})
        return
    show.table(
        ("when", "what", "to", ""),
        [
            (
                f"{row['wall']:%a %Y-%m-%d %H:%M}",
                row.get("schedule") or row["announcement"],
                row["to"],
                row["left_out"],
            )
            for row in rows
        ],
        none=f"nothing goes out in the next {days} days",
    )
