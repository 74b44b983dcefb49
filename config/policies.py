"""The page of rules, written from the rules themselves: `python -m config.policies` prints docs/policies.md.

With the name of a channel it prints the rules of that one, for its page in docs/channels.

What a rule does, why, where that comes from, its default and how it is changed stand beside its code, once; what no
rule says of itself stands in `config/data/policies_*.md`.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from importlib.resources import files

from broker.house_rules import HOUSE_RULES
from broker.rules.book import FAMILIES
from broker.rules.case import Family
from broker.rules.parameters import Parameter
from config.registry import Registry

CHANNELS = ("sms", "email", "rss", "twitter")  # every other one has its rules on a page of its own
LONGEST = 160  # characters of a default that are shown


ALWAYS = """
## What no setting changes

These hold on every channel, for everybody, urgent or not.
"""

CHANNEL_RULES = """
## What each channel adds

A channel's own rules come with it, and a plug-in brings its own (docs/adding-a-channel.md). What a wording must be for
a channel (its length, its files, nothing personal in public) is checked when it is written.
"""


def page() -> str:
    """docs/policies.md, whole."""
    parts = [_words("head")]
    parts += [_family(family) for family in FAMILIES]
    parts += [ALWAYS, _table(("rule", "what it says"), [_told(rule) for rule in HOUSE_RULES])]
    parts += [CHANNEL_RULES, _channels(), _words("tail")]
    return "\n".join(part.strip("\n") + "\n" for part in parts)


def _words(which: str) -> str:
    """What no rule says of itself: how rules answer, before them; requirement, sources and limits, after."""
    return (files("config") / "data" / f"policies_{which}.md").read_text(encoding="utf-8")


def _family(family: Family) -> str:
    module = import_module(f"broker.rules.{family.name}") if family.name else None
    intro = inspect.getdoc(module) if module is not None else None
    lines = [f"## {family.name.replace('_', ' ').capitalize()}", "", *(intro or "").split("\n")]
    rules = (*family.once, *family.each_time, *family.each_delivery)
    if rules:
        lines += ["", _table(("rule", "what it says"), [_told(rule) for rule in rules]).rstrip()]
    if family.parameters:
        lines += ["", _parameters(family.parameters).rstrip()]
    return "\n".join(lines)


def _parameters(parameters: Sequence[Parameter]) -> str:
    headers = ("setting", "what it does", "default", "why, and where that comes from")
    return _table(headers, [(f"`{p.key}`", p.words, _default(p), p.source) for p in parameters])


def _default(parameter: Parameter) -> str:
    text = parameter.default
    if not text:
        return "nothing"
    return f"`{text}`" if len(text) <= LONGEST else f"`{text[:LONGEST].rsplit(' ', 1)[0]} …`"


def of_channel(name: str) -> str:
    """A channel's own rules as its page in docs/channels has them."""
    return _table(("rule", "what it says"), [row[1:] for row in _rules_of([name])])


def _channels() -> str:
    return _table(("channel", "rule", "what it says"), _rules_of(CHANNELS))


def _rules_of(channels: Iterable[str]) -> Sequence[tuple[str, str, str]]:
    rows: list[tuple[str, str, str]] = []
    registry = Registry()
    for name in channels:
        module = import_module(f"channels.{name}.policies")
        traits = registry.kit(name).traits
        rows += [(name, *_told(rule)) for rule in module.POLICIES]
        if traits.never_alone:
            rows.append((name, "never alone", "It is never the only way in which anybody is told (R16)."))
        if not module.POLICIES:
            rows.append((name, "none of its own", "The house's rules, and what its wording must be."))
    return rows


def _told(rule: object) -> tuple[str, str]:
    said = " ".join((inspect.getdoc(rule) or "").split())
    return getattr(rule, "__name__", "rule").replace("_", " "), said


def _table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(headers)} |", f"|{'---|' * len(headers)}"]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(of_channel(sys.argv[1]) if len(sys.argv) > 1 else page())
