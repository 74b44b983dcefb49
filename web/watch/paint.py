"""Templates to HTML. Everything is escaped; a part's template makes exactly one element with the part's id."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from broker.delivery import REACHED, STATES, State
from broker.duty import FOR_ANYBODY
from web.templating import templates_in
from web.watch import words
from web.watch.static import EDITION, FILES

templates = templates_in(Path(__file__).parent / "templates")

WAITING = (State.SENDING, State.QUEUED)
CELL = re.compile(r"<t([rdh])\b")  # where a row begins, a cell, the head of a row
# Which icon goes with a state's word; `TONES`: which colour with how something stands.
STATE_ICONS = {
    State.QUEUED: "wait",
    State.SENDING: "send",
    State.SENT: "good",
    State.DELIVERED: "good",
    State.REFUSED: "stop",
    State.REJECTED: "bad",
    State.EXHAUSTED: "bad",
    State.UNCERTAIN: "question",
    State.WITHDRAWN: "undo",
    State.RETRACTED: "bin",
}
TONES = {
    "good": "green",
    "wait": "blue",
    "warn": "yellow",
    "bad": "red",
    "info": "white",
    "stop": "red",
    "lock": "white",
    "question": "magenta",
}
ORDER = sorted(
    STATES, key=lambda state: (state not in REACHED, WAITING.index(state) if state in WAITING else -1)
)


@dataclass(frozen=True, slots=True)
class Slice:
    """One state's share of a bar: where it begins and how wide it is, of 1000."""

    colour: str
    icon: str
    label: str
    count: int
    x: int
    width: int


def paint(name: str, zone: str, **known: Any) -> Markup:
    """One part."""
    return Markup(templates.get_template(f"parts/{name}.html").render(zone=zone, **known).strip())  # noqa: S704 - autoescaped by the template


def page(name: str, /, *, depth: int, **known: Any) -> str:
    """A whole page; `depth` is how many folders below the root its address is, so that links hold under any prefix."""
    return templates.get_template(f"{name}.html").render(root="../" * depth, edition=EDITION, **known)


def bar(states: Mapping[State, int]) -> Sequence[Slice]:
    """The slices of a bar: what arrived from the left, what waits on the right; what there is at all can be seen."""
    total = sum(states.values())
    slices, x = [], 0
    for state in ORDER:
        look = STATES[state]
        count = states.get(state, 0)
        if count:
            width = max(6, round(1000 * count / total))
            slices.append(Slice(look.colour, STATE_ICONS[state], look.label, count, x, width))
            x += width
    return slices


def headed(rows: Markup, heads: Sequence[str]) -> Markup:
    """The rows of a table, each cell with the head of its column: on a telephone there is no row of heads."""
    column = -1

    def told(met: re.Match[str]) -> str:
        nonlocal column
        column = -1 if met[1] == "r" else column + 1
        known = met[1] == "d" and column < len(heads) and heads[column]
        return f'{met[0]} data-head="{escape(heads[column])}"' if known else met[0]

    return Markup(CELL.sub(told, rows))  # noqa: S704 - the rows are escaped, and so is what is put in


def when(moment: datetime, zone: str) -> Markup:
    """A time as the school's wall clocks show it."""
    local = moment.astimezone(ZoneInfo(zone))
    told = f"{local:%a} {local.day} {local:%b %Y, %H:%M}"
    return Markup('<time datetime="{}">{}</time>').format(local.isoformat(timespec="seconds"), told)


templates.filters |= {
    "channel": words.channel,
    "message": words.message,
    "by_their_names": words.by_their_names,
    "when": when,
    "bar": bar,
    "headed": headed,
    "audience": words.audience,
}
templates.filters |= {"stage": words.stage, "urgent": words.urgent, "how": words.how}
templates.filters |= {"nothing": words.nothing, "hint": words.hint, "spoken": words.spoken, "day": words.day}
templates.globals |= {"many": words.many, "STATES": STATES, "PARTS": words.PARTS}
templates.globals |= {"FOR_ANYBODY": FOR_ANYBODY, "STATE_ICONS": STATE_ICONS, "TONES": TONES, "SHEETS": FILES}
