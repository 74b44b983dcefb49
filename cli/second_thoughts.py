"""`carillon undo`, `carillon expect` and `carillon why`: second thoughts, and what the rules said."""

from __future__ import annotations

from typing import Annotated

import typer

from broker.authority import second_thoughts
from broker.errors import NotFound, Problem
from broker.ports import KeptVerdict
from cli import show
from cli.house import reading, writing, zone_of
from cli.options import Json, Operator
from cli.reading import announcement_id

Id = Annotated[str, typer.Argument(metavar="ID", help="The announcement.", show_default=False)]


def undo(id: Id, operator: Operator = None, json: Json = False) -> None:
    """Take an announcement back while nothing of it has left: nobody will ever hear of it.

    Example: `carillon undo 0193…`
    """
    found = announcement_id(id)
    with writing(operator) as (house, actor):
        second_thoughts.undo(house.ports, found, actor=actor)
    show.as_json({"announcement": found, "undone": True}) if json else show.say("undone: nothing of it left")


def expect(
    id: Id,
    count: Annotated[int, typer.Argument(min=0, max=10_000_000, help="How many people it is meant to tell.")],
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Say that an announcement is meant to tell so many people, so that it goes on.

    Example: `carillon expect 0193… 812`
    """
    found = announcement_id(id)
    with writing(operator) as (house, actor):
        counted = second_thoughts.expect(house.ports, found, count, actor=actor)
    if json:
        show.as_json({"announcement": found, "people": counted})
    else:
        show.say(f"{show.many(counted, 'person', 'people')} it is: it goes on")


def why(id: Id, json: Json = False) -> None:
    """What the rules said about an announcement, each time that it was another answer, and by which version.

    Example: `carillon why 0193…`
    """
    with reading() as house:
        with house.ledger.look() as tx:
            said = tx.announcements.by_public_id(announcement_id(id))
            if said is None:
                hint = "list the latest with: carillon status"
                raise NotFound(Problem("not_found", "id", "there is no such announcement", hint))
            verdicts, author = tx.verdicts.of(said), tx.approvals.author(said)
        zone = zone_of(house)
    if json:
        told = [_as_told(each) for each in verdicts]
        behalf = {"by": author.id, "on_behalf_of": author.on_behalf_of}
        show.as_json({"announcement": said.public_id, **behalf, "verdicts": told})
        return
    rows = [
        (
            show.wall(v.at, zone),
            v.account_name,
            v.answer,
            v.rules_version,
            show.plain(v.why) or "nothing against it",
        )
        for v in verdicts
    ]
    show.say(f"announced by {author.told}")
    show.table(("when", "account", "answer", "rules", "why"), rows, below=("why",))


def _as_told(kept: KeptVerdict) -> dict[str, object]:
    return {
        "at": kept.at,
        "channel": kept.channel,
        "account": kept.account_name,
        "answer": kept.answer,
        "code": kept.code,
        "why": kept.why,
        "until": kept.until,
        "rules": kept.rules_version,
        "evidence": dict(kept.evidence),
    }
