"""`carillon ladder` and `carillon seen`: who is on which rung and why, and who told the office that they know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from broker.announcement import Announcement
from broker.duty import DutyState
from broker.errors import NotFound, Problem
from broker.ladders import seen as acknowledging
from broker.ladders.ladder import IN_WORDS, SHEET, Ladder, Outcome
from broker.office.families import the
from broker.office.reach import Untold, kinds_of
from channels.markup import plain_words
from cli import show
from cli.house import reading, writing, zone_of
from cli.options import Json, Operator, asking
from cli.papers import paper_about, write_private
from cli.reading import announcement_id, bad, short_words
from config.assembly import House
from ledger.reads.ladders import Climber, Laddered, climbers, laddered
from web import papers

MOST_SHOWN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Whose ladders were asked for."""

    id: Annotated[str, typer.Argument(metavar="ID", help="The announcement.", show_default=False)]
    rung: Annotated[
        str | None, typer.Option(metavar="WAY", help=f"Only who stands there: sms, email, {SHEET} …")
    ] = None
    unmet: Annotated[bool, typer.Option("--unmet", help="Only whom nothing has reached.")] = False
    slips: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the slips of those who stand on the slip sheet (HTML)."),
    ] = None
    json: Json = False


@asking(Asked)
def ladder(asked: Asked) -> None:
    """Who is on which rung: the ways by which somebody was to be told, in order, what came of each, and why the next.

    A way that somebody lacks is "not applicable". On the slip sheet stand those whom no way has reached in time.

    Examples:

    * `carillon ladder 0193…`
    * `carillon ladder 0193… --rung email --unmet`
    * `carillon ladder 0193… --slips slips.html`
    """
    with reading() as house:
        whole, openings = _the(house, asked.id)
        step = None if asked.rung is None else _step(whole, asked.rung)
        found = list(_everybody(house, whole.announcement, step, unmet=asked.unmet))
        zone = zone_of(house)
        if asked.slips is not None:
            _write_slips(house, whole.announcement, asked.slips)
    if asked.json:
        show.as_json(_as_told(whole, openings, found))
        return
    _show(whole, openings, zone)
    _show_people(found, zone)


def seen(
    id: Annotated[str, typer.Argument(metavar="ID", help="The announcement.", show_default=False)],
    who: Annotated[str, typer.Argument(metavar="WHO", help="The school's own id, or a whole name.")],
    why: Annotated[str, typer.Option(metavar="WORDS", help="How the office knows, for the record.")] = "",
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Say that somebody knows what was announced, because they told the office: nothing more goes to them.

    Example: `carillon seen 0193… P0417 --why "their father rang"`
    """
    public_id = announcement_id(id)
    reason = short_words(why, "why") if why else ""
    with writing(operator) as (house, actor):
        with house.ledger.look() as tx:
            person = the(tx, short_words(who, "who"), "who")
        changed = acknowledging.at_the_office(house.ports, public_id, person.id, why=reason, actor=actor)
    if json:
        show.as_json({"announcement": public_id, "person": person.source_id, "changed": changed})
    else:
        show.say(f"{person.name} knows" if changed else f"{person.name} was known to know")


def _the(house: House, id: str) -> tuple[Laddered, Ladder]:
    with house.ledger.reading() as hand:
        whole = laddered(hand, announcement_id(id))
    if whole is None:
        hint = "list the latest with: carillon status"
        raise NotFound(Problem("not_found", "id", "there is no such announcement", hint))
    if whole.ladder is None:
        hint = "see who was told with: carillon status ID --who"
        raise bad("no_ladder", "id", "this announcement has no ways in order", hint)
    return whole, whole.ladder


def _step(whole: Laddered, rung: str) -> int:
    found = next((place for place, step in enumerate(whole.names) if rung in step), None)
    if found is None:
        known = ", ".join(name for step in whole.names for name in step)
        raise bad("unknown_rung", "rung", "this announcement has no such way", f"use: {known}")
    return found


def _everybody(
    house: House, said: Announcement, step: int | None = None, *, unmet: bool = False
) -> Iterator[Climber]:
    last, kinds = 0, kinds_of(house.ways_out, said)
    while True:
        with house.ledger.reading() as hand:
            page = climbers(hand, said, rung=step, unmet=unmet, after=last, kinds=kinds)
        if not page:
            return
        yield from page
        last = page[-1].duty


def _write_slips(house: House, said: Announcement, path: Path) -> None:
    """For those on the sheet whom nothing has reached since."""
    sheet = len(said.ways)
    with house.ledger.look() as tx:
        content = papers.wording_of(tx, said.id)
    rest = [
        Untold(one.person, one.name, one.group, one.why) for one in _everybody(house, said, sheet, unmet=True)
    ]
    rest.sort(key=lambda one: (one.group, one.name))
    paper = paper_about(house, f"Slips: {content.title}", printed=True)
    write_private(path, papers.slips(paper, rest, plain_words(content)))


def _show(whole: Laddered, openings: Ladder, zone: ZoneInfo) -> None:
    names = [*(" and ".join(step.channels) for step in whole.announcement.ways), "slip sheet"]
    rows = []
    for place, name in enumerate(names):
        here = whole.counted.get(place, {})
        opens = "at once" if place == 0 else _opens(openings, place, zone)
        rows.append((name, opens, *(here.get(state, 0) or "" for state in DutyState)))
    show.table(("way", "opens", *(state.value for state in DutyState)), rows)


def _opens(openings: Ladder, place: int, zone: ZoneInfo) -> str:
    opening = openings.openings[place - 1]
    if not isinstance(opening.at, datetime):  # the ledger keeps instants
        return "once the one before failed"
    return f"{show.wall(opening.at, zone)}, unless {opening.unless.value}"


def _show_people(found: list[Climber], zone: ZoneInfo) -> None:
    rows = [(one.name, one.group, one.state.value, _ways(one), _why(one, zone)) for one in found[:MOST_SHOWN]]
    show.table(("who", "group", "told", "ways", "why"), rows, none="nobody")
    if len(found) > MOST_SHOWN:
        show.hint(f"and {len(found) - MOST_SHOWN:,} more: --json has them all")


def _ways(one: Climber) -> str:
    """ "sms failed, email sent": the steps so far."""
    told = [
        f"{name} {came_to.value}"
        for rung in one.rungs
        for name, came_to in rung.ways.items()
        if came_to is not Outcome.CLOSED and not rung.sheet
    ]
    return ", ".join([*told, *(["on the slip sheet"] if one.rungs[-1].opened_at else [])])


def _why(one: Climber, zone: ZoneInfo) -> str:
    if one.seen_at is not None:
        return f"seen {show.wall(one.seen_at, zone)}"
    last = next((rung for rung in reversed(one.rungs) if rung.why is not None), None)
    return "" if last is None or last.why is None else IN_WORDS[last.why]


def _as_told(whole: Laddered, openings: Ladder, found: list[Climber]) -> dict[str, Any]:
    return {
        "announcement": whole.announcement.public_id,
        "seen": openings.asks,
        "rungs": [
            {
                "ways": name,
                "opens_at": openings.openings[place - 1].at if place else None,
                "unless": openings.openings[place - 1].unless if place else None,
                "duties": {state.value: whole.counted.get(place, {}).get(state, 0) for state in DutyState},
            }
            for place, name in enumerate(whole.names)
        ],
        "who": [
            {
                "person": one.person,
                "name": one.name,
                "group": one.group,
                "state": one.state,
                "rung": one.rungs[one.rung].name,
                "seen_at": one.seen_at,
                "ways": [
                    {"ways": rung.ways, "opened_at": rung.opened_at, "why": rung.why} for rung in one.rungs
                ],
            }
            for one in found
        ],
    }
