"""`carillon tokens`: the tokens by which programs call the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import typer

from broker.authority import tokens as verbs
from broker.ports.api import Scope, TokenRow
from cli import show
from cli.house import reading, writing, zone_of
from cli.options import Json, Operator, asking
from cli.reading import length_from, short_words

app = typer.Typer(help="The tokens by which programs call the API.", invoke_without_command=True)

Name = Annotated[str, typer.Argument(help="What to call it, such as 'timetable system'.")]


@app.callback()
def list_(context: typer.Context, json: Json = False) -> None:
    """List the tokens: what each is for, until when, and when it was used last. Make one, revoke one.

    Examples:

    * `carillon tokens make "timetable system" --scope timetable:write --lasts "365 d"`
    * `carillon tokens make "music pages" --scope announcements:read --department music`
    * `carillon tokens revoke "timetable system"`
    """
    if context.invoked_subcommand is None:
        list_tokens(json=json)


@app.command("list")
def list_tokens(json: Json = False) -> None:
    """List the tokens: what each is for, until when, and when it was used last.

    Example: `carillon tokens list`
    """
    with reading() as house:
        with house.ledger.look() as tx:
            found, now = tx.tokens.all(), tx.now
        zone = zone_of(house)
    if json:
        show.as_json({"tokens": [as_told(one) for one in found]})
        return
    show.table(
        ("token", "for", "as", "until", "used", "may"),
        [
            (
                one.name,
                one.department or "the school",
                one.operator or "itself",
                show.wall(one.expires_at, zone) if one.expires_at > now else "expired",
                show.wall(one.used_at, zone) if one.used_at else "never",
                ", ".join(sorted(one.scopes)),
            )
            for one in found
        ],
        none="there are none",
        below=("may",),
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks of a new token; the fields are the command's options."""

    name: Name
    scope: Annotated[
        list[Scope],
        typer.Option(
            "--scope", metavar="SCOPE", help="What it may, such as announcements:write; may be repeated."
        ),
    ]
    department: Annotated[
        str | None, typer.Option(help="The one department it acts for; else the school.")
    ] = None
    as_: Annotated[
        str | None,
        typer.Option(
            "--as", metavar="OPERATOR", help="It acts as this operator, within their roles; else by itself."
        ),
    ] = None
    lasts: Annotated[str, typer.Option(metavar="LENGTH", help="How long it works, at most 400 d.")] = "365 d"
    operator: Operator = None
    json: Json = False


@app.command()
@asking(Asked)
def make(asked: Asked) -> None:
    """Make a token and show it, this once. Keep it where the program keeps its secrets.

    Examples:

    * `carillon tokens make "timetable system" --scope timetable:write`
    * `carillon tokens make bells --scope announcements:write --scope deliveries:read --department music --lasts "30 d"`
    """
    called, lasts = short_words(asked.name, "name"), length_from(asked.lasts, "lasts")
    with writing(asked.operator) as (house, actor):
        made = verbs.make(
            house.ports,
            called,
            asked.scope,
            department=asked.department,
            operator=asked.as_,
            lasts=lasts,
            actor=actor,
        )
    if asked.json:
        show.as_json({**as_told(made.row), "token": made.secret})
        return
    show.say(made.secret)
    show.hint("it is not shown again; send it as: Authorization: Bearer carillon_…")


@app.command()
def revoke(name: Name, operator: Operator = None, json: Json = False) -> None:
    """A token works no more, from its next call on.

    Example: `carillon tokens revoke "timetable system"`
    """
    called = short_words(name, "name")
    with writing(operator) as (house, actor):
        row = verbs.revoke(house.ports, called, actor=actor)
    show.as_json({"name": row.name, "revoked": True}) if json else show.say(f"{row.name} works no more")


def as_told(row: TokenRow) -> dict[str, Any]:
    """A token, without what opens anything."""
    return {
        "id": row.public_id,
        "name": row.name,
        "scopes": sorted(row.scopes),
        "department": row.department,
        "operator": row.operator,
        "made_by": row.made_by,
        "made_at": row.made_at,
        "expires_at": row.expires_at,
        "used_at": row.used_at,
    }
