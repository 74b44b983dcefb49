"""To whom: an expression over groups and roles, read into a tree and resolved by the ledger at fan-out.

    expression = operand { sign operand }        sign = "+" | "&" | "-"   (also ∪, ∩, −, –)
    operand    = name | "(" expression ")"

`Year 7`, `Choir + Orchestra`, `Year 7 & Choir`, `Orchestra + Year 7 − 7B`, `everyone`, `pupils - "Kew - Foxton"`.
The signs bind alike, from the left, and stand between spaces, so that `T-Band` is a name. Quotes keep a name together
that holds a sign, and make a group's name of what would be a role.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from broker.errors import InvalidAnnouncement, Problem
from broker.rosters.roster import Role

LONGEST = 2_000  # characters: every form of a large school by name
DEEPEST = 20  # brackets in brackets, signs that change
# Once every group made of others is taken apart: ten that double each other would be as many.
MOST_NAMES = 1_000
EVERYONE = "everyone"
ROLES = {"pupils": Role.PUPIL, "guardians": Role.GUARDIAN, "staff": Role.STAFF}


@dataclass(frozen=True, slots=True)
class Group:
    """The members of one group, by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class Everyone:
    """Every pupil; or every member of staff, where staff are told."""


@dataclass(frozen=True, slots=True)
class OfRole:
    """Of those, who is this to the school as well: `staff & guardians` are the staff whose children are here."""

    role: Role


@dataclass(frozen=True, slots=True)
class Combined:
    """Two audiences together (`+`), those in both (`&`), or the first without the second (`-`)."""

    operator: str
    left: Audience
    right: Audience


Audience = Group | Everyone | OfRole | Combined

_SIGNS = {"+": "+", "∪": "+", "&": "&", "∩": "&", "-": "-", "−": "-", "–": "-"}
_TOKEN = re.compile(r'\s*(?:"([^"]*)"|([()])|(?<![^\s()"])([+&\-∪∩−–])(?=[\s("]|$)|([^\s()"]+))')


def parse(expression: str) -> Audience:
    """The tree of an expression. Raises InvalidAnnouncement, which says at which character it cannot be read."""
    if len(expression) > LONGEST:
        raise _bad("it is too long", "make a group of it")
    if any(ord(c) < 32 or 0xD800 <= ord(c) <= 0xDFFF for c in expression):
        raise _bad("it holds a character that cannot be in a group's name", "type it again")
    reader = _Reader(expression, list(_tokens(expression)))
    tree = reader.expression(0)
    if reader.token is not None:
        reader.fail("a bracket too many", "check the brackets")
    _check_height(tree)
    return tree


def fold(name: str) -> str:
    """The form in which group names are compared: no case, one blank between words."""
    return " ".join(name.casefold().split())


def names(audience: Audience) -> Iterator[str]:
    """Every group name in the tree."""
    for leaf in _leaves(audience):
        if isinstance(leaf, Group):
            yield leaf.name


def renamed(expression: str, rename: Callable[[str], str]) -> str:
    """The expression with its groups under other names; quotes stay where they were. Raises InvalidAnnouncement."""
    words = ""
    for token in _tokens(expression):
        value = rename(token.value) if _is_group(token) else token.value
        apart = "" if not words or words.endswith("(") or (token.kind, value) == ("bracket", ")") else " "
        words += apart + (f'"{value}"' if token.kind == "quoted" else value)
    return words


def all_of(names: Iterable[str]) -> str:
    """The expression of all these groups together, as somebody would have typed it: quoted where it has to be.

    A name with a quotation mark cannot be said in an expression, and is left out.
    """
    return " + ".join(name if _says_itself(name) else f'"{name}"' for name in names if '"' not in name)


def alike(one: str, other: str) -> bool:
    """Whether two expressions say the same, in whichever order their groups stand. Raises InvalidAnnouncement."""
    return fold(one) == fold(other) or _shape(parse(one)) == _shape(parse(other))


def _shape(audience: Audience) -> object:
    """What is the same of two trees that say the same."""
    if isinstance(audience, Group):
        return fold(audience.name)
    if not isinstance(audience, Combined):
        return audience
    if audience.operator == "-":
        first, *others = map(_shape, operands(audience))
        return "-", first, frozenset(others)
    joined = frozenset(map(_shape, _joined(audience, audience.operator)))
    return next(iter(joined)) if len(joined) == 1 else (audience.operator, joined)


def _joined(audience: Audience, sign: str) -> Iterator[Audience]:
    """What one sign joins, whatever the brackets."""
    if not (isinstance(audience, Combined) and audience.operator == sign):
        yield audience
        return
    for one in operands(audience):
        yield from _joined(one, sign)


def plain_names(audience: Audience) -> Sequence[str] | None:
    """The groups that it is, one beside the other; None where it is more than that."""
    leaves = list(_joined(audience, "+"))
    found = [leaf.name for leaf in leaves if isinstance(leaf, Group)]
    return found if len(found) == len(leaves) else None


def in_words(audience: Audience) -> str:
    """As a sentence says whom it is for: "Choir and Year 7 without 7B", "those in both Choir and Year 7"."""
    if isinstance(audience, Group):
        return audience.name
    if isinstance(audience, Everyone):
        return "everybody"
    if isinstance(audience, OfRole):
        return next(name for name, role in ROLES.items() if role is audience.role)
    first, *others = map(in_words, operands(audience))
    if audience.operator == "-":
        return f"{first} without {_listed(others)}"
    together = _listed([first, *others])
    if audience.operator == "+":
        return together
    return f"those in {'both' if len(others) == 1 else 'all of'} {together}"


def _listed(words: Sequence[str]) -> str:
    """ "A", "A and B", "A, B and C"."""
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _says_itself(name: str) -> bool:
    try:
        return parse(name) == Group(name)
    except InvalidAnnouncement:
        return False


def roles(audience: Audience) -> frozenset[Role]:
    """Every role in the tree."""
    return frozenset(leaf.role for leaf in _leaves(audience) if isinstance(leaf, OfRole))


def told_whole(audience: Audience) -> tuple[bool, frozenset[str]]:
    """Whether everyone is told, and the folded names of the groups of which everybody is, whatever joins them.

    Where somebody is left out (`&`, `-`) no group is told whole, for nobody knows which of it that is.
    """
    if isinstance(audience, Combined):
        if audience.operator != "+":
            return False, frozenset()
        sides = [told_whole(one) for one in operands(audience)]
        return any(everyone for everyone, _ in sides), frozenset().union(*(names for _, names in sides))
    return isinstance(audience, Everyone), frozenset(
        {fold(audience.name)} if isinstance(audience, Group) else ()
    )


def operands(combined: Combined) -> list[Audience]:
    """What one sign joins, from the left: three for `a + b + c`, two for `a + b - c`. Any number costs one level."""
    found: list[Audience] = []
    tree: Audience = combined
    while isinstance(tree, Combined) and tree.operator == combined.operator:
        found.append(tree.right)
        tree = tree.left
    return [tree, *reversed(found)]


def expand(audience: Audience, made_of: Mapping[str, str]) -> Audience:
    """The tree with every group that is made of others taken apart; `made_of`: folded name → its expression.

    Raises InvalidAnnouncement for a group that is made of itself, however far round, and for what grows too large.
    """
    tree = _Expansion(made_of).of(audience, ())
    _check_height(tree)
    return tree


@dataclass(slots=True)
class _Expansion:
    made_of: Mapping[str, str]
    met: int = 0

    def of(self, audience: Audience, path: tuple[str, ...]) -> Audience:
        if isinstance(audience, Combined):
            first, *rest = (self.of(one, path) for one in operands(audience))
            for one in rest:
                first = Combined(audience.operator, first, one)
            return first
        self.met += 1
        if self.met > MOST_NAMES:
            raise _bad("the groups that it is made of hold too many others", "make it of fewer groups")
        expression = self.made_of.get(fold(audience.name)) if isinstance(audience, Group) else None
        if expression is None or not isinstance(audience, Group):
            return audience
        here = (*path, audience.name)
        if fold(audience.name) in map(fold, path):
            first_at = [fold(name) for name in path].index(fold(audience.name))
            round_it = " → ".join(_shown(name) for name in here[first_at:])
            raise _bad(
                f"a group would be made of itself: {round_it}", "take one of them apart", "audience_loop"
            )
        return self.of(parse(expression), here)


def _leaves(audience: Audience) -> Iterator[Group | Everyone | OfRole]:
    if isinstance(audience, Combined):
        for one in operands(audience):
            yield from _leaves(one)
    else:
        yield audience


def _check_height(tree: Audience) -> None:
    if _height(tree) > DEEPEST:
        raise _too_deep()


def _height(audience: Audience) -> int:
    return 1 + max(map(_height, operands(audience))) if isinstance(audience, Combined) else 0


# --- reading --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # name, quoted, sign, bracket
    value: str
    at: int


def _tokens(text: str) -> Iterator[_Token]:
    """Words that follow each other join into one name: `Year 7` needs no quotes."""
    words: list[tuple[str, int]] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            begins = at + len(text[at:]) - len(text[at:].lstrip())
            raise _bad_at(text, begins, "a quote is not closed", "close the quote")
        at, begins = match.end(), match.start(match.lastindex or 0)
        quoted, bracket, sign, word = match.groups()
        if word is not None:
            words.append((word, begins))
            continue
        yield from _name(words)
        words = []
        if quoted is not None:
            yield _Token("quoted", quoted.strip(), begins - 1)
        else:
            yield _Token("bracket", bracket, begins) if bracket else _Token("sign", _SIGNS[sign], begins)
    yield from _name(words)


def _name(words: list[tuple[str, int]]) -> Iterator[_Token]:
    if words:
        yield _Token("name", " ".join(word for word, _ in words), words[0][1])


@dataclass(slots=True)
class _Reader:
    """Recursive descent: one method for each rule of the grammar above."""

    text: str
    tokens: list[_Token]
    at: int = field(default=0)

    @property
    def token(self) -> _Token | None:
        """The next one, None at the end."""
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def expression(self, depth: int) -> Audience:
        if depth > DEEPEST:
            raise _too_deep()
        tree = self.operand(depth)
        while (sign := self.token) is not None and sign.kind == "sign":
            self.at += 1
            tree = Combined(sign.value, tree, self.operand(depth))
        if self.token is not None and self.token.value != ")":
            self.fail("two names without a sign between them", "put + (and), & (both) or - (without) between")
        return tree

    def operand(self, depth: int) -> Audience:
        token = self.token
        if token is None:
            if not self.tokens:
                raise _bad("it names nobody", 'name a group, such as "Year 7"')
            self.fail("a name is missing after the last sign", "name a group there")
        if token.kind in ("name", "quoted") and token.value:
            self.at += 1
            return _leaf(token)
        if token.value != "(" or token.kind != "bracket":
            self.fail("a name is missing", "name a group there")
        self.at += 1
        tree = self.expression(depth + 1)
        if self.token is None:
            raise _bad_at(self.text, token.at, "a bracket is not closed", "check the brackets")
        self.at += 1
        return tree

    def fail(self, message: str, hint: str) -> NoReturn:
        at = self.token.at if self.token is not None else len(self.text.rstrip())
        raise _bad_at(self.text, at, message, hint)


def _is_group(token: _Token) -> bool:
    return token.kind in ("name", "quoted") and bool(token.value) and isinstance(_leaf(token), Group)


def _leaf(token: _Token) -> Audience:
    word = token.value.casefold()
    if token.kind == "name" and word == EVERYONE:
        return Everyone()
    if token.kind == "name" and word in ROLES:
        return OfRole(ROLES[word])
    return Group(token.value)


def _too_deep() -> InvalidAnnouncement:
    return _bad("it is nested too deeply", "make groups of its parts")


def _bad_at(text: str, at: int, message: str, hint: str) -> InvalidAnnouncement:
    rest = text[at : at + 20].strip()
    where = f"at character {at + 1}" + (f", {_shown(rest)}" if rest else ", its end")
    return _bad(f"{message} ({where})", hint)


def _shown(name: str) -> str:
    return f"“{name[:60]}”"


def _bad(message: str, hint: str, code: str = "bad_audience") -> InvalidAnnouncement:
    return InvalidAnnouncement(Problem(code, "audience", message, hint))
