"""Posts that everybody may read: one voice for one thing, nobody quoted but whom the school listed, nothing only there.

That such an account follows nobody and is open or locked as declared are its channel's own rules, judged with every
delivery; that it is never the only way is `broker.licences.company`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from broker.announcement import People
from broker.errors import Problem
from broker.policy import ALLOW, Allow, Refuse, Verdict
from broker.rules.case import AnnouncementCase, Family
from broker.rules.parameters import Kind, Parameter

PARAMETERS = (
    Parameter(
        "social.same_text_for",
        Kind.DURATION,
        "30 d",
        "For how long no two of the school's accounts on one network say the very same. X forbids identical posts from"
        " several accounts, and suspends them.",
        "X's rules on platform manipulation; R8: each department has its account",
        most="365 d",
    ),
    Parameter(
        "social.quotable",
        Kind.WORDS,
        "",
        "The accounts elsewhere whose posts may be quoted, by their names without the @. Nobody else's posts are"
        " quoted.",
        "R11: quote and comment rather than repost; R12: followers are two clicks from whatever an account touches",
    ),
    Parameter(
        "social.read_every",
        Kind.DURATION,
        "5 min",
        "How often what stands on the school's own accounts is read, to find posts that were not made here.",
        "R18: nothing is only on X; R7: who else holds the login?",
        least="1 min",
        most="1 d",
    ),
    Parameter(
        "social.look_every",
        Kind.DURATION,
        "30 min",
        "How often an account is looked at though nothing waits to be posted: whom it follows, and whether it is"
        " locked.",
        "R6: it follows nobody; R21: locked or open as declared. Each look costs a little at X.",
        least="5 min",
        most="1 d",
    ),
    Parameter(
        "social.carry_found",
        Kind.YES_NO,
        "no",
        "Whether a post that was made outside Carillon is carried into the feeds of the account's department, by the"
        " ordinary way and judged by the same rules.",
        "R18: pull the account's posts into a feed, so that nothing is only on X",
    ),
)


def one_voice(case: AnnouncementCase) -> Verdict:
    """No two accounts of the school say the very same on one network (X's rules)."""
    if not case.same_text_on:
        return ALLOW
    why = f"the account {case.same_text_on} has said the very same on {case.channel}, where that is forbidden"
    return Refuse("same_text", f"{why}: leave {case.channel} out, or say it in other words")


def not_for_the_young_alone(case: AnnouncementCase) -> Verdict:
    """Its terms set an age (R15). Younger pupils are told by the other ways, which R16 sees to; this is said."""
    age = case.traits.age if case.traits is not None else None
    if age is None or case.people not in (People.PUPILS, People.BOTH):
        return ALLOW
    why = f"{case.channel} is for people of {age} and older: younger pupils read it by the other ways or on the page"
    return Allow("age", why, {"age": age})


def locked_is_said(case: AnnouncementCase) -> Verdict:
    """A locked account cannot feed a public widget, and nobody should believe it does (R10, R21)."""
    if case.traits is None or not case.traits.never_alone or (case.posture or {}).get("protected") != "yes":
        return ALLOW
    why = f"the account {case.account} is locked: only those it accepted read this there, and no widget can show it"
    return Allow("locked", f"{why}; the feed and the page can")


def listed(author: str, quotable: Iterable[str]) -> Problem | None:
    """What stands against quoting a post of `author`'s: only listed accounts are quoted (R12)."""
    if author.casefold() in {name.lstrip("@").casefold() for name in quotable}:
        return None
    hint = f'leave the quote out, or list the account: carillon rules set social.quotable {author} --why "…"'
    return Problem(
        "not_quotable", "quote", "its author is none of the accounts that may be quoted (R12)", hint
    )


def same_words(one: str, other: str) -> bool:
    """Whether two posts say the very same: letters alone count, not how they are spaced, written large or ended."""
    return _words(one) == _words(other) != ""


def _words(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join("".join(c if c.isalnum() else " " for c in folded).split())


FAMILY = Family("social", PARAMETERS, once=(one_voice, not_for_the_young_alone), each_time=(locked_is_said,))
