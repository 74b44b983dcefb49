"""The roster's names as they may stand in a text, and where in a text one does (R5).

The index is made from the names alone and looks nobody up: it answers "is there somebody called so", never who.
Names are compared as they look (`broker.disclosure.plain_letters`), without what stands between their parts:
O'Brien-Smith is found as OBrien Smith, Mary-Jane as Mary Jane, in any case, forwards or with the family name first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

from broker.disclosure.ordinary import ORDINARY
from broker.disclosure.plain_letters import Plain, plain

PARTS = 5  # words that one half of a name may be written as: "de los Santos y Garcia"
LETTERS = 15  # single letters in a row that may be somebody's half, spelt out: "A n n"
NEAR = 24  # characters between a first name and a form that belong together
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+")
_GAP = re.compile(r"[\s'\-.,_*()\[\]\"`~#@|/\\+=:“”„«»‹›]{0,6}")
_ENDS = re.compile(r"[.!?]\s|\n\s*\n")
_FORM_WORD = re.compile(r"[A-Za-z0-9]+")
_PARTICLES = frozenset(
    {"de", "da", "di", "du", "la", "le", "el", "al", "van", "von", "der", "den", "bin", "ibn", "mac"}
)
_PRONOUNS = frozenset({"a", "i"})  # single letters that are words
_UMLAUTS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"}
)


class Naming(StrEnum):
    """How closely a text names somebody of the roster."""

    FULL = "a full name"
    FORM = "a first name with a form"
    INITIAL = "a first name with an initial"


@dataclass(frozen=True, slots=True)
class Named:
    """One place in a text that names somebody; where, never whom."""

    naming: Naming
    at: int
    length: int


@dataclass(frozen=True, slots=True)
class RosterName:
    """The names of one person: what is needed to find them in a text, and nothing else."""

    given: str = field(repr=False)
    family: str = field(repr=False)
    preferred: str = field(default="", repr=False)
    form: str = field(default="", repr=False)
    pupil: bool = True


@dataclass(frozen=True, slots=True)
class _Word:
    """One word of a text: folded, as written with or without a capital, and where."""

    folded: str
    capital: bool
    start: int
    end: int


class _Text:
    """A text in plain letters, taken apart into words; `joined[i]`: words i and i + 1 may belong to one name."""

    __slots__ = ("joined", "listed", "text", "words")

    def __init__(self, text: str) -> None:
        self.text = text
        self.words = list(_words(text))
        self.joined: list[bool] = []
        self.listed: list[bool] = []  # the same, where a comma may stand between
        for one, other in pairwise(self.words):
            between = text[one.end : other.start]
            listed = between in {" ", ""} or _may_join(between, after_initial=len(one.folded) == 1)
            self.listed.append(listed)
            self.joined.append(listed and "," not in between)
        self.joined.append(False)
        self.listed.append(False)

    def runs(self, i: int) -> Iterator[tuple[str, int]]:
        """What begins at word i, as one half of a name: each longer run, with where it ends."""
        run = self.words[i].folded
        yield run, i + 1
        single = len(run) == 1
        j = i + 1
        while self.joined[j - 1]:
            word = self.words[j].folded
            single = single and len(word) == 1
            if j - i >= PARTS and not (single and j - i < LETTERS):
                return
            run += word
            j += 1
            yield run, j

    def back(self, i: int) -> Iterator[tuple[str, int]]:
        """What ends just before word i, each longer run with where it begins."""
        run = ""
        for k in range(i - 1, max(-1, i - 1 - PARTS), -1):
            run = self.words[k].folded + run
            yield run, k
            if not k or not self.joined[k - 1]:
                return


class NameIndex:
    """Every full name of a roster, and its pupils' first names with their initials and forms.

    Built once and never changed, so that threads may share it. Fifty thousand names take a third of a second.
    """

    def __init__(self, names: Iterable[RosterName] = ()) -> None:
        self._families: dict[str, set[str]] = {}  # first name → the family names that go with it
        self._initials: dict[str, set[str]] = {}  # a pupil's first name → initials of the family name
        self._given_initials: dict[str, set[str]] = {}  # a pupil's family name → initials of the first name
        self._forms: dict[str, set[str]] = {}  # form → first names of its pupils
        halves: dict[str, tuple[str, ...]] = {}
        for name in names:
            self._add(name, halves)

    def __len__(self) -> int:
        """How many pairs of first and family name it knows."""
        return sum(map(len, self._families.values()))

    def _add(self, name: RosterName, halves: dict[str, tuple[str, ...]]) -> None:
        given = _known(name.given, halves)
        if name.preferred and name.preferred != name.given:
            given = given + _known(name.preferred, halves)
        family = _known(name.family, halves)
        for first in given:
            self._families.setdefault(first, set()).update(family)
        if not name.pupil:
            return
        first_letters = {first[0] for first in given}
        last_letters = {last[0] for last in family}
        for first in given:
            self._initials.setdefault(first, set()).update(last_letters)
        for last in family:
            self._given_initials.setdefault(last, set()).update(first_letters)
        if name.form and (form := _squashed_form(name.form)):
            self._forms.setdefault(form, set()).update(given)

    def named(self, text: str) -> Sequence[Named]:
        """Where a text names somebody, in its order; a full name hides what of it would be found again."""
        looked = plain(text)
        said = _Text(looked.text)
        found = list(self._full(said))
        taken = [(each.at, each.at + each.length) for each in found]
        lesser = [*self._with_initial(said), *self._with_form(said)]
        found += [one for one in lesser if not any(a < one.at + one.length and one.at < b for a, b in taken)]
        return sorted((_as_written(one, looked) for one in found), key=lambda one: (one.at, one.length))

    # --- full names -------------------------------------------------------------------------------------------------

    def _full(self, said: _Text) -> Iterator[Named]:
        last = 0
        for i, word in enumerate(said.words):
            if word.start < last:
                continue
            if (span := self._whole(said, i) or self._in_a_tag(said.text, word)) is not None:
                last = span[1]
                yield Named(Naming.FULL, span[0], span[1] - span[0])

    def _whole(self, said: _Text, i: int) -> tuple[int, int] | None:
        """The full name whose first name begins at word i, from where to where."""
        for first, j in said.runs(i):
            families = self._families.get(first)
            if families is None:
                continue
            span = self._forwards(said, i, j, first, families) or self._backwards(said, i, j, first, families)
            if span is not None:
                return span
        return None

    def _forwards(
        self, said: _Text, i: int, j: int, first: str, families: set[str]
    ) -> tuple[int, int] | None:
        """The family name after the first one; a middle name or its initial may stand between."""
        words, begin = said.words, j
        while said.joined[begin - 1]:
            for last, k in said.runs(begin):
                if last in families and _meant(words[i], first, words[begin], last):
                    return words[i].start, words[k - 1].end
            if begin > j or not words[j].capital:
                return None
            begin += 1
        return None

    def _backwards(
        self, said: _Text, i: int, j: int, first: str, families: set[str]
    ) -> tuple[int, int] | None:
        """The family name before the first one: "Bell, Ann"."""
        if not i or not said.listed[i - 1]:
            return None
        for last, k in said.back(i):
            if last in families:
                # Backwards, one everyday word is enough for an accident: "the open day will".
                everyday = first in ORDINARY or last in ORDINARY
                if not everyday or (said.words[i].capital and said.words[k].capital):
                    return said.words[k].start, said.words[j - 1].end
        return None

    def _in_a_tag(self, text: str, word: _Word) -> tuple[int, int] | None:
        """Both halves written as one word, where people write names so: #annbell, @annbell."""
        if word.start == 0 or text[word.start - 1] not in "#@":
            return None
        for cut in range(2, len(word.folded) - 1):
            one, other = word.folded[:cut], word.folded[cut:]
            if other in self._families.get(one, ()) or one in self._families.get(other, ()):
                return word.start, word.end
        return None

    # --- less than a full name --------------------------------------------------------------------------------------

    def _with_initial(self, said: _Text) -> Iterator[Named]:
        for i, letter in enumerate(said.words):
            if len(letter.folded) > 1 or not _stands_alone(said.text, letter):
                continue
            dotted = said.text[letter.end : letter.end + 1] == "."
            if letter.folded in _PRONOUNS and not (dotted and letter.capital):
                continue
            if letter.capital:
                yield from self._initial_first(said, i, dotted=dotted)
            yield from self._initial_last(said, i)

    def _initial_first(self, said: _Text, i: int, *, dotted: bool) -> Iterator[Named]:
        """ "A. Bell": its capital tells it from a bell."""
        word, begin = said.words[i], i + 1
        if not said.joined[i] or not said.words[begin].capital:
            return
        for last, k in said.runs(begin):
            whose = word.folded in self._given_initials.get(last, ()) and len(last) > 1
            if whose and (dotted or last not in ORDINARY):
                yield Named(Naming.INITIAL, word.start, said.words[k - 1].end - word.start)
                return

    def _initial_last(self, said: _Text, i: int) -> Iterator[Named]:
        """ "Amy B." """
        letter = said.words[i]
        if not i or not said.joined[i - 1] or "'" in said.text[said.words[i - 1].end : letter.start]:
            return
        for first, k in said.back(i):
            meant = first not in ORDINARY or (said.words[k].capital and letter.capital)
            if meant and letter.folded in self._initials.get(first, ()):
                yield Named(Naming.INITIAL, said.words[k].start, letter.end - said.words[k].start)
                return

    def _with_form(self, said: _Text) -> Iterator[Named]:
        for form, start, stop in self._forms_in(said.text) if self._forms else ():
            for i, word in enumerate(said.words):
                if word.end < start - 2 * NEAR or word.start > stop + NEAR:
                    continue
                for first, j in said.runs(i):
                    end = said.words[j - 1].end
                    if first in self._forms[form] and _belongs(said.text, word, end, start, stop, first):
                        low, high = min(start, word.start), max(stop, end)
                        yield Named(Naming.FORM, low, high - low)
                        break

    def _forms_in(self, text: str) -> Iterator[tuple[str, int, int]]:
        pieces = list(_FORM_WORD.finditer(text))
        for i, piece in enumerate(pieces):
            squashed = ""
            for nth, following in enumerate(pieces[i : i + 3]):
                if nth and following.start() - pieces[i + nth - 1].end() > 1:
                    break
                squashed += following[0].casefold()
                if squashed in self._forms and (piece[0][0].isupper() or not squashed.isalpha()):
                    yield squashed, piece.start(), following.end()


# --- words ----------------------------------------------------------------------------------------------------------


def _words(text: str) -> Iterator[_Word]:
    for found in _WORD.finditer(text):
        word = found[0]
        start, end = found.span()
        # The s of "Amy's Bell" is nobody's.
        if word in {"s", "S"} and start and text[start - 1] == "'" and not text[end : end + 1].isalpha():
            continue
        yield _Word(word.casefold(), word[0].isupper(), start, end)


def _may_join(between: str, *, after_initial: bool) -> bool:
    """Whether what stands between two words ends no sentence and no paragraph."""
    if _GAP.fullmatch(between) is None or between.count("\n") > 1:
        return False
    return after_initial or "." not in between or len(between) == 1


def _meant(first_word: _Word, first: str, last_word: _Word, last: str) -> bool:
    """Whether it is a name where both halves are everyday words too: "Will Young", but not "will young people"."""
    return not (first in ORDINARY and last in ORDINARY) or (first_word.capital and last_word.capital)


def _stands_alone(text: str, letter: _Word) -> bool:
    """Whether a single letter is a word of its own: not the B of 7B or B12."""
    before, after = text[letter.start - 1 : letter.start], text[letter.end : letter.end + 1]
    return not (before.isalnum() or after.isalnum() or after in {"'", "&", "-"})


def _belongs(text: str, word: _Word, end: int, start: int, stop: int, first: str) -> bool:
    """Whether a first name (from `word` to `end`) and a form (from `start` to `stop`) are said of one pupil."""
    between = text[stop : word.start] if stop <= word.start else text[end:start]
    if (word.start < stop and start < end) or len(between) > NEAR or _ENDS.search(between):
        return False
    # May, June and April stand beside a day.
    dated = text[: word.start].rstrip()[-1:].isdigit() or text[end:].lstrip()[:1].isdigit()
    return first not in ORDINARY or (word.capital and not dated)


def _as_written(found: Named, looked: Plain) -> Named:
    start, end = looked.place(found.at), looked.place(found.at + found.length - 1) + 1
    return Named(found.naming, start, end - start)


# --- the index's own side --------------------------------------------------------------------------------------------


def _known(half: str, halves: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The ways in which one half of a name may be written, squashed; worked out once for all who share it."""
    ways = halves.get(half)
    if ways is None:
        ways = halves[half] = _ways(half)
    return ways


def _ways(half: str) -> tuple[str, ...]:
    if half.isascii() and half.isalpha():
        return (half.casefold(),)
    pieces = [w.casefold() for w in re.findall(r"[^\W\d_]+", plain(half).text)]
    ways = ["".join(pieces)]
    if not half.isascii() and (spelt := half.translate(_UMLAUTS)) != half:
        ways += _ways(spelt)
    # "Mary Jane" is called Mary, and "Smith-Jones" may be written as either; a particle alone is nobody.
    spoken = re.split(r"[\s\-‐‑–]+", half)
    if len(spoken) > 1:
        for piece in spoken:
            one = "".join(w.casefold() for w in re.findall(r"[^\W\d_]+", plain(piece).text))
            if len(one) > 2 and one not in _PARTICLES:
                ways.append(one)
    return tuple(dict.fromkeys(way for way in ways if way))


def _squashed_form(form: str) -> str:
    return "".join(piece.casefold() for piece in _FORM_WORD.findall(plain(form).text))
