"""How a roster is refused."""

from __future__ import annotations

from typing import NoReturn

from broker.errors import Problem, RuleBroken


class RosterRefused(RuleBroken):
    """Raised when a roster's file cannot be trusted as a whole; nothing of it is used."""


def refuse(code: str, where: str, message: str, hint: str) -> NoReturn:
    """Refuse the whole roster; `where` is a file's name, or `name:row` as a spreadsheet counts rows."""
    raise RosterRefused(Problem(code, where, message, hint)) from None
