"""The house rules in plain words, by theme: what each is called, what it does, and how its value is said."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from broker.rules.approval import ANY, NEEDED, OVER, PUBLIC, Combination, combinations
from broker.rules.book import FAMILIES, RULES
from broker.rules.parameters import Kind, Parameter
from web.watch import words
from web.watch.rules.titles import RULE_WORDS
from web.watch.rules.week import PURPOSES, WHO, opening_said


@dataclass(frozen=True, slots=True)
class Theme:
    """Rules that belong together for whoever reads them, by the families that have them."""

    name: str
    about: str
    families: tuple[str, ...]

    @property
    def parameters(self) -> Sequence[Parameter]:
        """Its rules."""
        return [
            one for family in FAMILIES if family.name in self.families for one in family.parameters
        ]  # fmt: skip


THEMES: Sequence[Theme] = (
    Theme("Before it goes out", "Second thoughts and second people.", ("approval", "blast", "undo")),
    Theme("When it may go out", "Hours of the week, and days off.", ("windows", "calendar")),
    Theme("Children and adults", "Nobody writes to a child alone.", ("adults", "ages")),
    Theme("What the public reads", "Names, numbers and links in public.", ("public_text", "social")),
    Theme("Advertising", "What is a message from the school, and what is advertising.", ("purpose",)),
    Theme("Money", "What happens when a department’s budget runs out.", ("money",)),
    Theme("One way after another", "When the next way is tried.", ("ladders",)),
    Theme("Accounts", "Who holds them, and when they are reminded.", ("licence",)),
    Theme("How long things are kept", "After that they go by themselves.", ("keeping", "record")),
    Theme("Signing in", "How long it lasts.", ("sign_in",)),
)
# Told as a part of a hundred.
SHARES = frozenset({"approval.drift_share", "blast.drift", "money.warn_at"})
# With 0 there is no such number at all.
NO_ZERO = frozenset({"adults.smallest", "blast.size", "blast.ratio", "sign_in.prove_at"})
LONGEST_SAID = 12  # words of a list that a line of the overview shows
# What a number counts: one of it, and more.
COUNTED: Mapping[str, tuple[str, str]] = {
    "adults.smallest": ("pupil", "pupils"),
    "approval.drift_people": ("person", "people"),
    "blast.size": ("person", "people"),
    "blast.floor": ("person", "people"),
    "licence.custodians": ("person", "people"),
    "sign_in.prove_at": ("person", "people"),
}
HOLIDAYS: Mapping[str, str] = {
    "GB-ENG": "England",
    "GB-WLS": "Wales",
    "GB-SCT": "Scotland",
    "GB-NIR": "Northern Ireland",
    "IE": "Ireland",
}
YEAR = 365.25  # days
_AGE = re.compile(r"(?:(\S+) )?(\d+) from (\d{4}-\d\d-\d\d)")
# The numbers of what schools asked for, and what such a number is called in brackets, which is worth reading.
_ASKED = re.compile(r"\bR\d+(?:, R\d+)*(?: \(([^)]*)\))?(:?) ?")


def title(key: str) -> str:
    """What people call a rule."""
    return RULE_WORDS[key][0] if key in RULE_WORDS else key.replace(".", ": ").replace("_", " ").capitalize()


def about(key: str) -> str:
    """What it does, in a sentence or two."""
    return RULE_WORDS[key][1] if key in RULE_WORDS else RULES[key].words


def people(value: str) -> str:
    """Whom a rule is about: "pupils"."""
    return WHO.get(value, value)


def said(key: str, text: str) -> Sequence[str]:
    """A value as it is written, in words, a line for each thing that it says; of what is no rule any more, as it is."""
    parameter = RULES.get(key)
    if parameter is None:
        return [text or "none"]
    return value_said(parameter, parameter.read(text))


def value_said(parameter: Parameter, value: Any) -> Sequence[str]:
    """The same of a value that was read."""
    none = parameter.key in NO_ZERO and not value
    if none or parameter.key in COUNTED:
        return ["none" if none else words.many(value, *COUNTED[parameter.key])]
    match parameter.kind:
        case Kind.YES_NO:
            return ["Yes" if value else "No"]
        case Kind.DURATION:
            return [duration(value)]
        case Kind.RATIO:
            return [f"{_plain(value * 100)} %" if parameter.key in SHARES else f"{_plain(value)} times"]
        case Kind.WINDOWS:
            return [opening_said(each) for each in value] or ["always"]
        case Kind.WORDS:
            if parameter.key == NEEDED:
                return [combination(each) for each in combinations(value)] or ["nothing"]
            return [_word_said(one) for one in value] or ["none"]
    return [f"{value:,}" if isinstance(value, int) else parameter.written(value) or "none"]


def short(parameter: Parameter, value: Any) -> Sequence[str]:
    """As many of these lines as the overview has room for."""
    lines = value_said(parameter, value)
    if parameter.kind is not Kind.WORDS or parameter.key == NEEDED:
        return lines
    more = f" and {len(lines) - LONGEST_SAID} more" if len(lines) > LONGEST_SAID else ""
    return [", ".join(lines[:LONGEST_SAID]) + more]


def duration(value: timedelta) -> str:
    """A length of time: 1 minute, 30 days, none; of whole years those too."""
    told, years = words.length(value), round(value.days / YEAR)
    return f"{told} ({words.many(years, 'year')})" if years and abs(value.days - years * YEAR) < 2 else told


def origin(source: str) -> str:
    """Where a rule comes from, without the numbers by which the requirement calls what schools asked for."""
    plain = _ASKED.sub(lambda met: f"{met[1]}{met[2]} " if met[1] else "", source)
    return plain.replace(" ;", ";").strip(" ;.")


def _word_said(word: str) -> str:
    """A word of a list as people say it: an age from a day on, a country's part; any other as it is."""
    if met := _AGE.fullmatch(word):
        by = f"{words.channel(met[1])}: " if met[1] else ""
        return f"{by}{met[2]} years, from {words.day(date.fromisoformat(met[3]))} on"
    return HOLIDAYS.get(word, word)


def combination(one: Combination) -> str:
    """What wants a second person's yes: "Text messages to more than 200 people"."""
    by = "Whatever everybody can read" if one.ways == PUBLIC else "Anything"
    if one.ways not in {PUBLIC, ANY}:
        by = words.channel(one.ways)
    if one.purpose != ANY:
        by = f"{by}, {PURPOSES.get(one.purpose, one.purpose)}"
    if one.audience == ANY:
        return by
    if over := OVER.fullmatch(one.audience):
        return f"{by} to more than {int(over[1]):,} people"
    return f"{by} to {people(one.audience)}"


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
