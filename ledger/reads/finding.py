"""Finding people and announcements by the beginnings of words, whatever their case and accents.

The folded words of everybody and of every wording are kept by the process as one long text, which is looked through in
a few thousandths of a second: no database folds "Zoë" to "zoe" without an extension that a school may not have. It is
built anew when the ledger has changed. What a page shows is read from the ledger each time and looked at once more, so
that nobody is found by a name that was erased since.
"""

from __future__ import annotations

import re
import time
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from threading import Lock
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Select, case, func, select

from broker.disclosure.plain_letters import plain
from ledger import tables as t
from ledger.hand import Hand

MOST_WORDS = 8  # of a search: nobody types more, and each is looked for
FEWEST_LETTERS = 2  # of its longest word: one letter alone begins half of all names
MOST_INDEXED = 4_000  # characters of one wording: what it is about stands at its beginning
PAGE = 25
ASKED_EVERY = (
    1.0  # seconds: to count everybody costs more than to find somebody, and an import takes longer itself
)
_WORD = re.compile(r"[^\W_]+")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
_ENDS = "\n"  # of one thing's words; no word holds it
T = TypeVar("T")


def words_of(text: str) -> Sequence[str]:
    """The words of a search as they are compared; () where nothing could be found by them."""
    found = tuple(dict.fromkeys(_WORD.findall(_plain(text).replace("'", ""))))[:MOST_WORDS]
    return found if max(map(len, found), default=0) >= FEWEST_LETTERS else ()


def folded(*texts: str) -> str:
    """The words of a thing, each behind a blank: in plain letters and small; O'Brien as obrien and as o brien."""
    text = " ".join(texts)
    small = _plain(text)
    words = dict.fromkeys(_WORD.findall(small.replace("'", "")))
    if "'" in small:
        words |= dict.fromkeys(_WORD.findall(small))
    if not text.isascii():
        words |= dict.fromkeys(_WORD.findall(_plain(text.casefold().translate(_UMLAUTS))))
    return " " + " ".join(words)


def has_all(folded_words: str, words: Iterable[str]) -> bool:
    """Whether each of these begins one of those."""
    return all(f" {word}" in folded_words for word in words)


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that can be found: its number, whose it is (a department, "" for all), its words."""

    id: int
    owner: str
    words: str = field(repr=False)


class Shelf:
    """Many entries in an order, as one text to look through."""

    def __init__(self, entries: Iterable[Entry], state: Any) -> None:
        self.entries = list(entries)
        self.state = state
        self._text = _ENDS.join(entry.words for entry in self.entries)
        self._starts: list[int] = []
        at = 0
        for entry in self.entries:
            self._starts.append(at)
            at += len(entry.words) + 1

    def find(self, words: Sequence[str], owner: str | None = None) -> list[int]:
        """The numbers of all whose words begin with these, in the shelf's order."""
        rarest, *others = sorted(words, key=len, reverse=True)
        wanted, text, starts, entries = f" {rarest}", self._text, self._starts, self.entries
        found: list[int] = []
        at = text.find(wanted)
        while at >= 0:
            n = bisect_right(starts, at) - 1
            entry = entries[n]
            if (owner is None or entry.owner == owner) and has_all(entry.words, others):
                found.append(entry.id)
            if n + 1 == len(starts):
                break
            at = text.find(wanted, starts[n + 1])
        return found


@dataclass(slots=True)
class _Kept:
    people: Shelf | None = None
    people_at: float = 0.0  # monotonic: when the ledger was last asked whether anybody came, went or changed
    announcements: Shelf | None = None


# By the dialect, which each opened ledger has one of.
_kept: WeakKeyDictionary[Any, _Kept] = WeakKeyDictionary()
_building = (
    Lock()
)  # one thread builds, the others wait: two at once would take twice as long and twice the memory


def people(hand: Hand, words: Sequence[str], *, anew: bool = False) -> Sequence[int]:
    """Everybody at the school whom these words find, by family name."""
    p = t.person.c
    with _building:
        kept = _kept.setdefault(hand.dialect, _Kept())
        shelf, now = kept.people, time.monotonic()
        if shelf is None or anew or now - kept.people_at >= ASKED_EVERY:
            whose = select(func.max(p.changed_at), func.count()).where(p.active)
            state = tuple(hand.connection.execute(whose).one())
            kept.people_at = now
            if shelf is None or anew or shelf.state != state:
                shelf = kept.people = Shelf(_people(hand), state)
    return shelf.find(words)


def announcements(
    hand: Hand, words: Sequence[str], *, owner: str | None = None, anew: bool = False
) -> Sequence[int]:
    """Every announcement that says these words or goes to whom they name, the newest first."""
    with _building:
        kept = _kept.setdefault(hand.dialect, _Kept())
        shelf = kept.announcements = _up_to_date(hand, None if anew else kept.announcements)
    return shelf.find(words, owner)


def words_of_person(given: str, family: str, preferred: str | None, form: str | None, source: str) -> str:
    """By what somebody is found."""
    return folded(family, given, preferred or "", form or "", source)


def words_of_announcements(hand: Hand, ids: Sequence[int]) -> Mapping[int, str]:
    """By what these announcements can be found now."""
    return {entry.id: entry.words for entry in _worded(hand, _said().where(t.announcement.c.id.in_(ids)))}


def _people(hand: Hand) -> Iterable[Entry]:
    p = t.person.c
    columns = (p.id, p.given_name, p.family_name, p.preferred_name, p.form, p.source_id)
    found = []
    # By position: fifty thousand rows are read for one shelf.
    for number, given, family, preferred, form, source in hand.connection.execute(
        select(*columns).where(p.active)
    ):
        entry = Entry(number, "", words_of_person(given, family, preferred, form, source))
        found.append((_plain(family), _plain(preferred or given), number, entry))
    found.sort(key=itemgetter(0, 1, 2))
    return (one[3] for one in found)


def _up_to_date(hand: Hand, shelf: Shelf | None) -> Shelf:
    """The shelf of announcements; where there are only more than before, those alone are read."""
    c = t.content.c
    last = shelf.entries[0].id if shelf is not None and shelf.entries else 0
    older = func.coalesce(func.sum(case((c.announcement_id <= last, c.version), else_=0)), 0)
    counted = hand.connection.execute(
        select(func.coalesce(func.max(c.announcement_id), 0), func.sum(c.version), older)
    ).one()
    newest, versions, known = counted[0], int(counted[1] or 0), int(counted[2])
    if shelf is not None and shelf.state == (newest, versions):
        return shelf
    if shelf is not None and last and shelf.state[1] == known:
        more = _worded(hand, _said().where(t.announcement.c.id > last))
        return Shelf([*more, *shelf.entries], (newest, versions))
    return Shelf(_worded(hand, _said()), (newest, versions))


def _said() -> Select[Any]:
    a, c = t.announcement.c, t.content.c
    # What the house itself says to one address is nobody's to look for.
    notes = select(t.note.c.announcement_id).where(t.note.c.announcement_id == a.id)
    part = func.substr(c.text, 1, MOST_INDEXED).label("text")
    return (
        select(a.id, t.department.c.slug, a.audience, part)
        .join(t.content, c.announcement_id == a.id)
        .join(t.department, t.department.c.id == a.department_id)
        .where(~notes.exists())
        .order_by(a.id.desc())
    )


def _worded(hand: Hand, query: Select[Any]) -> Iterable[Entry]:
    texts: dict[int, tuple[str, list[str]]] = {}
    for number, owner, audience, text in hand.connection.execute(query):
        known = texts.get(number)
        if known is None:
            texts[number] = (owner, [audience, text])
        else:
            known[1].append(text)
    return (Entry(number, owner, folded(*said)) for number, (owner, said) in texts.items())


def _plain(text: str) -> str:
    return plain(text).text.casefold()


def in_order(found: Mapping[int, T], ids: Sequence[int]) -> list[T]:
    """What was read, in the order in which it was found."""
    return [found[one] for one in ids if one in found]
