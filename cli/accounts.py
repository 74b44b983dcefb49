"""`carillon accounts`: the configured ways out, and whether they may send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from broker import accounts
from broker.capabilities import MakesKeys
from broker.errors import Problem, RuleBroken
from broker.gateways import Stand
from broker.licences import licensing, oversight
from broker.ports.outside import GatewayAt
from cli import show
from cli.house import reading, writing
from cli.options import Json, Operator
from cli.reading import short_words
from config.registry import Registry
from ledger.reads.health import GatewayStands, health, in_order
from ledger.reads.watch import zone as zone_of

app = typer.Typer(help="The ways out and whether they may send.", invoke_without_command=True)

SIGNS = {Stand.CLOSED: "●", Stand.OPEN: "○", Stand.HALF_OPEN: "◐", Stand.OUT: "✕"}
STANDS = {
    Stand.CLOSED: "well",
    Stand.OPEN: "passed over",
    Stand.HALF_OPEN: "on trial",
    Stand.OUT: "refused by its provider",
}

Gateway = Annotated[str, typer.Argument(help="The gateway of it, as `carillon accounts` lists it.")]
Name = Annotated[str, typer.Argument(help="The account, as `carillon accounts` lists it.")]


@dataclass(frozen=True, slots=True)
class Shown:
    """One gateway of an account with several, in its order."""

    account: str
    gateway: str
    stand: Stand
    since: datetime | None
    until: datetime | None
    why: str
    held_by: str
    pace: str

    @property
    def words(self) -> str:
        """How it stands, for people."""
        return f"held out by {self.held_by}" if self.held_by else STANDS[self.stand]


def _gateways(placed: Mapping[str, Sequence[GatewayAt]], noted: Sequence[GatewayStands]) -> Sequence[Shown]:
    """Each gateway of the accounts that have several."""
    shown = []
    for account, ways in placed.items():
        paces = {way.name: way.pace for way in ways}
        for one in in_order(account, tuple(paces), noted):
            stands = (one.stand, one.since, one.until, one.why, one.held_by)
            shown.append(Shown(account, one.gateway, *stands, paces.get(one.gateway, "")))
    return shown


def _pace(ways: Sequence[GatewayAt]) -> str:
    """The pace of an account: where it has several gateways each has its own."""
    return ways[0].pace if len(ways) == 1 else "as below" if ways else ""


@app.callback()
def list_(context: typer.Context, json: Json = False) -> None:
    """List the accounts: what waits for each, whether it is paused, how its gateways stand. Pause one, or let it go on.

    Examples:

    * `carillon accounts`
    * `carillon accounts pause sms --why "the number is being changed"`
    * `carillon accounts resume sms`
    """
    if context.invoked_subcommand is not None:
        return
    with reading() as house, house.ledger.reading() as hand:
        stands = health(hand)
        found = stands.accounts
        placed = {one.account: accounts.gateways_of(house.ports, one.account) for one in found}
        gateways = _gateways(placed, stands.gateways)
        zone = ZoneInfo(zone_of(hand))
    if json:
        show.as_json({"accounts": found, "gateways": gateways})
        return
    show.table(
        ("account", "channel", "waiting", "being sent", "pace", "paused"),
        [
            (
                a.account,
                a.channel,
                a.due,
                a.sending,
                _pace(placed[a.account]),
                "no" if a.paused_why is None else a.paused_why,
            )
            for a in found
        ],
    )
    if gateways:
        show.say("")
        show.table(
            ("account", "gateway", "stands", "since", "pace", "why"),
            [
                (
                    one.account,
                    one.gateway,
                    f"{SIGNS[one.stand]} {one.words}",
                    show.wall(one.since, zone) if one.since else "",
                    one.pace,
                    one.why,
                )
                for one in gateways
            ],
        )


@app.command("hold-out")
def hold_out(
    name: Name,
    gateway: Gateway,
    why: Annotated[
        str, typer.Option(metavar="WORDS", help="The reason, for the record and for whoever asks.")
    ],
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Hold one gateway of an account out: within a second the others take over.

    What it may have already stays with it until it is asked.

    Example: `carillon accounts hold-out texts twilio --why "its prices doubled"`
    """
    named, one, reason = short_words(name, "name"), short_words(gateway, "gateway"), short_words(why, "why")
    with writing(operator) as (house, actor):
        accounts.hold_out(house.ports, named, one, reason, actor=actor)
    told = {"account": named, "gateway": one, "held_out": True, "why": reason}
    show.as_json(told) if json else show.say(f"{one} of {named} is held out")


@app.command("take-back")
def take_back(
    name: Name,
    gateway: Gateway,
    why: Annotated[str, typer.Option(metavar="WORDS", help="The reason, for the record.")] = "",
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Let a gateway be used again in its turn: one held out, refused by its provider, or passed over.

    Example: `carillon accounts take-back texts twilio`
    """
    named, one = short_words(name, "name"), short_words(gateway, "gateway")
    reason = short_words(why, "why") if why else ""
    with writing(operator) as (house, actor):
        accounts.take_back(house.ports, named, one, actor=actor, why=reason)
    told = {"account": named, "gateway": one, "held_out": False}
    show.as_json(told) if json else show.say(f"{one} of {named} is used again in its turn")


@app.command()
def pause(
    name: Name,
    why: Annotated[
        str, typer.Option(metavar="WORDS", help="The reason, for the record and for whoever asks.")
    ],
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Stop an account within a second; its deliveries wait.

    Example: `carillon accounts pause sms --why "the bill is too high"`
    """
    named, reason = short_words(name, "name"), short_words(why, "why")
    with writing(operator) as (house, actor):
        accounts.pause(house.ports, named, reason, actor=actor)
    show.as_json({"account": named, "paused": True, "why": reason}) if json else show.say(
        f"{named} is paused"
    )


@app.command()
def posts(
    name: Annotated[str | None, typer.Argument(help="Of this account alone.")] = None,
    seen: Annotated[
        bool, typer.Option("--seen", help="Somebody has looked at them: the alarm is cleared.")
    ] = False,
    operator: Operator = None,
    json: Json = False,
) -> None:
    """List posts that stand on the school's accounts and did not come from here.

    Read every few minutes (`carillon rules explain social.read_every`); carried into the feeds where
    `social.carry_found` says so.

    Examples:

    * `carillon accounts posts`
    * `carillon accounts posts x --seen`
    """
    if seen:
        named = short_words(name or "", "name")
        with writing(operator) as (house, actor):
            oversight.seen(house.ports, named, actor=actor)
        show.as_json({"account": named, "seen": True}) if json else show.say(f"{named}: seen")
        return
    with reading() as house, house.ledger.look() as tx:
        account = licensing.the_account(tx, short_words(name, "name")) if name is not None else None
        found = tx.posts.found(account.id if account is not None else None)
        zone = ZoneInfo(tx.school.zone)
    if json:
        show.as_json({"posts": found})
        return
    if not found:
        show.say("there are none")
        return
    show.table(
        ("account", "posted", "text", "carried"),
        [
            (
                each.account,
                show.wall(each.posted_at, zone),
                each.text,
                "yes" if each.carried else each.why_not,
            )
            for each in found
        ],
    )


@app.command()
def resume(
    name: Name,
    why: Annotated[str, typer.Option(metavar="WORDS", help="The reason, for the record.")] = "",
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Let an account go on: what waited for it is due at once.

    Example: `carillon accounts resume sms --why "the new number works"`
    """
    named, reason = short_words(name, "name"), short_words(why, "why") if why else ""
    with writing(operator) as (house, actor):
        accounts.resume(house.ports, named, actor=actor, why=reason)
    show.as_json({"account": named, "paused": False}) if json else show.say(f"{named} goes on")


@app.command()
def key(
    channel: Annotated[str, typer.Argument(help="The channel, as `carillon channels` lists it.")],
    json: Json = False,
) -> None:
    """Make a key that accounts of a channel sign with. It is shown once, kept nowhere, and changes nothing.

    Example: `carillon accounts key webpush`
    """
    kit = Registry().kit(short_words(channel, "channel"))
    if not isinstance(kit, MakesKeys):
        hint = "its page in docs/channels says where its credentials come from"
        raise RuleBroken(
            Problem("no_key", "channel", "accounts of this channel sign with no key of ours", hint)
        )
    made = kit.new_key()
    if json:
        show.as_json({"channel": channel, "key": made})
        return
    show.say(made)
    show.hint("put it among the school's secrets as the account's KEY; it is not shown again")
