"""To whom: an expression over groups, parsed into a tree and resolved by the ledger at fan-out.

`Year 7`, `Choir + Orchestra`, `Year 7 & Choir`, `Year 7 - 7B`, `everyone`, brackets, and quotes round a name
that holds an operator: `"Kew-Foxton"`. The operators stand between spaces, so that `T-Band` is a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from broker.errors import InvalidAnnouncement, Problem

LONGEST = 500
DEEPEST = 20  # brackets in brackets, signs that change
EVERYONE = "everyone"


@dataclass(frozen=True, slots=True)
class Group:
    """The members of one group, by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class Everyone:
    """Every pupil and member of staff."""


@dataclass(frozen=True, slots=True)
class Combined:
    """Two audiences together (`+`), those in both (`&`), or the first without the second (`-`)."""

    operator: str
    left: Audience
    right: Audience


Audience = Group | Everyone | Combined

_TOKEN = re.compile(r'\s*(?:"([^"]*)"|([()])|(?<![^\s()"])([+&-])(?=[\s("]|$)|([^\s()"]+))')


def parse(expression: str) -> Audience:
    """The tree of an expression; `+`, `&` and `-` bind alike, from the left. Raises InvalidAnnouncement."""
    if len(expression) > LONGEST:
        raise _bad("it is too long", "make a group of it")
    if any(ord(c) < 32 or 0xD800 <= ord(c) <= 0xDFFF for c in expression):
        raise _bad("it holds a character that cannot be in a group's name", "type it again")
    tokens = list(_tokens(expression))
    if not tokens:
        raise _bad("it names nobody", 'name a group, such as "Year 7"')
    tree, rest = _expression(tokens, 0)
    if rest:
        raise _bad("a bracket too many", "check the brackets")
    if _height(tree) > DEEPEST:
        raise _too_deep()
    return tree


def fold(name: str) -> str:
    """The form in which group names are compared: no case, one blank between words."""
    return " ".join(name.casefold().split())


def names(audience: Audience) -> Iterator[str]:
    """Every group name in the tree."""
    if isinstance(audience, Group):
        yield audience.name
    elif isinstance(audience, Combined):
        yield from names(audience.left)
        yield from names(audience.right)


def operands(combined: Combined) -> list[Audience]:
    """What one sign joins, from the left: three for `a + b + c`, two for `a + b - c`. Any number costs one level."""
    found: list[Audience] = []
    tree: Audience = combined
    while isinstance(tree, Combined) and tree.operator == combined.operator:
        found.append(tree.right)
        tree = tree.left
    return [tree, *reversed(found)]


def _height(audience: Audience) -> int:
    return 1 + max(map(_height, operands(audience))) if isinstance(audience, Combined) else 0


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """Words that follow each other join into one name: `Year 7` needs no quotes."""
    words: list[str] = []
    at = 0
    text = text.strip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _bad("a quote is not closed", "close the quote")
        at = match.end()
        quoted, bracket, operator, word = match.groups()
        if word is not None:
            words.append(word)
            continue
        if words:
            yield "name", " ".join(words)
            words = []
        if quoted is not None:
            yield "name", quoted.strip()
        else:
            yield ("bracket", bracket) if bracket else ("operator", operator)
    if words:
        yield "name", " ".join(words)


def _expression(tokens: list[tuple[str, str]], depth: int) -> tuple[Audience, list[tuple[str, str]]]:
    if depth > DEEPEST:
        raise _too_deep()
    tree, rest = _operand(tokens, depth)
    while rest and rest[0][0] == "operator":
        right, after = _operand(rest[1:], depth)
        tree, rest = Combined(rest[0][1], tree, right), after
    if rest and rest[0] != ("bracket", ")"):
        raise _bad("two names without a sign between them", "put + (and), & (both) or - (without) between")
    return tree, rest


def _operand(tokens: list[tuple[str, str]], depth: int) -> tuple[Audience, list[tuple[str, str]]]:
    if not tokens:
        raise _bad("a name is missing after the last sign", "name a group there")
    (kind, value), rest = tokens[0], tokens[1:]
    if kind == "name" and value:
        return (Everyone() if value.casefold() == EVERYONE else Group(value)), rest
    if (kind, value) == ("bracket", "("):
        tree, rest = _expression(rest, depth + 1)
        if not rest:
            raise _bad("a bracket is not closed", "check the brackets")
        return tree, rest[1:]
    raise _bad("a name is missing", "name a group there")


def _too_deep() -> InvalidAnnouncement:
    return _bad("it is nested too deeply", "make groups of its parts")


def _bad(message: str, hint: str) -> InvalidAnnouncement:
    return InvalidAnnouncement(Problem("bad_audience", "audience", message, hint))
