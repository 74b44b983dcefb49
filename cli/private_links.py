"""`carillon groups link`: private links to what a group is told; made, listed, taken back."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from broker.office import private_links as verbs
from broker.office import subscribers
from broker.ports.links import PrivateLinkRow
from cli import show
from cli.house import reading, writing
from cli.options import Json, Operator
from cli.reading import short_words
from config.private_feeds import addresses


def link(
    name: Annotated[str, typer.Argument(help="The group, as `carillon groups` lists it.")],
    about: Annotated[str, typer.Option("--for", help="Where it will stand, or who has it: it is listed so.")],
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Make a private link to what a group is told: feeds, a calendar and a page. It is shown once.

    Whoever has the address reads it, so give each place one of its own, and take that one back when it is over.

    Example: `carillon groups link Choir --for "the choir's Moodle course"`
    """
    named = short_words(name, "name")
    with writing(operator) as (house, actor):
        made = verbs.make(house.ports, named, about, actor=actor)
        base = house.settings.public_url or ""
        where = addresses(base, made.secret)
        push = f"{base}/push/{made.secret}" if subscribers.offer(house.ports, made.secret) else None
    if json:
        more = {"notifications": push} if push else {}
        show.as_json({"link": made.link.id, "group": made.link.group, **where, **more})
        return
    show.say(f"link {made.link.id}, for {made.link.about}: what {made.link.group} is told")
    rows = [*where.items()]
    show.table(("as", "address"), [*rows, ("notifications", push)] if push else rows)
    show.hint(f"it is not shown again; to take it back: carillon groups unlink {made.link.id}")


def links(
    department: Annotated[str | None, typer.Option(help="Only those of this department's groups.")] = None,
    json: Json = False,
) -> None:
    """List the private links: which group, for whom, who made them, and which were taken back.

    Example: `carillon groups links`
    """
    with reading() as house:
        found = verbs.listed(house.ports, department=department)
    if json:
        show.as_json({"links": [_told(one) for one in found]})
        return
    counts = any(one.subscribers for one in found)  # where nobody subscribes there is more room for words
    titles = ("link", "group", "for", "made", "by", *(("told",) if counts else ()), "taken back")
    show.table(titles, [_row(one, counts=counts) for one in found])
    if counts:
        show.hint("told: how many browsers have subscribed by it")


def unlink(
    link: Annotated[int, typer.Argument(help="Its number, as `carillon groups links` lists it.")],
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Take a private link back: within a second it opens nothing, and looks like one that never was.

    Example: `carillon groups unlink 3`
    """
    with writing(operator) as (house, actor):
        gone = verbs.revoke(house.ports, link, actor=actor)
    told = {"link": gone.id, "group": gone.group}
    show.as_json(told) if json else show.say(f"link {gone.id} to {gone.group} opens nothing any more")


def _row(one: PrivateLinkRow, *, counts: bool) -> tuple[Any, ...]:
    over = f"{one.revoked_at:%Y-%m-%d} by {one.revoked_by}" if one.revoked_at else ""
    told = (one.subscribers or "",) if counts else ()
    return (one.id, one.group, one.about, f"{one.made_at:%Y-%m-%d}", one.made_by, *told, over)


def _told(one: PrivateLinkRow) -> dict[str, Any]:
    return {
        "link": one.id, "group": one.group, "for": one.about, "made_at": one.made_at, "made_by": one.made_by,
        "revoked_at": one.revoked_at, "revoked_by": one.revoked_by, "subscribers": one.subscribers,
    }  # fmt: skip
