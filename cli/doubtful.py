"""`carillon people doubtful | confirm | twice | terms`: what the office looks after between two imports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from broker.office.doubtful import DOUBTS, Doubt, DoubtfulAddress, confirm
from broker.office.sheets import as_csv
from cli import show
from cli.house import reading, writing, zone_of
from cli.options import Json, Operator
from cli.whole_school import today_and_region
from ledger.connect import Ledger
from ledger.reads.doubtful import doubtful
from ledger.reads.terms import terms
from ledger.reads.twice import twice

MOST_SHOWN = 50
HEADERS = ("number", "who", "about", "kind", "address", "doubts", "why", "confirmed on")


def doubtful_(
    doubt: Annotated[
        list[Doubt] | None, typer.Option(help="Only those with this doubt; may be repeated.")
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option("--csv", metavar="FILE", help="Write the whole list as CSV, - to the screen."),
    ] = None,
    json: Json = False,
) -> None:
    """List addresses that somebody should look at: failing, bounced, shared, or not confirmed for a year.

    Correct them in the school's own system, and import again; say `carillon people confirm` where one is right.

    Examples:

    * `carillon people doubtful`
    * `carillon people doubtful --doubt failing --doubt bounced`
    * `carillon people doubtful --csv doubtful.csv`
    """
    with reading() as house:
        zone = zone_of(house)
        found = list(_every(house.ledger, tuple(doubt or Doubt)))
    counted = Counter(one for address in found for one in address.doubts)
    if csv is not None:
        told = as_csv(
            HEADERS, [_row(address, show.wall(address.confirmed_at, zone, "%Y-%m-%d")) for address in found]
        )
        if str(csv) == "-":
            typer.echo(told, nl=False)
        else:
            csv.write_text(told, encoding="utf-8", newline="")
            show.say(f"{csv}: {show.many(len(found), 'address', 'addresses')}")
        return
    if json:
        show.as_json({"counts": {one.value: counted[one] for one in Doubt}, "addresses": found})
        return
    show.table(
        HEADERS,
        [_row(address, show.wall(address.confirmed_at, zone, "%Y-%m-%d")) for address in found[:MOST_SHOWN]],
        none="Nothing is doubtful.",
    )
    if len(found) > MOST_SHOWN:
        show.say(f"and {len(found) - MOST_SHOWN:,} more: --csv FILE writes them all")


def confirm_(
    number: Annotated[int, typer.Argument(min=1, help="The number that `carillon people doubtful` shows.")],
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Say that an address is right: somebody has asked. It is doubtful again when it fails again, or in a year.

    Example: `carillon people confirm 214 --operator "Mrs Bell"`
    """
    with writing(operator) as (house, actor):
        confirm(house.ports, number, actor=actor)
    show.as_json({"confirmed": number}) if json else show.say(f"address {number} is confirmed")


def twice_(json: Json = False) -> None:
    """List members of staff who may be guardians under another id: of one name, in two reports.

    Nobody gets a message twice by that. Give both the same id in the school's own system, or leave them: who shares a
    number or an email as well is treated as one when names are said.

    Example: `carillon people twice`
    """
    with reading() as house, house.ledger.reading() as hand:
        found = twice(hand)
    if json:
        show.as_json({"twice": found})
        return
    show.table(
        ("name", "staff", "guardian", "shares"),
        [
            (one.name, one.staff, one.guardian, "a number or an email" if one.shares else "only the name")
            for one in found
        ],
        none="Nobody on the staff has the name of a guardian.",
    )


def terms_(
    now: Annotated[bool, typer.Option("--now", help="Only those that hold today.")] = False,
    json: Json = False,
) -> None:
    """Show the term calendar, as the roster told it.

    Example: `carillon people terms --now`
    """
    today, _ = today_and_region()
    with reading() as house, house.ledger.reading() as hand:
        found = terms(hand, on=today if now else None)
    if json:
        show.as_json({"terms": found})
        return
    show.table(
        ("term", "kind", "first day", "last day"),
        [(one.name, one.kind.value.replace("_", " "), one.begins_on, one.ends_on) for one in found],
        none="No roster has told of terms.",
    )


def _every(ledger: Ledger, doubts: tuple[Doubt, ...]) -> Iterator[DoubtfulAddress]:
    last = 0
    while True:
        with ledger.reading() as hand:
            page = doubtful(hand, doubts=doubts, after=last)
        if not page:
            return
        yield from page
        last = page[-1].id


def _row(address: DoubtfulAddress, confirmed: str) -> tuple[object, ...]:
    return (
        address.id,
        "; ".join(holder.name for holder in address.holders),
        "; ".join(dict.fromkeys(pupil for holder in address.holders for pupil in holder.pupils)),
        address.kind.value,
        address.masked,
        "; ".join(DOUBTS[doubt] for doubt in address.doubts),
        address.why,
        confirmed,
    )
