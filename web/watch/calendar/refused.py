"""What is wrong, in the words of somebody at a page: the calendar's own codes, then those of every form that writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from broker.errors import Problem
from web.watch.compose import words

# By its code: what somebody can do here, in place of a hint that names a command.
DO: Mapping[str, str] = {
    "all_gone": "if that is right, tick that they are meant to be gone",
    "bad_length": "choose a longer or a shorter time; a time of the day goes with whole days",
    "bad_name": "such as: Choir, Tuesdays",
    "changed_since": "look at it again",
    "double_hour": "say below which of the two is meant",
    "impossible": "check the first day and the last one",
    "key_conflict": "look at it in the list; add this one too only if both are meant",
    "known": "choose another name, or change the one that is there",
    "missing_hour": "say below what shall happen that night",
    "never": "check the first day, how often it comes, and the terms",
    "no_such_date": "choose one of its dates",
    "no_terms": "say when the terms are first, or let it come on every day",
    "not_allowed": "ask somebody who may do this here",
    "not_held": "nothing of it waits any more: look at the list",
    "past": "choose another time",
    "too_late": "take the announcement back first, on its own page",
    "two_that_day": "move one of the two to another day first",
}
# What the law calls a field → what the form calls it.
FIELDS: Mapping[str, str] = {
    "every": "often",
    "starts": "day",
    "date": "on",
    "to": "to",
    "calendar": "begins",
}
WHAT: Mapping[str, str] = {"no_terms": "on", "double_hour": "if_double", "missing_hour": "if_missing"}


def told(problem: Problem) -> Problem:
    """With the field of the form and what to do there."""
    field = WHAT.get(problem.code) or FIELDS.get(problem.field)
    found = words.told(problem)
    if problem.code in DO:
        found = replace(found, hint=DO[problem.code])
    return replace(found, field=field) if field else found
