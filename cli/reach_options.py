"""What `carillon reach` can be asked: one field an option."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from broker.announcement import People
from cli.options import Json, Operator

FILE = "FILE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A statement as it was asked for, and what is to be written of it."""

    id: Annotated[str | None, typer.Argument(help="An announcement; left out, --to says whom.")] = None
    to: Annotated[str | None, typer.Option(metavar="EXPR", help='Groups: "Orchestra + Year 7 - 7B".')] = None
    via: Annotated[str, typer.Option(metavar="WAYS", help="Channels, all at once.")] = "sms,email"
    people: Annotated[
        People, typer.Option(metavar="WHO", help="guardians, first (contact), pupils, both, or staff.")
    ] = People.GUARDIANS
    department: Annotated[str | None, typer.Option(help="Whose announcement it would be.")] = None
    promotional: Annotated[bool, typer.Option("--promotional", help="Only who consented.")] = False
    slips: Annotated[
        Path | None, typer.Option(metavar=FILE, help="Write slips for those not reached, to print.")
    ] = None
    text: Annotated[
        str | None,
        typer.Option(help="What the slips say; else the announcement's words, or lines to write on."),
    ] = None
    phones: Annotated[
        Path | None,
        typer.Option(metavar=FILE, help="Write whom to ring about them, to print; numbers in full."),
    ] = None
    csv: Annotated[
        Path | None,
        typer.Option("--csv", metavar=FILE, help="Write those not reached as CSV, - to the screen."),
    ] = None
    families: Annotated[
        bool,
        typer.Option(
            "--week", help="How many messages each family had in seven days; with --to, of those alone."
        ),
    ] = False
    operator: Operator = None
    json: Json = False
