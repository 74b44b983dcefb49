"""`carillon stop` and `carillon go`: the kill switches."""

from __future__ import annotations

from typing import Annotated

import typer

from broker.authority import switching
from broker.rules.switches import SwitchKind
from cli import show
from cli.house import reading, writing, zone_of
from cli.options import Json, Operator
from cli.reading import bad, short_words

What = Annotated[
    SwitchKind | None, typer.Argument(metavar="WHAT", help="everything, channel, department, account.")
]
Name = Annotated[str | None, typer.Argument(metavar="NAME", help="Which channel, department or account.")]


def stop(
    what: What = None,
    name: Name = None,
    why: Annotated[
        str, typer.Option(metavar="WORDS", help="The reason, for the record and whoever asks.")
    ] = "",
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Stop everything, a channel, a department or an account within a second; what waits is kept. Alone: what is off.

    Examples:

    * `carillon stop`
    * `carillon stop everything --why "a wrong list was imported"`
    * `carillon stop department music --why "the head asked"`
    """
    if what is None:
        _list(json=json)
        return
    subject = _subject(what, name)
    if not why:
        raise bad(
            "no_reason", "why", "say why, for whoever asks", 'such as --why "a wrong list was imported"'
        )
    reason = short_words(why, "why")
    with writing(operator) as (house, actor):
        thrown = switching.stop(house.ports, what, subject, reason, actor=actor)
    if json:
        show.as_json({"stopped": what, "name": subject, "why": reason, "new": thrown})
    else:
        say = f"{what} {subject}".strip()
        show.say(f"{say}: stopped" if thrown else f"{say} was stopped already")
        show.hint(f"to let it go on: carillon go {say}")


def go(
    what: Annotated[
        SwitchKind, typer.Argument(metavar="WHAT", help="everything, channel, department, account.")
    ],
    name: Name = None,
    why: Annotated[str, typer.Option(metavar="WORDS", help="The reason, for the record.")] = "",
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Let go on what was stopped: whatever waited for it is due at once.

    Examples:

    * `carillon go everything --why "the list is put right"`
    * `carillon go channel sms`
    """
    subject = _subject(what, name)
    reason = short_words(why, "why") if why else ""
    with writing(operator) as (house, actor):
        thrown = switching.go(house.ports, what, subject, reason, actor=actor)
    if json:
        show.as_json({"going": what, "name": subject, "new": thrown})
    else:
        say = f"{what} {subject}".strip()
        show.say(f"{say} goes on" if thrown else f"{say} was not stopped")


def _list(*, json: bool) -> None:
    with reading() as house:
        off = switching.stopped(house.ports)
        zone = zone_of(house)
    if json:
        show.as_json({"stopped": off})
        return
    if not off:
        show.say("nothing is stopped")
        return
    rows = [(s.kind, s.subject, show.wall(s.off_at, zone), s.off_by, s.why) for s in off]
    show.table(("what", "name", "since", "by", "why"), rows)


def _subject(what: SwitchKind, name: str | None) -> str:
    if what is SwitchKind.EVERYTHING:
        if name is not None:
            raise bad("bad_text", "name", "everything has no name", "leave it out")
        return ""
    if name is None:
        raise bad("no_name", "name", f"which {what}?", f"such as: carillon stop {what} NAME --why WORDS")
    return short_words(name, "name")
