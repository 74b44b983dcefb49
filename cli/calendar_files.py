"""Calendars that people hand over: which reader a file wants, and what of it could not be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from broker.diary.events import EventProblem
from broker.errors import Problem, RuleBroken
from cli import show
from cli.reading import bytes_from
from sources.calendars import LIMITS
from sources.fetch import LIMITS as FETCH_LIMITS
from sources.fetch import fetch

MOST_TOLD = 20


def calendar_bytes(named: str) -> bytes:
    """A calendar's bytes, out of a file or from an https address, bounded. Raises RuleBroken.

    An address that leads into the school's own network, hangs, or goes on without end is refused.
    """
    if is_address(named):
        return fetch(named, replace(FETCH_LIMITS, most=LIMITS.file_bytes))
    return bytes_from(Path(named), LIMITS.file_bytes, "file")


def is_address(named: str) -> bool:
    """Whether it is on the web, not a file."""
    return "://" in named[:16]


def tell_problems(problems: Sequence[EventProblem], *, skip: bool) -> None:
    """Show what could not be read. Raises RuleBroken unless the rest is wanted without it: nothing is half imported."""
    for problem in problems[:MOST_TOLD]:
        show.hint(f"{problem.where}: {problem.message}; {problem.hint}")
    if len(problems) > MOST_TOLD:
        show.hint(f"and {len(problems) - MOST_TOLD:,} more")
    if problems and not skip:
        first = problems[0]
        hint = f"{first.where}: {first.hint}; or take the rest with --skip-bad"
        raise RuleBroken(
            Problem(first.code, "file", f"{len(problems):,} could not be read: {first.message}", hint)
        )
