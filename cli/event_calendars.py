"""`carillon events subscribe`, `calendars`, `unsubscribe`: calendars elsewhere that are read again and again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from broker.diary import subscriptions as verbs
from broker.ports.calendar import SubscriptionRow
from cli import show
from cli.calendar_files import is_address
from cli.house import department_of, reading, writing, zone_of
from cli.options import Json, Operator
from cli.reading import bad, length_from, short_words
from config.calendars import CalendarRoom

Source = Annotated[str, typer.Option(metavar="NAME", help="What to know this calendar by.")]


def subscribe(
    url: Annotated[str, typer.Argument(metavar="URL", help="Its address: https://… or webcal://…")],
    to: Annotated[str, typer.Option(metavar="GROUPS", help="Whose events they are.")],
    source: Source,
    department: Annotated[str | None, typer.Option(help="Whose it is.")] = None,
    in_term: Annotated[
        bool, typer.Option("--in-term", help="Leave out what falls on no day of term.")
    ] = False,
    every: Annotated[str, typer.Option(metavar="LENGTH", help="How often it is read.")] = "1 h",
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Subscribe to a calendar: a worker reads it every hour, and what is new, moved or gone is found by itself.

    It is read once at once; what cannot be read then is not subscribed to.

    Example: `carillon events subscribe https://calendar.example.org/choir.ics --to Choir --source choir --in-term`
    """
    if not is_address(url):
        raise bad("bad_url", "url", "this is no address", "for a file: carillon events import FILE")
    with writing(operator) as (house, actor):
        asked = SubscriptionRow(
            0, short_words(source, "source"), department_of(house, department), url, to, in_term,
            length_from(every, "every"), actor.id, datetime.now(UTC),
        )  # fmt: skip
        room = CalendarRoom(house.ports, house.settings.school.zone)
        answer = room.asked(asked)  # refused here, nothing is kept
        row = verbs.subscribe(house.ports, asked, actor=actor)
        brought = verbs.answered(house.ports, row, answer, actor=actor)
    told = {"source": row.name, "new": brought.new, "left_out": brought.left_out}
    show.as_json(told) if json else show.say(f"{row.name}: {brought.new} new, read every {every}")


def calendars(json: Json = False) -> None:
    """List the calendars that are subscribed to, and when each was read last.

    Example: `carillon events calendars`
    """
    with reading() as house:
        zone = zone_of(house)
        with house.ledger.look() as tx:
            rows = tx.subscriptions.all()
    if json:
        show.as_json(
            {
                "calendars": [
                    {"source": row.name, "at": verbs.masked(row.url), "department": row.department, "to": row.audience,
                     "in_term": row.in_term, "read_at": row.read_at, "why": row.why}
                    for row in rows
                ]
            }
        )  # fmt: skip
        return
    show.table(
        ("calendar", "department", "of", "at", "read", ""),
        [
            (row.name, row.department, row.audience, verbs.masked(row.url),
             show.wall(row.read_at, zone) if row.read_at else "never", row.why)
            for row in rows
        ],
        none="there are none",
    )  # fmt: skip


def unsubscribe(
    source: Annotated[str, typer.Argument(help="The calendar, as `carillon events calendars` lists it.")],
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Read a calendar no more. Its events stay as they are.

    Example: `carillon events unsubscribe choir`
    """
    with writing(operator) as (house, actor):
        verbs.unsubscribe(house.ports, short_words(source, "source"), actor=actor)
    show.as_json({"source": source}) if json else show.say(f"{source} is read no more")
