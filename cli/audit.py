"""`carillon audit`: the record, checked."""

from __future__ import annotations

import typer

from cli import show
from cli.house import reading
from cli.options import Json
from ledger import record

app = typer.Typer(help="The record of what was done.", no_args_is_help=True)


@app.command()
def verify(json: Json = False) -> None:
    """Check that nobody changed the record: every seal against what stands under it and the seal before.

    Entries that no seal covers yet (the last second or two while a worker runs) are counted and not tamper-evident.
    Exit 1 when something does not agree.

    Example: `carillon audit verify --json`
    """
    with reading() as house, house.ledger.reading() as hand:
        found = record.verify(hand.connection)
    if json:
        show.as_json(found)
    elif found.ok:
        show.say(
            f"the record verifies: {found.entries} entries, {found.unsealed} not sealed yet, head {found.head}"
        )
    else:
        show.say(f"the record does not verify: {found.first_fault}")
    if not found.ok:
        raise typer.Exit(1)
