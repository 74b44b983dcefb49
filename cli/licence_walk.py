"""The walk through the four angles: a question for each line, and an angle is whole or asked again."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

import typer

from broker.errors import InvalidLicence
from broker.licences import licence_form
from broker.licences.licence import Angle
from broker.licences.licence_form import Line, lines_of
from broker.licences.licence_words import WHY
from broker.licences.licensing import Shown
from cli import show
from cli.reading import bad


def walk(found: Shown) -> Iterator[dict[str, Any]]:
    """Each angle that does not hold, as it is filled in. Raises RuleBroken where nobody is there to answer."""
    if not sys.stdin.isatty():
        hint = f"write a form instead: carillon licence start {found.account.name} --form PATH"
        raise bad("nobody_to_ask", "account", "the walk asks questions, and nobody is there to answer", hint)
    for angle, standing in found.standings.items():
        if standing.holds and not found.licence.specimen:
            show.say(f"{angle.words}: settled")
            continue
        show.say("", f"{angle.words.upper()}: {standing.why}" if standing.why else angle.words.upper())
        show.hint(WHY[angle])
        yield _asked(angle, found)
    show.say("")


def _asked(angle: Angle, found: Shown) -> dict[str, Any]:
    while True:
        told = {angle.value: _table(lines_of(angle))}
        if angle is Angle.TECHNOLOGY:
            told[angle.value]["assured"] = _assured(found)
        try:
            licence_form.read(told)
        except InvalidLicence as wrong:
            show.problem_in_words([wrong.problem])
            continue
        return told


def _table(lines: Sequence[Line]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for line in lines:
        if line.inner:
            told[line.name] = list(_several(line))
        elif line.yes_no:
            told[line.name] = typer.confirm(line.words, default=False)
        elif not line.several:
            default = None if line.needed else ""
            answer = typer.prompt(line.words, default=default, show_default=False)
            if answer:
                told[line.name] = answer
    return told


def _several(line: Line) -> Iterator[dict[str, Any]]:
    yield _table(line.inner)
    while typer.confirm("another one?", default=False):
        yield _table(line.inner)


def _assured(found: Shown) -> list[str]:
    return [
        code for code, sentence in found.terms.asks.items() if typer.confirm(f"Is it so that {sentence}?")
    ]
