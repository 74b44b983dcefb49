"""`carillon answers`: what people wrote back, who looks after it, and that somebody has."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from broker.actor import Actor
from broker.incoming import answers
from cli import show
from cli.house import operator_named, reading, writing, zone_of
from cli.options import Json, Operator
from cli.reading import bad
from config.assembly import House
from ledger.reads.answers import Listed, listed

app = typer.Typer(help="What people wrote back.", no_args_is_help=True)

Id = Annotated[
    str, typer.Argument(metavar="ID", help="The answer's id, as `carillon answers list` shows it.")
]
HEADERS = ("id", "received", "inbox", "by", "from", "about", "stands")


@app.command("list")
def list_(
    inbox: Annotated[str | None, typer.Option(metavar="NAME", help="Only those in this inbox.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Those that are dealt with, too.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="How many at most.")] = 50,
    operator: Operator = None,
    json: Json = False,
) -> None:
    """List the answers that wait, the newest first: who wrote (masked), about what. Their words are shown one by one.

    Examples:

    * `carillon answers list`
    * `carillon answers list --inbox music --all`
    """
    with reading() as house:
        lead = _is_lead(house, operator)
        zone = zone_of(house)
        with house.ledger.reading() as hand:
            found, more = listed(hand, lead=lead, inbox=inbox, all_of_them=everything, limit=limit)
    if json:
        show.as_json({"answers": found, "more": bool(more)})
        return
    show.table(
        HEADERS,
        [
            (
                one.id,
                show.wall(one.received_at, zone, "%m-%d %H:%M"),
                one.inbox,
                one.channel,
                one.sender or "for the safeguarding lead",
                one.announcement or "",
                _stands(one),
            )
            for one in found
        ],
        none="No answer waits.",
        below=("about", "stands", "from", "by"),
    )
    if more:
        show.say(f"and older ones: --limit {min(limit * 4, 1_000)} shows more")


@app.command("show")
def show_(answer: Id, operator: Operator = None, json: Json = False) -> None:
    """Show one answer, with who wrote it and what. That you looked is recorded.

    What may be about harm is shown to the safeguarding lead alone, until it is released.

    Example: `carillon answers show 01a2… --operator "Mrs Bell"`
    """
    with writing(operator) as (house, actor):
        found = answers.show(house.ports, _id(answer), actor=actor)
        zone = zone_of(house)
    if json:
        show.as_json({"answer": found})
        return
    show.say(
        f"received {show.wall(found.received_at, zone)} by {found.channel}, in the inbox {found.inbox}",
        f"from     {found.sender}",
        *([f"about    {found.announcement}"] if found.announcement else []),
        *([f"subject  {found.subject}"] if found.subject else []),
        f"answered {found.reply or 'by nobody yet'}",
        "",
        found.text,
    )


@app.command()
def done(answer: Id, operator: Operator = None, json: Json = False) -> None:
    """Say that somebody has dealt with an answer.

    Example: `carillon answers done 01a2… --operator "Mrs Bell"`
    """
    with writing(operator) as (house, actor):
        answers.finish(house.ports, _id(answer), actor=actor)
    show.as_json({"done": answer}) if json else show.say("it is dealt with")


@app.command()
def release(
    answer: Id,
    inbox: Annotated[str, typer.Option("--to", metavar="NAME", help="The inbox whose watchers may see it.")],
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Give what was kept for the safeguarding lead to an inbox; only the lead may.

    Example: `carillon answers release 01a2… --to office --operator "Ms Safe"`
    """
    with writing(operator) as (house, actor):
        answers.release(house.ports, _id(answer), inbox, actor=actor)
    show.as_json({"released": answer, "inbox": inbox}) if json else show.say(
        f"it is in the inbox {inbox} now"
    )


@app.command()
def inboxes(json: Json = False) -> None:
    """List the inboxes: who watches each, whose answers it takes, how many wait, and since when.

    They are settings: `CARILLON_ANSWERS__INBOXES__MUSIC__WATCHERS`, see docs/settings.md.

    Example: `carillon answers inboxes`
    """
    with reading() as house:
        zone = zone_of(house)
        rules = house.ports.answering
        with house.ledger.look() as tx:
            waiting = {one.inbox: one for one in tx.answers.waiting()}
    rows = [
        {
            "inbox": one.name,
            "watchers": one.watchers,
            "departments": sorted(one.departments),
            "told_by_mail": bool(one.email),
            "open": waiting[one.name].open if one.name in waiting else 0,
            "oldest": waiting[one.name].oldest if one.name in waiting else None,
        }
        for one in (*rules.inboxes, rules.lead)
    ]
    if json:
        show.as_json({"inboxes": rows})
        return
    show.table(
        ("inbox", "watched by", "answers to", "open", "oldest"),
        [
            (
                row["inbox"],
                ", ".join(one.watchers) or "nobody is named",
                ", ".join(sorted(one.departments))
                or ("the rest" if one is not rules.lead else "what may be about harm"),
                row["open"],
                show.wall(waiting[one.name].oldest, zone) if one.name in waiting else "",
            )
            for row, one in zip(rows, (*rules.inboxes, rules.lead), strict=True)
        ],
    )


def _stands(one: Listed) -> str:
    if one.done_at is not None:
        return f"dealt with by {one.done_by}" if one.done_by else "nothing to do"
    return one.reply


def _is_lead(house: House, operator: str | None) -> bool:
    named = operator if operator is not None else house.settings.operator
    if named is None:
        return not house.ports.answering.lead.watchers
    actor: Actor = operator_named(named)
    return answers.may_see(house.ports, actor, concern=True)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise bad("bad_id", "id", "this is no answer's id", "see: carillon answers list") from None
