"""`carillon bounces`: mails that came back, handed over by a mail server's pipe or read from mailboxes."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from broker.incoming import mails
from cli import show
from cli.house import reading, seal, writing, zone_of
from cli.options import Json, Operator
from config import logs
from config.assembly import assemble
from config.mailroom import Mailroom, take_piped
from config.settings import load
from sources.mailbox import MOST_BYTES

app = typer.Typer(help="Mails that came back, and answers by mail.", no_args_is_help=True)

LONGEST_RECIPIENT = 400
# What Postfix's local(8) and pipe(8), Exim and Sendmail tell of whom a mail was for.
RECIPIENTS = ("ORIGINAL_RECIPIENT", "RECIPIENT")


@app.command()
def pipe(
    recipient: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="Whom the mail was for; else what the mail server says in $RECIPIENT."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Take one mail from standard input: for a mail server's alias, not for people.

    Ends with 75 when it should be tried again later, as mail servers understand it (sysexits.h).

    docs/recipes/answers-and-bounces.md tells how an alias calls it.

    Example: `carillon bounces pipe --recipient "$RECIPIENT"`
    """
    raw = sys.stdin.buffer.read(MOST_BYTES)
    _drain()
    told = [recipient, *(os.environ.get(name) for name in RECIPIENTS)]
    to = tuple(address[:LONGEST_RECIPIENT] for address in told if address)
    try:
        settings = load()
        logs.set_up("WARNING")
        with assemble(settings) as house:
            taken = take_piped(house.ports, raw, to=to, now=datetime.now(UTC))
            seal(house.ports)
    except Exception as fault:  # noqa: BLE001 - any other code bounces the mail, or loses it: it may be a child's
        show.hint(f"not now: {type(fault).__name__}")  # a mail server quotes it, perhaps to a stranger
        raise typer.Exit(os.EX_TEMPFAIL) from None
    if json:
        show.as_json({"taken": taken.value})


@app.command()
def read(json: Json = False) -> None:
    """Read every mailbox now, as a worker does by itself.

    Example: `carillon bounces read`
    """
    with reading() as house:
        taken = Mailroom(house.ports, house.settings).read_now()
        seal(house.ports)
    if json:
        show.as_json({"taken": {what.value: n for what, n in taken.items()}})
        return
    told = ", ".join(f"{show.many(n, 'mail')}: {what.value}" for what, n in sorted(taken.items()))
    show.say(told or "nothing new lies in the mailboxes")


@app.command()
def aside(json: Json = False) -> None:
    """List the mails that could not be taken in: where each lies as it came, since when, and what went wrong.

    Read them there with a mail program. `carillon bounces pipe < FILE` tries one again.

    Example: `carillon bounces aside`
    """
    with reading() as house:
        zone = zone_of(house)
        with house.ledger.look() as tx:
            found = tx.bounces.aside()
    if json:
        show.as_json({"aside": found})
        return
    show.table(
        ("number", "mailbox", "where in it", "since", "what went wrong"),
        [(one.id, one.mailbox, one.place, show.wall(one.at, zone), one.fault) for one in found],
        none="Every mail could be taken in.",
        below=("where in it", "what went wrong"),
    )


@app.command()
def done(
    number: Annotated[int, typer.Argument(min=1, help="As `carillon bounces aside` shows it.")],
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Say that somebody has read a mail that could not be taken in.

    Example: `carillon bounces done 3 --operator "Mrs Bell"`
    """
    with writing(operator) as (house, actor):
        mails.settle_aside(house.ports, number, actor=actor)
    show.as_json({"done": number}) if json else show.say("it is dealt with")


def _drain() -> None:
    """Read what is left and forget it: a mail server takes a pipe that closes early for a failure."""
    while sys.stdin.buffer.read(MOST_BYTES):
        pass
