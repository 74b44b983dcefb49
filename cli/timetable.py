"""`carillon timetable`: changes of lessons are pushed, watched over, and let go where they wait for a person."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from broker.diary import timetable_notice, timetable_sources, timetables
from broker.diary.timetables import Pushed
from broker.ports.timetables import SourceRow
from cli import show
from cli.house import reading, writing, zone_of
from cli.options import Json, Operator
from cli.reading import STDIN, announcement_id, bad, bytes_from
from config.assembly import House
from config.timetables import TimetableAt, TimetableRoom
from sources.timetables import Format
from sources.timetables.text import MOST_BYTES

ANSWER = ("rows", "changes", "within_horizon", "notices", "held")
DEFAULT = "timetable"  # the source of a school whose settings name none
SUFFIXES = {".ics": Format.ICS, ".csv": Format.CSV}

app = typer.Typer(help="Changes of lessons, as the timetable system tells them.", no_args_is_help=True)


@app.command()
def push(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="GPU014.TXT, a CSV or an ICS; - reads standard input.")
    ],
    source: Annotated[
        str | None, typer.Option(metavar="NAME", help="Which source it is, as the settings name it.")
    ] = None,
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Tell what has changed since last time, in one announcement; what was told already is not told again.

    The settings `CARILLON_TIMETABLES__NAME__…` say who is told, by which template, and how the file is read.

    Example: `carillon timetable push GPU014.TXT`
    """
    data = sys.stdin.buffer.read(MOST_BYTES + 1) if file == STDIN else bytes_from(file, MOST_BYTES, "file")
    with writing(operator) as (house, actor):
        name, at = _meant(house, source, file)
        settings = house.settings.model_copy(update={"timetables": {name: at}})
        pushed = TimetableRoom(house.ports, settings).push(name, data, actor=actor)
    _tell_beside(name, pushed)
    if json:
        told = asdict(pushed)
        show.as_json({key: told[key] for key in ANSWER})
        return
    if pushed.held:
        show.say(f"held: {pushed.why}; look, then: carillon timetable release {name}")
        return
    said = f"{show.many(pushed.rows, 'row')}, {show.many(pushed.changes, 'change')} since last time"
    told_now = f"{pushed.within_horizon} to be told now"
    show.say(f"{said}, {told_now}: {show.many(pushed.notices, 'announcement')}")
    if pushed.announcement is not None:
        show.say(f"see: carillon status {pushed.announcement}")


@app.command()
def sources(json: Json = False) -> None:
    """List the sources that the settings name.

    Example: `carillon timetable sources`
    """
    with reading() as house, house.ledger.look() as tx:
        known = house.settings.timetables.items()
        found = [
            _as_told(name, at, approved=timetable_notice.is_approved(tx, at.source(name)))
            for name, at in known
        ]
    if json:
        show.as_json({"sources": found})
        return
    columns = ("source", "format", "from", "department", "template", "approved", "via", "people")
    rows = [tuple(_cell(one[column]) for column in columns) for one in found]
    show.table(columns, rows, none="the settings name none: docs/recipes/timetable.md tells how")


@app.command()
def status(json: Json = False) -> None:
    """How each source stands: what it brought last and when, whether it is silent, and what waits for a person.

    Example: `carillon timetable status`
    """
    with reading() as house:
        known = house.settings.timetables
        with house.ledger.look() as tx:
            read = {row.name: row for row in tx.timetables.sources()}
            watched = [at.source(name) for name, at in known.items()]
            quiet = timetable_sources.silent(tx, watched, list(read.values()), began=None)
        zone = zone_of(house)
    found = [read.get(name) or SourceRow(name) for name in dict.fromkeys([*known, *read])]
    if json:
        show.as_json({"sources": [_stands(row) | {"silent": row.name in quiet} for row in found]})
        return
    rows = [
        (
            row.name,
            show.wall(row.pushed_at, zone) if row.pushed_at else "never",
            show.wall(row.read_at, zone) if row.read_at else "",
            str(row.rows),
            str(row.changes),
            str(row.told),
            "yes" if row.name in quiet else "no",
            f"since {show.wall(row.held_at, zone)}" if row.held_at else "",
        )
        for row in found
    ]
    columns = ("source", "read", "written", "rows", "changes", "to tell", "silent", "held")
    show.table(columns, rows, none="the settings name none: docs/recipes/timetable.md tells how")
    for row in found:
        if row.held_at is not None:
            show.hint(f"{row.name}: {row.held_why}; look, then: carillon timetable release {row.name}")
    for row in found:
        if row.announcement is not None:
            show.hint(f"{row.name} was told last by: carillon status {row.announcement}")


@app.command()
def release(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="Which source.")],
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Let what is held go: the next push within an hour tells it, if it is not more by then.

    Example: `carillon timetable release untis`
    """
    with writing(operator) as (house, actor):
        at = house.settings.timetables.get(source)
        owner = at.department if at is not None else None
        row = timetables.release(house.ports, source, department=owner, actor=actor)
    if json:
        show.as_json(_stands(row))
        return
    show.say(f"{row.name}: the next push may tell {show.many(row.released_count, 'change')}")


@app.command()
def told(
    announcement: Annotated[str, typer.Argument(metavar="ID", help="The announcement.")], json: Json = False
) -> None:
    """Show every line that an announcement of changes has; each family gets those of its own classes.

    Example: `carillon timetable told 0198f2a4-…`
    """
    with reading() as house, house.ledger.look() as tx:
        found = tx.announcements.by_public_id(announcement_id(announcement))
        lines = tx.timetables.all_lines(found.id) if found is not None else ()
    if json:
        show.as_json({"lines": list(lines)})
        return
    show.say(*(lines or ("this is no announcement of timetable changes",)))


def _meant(house: House, source: str | None, file: Path) -> tuple[str, TimetableAt]:
    """Which source a push is for: the one named, the only one, or where there is none one by the defaults."""
    known: Mapping[str, TimetableAt] = house.settings.timetables
    if source is not None:
        if source not in known:
            hint = f"there are {', '.join(known)}" if known else "the settings name none"
            raise bad("unknown_source", "source", "the settings name no such source", hint)
        return source, known[source]
    if len(known) == 1:
        return next(iter(known.items()))
    if known:
        hint = f"say which with --source: {', '.join(known)}"
        raise bad("no_source", "source", "which source is it?", hint)
    ways = {account.channel for account in house.settings.accounts.values()}
    via = tuple(way for way in TimetableAt().via if way in ways) or TimetableAt().via
    return DEFAULT, TimetableAt(via=via, format=SUFFIXES.get(file.suffix.casefold(), Format.UNTIS))


def _tell_beside(name: str, pushed: Pushed) -> None:
    if pushed.unknown:
        some = ", ".join(pushed.unknown[:5])
        show.hint(f"{name}: no group is called {some}; nobody there is told")
    for way in pushed.left_out:
        show.hint(f"not by {way}: the school's rules refuse that now")
    if pushed.waits:
        show.hint(f"the announcement waits: {pushed.waits}")


def _as_told(name: str, at: TimetableAt, *, approved: bool) -> dict[str, Any]:
    place = at.file or at.folder
    return {
        "source": name,
        "format": at.format.value,
        "from": str(place) if place is not None else "an address" if at.url is not None else "pushes",
        "department": at.department,
        "template": at.template,
        "approved": approved,
        "via": list(at.via),
        "people": at.people.value,
        "every": at.every.total_seconds(),
    }


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, list) else str(value)


def _stands(row: SourceRow) -> dict[str, Any]:
    return {
        "source": row.name,
        "read": row.pushed_at,
        "written": row.read_at,
        "rows": row.rows,
        "changes": row.changes,
        "within_horizon": row.told,
        "announcement": str(row.announcement) if row.announcement is not None else None,
        "told": list(row.recent),
        "held": row.held_at is not None,
        "held_since": row.held_at,
        "why": row.held_why,
        "released": row.released_count if row.released_at is not None else None,
    }
