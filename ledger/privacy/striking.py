"""Words that somebody typed, wherever they stand: who is named in them, and striking them out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Result, Row, Table, and_, or_, select, update

from broker.audience import fold
from broker.ports.privacy import Struck, Subject
from broker.privacy.strike import pattern, striker
from broker.scrutiny.audit import kept_digest, wording_digest
from ledger import tables as t
from ledger.announcements import announcement_of, announcements_by
from ledger.hand import Hand
from ledger.privacy.registry import REGISTRY

# Where the record holds a digest of the words: these columns name the announcement.
_ANNOUNCEMENTS = {"announcement": "id", "content": "announcement_id", "content_attachment": "announcement_id"}


def mentions(hand: Hand, subject: Subject) -> tuple[int, int]:
    """How many rows name them whole, and how many others have one of their single names."""
    whole = pattern(subject.named, subject.values, [subject.source_id])
    single = pattern(subject.called)
    named = called = 0
    for _, _, words in typed(hand):
        if any(whole.search(each) for each in words.values()):
            named += 1
        elif any(single.search(each) for each in words.values()):
            called += 1
    return named, called


def strike(hand: Hand, subject: Subject, *, called: bool) -> Mapping[int, Struck]:
    """Strike them out; returns the announcements that this changed. `called`: single names too."""
    names = (*subject.named, *subject.called) if called else subject.named
    found = pattern(names, subject.values, [subject.source_id])
    struck = striker(found)
    changed = [
        (table, row, {column: struck(each) for column, each in words.items() if found.search(each)})
        for table, row, words in typed(hand)
        if any(found.search(each) for each in words.values())
    ]
    for table, row, words in changed:
        _write(hand, table, row, words)
    theirs = {
        row._mapping[_ANNOUNCEMENTS[table.name]] for table, row, _ in changed if table.name in _ANNOUNCEMENTS
    }
    return {one: _digests(hand, one) for one in sorted(theirs)}


def typed(hand: Hand) -> Iterator[tuple[Table, Row[Any], dict[str, str]]]:
    """Every row with words in it, where no number of ours tells whom they are about."""
    for name, held in REGISTRY.items():
        if not held.typed:
            continue
        table = t.metadata.tables[name]
        columns = [table.c[column] for column in held.typed]
        anything = or_(*(column != "" for column in columns))
        found: Result[Any] = hand.connection.execute(select(*table.primary_key, *columns).where(anything))
        for row in found:
            yield table, row, {column: row._mapping[column] or "" for column in held.typed}


def _digests(hand: Hand, announcement: int) -> Struck:
    """What the audit shall find from now on."""
    run = hand.connection.execute
    row = run(announcements_by(t.announcement.c.id == announcement)).one()
    words = select(t.content.c.language, t.content.c.part, t.content.c.text)
    files = select(t.content_attachment.c.name, t.content_attachment.c.sha256)
    parts = run(words.where(t.content.c.announcement_id == announcement, t.content.c.version == 1)).all()
    named = run(
        files.where(
            t.content_attachment.c.announcement_id == announcement, t.content_attachment.c.version == 1
        )
    ).all()
    wording = wording_digest([(p[0], p[1], p[2]) for p in parts], [(f[0], f[1]) for f in named])
    return Struck(kept_digest(announcement_of(row)), wording)


def _write(hand: Hand, table: Table, row: Row[Any], words: Mapping[str, str]) -> None:
    """Names of groups and templates stay unlike each other: two called after one person go by their numbers."""
    values = dict(words)
    if "name" in values and "folded_name" in table.c:
        values["name"] = f"{values['name']} {row.id}"
        values["folded_name"] = fold(values["name"])
    which = and_(*(column == row._mapping[column.name] for column in table.primary_key))
    hand.connection.execute(update(table).where(which).values(values))
