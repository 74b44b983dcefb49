"""Options that several commands share, with one wording."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Answer with one JSON object instead of tables.")]
Operator = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Who does this, for the record; else CARILLON_OPERATOR."),
]
Zone = Annotated[
    str | None, typer.Option(metavar="ZONE", help="Time zone of --at and --expires; else the school's.")
]
