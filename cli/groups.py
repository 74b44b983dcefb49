"""`carillon groups`: which groups there are, and which of them have a public feed."""

from __future__ import annotations

from typing import Annotated

import typer

from broker.groups import set_public
from cli import show
from cli.house import reading, writing
from cli.options import Json, Operator
from cli.reading import short_words
from ledger.reads.groups import groups

app = typer.Typer(help="The groups, and which of them have a public feed.", invoke_without_command=True)

Name = Annotated[str, typer.Argument(help="The group, as `carillon groups` lists it.")]


@app.callback()
def list_(context: typer.Context, json: Json = False) -> None:
    """List the groups with their size. Give one a public feed, or take it away.

    Examples:

    * `carillon groups`
    * `carillon groups publish Choir`
    * `carillon groups hide Choir`
    """
    if context.invoked_subcommand is not None:
        return
    with reading() as house, house.ledger.reading() as hand:
        found = groups(hand)
    if json:
        show.as_json({"groups": found})
        return
    show.table(
        ("group", "kind", "people", "public feed"),
        [(one.name, one.kind, one.people, one.slug if one.public else "no") for one in found],
    )


@app.command()
def publish(name: Name, operator: Operator = None, json: Json = False) -> None:
    """Give a group a public feed: everybody can read what is announced to exactly this group by rss.

    Example: `carillon groups publish Choir`
    """
    _set(name, operator, public=True, json=json)


@app.command()
def hide(name: Name, operator: Operator = None, json: Json = False) -> None:
    """Take a group's public feed away. What stood in it stays in its department's.

    Example: `carillon groups hide Choir`
    """
    _set(name, operator, public=False, json=json)


def _set(name: str, operator: str | None, *, public: bool, json: bool) -> None:
    named = short_words(name, "name")
    with writing(operator) as (house, actor):
        made = set_public(house.ports, named, public=public, actor=actor)
    told = (
        f"{made.name} has a public feed: /feeds/groups/{made.slug}.rss"
        if public
        else f"{made.name} has no public feed"
    )
    show.as_json(made) if json else show.say(told)
