"""Words that somebody typed, wherever they stand: who is named in them, and striking them out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Result, Row, Table, and_, or_, select, update

from broker.diary.events import struck_words
from broker.ports.privacy import Struck, Subject
from broker.privacy.strike import pattern, striker
from broker.scrutiny.audit import kept_digest, wording_digest
from ledger import tables as t
from ledger.announcements import announcement_of, announcements_by
from ledger.hand import Hand
from ledger.privacy import barred, holds
from ledger.privacy.registry import REGISTRY
from ledger.privacy.renaming import Renaming, Worded

_APART = "\0"  # between columns: nothing that is looked for reaches over it
_OF = "announcement_id"
_TOLD_AGAIN = frozenset({"title", "place"})  # of an event, by the calendar that it stands in
# Where the record holds a digest of the words: these columns name the announcement.
_ANNOUNCEMENTS = {"announcement": "id", "content": "announcement_id", "content_attachment": "announcement_id"}
# Rows of somebody's own, or that stand by themselves: held by their own number.
_HOLDABLE = frozenset(
    {"announcement", "legal_hold", *(name for name, held in REGISTRY.items() if held.theirs)}
)


@dataclass(frozen=True, slots=True)
class Mentions:
    """Rows that name somebody whole, others that have one of their single names; and the first ones by their numbers.

    `whole`: a table's name → numbers; of what belongs to an announcement and to nobody, the announcement's. `rows` are
    those that name them whole, with their words.
    """

    called: int
    whole: Mapping[str, frozenset[int]]
    rows: Sequence[Worded] = field(repr=False)

    @property
    def named(self) -> int:
        """How many name them whole."""
        return len(self.rows)


def mentions(hand: Hand, subject: Subject) -> Mentions:
    """Where somebody is named."""
    whole = pattern(subject.named, subject.values, [subject.source_id])
    single = pattern(subject.called, titled=subject.titled)
    called = 0
    rows: list[Worded] = []
    for one in typed(hand):
        said = _APART.join(one[2].values())  # at once: a search for each column is what a long ledger takes
        if whole.search(said):
            rows.append(one)
        elif single.search(said):
            called += 1
    noted = _noted((table, row) for table, row, _ in rows)
    return Mentions(called, {name: frozenset(ids) for name, ids in noted.items()}, rows)


def strike(hand: Hand, subject: Subject, named: Mentions, *, called: bool) -> Mapping[int, Struck]:
    """Strike them out; returns the announcements that this changed. `called`: single names too, and titles.

    Where somebody is named whole in what must stay as it is, nobody is erased; a single name is left standing in it.
    """
    names = (*subject.named, *subject.called) if called else subject.named
    found = pattern(names, subject.values, [subject.source_id], titled=subject.titled if called else ())
    struck = striker(found)
    met = [
        one for one in (typed(hand) if called else named.rows) if found.search(_APART.join(one[2].values()))
    ]
    stays = untouched(hand, _noted((table, row) for table, row, _ in met)) if called else {}
    standing = [one for one in met if _is_among(stays, one[0], one[1])]
    changed = [one for one in met if not _is_among(stays, one[0], one[1])]
    renaming = Renaming(hand, struck, changed, standing)
    told: set[bytes] = set()
    for table, row, words in changed:
        values = renaming.values(table, row, words)
        _write(hand, table, row, values)
        if table is t.event:
            told |= {struck_words(hand.signer, words[one]) for one in _TOLD_AGAIN & values.keys()}
    barred.bar_words(hand, subject.person, told)
    theirs = {
        row._mapping[_ANNOUNCEMENTS[table.name]] for table, row, _ in changed if table.name in _ANNOUNCEMENTS
    }
    return {one: _digests(hand, one) for one in sorted(theirs)}


def untouched(hand: Hand, rows: Mapping[str, Collection[int]]) -> Mapping[str, frozenset[int]]:
    """Which of these stay word by word: what is held for the law, and what the lead has not dealt with."""
    stays = dict(holds.among(hand, rows))
    stays["answer"] = stays.get("answer", frozenset()) | open_concerns(hand, rows.get("answer", ()))
    return stays


def open_concerns(hand: Hand, answers: Collection[int]) -> frozenset[int]:
    """Which of these answers the safeguarding lead has not dealt with."""
    if not answers:
        return frozenset()
    waiting = select(t.answer.c.id).where(t.answer.c.concern, t.answer.c.done_at.is_(None))
    return frozenset(hand.connection.execute(waiting).scalars()) & frozenset(answers)


def typed(hand: Hand) -> Iterator[Worded]:
    """Every row with words in it, where no number of ours tells whom they are about."""
    for name, held in REGISTRY.items():
        if not held.typed:
            continue
        table, names = t.metadata.tables[name], held.typed
        columns = [table.c[column] for column in names]
        of = [table.c[_OF]] if _OF in table.c and not table.c[_OF].primary_key else []
        anything = or_(*(column != "" for column in columns))
        found: Result[Any] = hand.connection.execute(
            select(*table.primary_key, *of, *columns).where(anything)
        )
        for row in found:
            yield table, row, {column: words for column in names if (words := row._mapping[column])}


def _place(table: Table, row: Row[Any]) -> tuple[str, int] | None:
    """The table and number by which a row is held: its own, or its announcement's."""
    if table.name in _HOLDABLE:
        return table.name, row.id
    announcement = row._mapping[_OF] if _OF in table.c else None
    return None if announcement is None else ("announcement", announcement)


def _noted(rows: Iterable[tuple[Table, Row[Any]]]) -> Mapping[str, Collection[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    for table, row in rows:
        if (place := _place(table, row)) is not None:
            found[place[0]].add(place[1])
    return found


def _is_among(stays: Mapping[str, frozenset[int]], table: Table, row: Row[Any]) -> bool:
    place = _place(table, row)
    return place is not None and place[1] in stays.get(place[0], ())


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


def _write(hand: Hand, table: Table, row: Row[Any], values: Mapping[str, str]) -> None:
    if values:
        which = and_(*(column == row._mapping[column.name] for column in table.primary_key))
        hand.connection.execute(update(table).where(which).values(values))
