"""The licence of one account as a page, for the governors' file: what is settled, and until when.

As blocks, like the letter, and made of the form alone, so that no line of it can be forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from broker.licences.letter import Block, Bullets, Heading, Paragraph
from broker.licences.licence import Standing
from broker.licences.licence_form import as_form
from broker.licences.licensing import Shown


def sheet(found: Shown) -> Sequence[Block]:
    """Whether the account may speak, then angle by angle."""
    return tuple(_blocks(found))


def _blocks(found: Shown) -> Iterator[Block]:
    until = _last_day(found, Standing(True, "", found.until))
    name = f"The account {found.account.name} ({found.traits.service or found.account.channel})"
    yield Paragraph(
        f"{name} may speak until the end of {until}." if found.until else f"{name} may not speak."
    )
    if found.licence.specimen:
        yield Paragraph("Given by the sandbox: outside it the account has no licence.")
    form = as_form(found.licence)
    for angle, standing in found.standings.items():
        stands = f"holds until the end of {_last_day(found, standing)}" if standing.holds else "does not hold"
        yield Heading(f"{angle.words.capitalize()}: {stands}")
        if standing.why:
            yield Paragraph(standing.why)
        if angle in form:
            yield Bullets(tuple(lines(form[angle])))


def lines(values: Mapping[str, Any]) -> Iterator[str]:
    """What stands in an angle of the form, line by line."""
    for name, value in values.items():
        if isinstance(value, list) and value and isinstance(value[0], Mapping):
            yield from ("; ".join(lines(each)) for each in value)
        elif isinstance(value, list):
            yield f"{_said(name)}: {', '.join(value)}"
        elif value is not False and name != "email":  # it may hang on a wall
            yield _said(name) if value is True else f"{_said(name)}: {value}"


def _said(name: str) -> str:
    return {"leadership": "of the senior leadership"}.get(name, name.replace("_", " "))


def _last_day(found: Shown, standing: Standing) -> str:
    if standing.until is None:
        return ""
    return f"{(standing.until - timedelta(microseconds=1)).astimezone(found.terms.zone):%-d %B %Y}"
