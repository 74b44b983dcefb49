"""Plain words for what a page shows. States have theirs in `broker.delivery.STATES`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from broker.announcement import Announcement, Draft, Part, People, Stage, Urgency, stage_in_words
from broker.errors import Problem
from broker.rules.switches import Switch, SwitchKind
from ledger.reads.watch import Shown

# A channel that is not here is shown by its name, as names are written: adding one touches nothing in this folder.
CHANNELS = {"sms": "Text messages", "email": "Emails", "rss": "Feed", "twitter": "X"}
ONE = {"sms": "Text message", "email": "Email"}
ALARMS = {
    "approval_overridden": "Sent without a second person",
    "approval_void": "A yes does not count any more",
    "audience_gone": "It is not known any more whom it is for",
    "calendar_ends": "The known terms end soon",
    "calendar_silent": "A calendar tells nothing new",
    "calendar_unreadable": "A calendar cannot be read",
    "redaction": "Words at a provider could not be deleted",
    "reminder_missed": "A reminder was not announced",
    "reminder_waits": "Reminders wait for a yes",
    "schedule_missed": "A date of a schedule was not announced",
    "schedule_waits": "What a schedule announces waits for a yes",
    "webhook_paused": "A program is not told any more",
    "answers_waiting": "Answers wait",
    "mail_aside": "Mails could not be taken in",
    "mailbox_away": "A mailbox cannot be read",
    "timetable_failed": "A timetable cannot be read or told",
    "timetable_held": "Far more timetable changes than usual",
    "timetable_silent": "A timetable tells nothing new",
    "timetable_classes": "Classes of the timetable that are no group here",
    "safeguarding": "Safeguarding",
    "account_rejected": "A provider refuses an account",
    "correction_over": "A correction never went out",
    "budget_nearly_used": "A budget is nearly used",
    "budget_used_up": "A budget is used up",
    "heads_not_mailed": "No governor holds a head of the record",
    "gateway": "A provider is passed over",
    "found_post": "Something was posted by hand",
    "licence_lapsed": "An account may not speak",
    "licence_lapsing": "A licence lapses soon",
    "cannot_open": "An account cannot be opened",
    "policy_failed": "A rule could not be judged",
    "posture": "An account is not as it must be",
    "render_failed": "A message could not be written",
    "retraction": "A post could not be deleted",
    "rules_unreadable": "Nothing leaves",
    "stopped": "Somebody stopped it",
}
UNITS = (
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
    (timedelta(minutes=1), "minute"),
    (timedelta(seconds=1), "second"),
)
PARTS = {
    Part.TITLE: "Subject of emails",
    Part.SHORT: "Message",
    Part.LONG: "Longer wording for emails",
    Part.QUOTE: "With the post",
}
# How far an announcement is, where a page has a plainer word than the law.
STAGES: Mapping[str, str] = {
    Stage.AWAITING_APPROVAL: "waits for a yes",
    Stage.PLANNING: "about to go out",
}
OVER = frozenset({Stage.WITHDRAWN, Stage.CORRECTED, Stage.EXPIRED})
# What to do on a page, where the hint of the law is what somebody types at a terminal.
HINTS = {
    "last_admin": "make somebody else an administrator of the whole school first",
    "known": "choose another name",
    "not_found": "it may have been taken away meanwhile",
    "unknown_department": "choose one of the list",
    "changed_since": "look at it once more, then decide",
    "decided": "what was decided stands on its page",
    "size_differs": "look at whom it is for; if it is right, type this number",
    "same_rule": "change something first",
}
_DAY = re.compile(r"\b\d{4}-\d\d-\d\d\b")
_REQUIREMENT = re.compile(r" \(R\d+(?:, R\d+)*\)")
_AT_A_TERMINAL = re.compile(r"\bcarillon [a-z]|`carillon|(?:^|\s)--[a-z]|\bdocs/")
HOW = {"link": "a link", "password": "a password"}
TOLD = {
    People.GUARDIANS: "guardians of",
    People.FIRST: "one guardian of each pupil in",
    People.PUPILS: "pupils in",
    People.STAFF: "staff of",
    People.BOTH: "pupils and guardians of",
}


def channel(name: str) -> str:
    """What people call a channel."""
    return CHANNELS.get(name, name.capitalize())


def day(on: date) -> str:
    """A day as people write it: "3 Mar 2026"."""
    return f"{on.day} {on:%b %Y}"


def message(name: str) -> str:
    """One message of a channel: "Text message", "Email"."""
    return ONE.get(name) or channel(name)


def by_their_names(why: str, names: Iterable[str]) -> str:
    """Why somebody is not reached, each way by the name that people have for it."""
    for name in names:
        why = re.sub(rf"(^|; ){re.escape(name)}: ", rf"\g<1>{channel(name)}: ", why)
    return why


def length(lasts: timedelta) -> str:
    """A length of time, whole: "2 days", "90 minutes"; "none" of none."""
    for unit, name in UNITS:
        if lasts and not lasts % unit:
            return many(lasts // unit, name)
    return "none"


def many(count: int, one: str, more: str = "") -> str:
    """ "1 text", "2 texts"; thousands set apart."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def audience(announcement: Announcement | Draft) -> str:
    """Who is told: "guardians of Choir", "all staff"."""
    if announcement.audience.strip().lower() == "everyone":
        if announcement.people is People.FIRST:
            return "one guardian of every pupil"
        return f"all {TOLD[announcement.people].rsplit(' ', 1)[0]}"
    return f"{TOLD[announcement.people]} {announcement.audience}"


def stage(shown: Shown) -> str:
    """How far it has come; what is going out and settled is finished."""
    if shown.stage is Stage.EXPIRED and not shown.channels:
        return "never went out"
    told = stage_in_words(shown.stage, settled=shown.settled, went_out=bool(shown.channels))
    return STAGES.get(told, told)


def nothing(shown: Shown) -> str:
    """What stands in place of its messages while there are none."""
    return "Nothing of it went out." if shown.stage in OVER else "Nothing has left yet."


def how(kind: str, called: Mapping[str, str]) -> str:
    """What somebody signed in by; a provider as its button calls it, and never as the settings do."""
    return HOW.get(kind) or called.get(kind) or "an account elsewhere"


def hint(problem: Problem) -> str:
    """What to do about a problem, as a page says it; "" where only a command would help."""
    own = "" if _AT_A_TERMINAL.search(problem.hint) else problem.hint
    return own or HINTS.get(problem.code, "")


def urgent(announcement: Announcement) -> bool:
    """Whether it went ahead of everything routine."""
    return announcement.urgency is Urgency.URGENT


def alarm(kind: str) -> str:
    """The beginning of an alarm's sentence."""
    return ALARMS.get(kind, kind.replace("_", " ").capitalize())


def switch(thrown: Switch) -> str:
    """What somebody stopped: "Text messages are stopped"."""
    if thrown.kind is SwitchKind.EVERYTHING:
        return "Everything is stopped"
    if thrown.kind is SwitchKind.CHANNEL:
        called = channel(thrown.subject)
        return f"{called} {'are' if called.endswith('s') else 'is'} stopped"
    what = "department" if thrown.kind is SwitchKind.DEPARTMENT else "account"
    return f"The {what} {thrown.subject} is stopped"


def spoken(text: str) -> str:
    """A sentence of the law as a page says it: with a capital, days as people write them, no requirement’s number."""
    plain = _DAY.sub(_as_people_write_it, _REQUIREMENT.sub("", text))
    return plain[:1].upper() + plain[1:]


def _as_people_write_it(met: re.Match[str]) -> str:
    try:
        return day(date.fromisoformat(met[0]))
    except ValueError:  # no day of any month
        return met[0]
