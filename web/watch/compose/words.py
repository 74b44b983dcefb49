"""What the rules say and what is wrong, in the words of an office, with what to do; a page names no command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from markupsafe import Markup

from broker.announcement import AWAITING
from broker.errors import Problem
from broker.policy import Allow, Hold, Refuse, Verdict
from broker.rules.approval import SECOND_PERSON
from broker.rules.blast import SIZE_CODES
from web.watch import words as shared
from web.watch.paint import when

UNDO = "undo_window"
SECONDS = (SECOND_PERSON | AWAITING) - SIZE_CODES  # holds that a second person ends, and nothing else does
# What somebody at this page can do, by the code of a rule or of a fault; in place of a hint that names a command.
DO: Mapping[str, str] = {
    "account_paused": "it goes when somebody lets the account go on, on the page of accounts",
    "alone_with_a_child": "tell pupils and guardians, or name a colleague who reads it too, under “More”",
    "bad_audience": "tick groups of the list, or check what is written out",
    "budget_used_up": "ask whoever looks after the budget, leave texts out, or mark it as urgent if it is",
    "cannot_open": "leave this way out, or tell whoever looks after Carillon",
    "changes_unknown": "such a template is for the timetable’s own notices: choose another",
    "channel_failed": "leave this way out, or tell whoever looks after Carillon",
    "double_hour": "say which one is meant",
    "email_address": "leave it out; the school’s own may stand there once it is listed in the rules",
    "home_address": "leave it out; a place the school goes to may stand there once it is listed in the rules",
    "key_conflict": "look at the first one; press “Send” again only if this one is meant as well",
    "link_not_listed": "link to one of the school’s own sites, or have it listed in the rules",
    "missing_hour": "choose a time an hour later or earlier",
    "needs_approval": "send it: an approver sees it at once, and it goes when they say yes",
    "no_account": "choose another way, or have one set up, on the page of accounts",
    "no_public_url": "leave out the link that asks whether it was seen",
    "no_time": "say after how long, or at what time, the next way is tried",
    "not_allowed": "ask somebody who may write for this department",
    "phone_number": "leave it out; the school’s own may stand there once it is listed in the rules",
    "size_differs": "type the number that stands here, if so many are meant",
    "size_unconfirmed": "type the number below if so many are meant, or send it and let a second person agree",
    "stopped": "it goes when the school takes the stop away, on the page of the school",
    "undo_too_late": "let it expire later, or mark it as urgent",
    "unknown_department": "choose one of the list",
    "window_closed": "leave it so, send it at another time, or mark it as urgent if it cannot wait",
    "window_too_late": "let it expire later, or choose another way",
}
LICENCE = "a licence is written or renewed on the page of accounts"
NAMELESS = "it needs a name, of at most 100 letters"
# Fields of a draft → those of the form.
FIELDS: Mapping[str, str] = {
    "audience": "to",
    "via": "ways",
    "at": "day",
    "expires": "until_day",
    "urgency": "urgent",
    "attachments": "file1",
    "attach": "file1",
    "copy": "copies",
    "text": "short",
    "id": "why",
    "without_approval": "why",
    "then": "then1",
    "seen": "seen",
}


@dataclass(frozen=True, slots=True)
class Says:
    """A rule's answer as it stands on a page: an icon's kind, a sentence, and what to do about it."""

    kind: str
    text: str
    do: str = ""


def told(problem: Problem) -> Problem:
    """A fault with the form's own field, and what to do at a page in place of what to type in a terminal."""
    field = FIELDS.get(problem.field, problem.field)
    hint = (DO.get(problem.code) or shared.hint(problem)).removeprefix("import a roster, or ")
    message = NAMELESS if (problem.code, problem.field) == ("bad_name", "name") else problem.message
    return replace(problem, field=field, message=_sentence(message), hint=hint)


def answer(verdict: Verdict, zone: str) -> Sequence[Says]:
    """What the rules say to one way: a sentence each reason. What holds all of it is told once, and not here."""
    if isinstance(verdict, Hold):
        own = [held(one, zone) for one in every(verdict) if not one.whole]
        return own or [Says("good", "Nothing stands against this way")]
    if isinstance(verdict, Allow):
        notes = _sentence(verdict.why)
        return [Says("warn", notes)] if verdict.code else [Says("good", "The rules allow it")]
    hint = verdict.hint if isinstance(verdict, Refuse) else ""
    do = told(Problem(verdict.code, "", verdict.why, hint)).hint
    return [Says("stop", f"It would not go: {_sentence(verdict.why)}", do)]


def held(hold: Hold, zone: str) -> Says:
    """Why it waits, until when, and what ends that."""
    if hold.code == UNDO:
        seconds = hold.evidence.get("seconds")
        return Says("wait", f"It waits {seconds} seconds after you send it, so that you can take it back")
    if hold.code in SECONDS:
        return Says("wait", _capital(_sentence(hold.why)), DO.get(hold.code, DO["needs_approval"]))
    until = "" if hold.code in SIZE_CODES else f", until {_plain(hold.until, zone)}"
    do = LICENCE if "licen" in hold.code else DO.get(hold.code, "")
    return Says("wait", f"{_capital(_sentence(hold.why))}{until}", do)


def wants_count(hold: Hold | None) -> bool:
    """Whether a typed number would let it go on."""
    return any(one.code in SIZE_CODES for one in every(hold))


def wants_second(hold: Hold | None) -> bool:
    """Whether it waits for a second person."""
    return any(one.code in SECONDS for one in every(hold))


def every(hold: Hold | None) -> Sequence[Hold]:
    """A hold and those beside it."""
    return () if hold is None else (hold, *hold.besides)


def marked(text: str, costly: Sequence[str]) -> Markup:
    """A rendering with the characters marked that make it dearer."""
    if not costly:
        return Markup("{}").format(text)
    marks = [
        Markup('<mark class="dear">{}</mark>').format(character) if character in costly else character
        for character in text
    ]
    return Markup("").join(marks)


def _sentence(text: str) -> str:
    """Without what belongs in a terminal."""
    return text.replace(" with --copy", " under “More”").replace(": use --people both, or add --copy", "")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _plain(moment: datetime, zone: str) -> str:
    return when(moment, zone).striptags()
