"""What the record tells, in words: who did what. A kind that is new is told by its name until it has its own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from broker.errors import RuleRefused
from broker.money import amount_of, written
from broker.ports.approvals import OperatorRole
from web.watch.rules.words import said as rule_said
from web.watch.rules.words import title as rule_title
from web.watch.staff.words import roles
from web.watch.words import CHANNELS, HOW

THEMES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "announcements": (
        "Announcements",
        ("announcement", "approval", "ladder", "private_link", "subscriber", "post", "posts"),
    ),
    "messages": (
        "Messages, one by one",
        ("deliveries", "delivery", "duties", "address", "addresses", "providers"),
    ),
    "calendar": (
        "Calendar",
        ("schedule", "reminder_rule", "event", "events", "calendar", "terms", "timetable"),
    ),
    "people": (
        "People, consent, answers",
        (
            *("person", "group", "guardianship", "consent", "optout", "answer", "answers", "mail"),
            *("mapping", "import", "people", "reach", "address.bounced", "address.confirmed"),
        ),
    ),
    "house": (
        "Rules, money, accounts",
        (
            "rules",
            "budget",
            "account",
            "licence",
            "switch",
            "template",
            "gateway",
            "webhook",
            "token",
            "kept",
        ),
    ),
    "staff": (
        "Staff and signing in",
        (
            "operator",
            "session",
            "sign_in",
            "password",
            "second_factor",
            "recovery_code",
            "recovery_codes",
            "identity",
        ),
    ),
    "record": ("The record itself", ("record", "governor", "hold")),
}
# Kind → what was done, to follow whoever did it.
KINDS: Mapping[str, str] = {
    "account.inspected": "looked at how an account stands",
    "account.paused": "paused an account",
    "account.resumed": "let an account go on",
    "address.bounced": "noted that mails to an address come back",
    "address.confirmed": "said that an address is right after all",
    "addresses.revealed": "looked at a number or an email in full",
    "announcement.accepted": "sent an announcement",
    "announcement.approved": "said yes to an announcement",
    "announcement.being_corrected": "began to correct an announcement",
    "announcement.corrected": "corrected an announcement",
    "announcement.expected": "typed how many people an announcement is for",
    "announcement.follows": "sent something that follows an announcement",
    "announcement.judged": "had the rules look at an announcement",
    "announcement.overridden": "sent an urgent announcement without a second person",
    "announcement.planned": "worked out whom an announcement is for",
    "announcement.refused": "was refused an announcement by a rule",
    "announcement.rejected": "said no to an announcement",
    "announcement.reworded": "changed the words of an announcement",
    "announcement.struck": "took somebody who was erased out of the words of an announcement",
    "announcement.withdrawn": "withdrew an announcement",
    "answer.done": "dealt with an answer",
    "answer.recorded": "took in an answer",
    "answer.released": "let an answer be read by others",
    "answer.shown": "opened an answer",
    "answer.reopened": "took up an answer again",
    "answer.sender_shown": "looked at who sent an answer",
    "answers.settled": "dealt with answers",
    "approval.reviewed": "looked at what went out without a second person",
    "approval.void": "found that a yes does not count any more",
    "budget.set": "set a budget",
    "calendar.subscribed": "began to read a calendar elsewhere",
    "calendar.unsubscribed": "stopped reading a calendar elsewhere",
    "consent.exported": "saved a list of consents",
    "consent.kept": "noted a yes or a no of somebody",
    "deliveries.held": "let messages wait",
    "deliveries.judged": "found that some messages go to fewer people, or to nobody",
    "deliveries.looked_up": "asked a provider what became of messages",
    "deliveries.moved": "brought news of messages",
    "deliveries.pruned": "let go of messages that had their time",
    "deliveries.recovered": "took up messages that were left lying",
    "deliveries.stranded": "found messages of which nobody knows whether they left",
    "deliveries.tried": "sent messages",
    "deliveries.withdrawn": "stopped messages that had not left",
    "delivery.requeued": "sent a message once more",
    "delivery.retracted": "took a post back",
    "delivery.settled": "settled what became of a message",
    "duties.acknowledged": "noted that somebody had seen it",
    "event.added": "added an event",
    "event.cancelled": "cancelled an event",
    "event.changed": "changed an event",
    "event.reminded": "reminded people of an event",
    "events.brought": "took in events from a calendar",
    "gateway.closed": "used a provider again",
    "gateway.half-open": "tried a provider again",
    "gateway.open": "passed a provider over for a while",
    "gateway.out": "held a provider out",
    "governor.added": "named a governor who is mailed the line of the record",
    "governor.removed": "took a governor off the list of those who are mailed the line of the record",
    "group.brought_back": "brought a group back",
    "group.defined": "said who belongs to a group",
    "group.given": "gave a group to a department",
    "group.kept": "kept a group by hand",
    "group.members_changed": "changed who is in a group",
    "group.renamed": "called a group by another name",
    "group.retired": "took a group away",
    "guardianship.blocked": "blocked somebody from hearing about a child",
    "guardianship.unblocked": "lifted a block, so that somebody hears about a child again",
    "hold.lifted": "lifted a hold",
    "hold.placed": "held something for the law",
    "identity.linked": "linked an account elsewhere to somebody of the staff",
    "import.staged": "read a file of people, to be looked at",
    "import.thrown_away": "threw a file of people away",
    "kept.pruned": "let go of what had its time",
    "ladder.climbed": "tried the next way",
    "ladder.ended": "tried no further way",
    "licence.lapsed": "found that an account’s licence has ended",
    "licence.set": "settled something about an account",
    "licence.taken": "put a licence in force",
    "licence.warned": "warned that a licence ends soon",
    "mail.set_aside": "set a mail aside",
    "mail.settled": "dealt with a mail that was set aside",
    "mapping.forgotten": "forgot how a file was read",
    "mapping.made": "said how a file is read",
    "operator.added": "named somebody of the staff",
    "operator.moved": "moved somebody of the staff to another department",
    "operator.removed": "took somebody of the staff away",
    "operator.roles_changed": "changed what somebody of the staff may do",
    "optout.kept": "noted that somebody wants no more messages",
    "optout.lifted": "let somebody be written to again",
    "password.set": "chose a password",
    "people.imported": "brought in people",
    "person.copied": "handed out what is known of somebody",
    "person.erased": "erased somebody",
    "person.readmitted": "let somebody who was erased be brought in again",
    "post.found": "found a post that was made by hand",
    "posts.seen": "looked through the school’s own posts",
    "private_link.made": "made a private link",
    "private_link.revoked": "took a private link back",
    "providers.forgot": "asked providers to forget somebody",
    "reach.listed": "listed who can be reached",
    "record.exported": "handed out the record",
    "record.pruned": "let go of a part of the record that had its time",
    "record.restored": "took up the record after it was restored",
    "record.searched": "looked for somebody in the record",
    "recovery_code.used": "signed in by a recovery code",
    "recovery_codes.renewed": "made new recovery codes",
    "reminder_rule.added": "added a reminder",
    "reminder_rule.approved": "said yes to all that a reminder says",
    "reminder_rule.changed": "changed a reminder",
    "reminder_rule.retired": "took a reminder away",
    "rules.changed": "changed the house rules",
    "schedule.approved": "said yes to all that a schedule says",
    "schedule.cancelled": "cancelled a date of a schedule",
    "schedule.changed": "changed a schedule",
    "schedule.ended": "ended a schedule",
    "schedule.moved": "moved a date of a schedule",
    "schedule.occurred": "announced a date of a schedule",
    "schedule.paused": "paused a schedule",
    "schedule.put_back": "put a date of a schedule back",
    "schedule.resumed": "let a schedule go on",
    "schedule.saved": "made a schedule",
    "second_factor.set": "set up a second step for signing in",
    "session.all_ended": "signed somebody out everywhere",
    "session.began": "signed in",
    "session.ended": "signed out",
    "session.proved": "proved once more who they are",
    "sign_in.invited": "invited somebody of the staff",
    "sign_in.link_made": "made a link to sign in by",
    "sign_in.refused": "was not let in",
    "sign_in.reset": "took away all that somebody signs in by",
    "subscriber.began": "began to be told by a private link",
    "subscriber.ended": "stopped being told by a private link",
    "switch.off": "stopped something",
    "switch.on": "let something go on",
    "template.retired": "took a template away",
    "template.saved": "saved a template",
    "terms.brought": "took in the dates of terms",
    "timetable.held": "held changes of a timetable back",
    "timetable.released": "let changes of a timetable go out",
    "timetable.told": "told of changes of a timetable",
    "token.made": "made a key for a program",
    "token.revoked": "took a program’s key away",
    "webhook.added": "named a program that is told what becomes of messages",
    "webhook.paused": "gave up telling a program, which did not answer",
    "webhook.removed": "told a program nothing more",
    "webhook.resumed": "told a program again",
}
# Facts worth a line, as people call them. What else an entry holds is for a program to read.
FACTS: Mapping[str, str] = {
    "operator": "Who",
    "whose": "Whose",
    "roles": "May now",
    "before": "Before",
    "department": "Department",
    "account": "Account",
    "provider": "Provider",
    "why": "Why",
    "month": "Month",
    "kind": "What kind",
    "subject": "What",
    "template": "Template",
    "token": "Key",
    "governor": "Governor",
    "answer": "The rules’ answer",
    "amount": "Amount",
    "people": "People",
    "entries": "Entries",
    "sessions": "Browsers signed out",
    "version": "Version",
    "counted": "People",
    "how": "By",
    "group": "Group",
    "name": "Name",
    "hold": "Hold",
    "first": "From seal",
    "last": "To seal",
    "changed": "Changed",
}
COUNTED: Mapping[str, tuple[str, str]] = {
    "tries": ("message", "messages"),
    "moves": ("message", "messages"),
    "verdicts": ("message", "messages"),
    "absent": ("message", "messages"),
    "deliveries": ("message", "messages"),
}
ANSWERS = {"allow": "it may go", "hold": "it waits", "refuse": "no"}
# Facts that are a program's word, as people say them.
SAID: Mapping[str, Mapping[str, str]] = {
    "kind": {"everything": "everything", "channel": "one way, for everybody", "department": "one department"},
    "subject": CHANNELS,
    "why": {"evidence": "news from the provider"},
}
CHANGES = {
    "new": "new",
    "changed": "changed",
    "leaving": "leaving",
    "returning": "back again",
    "unchanged": "as before",
}
MONTH = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])")
DIGEST = re.compile(r"[0-9a-f]{32,}")  # stands for a name that may be a person's; nobody reads it
MOST_FACTS = 8
LONGEST_FACT = 200  # signs of one


def done(kind: str) -> str:
    """What was done, to follow the name of whoever did it."""
    return KINDS.get(kind) or f"did: {kind.replace('_', ' ').replace('.', ', ')}"


def who(actor: Mapping[str, Any]) -> str:
    """Who did it, in words; Carillon itself where nobody did."""
    name, behalf, token = str(actor.get("id") or ""), actor.get("on_behalf_of"), actor.get("token")
    match actor.get("kind"):
        case "system":
            name = "Carillon itself" if name else "Somebody whose name cannot be read"
        case "provider":
            name = f"The provider {name}"
        case "token":
            name = f"The program {name}"
    by = f"{name}, on behalf of {behalf}" if behalf else name
    return f"{by}, through the program {token}" if token else by


def facts(
    told: Mapping[str, Any], departments: Mapping[str, str], currency: str
) -> Sequence[tuple[str, str]]:
    """The facts of an entry that are worth a line; departments by name, money as the school counts it."""
    found = []
    for name, value in told.items():
        if name in COUNTED and isinstance(value, list):
            one, more = COUNTED[name]
            found.append(("How many", f"{_length(value):,} {one if _length(value) == 1 else more}"))
        elif name == "changed" and isinstance(value, Mapping):
            found += [(rule_title(key), _from_to(key, pair)) for key, pair in value.items()]
        elif name in FACTS and value not in (None, "", [], {}):
            words = _named(name, value, departments, currency) or _said(name, value)
            found += [(FACTS[name], words[:LONGEST_FACT])] if words and not DIGEST.fullmatch(words) else []
    return found[:MOST_FACTS]


def _from_to(key: str, pair: Any) -> str:
    """A rule's change, as it is kept: before and after."""
    if not (isinstance(pair, list) and len(pair) == 2):
        return _plain(pair)[:LONGEST_FACT]
    before, after = (_ruled(key, each)[:LONGEST_FACT] for each in pair)
    return f"was: {before}; is now: {after}"


def _ruled(key: str, value: Any) -> str:
    try:
        return "as it came" if value is None else "; ".join(rule_said(key, str(value)))
    except RuleRefused:  # a rule once was written otherwise
        return str(value)


def _named(name: str, value: Any, departments: Mapping[str, str], currency: str) -> str:
    """What this school calls it, or counts it in; "" for what is called the same everywhere."""
    if name == "department":
        return departments.get(str(value), str(value))
    if name == "amount" and isinstance(value, int):
        return written(amount_of(value), currency)
    if name == "month" and MONTH.fullmatch(str(value)):
        return f"{date.fromisoformat(f'{value}-01'):%B %Y}"
    return ""


def _said(name: str, value: Any) -> str:
    if name in {"roles", "before"} and isinstance(value, list):
        return roles([OperatorRole(one) for one in value if one in set(OperatorRole)])
    if name == "answer":
        return ANSWERS.get(value, "")
    if isinstance(value, str) and value in SAID.get(name, {}):
        return SAID[name][value]
    return HOW.get(value, _plain(value)) if name == "how" and isinstance(value, str) else _plain(value)


def _length(value: list[Any]) -> int:
    """How many there were: a long list is cut, and says how many more."""
    last = value[-1] if value else None
    if isinstance(last, str) and last.startswith("… and "):
        return len(value) - 1 + int(last.split()[2])
    return len(value)


def _plain(value: Any) -> str:
    if isinstance(value, Mapping) and value and value.keys() <= CHANGES.keys():
        return (
            ", ".join(f"{value[name]:,} {said}" for name, said in CHANGES.items() if value.get(name))
            or "none"
        )
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {_plain(each) or 'as it came'}" for key, each in value.items())
    if isinstance(value, list):
        return ", ".join(_plain(each) for each in value)
    return "none" if value is None else str(value)
