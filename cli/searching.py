"""`carillon audit search`: looking into the record."""

from __future__ import annotations

import json as json_
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from broker.actor import Actor
from broker.moments import instant
from broker.office import families
from broker.record import Entry
from cli import show
from cli.house import operator_named, reading, seal, zone_of
from cli.options import Json, Operator, asking
from cli.reading import LARGEST_ID, announcement_id, bad, delivery_number, short_words
from config.assembly import House
from ledger.reads.search import MOST, Page, Sought, announcement_of, deliveries_of, search

NARROW = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is looked for."""

    announcement: Annotated[str | None, typer.Option(metavar="ID", help="About one announcement.")] = None
    delivery: Annotated[
        int | None, typer.Option(metavar="N", parser=delivery_number, help="About one delivery.")
    ] = None
    person: Annotated[
        str | None,
        typer.Option(
            metavar="WHO", help="About somebody, or sent to them; id or whole name. It is recorded."
        ),
    ] = None
    actor: Annotated[str | None, typer.Option(metavar="NAME", help="Done by, or on behalf of.")] = None
    kind: Annotated[
        str | None,
        typer.Option("--kind", metavar="KIND", help="Of a kind, such as account.paused, or all of account."),
    ] = None
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Not before this: 2026-11-30 08:15, school time.")
    ] = None
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Before this.")] = None
    before: Annotated[
        int | None, typer.Option(min=1, max=LARGEST_ID, metavar="ENTRY", help="Older than this entry.")
    ] = None
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="How many at most.")] = 50
    operator: Operator = None
    json: Json = False


@asking(Asked)
def search_(asked: Asked) -> None:
    """Look into the record, the newest first: by announcement, delivery, person, actor, kind and time.

    Addresses are masked. Looking for a person is an act of its own: it wants --operator, and the record keeps it.

    Examples:

    * `carillon audit search --kind account --since "2026-11-01 00:00"`
    * `carillon audit search --delivery 4711 --json`
    * `carillon audit search --person "Ann Lee" --operator "Mrs Bell"`
    """
    with reading() as house:
        actor = _who_asks(house, asked)
        zone = zone_of(house)
        sought = _sought(house, asked, zone)
        with house.ledger.reading() as hand:
            page = search(hand.connection, sought, before=asked.before, limit=asked.limit)
        if sought.person is not None and actor is not None:
            entry = Entry("record.searched", actor, {"person": sought.person, "entries": len(page.entries)})
            house.ledger.transact(lambda tx: tx.record.add([entry]))
            seal(house.ports)
    _show(page, zone, json=asked.json)


def _sought(house: House, asked: Asked, zone: ZoneInfo) -> Sought:
    sought = Sought(
        actor=short_words(asked.actor, "actor") if asked.actor is not None else None,
        kind=short_words(asked.kind, "kind") if asked.kind is not None else None,
        since=_moment(asked.since, zone, "since"),
        until=_moment(asked.until, zone, "until"),
    )
    with house.ledger.look() as tx:
        if asked.announcement is not None:
            said = tx.announcements.by_public_id(announcement_id(asked.announcement))
            if said is None:
                raise bad(
                    "not_found", "announcement", "there is no such announcement", "see: carillon status"
                )
            sought = replace(sought, announcements=frozenset({said.id}))
        if asked.delivery is not None:
            sought = sought.within(
                frozenset({asked.delivery}), announcement_of(tx.hand.connection, asked.delivery)
            )
        if asked.person is not None:
            person = families.the(tx, short_words(asked.person, "person"), "person").id
            sought = replace(sought, person=person).within(*deliveries_of(tx.hand.connection, person))
    return sought


def _who_asks(house: House, asked: Asked) -> Actor | None:
    if asked.person is None:
        return None
    return operator_named(asked.operator if asked.operator is not None else house.settings.operator)


def _moment(typed: str | None, zone: ZoneInfo, field: str) -> datetime | None:
    return instant(typed, zone=zone.key, field=field) if typed is not None else None


def _show(page: Page, zone: ZoneInfo, *, json: bool) -> None:
    if json:
        show.as_json({"entries": [asdict(entry) for entry in page.entries], "next": page.before})
        return
    show.table(
        ("entry", "when", "what", "who", "about"),
        [
            (
                entry.id,
                show.wall(datetime.fromisoformat(entry.at), zone, "%Y-%m-%d %H:%M:%S"),
                entry.kind,
                _who(entry.actor),
                _short(json_.dumps(entry.facts, ensure_ascii=False)),
            )
            for entry in page.entries
        ],
        none="there is nothing of that in what was looked at",
    )
    if proven := sum(len(entry.explained) for entry in page.entries):
        show.say(
            f"the keys show of {show.many(proven, 'try', 'tries')} that it was that text to that address"
        )
    if page.before is not None:
        show.hint(f"further back with: --before {page.before}")


def _who(actor: Mapping[str, Any]) -> str:
    behalf, token = actor.get("on_behalf_of"), actor.get("token")
    by = f"{actor['id']}, on behalf of {behalf}" if behalf else str(actor["id"])
    return f"{by}, by the token “{token}”" if token else by


def _short(text: str) -> str:
    return text if len(text) <= NARROW else text[: NARROW - 1] + "…"
