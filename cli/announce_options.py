"""What `carillon announce` can be asked: one field an option."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from broker.announcement import People
from cli.options import Json, Operator, Zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An announcement as it was typed."""

    to: Annotated[str, typer.Option(metavar="EXPR", help='Groups: "Year 7", "Choir + 7B", "Year 7 - 7B".')]
    text: Annotated[
        str | None, typer.Argument(help="The message, Markdown allowed; - reads standard input.")
    ] = None
    people: Annotated[
        People,
        typer.Option(metavar="WHO", help="guardians, first (contact), pupils, both; or the groups' staff."),
    ] = People.GUARDIANS
    via: Annotated[str, typer.Option(metavar="WAYS", help="Channels, all at once.")] = "sms,email"
    then: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WAY",
            help='A way for whom the ones before fail: "email", "email by 15:00", "email after 2 h unless seen",'
            ' "sheet by 16:30"; may be repeated.',
        ),
    ] = None
    seen: Annotated[
        bool, typer.Option("--seen", help="Each message has a link by which somebody says that it was seen.")
    ] = False
    file: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Take the message from a file (UTF-8).")
    ] = None
    title: Annotated[str | None, typer.Option(help="The subject of mails; else the message's beginning.")] = (
        None
    )
    short: Annotated[str | None, typer.Option(help="A shorter wording for texts and posts.")] = None
    quote: Annotated[
        str | None,
        typer.Option(metavar="URL-OR-ID", help="A post to show on X, with --short as its comment."),
    ] = None
    department: Annotated[str | None, typer.Option(help="Whose announcement it is.")] = None
    urgent: Annotated[bool, typer.Option("--urgent", help="Ahead of everything routine.")] = False
    promotional: Annotated[
        bool, typer.Option("--promotional", help="Not a service message: goes to those who consented.")
    ] = False
    at: Annotated[str | None, typer.Option(metavar="TIME", help='When: "2026-11-30 08:15"; else now.')] = None
    expires: Annotated[
        str | None, typer.Option(metavar="TIME", help="Nothing starts after this; else a day after --at.")
    ] = None
    zone: Zone = None
    language: Annotated[str, typer.Option(metavar="TAG", help="The message's language, such as cy.")] = ""
    key: Annotated[
        str | None, typer.Option(help="Makes the call safe to repeat: the same key is the same announcement.")
    ] = None
    template: Annotated[
        str | None, typer.Option(metavar="NAME", help="Take the wording from a template of the department's.")
    ] = None
    fill: Annotated[
        list[str] | None,
        typer.Option(metavar="GAP=WORDS", help="What stands in a gap of the template; may be repeated."),
    ] = None
    attach: Annotated[
        list[Path] | None, typer.Option(metavar="PATH", help="A file that goes with mails; may be repeated.")
    ] = None
    copy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID", help="A member of staff who reads it too (the roster's id); may be repeated."
        ),
    ] = None
    without_approval: Annotated[
        str | None,
        typer.Option(
            metavar="WHY", help="Urgent alone: go without a second person; it is listed until reviewed."
        ),
    ] = None
    expect: Annotated[
        int | None,
        typer.Option(
            min=0, max=10_000_000, metavar="N", help="How many people it is meant to tell; else refused."
        ),
    ] = None
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait until all is settled; exit 1 if somebody could not be told.")
    ] = False
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Show what would go to whom and who is not reached; keep nothing."),
    ] = False
    operator: Operator = None
    json: Json = False
