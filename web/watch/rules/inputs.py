"""How a rule is asked for in a form, and what somebody typed as the rule is written. The law checks it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from broker.rules.approval import ANY, NEEDED, OVER, PUBLIC, combinations
from broker.rules.parameters import Kind, Parameter
from web.watch import words as plain
from web.watch.desk import At, Form
from web.watch.rules.week import NAMES, PURPOSES, WHO, Row, rows_of, typed_rows, written
from web.watch.rules.words import SHARES

OVER_SOME = "over"
SPARE = 2
MOST_ROWS = 60
UNITS = {"s": "seconds", "min": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True)
class Wanting:
    """One row of what wants a second person's yes, as a form has it."""

    number: int
    ways: str = ""
    audience: str = ANY
    over: str = ""
    purpose: str = ANY
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What a form shows for one rule: which sort of field, and what stands in it."""

    sort: str  # yes_no, duration, share, number, lines, windows, wanting, line
    value: str = ""
    unit: str = ""
    rows: Sequence[Row] = ()
    wanting: Sequence[Wanting] = ()


def asked(parameter: Parameter, value: Any) -> Asked:
    """A form for a value as it is."""
    text = parameter.written(value)
    match parameter.kind:
        case Kind.DURATION:
            number, _, unit = text.partition(" ")
            return Asked("duration", number, unit)
        case Kind.RATIO if parameter.key in SHARES:
            return Asked("share", f"{(value * 100).normalize():f}")
        case Kind.WINDOWS:
            return Asked("windows", rows=rows_of(value))
        case Kind.WORDS if parameter.key == NEEDED:
            return Asked("wanting", wanting=_wanting(value))
        case Kind.WORDS:
            return Asked("lines", "\n".join(value))
    return Asked(_SORTS.get(parameter.kind, "line"), text)


def asked_again(parameter: Parameter, value: Any, form: Form) -> Asked:
    """The same with what somebody typed."""
    now = asked(parameter, value)
    if now.sort == "windows":
        return Asked("windows", rows=typed_rows(form))
    if now.sort == "wanting":
        return Asked("wanting", wanting=typed_wanting(form))
    return Asked(now.sort, form["value"], form["unit"])


def typed(parameter: Parameter, form: Form) -> str:
    """What somebody typed, as the rule is written."""
    match asked(parameter, parameter.read(parameter.default)).sort:
        case "windows":
            return written(typed_rows(form))
        case "wanting":
            return ", ".join(filter(None, map(_wanted, typed_wanting(form))))
        case "duration":
            return f"{form['value']} {form['unit']}" if form["value"].strip("0") else "0 s"
        case "share":
            return _as_part(form["value"])
        case "lines":
            return ", ".join(" ".join(line.split()) for line in form["value"].splitlines() if line.strip())
    return form["value"]


def typed_wanting(form: Form) -> Sequence[Wanting]:
    """The rows of what wants a yes, as somebody left them."""
    rows = []
    for number in range(MOST_ROWS):
        if f"ways_{number}" not in form:
            break
        ways, audience, over, purpose = (
            form[f"{name}_{number}"][:80] for name in ("ways", "audience", "over", "purpose")
        )
        rows.append(Wanting(number, ways, audience, over, purpose, f"gone_{number}" in form))
    return rows


def choices(at: At) -> dict[str, dict[str, str]]:
    """What the lists of these forms offer."""
    installed = {name: plain.channel(name) for name in sorted(at.ports.channels.names())}
    purposes = {ANY: "whatever it is", **PURPOSES}
    return {
        "channels": {"": "– nothing –", "*": "anything", **installed},
        "ways": {"": "– nothing –", ANY: "by any way", PUBLIC: "whatever everybody can read", **installed},
        "purposes": {"*": "whatever it is", **PURPOSES},
        "wanted_purposes": purposes,
        "people": {"*": "everybody", **WHO},
        "audiences": {ANY: "whoever it is for", OVER_SOME: "more people than …", **WHO},
        "days": dict(zip(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), NAMES, strict=True)),
        "units": UNITS,
    }


def _wanting(value: tuple[str, ...]) -> Sequence[Wanting]:
    rows = []
    for number, one in enumerate(combinations(value)):
        over = OVER.fullmatch(one.audience)
        audience = OVER_SOME if over else one.audience
        rows.append(Wanting(number, one.ways, audience, over[1] if over else "", one.purpose))
    return [*rows, *(Wanting(len(rows) + spare) for spare in range(SPARE))]


def _wanted(row: Wanting) -> str:
    if row.gone or not row.ways:
        return ""
    audience = f"over {row.over or '?'}" if row.audience == OVER_SOME else row.audience
    return f"{row.ways}/{audience or ANY}/{row.purpose or ANY}"


def _as_part(text: str) -> str:
    try:
        return f"{(Decimal(text.rstrip('% ')) / 100).normalize():f}"
    except InvalidOperation:
        return text


_SORTS = {Kind.YES_NO: "yes_no", Kind.COUNT: "number", Kind.RATIO: "number", Kind.MONEY: "number"}
