"""`carillon reach`: who will be told and who will not, before sending and after; and what is printed for the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from broker import audience as audiences
from broker.actor import Actor
from broker.announcement import People, Purpose
from broker.duty import FOR_ANYBODY
from broker.moments import today_of
from broker.naming import unknown_placeholder
from broker.office import expressions
from broker.office.reach import Question, Statement, Untold, before, kinds_of, record_listing
from broker.office.sheets import as_csv
from channels.markup import plain_words
from cli import show
from cli.house import department_of, reading, writing
from cli.options import asking
from cli.papers import paper_about, write_private
from cli.reach_options import Asked
from cli.reading import announcement_id, bad, text_from
from config.assembly import House
from ledger.audience import members
from ledger.reads.phones import calls
from ledger.reads.reach import Week, after, week
from ledger.reads.status import status
from web import papers

MOST_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Found:
    """A statement with what it is about, and the words that a slip would carry."""

    statement: Statement
    title: str
    words: str = ""


@asking(Asked)
def reach(asked: Asked) -> None:
    """Say who will be told, by which ways, and by name who will not, and why; or who was.

    A feed or a post counts as nobody's personal way.

    Examples:

    * `carillon reach --to "Orchestra + Year 7 - 7B" --via sms,email`
    * `carillon reach --to Choir --via sms --slips slips.html --text "{pupil}: rehearsal at 15:30."`
    * `carillon reach 0193… --csv rest.csv`
    * `carillon reach --week`
    * `carillon reach --to "Year 7" --week`
    """
    if asked.families:
        with reading() as house:
            _show_week(house, asked)
        return
    if (asked.id is None) == (asked.to is None):
        raise bad("what", "to", "say whom: an announcement's id, or --to with groups, not both", "see --help")
    if asked.phones is None:
        with reading() as house:
            found = _find(house, asked)
            paper = paper_about(house, found.title, printed=asked.slips is not None)
    else:
        with writing(asked.operator) as (house, actor):
            found = _find(house, asked)
            paper = paper_about(house, found.title, printed=True)
            _write_phones(house, asked.phones, paper, found.statement.untold, actor=actor)
    _hand_out(found, paper, slips=asked.slips, text=asked.text, csv=asked.csv)
    if asked.json:
        show.as_json(_as_told(found.statement))
    elif str(asked.csv) != "-":
        _show(found.statement)


def _find(house: House, asked: Asked) -> Found:
    if asked.id is not None:
        return _sent(house, asked.id)
    tree = audiences.parse(asked.to or "")
    channels = _channels(asked.via)
    for name in channels:
        house.ways_out.traits(name)
    department = department_of(house, asked.department)
    purpose = Purpose.PROMOTIONAL if asked.promotional else Purpose.SERVICE
    with house.ledger.look() as tx:
        question = Question(expressions.resolve(tx, tree), asked.people, channels, department, purpose)
        return Found(before(house.ports, tx, question), f"Not reached: {asked.to}")


def _channels(via: str) -> tuple[str, ...]:
    channels = tuple(way for way in (each.strip() for each in via.split(",")) if way)
    if len(set(channels)) < len(channels):
        raise bad("way_twice", "via", "a way is named twice", "name each once")
    return channels


def _sent(house: House, id: str) -> Found:
    public_id = announcement_id(id)
    with house.ledger.look() as tx:
        known = tx.announcements.by_public_id(public_id)
        if known is None:
            raise bad(
                "not_found", "id", "there is no such announcement", "list the latest with: carillon status"
            )
        content = papers.wording_of(tx, known.id)
    with house.ledger.reading() as hand:
        found = status(hand, public_id)
        assert found is not None  # noqa: S101 - it was there a moment ago, and none is ever erased
        kinds = kinds_of(house.ways_out, known)
        return Found(
            after(hand, found.announcement, kinds), f"Not reached: {content.title}", plain_words(content)
        )


def _write_phones(
    house: House, path: Path, paper: papers.Paper, untold: Sequence[Untold], *, actor: Actor
) -> None:
    """Whom to ring, numbers in full: that somebody looked stands in the record."""
    with house.ledger.reading() as hand:
        listed = calls(hand, [one.person for one in untold])
    record_listing(house.ports, "phones", len(untold), actor=actor)
    write_private(path, papers.phones(paper, untold, listed))


def _hand_out(
    found: Found, paper: papers.Paper, *, slips: Path | None, text: str | None, csv: Path | None
) -> None:
    untold = found.statement.untold
    if slips is not None:
        words = found.words if text is None else text_from(Path("-")) if text == "-" else text
        if unknown := unknown_placeholder(words):
            raise bad(
                "unknown_placeholder", "text", f"nothing belongs where {unknown[0]} stands", "see docs/cli.md"
            )
        write_private(slips, papers.slips(paper, untold, words))
    if csv is not None:
        told = as_csv(("name", "group", "why"), [(one.name, one.group, one.why) for one in untold])
        typer.echo(told, nl=False) if str(csv) == "-" else write_private(csv, told)


def _as_told(found: Statement) -> dict[str, Any]:
    return {
        "pupils": found.people,
        "reached": found.reached,
        "open": found.open,
        "ways": found.ways,
        "public": list(found.public),
        "unreached": [{"name": one.name, "group": one.group, "why": one.why} for one in found.untold],
    }


def _show(found: Statement) -> None:
    under_way = f", {found.open} still under way" if found.open else ""
    people = show.many(found.people, "person", "people")
    reached = f"{found.reached:,} of {people} reached{under_way}"
    show.say(f"for {people}: {FOR_ANYBODY}" if found.for_anybody else reached)
    show.table(
        ("way", "addresses", "people", "refused", "waits"),
        [
            (name, way.addresses, way.people, sum(way.refused.values()) or "", way.waits)
            for name, way in found.ways.items()
        ],
    )
    if found.public:
        show.say(f"for everybody to read, and nobody's personal way: {', '.join(found.public)}")
    if not found.people:
        show.hint("nobody is in this audience; of staff, say --people staff")
    show.say(
        "", f"{show.many(len(found.untold), 'person is', 'people are')} not reached" if found.untold else ""
    )
    if found.untold:
        by_group = Counter(one.group for one in found.untold)
        show.table(
            ("who", "group", "why"), [(one.name, one.group, one.why) for one in found.untold[:MOST_SHOWN]]
        )
        if len(found.untold) > MOST_SHOWN:
            show.hint(
                f"and {len(found.untold) - MOST_SHOWN:,} more in {len(by_group)} groups: --csv lists them all"
            )


def _show_week(house: House, asked: Asked) -> None:
    tree = None if asked.to is None else audiences.parse(asked.to)
    with house.ledger.look() as tx:
        today = today_of(tx)
        among = None if tree is None else members(expressions.resolve(tx, tree), People.GUARDIANS, today)
        found: Week = week(tx.hand, among)
    if asked.json:
        show.as_json({"messages": found.messages, "families": list(found.families)})
        return
    counted = Counter(one.messages for one in found.families)
    families = show.many(len(found.families), "family", "families")
    show.say(f"{show.many(found.messages, 'message')} in seven days, to {families}")
    rows: Sequence[tuple[object, ...]] = [(n, counted[n]) for n in sorted(counted, reverse=True)]
    show.table(("messages", "families"), rows)
    show.table(
        ("pupils", "group", "messages"),
        [(one.pupils, one.group, one.messages) for one in found.families[:MOST_SHOWN]],
    )
