"""`carillon sign-in` and `carillon sign-out`: links to the page to watch, shown where only the operator sees them."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from broker.authority import signin
from broker.errors import Problem, RuleBroken
from broker.ports import Ports
from cli import show
from cli.house import operator_named, writing
from cli.options import Json, Operator
from config.identity_links import link_address
from config.settings import Settings

MINUTES = int(signin.LINK_LASTS.total_seconds() // 60)


def sign_in(
    operator: Operator = None,
    anywhere: Annotated[
        bool, typer.Option("--anywhere", help="Show the link even where standard output is no terminal.")
    ] = False,
    json: Json = False,
) -> None:
    """Make a link that signs you in to the page to watch, once, within ten minutes.

    Whoever has the link is signed in as you: it is shown at a terminal alone, for a pipe or a log
    would keep it. Open it on the machine whose browser is to watch.

    Example: `carillon sign-in --operator "Mrs Bell"`
    """
    if not (anywhere or sys.stdout.isatty()):
        hint = "run it at a terminal, or add --anywhere if nobody else can read where it goes"
        raise RuleBroken(Problem("no_terminal", "anywhere", "the link is shown at a terminal alone", hint))
    with writing(operator) as (house, actor):
        link = signin.make_link(house.ports, actor=actor)
        where = link_address(house.settings, link)
    show.as_json({"link": where}) if json else print(where, flush=True)  # unwrapped, so that it can be copied
    show.hint(f"it works once, within {MINUTES} minutes, while `carillon up` or `carillon web` runs")


def sign_out(
    whose: Annotated[
        str | None, typer.Option(metavar="NAME", help="Whose sessions end; else everybody's.")
    ] = None,
    operator: Operator = None,
    json: Json = False,
) -> None:
    """End sessions of the page to watch, and links not used yet: of one operator, or of all.

    Examples:

    * `carillon sign-out --whose "Mrs Bell"`
    * `carillon sign-out`
    """
    with writing(operator) as (house, actor):
        ended = signin.sign_everybody_out(house.ports, actor=actor, whose=whose)
    if json:
        show.as_json({"ended": ended})
    else:
        show.say(f"{ended} {'session' if ended == 1 else 'sessions'} ended")


def tell_link(
    ports: Ports,
    settings: Settings,
    *,
    operator: str | None = None,
    url: str | None = None,
    quiet: bool = False,
    anywhere: bool = False,
) -> None:
    """At a start: a link to watch by, if this is a terminal and it is known who sits there; else how to get one.

    `anywhere`: into a log as well, which others may read; for a school that is made up.
    """
    if quiet or not (anywhere or sys.stdout.isatty()):
        return
    named = operator or settings.operator
    if named is None:
        show.say("To watch: carillon sign-in --operator NAME")
        return
    actor = operator_named(named)
    print(f"To watch: {link_address(settings, signin.make_link(ports, actor=actor), url=url)}", flush=True)
    show.hint(f"it signs {show.plain(actor.id)} in once, within {MINUTES} minutes")
