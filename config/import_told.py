"""An import's difference as a page shows it: plain values, bounded, so that the ledger can keep them for a day.

Every kind of import is told in one form: a `table` of counts, `lists` of who or what, `problems` with row and column.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from broker.rosters.difference import Counts, ImportDifference, ImportNames, Some
from broker.rosters.imports import must_confirm
from broker.rosters.roster import EVERYBODY, RosterProblem, in_words
from sources.rosters import Shown

MOST_PROBLEMS = 500  # shown: whoever mends a file begins at its top
MOST_GROUPS = 200
MOST_LISTED = 1_000
WORDS: Mapping[str, str] = {
    "people": "People",
    "groups": "Groups",
    "memberships": "Who is in a group",
    "guardianships": "Who looks after whom",
    "addresses": "Numbers and emails",
    "terms": "Terms",
}
LISTS: Sequence[tuple[str, str, str]] = (
    (
        "unreached",
        "Nobody could be told about them any more",
        "No guardian of theirs would have a number or an email.",
    ),
    (
        "silenced",
        "Would lose their last number or email",
        "They have one now, and the file has none for them.",
    ),
    (
        "leaving",
        "Leaving",
        "Not in this file. They are kept, and no longer written to; a later file brings them back.",
    ),
    ("new", "New", ""),
    ("returning", "Back again", "They left earlier, and are in this file."),
    ("changed", "Changed", ""),
    ("addresses", "Numbers and emails that change", ""),
)


def difference_told(
    difference: ImportDifference, names: ImportNames, preview: Sequence[Shown] = ()
) -> dict[str, Any]:
    """A roster's difference."""
    leaving = difference.people.leaving
    others = in_words(EVERYBODY - difference.speaks_for)
    return {
        "source": difference.source,
        "any": difference.any,
        "before": difference.before,
        "leaving": leaving,
        "must_confirm": must_confirm(leaving, difference.before),
        "stays": f"This file speaks for {in_words(difference.speaks_for)}; {others} stay as they are."
        if others
        else "",
        "table": [_counted(WORDS[what], counts) for what, counts in difference.counts().items()],
        "groups": _groups(difference.by_group) if difference.before else [],
        "lists": [_listed(key, title, about, getattr(names, key)) for key, title, about in LISTS],
        "preview": [{"row": row.number, "cells": dict(row.cells)} for row in preview],
        **problems_told(difference.problems),
    }


def problems_told(problems: Sequence[RosterProblem]) -> dict[str, Any]:
    """What of a file cannot be used as it stands, and where."""
    shown = [
        {"file": one.file, "row": one.row, "column": one.column, "message": one.message}
        for one in problems[:MOST_PROBLEMS]
    ]
    return {"problems": shown, "problem_count": len(problems)}


def told(
    source: str,
    *,
    any: bool,
    table: Sequence[tuple[str, Counts]] = (),
    lists: Iterable[tuple[str, str, str, Sequence[tuple[str, str]]]] = (),
    problems: Sequence[RosterProblem] = (),
) -> dict[str, Any]:
    """The difference of anything else; `lists`: key, title, what it means, and each one's name and what of it."""
    return {
        "source": source,
        "any": any,
        "before": 0,
        "leaving": 0,
        "must_confirm": False,
        "stays": "",
        "table": [_counted(what, counts) for what, counts in table],
        "groups": [],
        "lists": [
            {
                "key": key,
                "title": title,
                "about": about,
                "count": len(rows),
                "rows": [{"name": name, "what": what, "changes": []} for name, what in rows[:MOST_LISTED]],
            }
            for key, title, about, rows in lists
        ],
        "preview": [],
        **problems_told(problems),
    }


def _counted(what: str, counts: Counts) -> dict[str, Any]:
    return {
        "what": what,
        "new": counts.new,
        "changed": counts.changed,
        "leaving": counts.leaving,
        "returning": counts.returning,
        "unchanged": counts.unchanged,
    }


def _listed(key: str, title: str, about: str, some: Some) -> dict[str, Any]:
    rows = [{"name": one.name, "what": one.what, "changes": list(one.changes)} for one in some.people]
    return {"key": key, "title": title, "about": about, "count": some.count, "rows": rows}


def _groups(by_group: Mapping[str, Counts]) -> list[dict[str, Any]]:
    """Those whose members change, the most changed first."""
    moved = sorted(by_group.items(), key=lambda one: -(one[1].new + one[1].changed + one[1].leaving))
    return [_counted(name, counts) for name, counts in moved[:MOST_GROUPS]]
