"""`carillon optouts`: who asked for no more, by which channel and since when; nobody's address is shown whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from broker.consent import optouts
from broker.ports.consents import OptOutRow
from cli import show
from cli.house import reading, writing, zone_of
from cli.options import Json, Operator
from cli.reading import short_words
from ledger.connect import Ledger

PAGE = 1_000
MOST_SHOWN = 100

app = typer.Typer(help="Who asked for no more messages.", no_args_is_help=True)

Via = Annotated[str, typer.Option("--via", metavar="CHANNEL", help="By which channel: sms, email …")]
Why = Annotated[str, typer.Option(metavar="WORDS", help="The reason, for the record.")]


@app.command("list")
def list_(
    via: Annotated[str | None, typer.Option("--via", metavar="CHANNEL", help="Only this channel.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them, however many.")] = False,
    json: Json = False,
) -> None:
    """List the opt-outs: what each is called here, its address masked where one is on file, how it came and when.

    Examples:

    * `carillon optouts list`
    * `carillon optouts list --via sms --all`
    """
    with reading() as house:
        zone = zone_of(house)
        found = list(_every(house.ledger, via))
    if json:
        show.as_json(
            {
                "opt_outs": [
                    {
                        "ref": one.ref,
                        "channel": one.channel,
                        "address": one.shown,
                        "source": one.source,
                        "at": one.at,
                    }
                    for one in found
                ]
            }
        )
        return
    shown = found if everything else found[:MOST_SHOWN]
    show.table(
        ("called", "channel", "address", "how it came", "since"),
        [
            (one.ref, one.channel, one.shown or "not on file", one.source, show.wall(one.at, zone))
            for one in shown
        ],
        none="Nobody has asked for no more.",
    )
    if len(shown) < len(found):
        show.say(f"and {len(found) - len(shown):,} more: --all shows them")


@app.command("add")
def add(
    address: Annotated[str, typer.Argument(help="A number or an email; it need not be on file.")],
    via: Via,
    why: Why,
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Opt an address out, because somebody asked for it: nothing more goes there by this channel, from any import on.

    Example: `carillon optouts add +447911123456 --via sms --why "asked on the telephone"`
    """
    reason = short_words(why, "why")
    with writing(operator) as (house, actor):
        done = optouts.add(house.ports, address, via, why=reason, actor=actor)
    if json:
        show.as_json({"channel": via, "changed": done.changed, "on_file": done.on_file})
        return
    said = "opted out" if done.changed else "had opted out already"
    show.say(f"{said} of {via}; this address is {'on file' if done.on_file else 'not on file'}")


@app.command("lift")
def lift(
    address: Annotated[
        str, typer.Argument(help="What `carillon optouts list` calls it; or the number, the email.")
    ],
    via: Via,
    why: Why,
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Let an address hear again, because whoever holds it asked for it.

    A provider that heard the STOP itself refuses the number all the same, until START is sent from it.

    Example: `carillon optouts lift 5f3a0c9d1b22 --via sms --why "asked at the desk"`
    """
    reason = short_words(why, "why")
    with writing(operator) as (house, actor):
        done = optouts.lift(house.ports, address.strip(), via, why=reason, actor=actor)
    if json:
        show.as_json({"channel": via, "changed": done.changed, "on_file": done.on_file})
        return
    show.say(f"may hear by {via} again" if done.changed else f"had not opted out of {via}")


def _every(ledger: Ledger, via: str | None) -> Iterator[OptOutRow]:
    after: tuple[bytes, str] | None = None
    while True:
        with ledger.look() as tx:
            page = tx.opt_outs.listed(channel=via, after=after, limit=PAGE)
        yield from page
        if len(page) < PAGE:
            return
        after = (page[-1].hash, page[-1].channel)
