"""What needs action first: each a sentence in plain words, with the page where it is dealt with; the gravest first."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from broker.announcement import Stage
from broker.delivery import STATES, State
from broker.duty import DutyState
from broker.gateways import Stand
from broker.ports.approvals import OperatorRole
from ledger.reads.health import Alarm
from ledger.reads.now import COUNTED, FEW, RECENT, Chosen, House, WayOut
from ledger.reads.watch import Shown
from web.watch import words
from web.watch.counts import Counted
from web.watch.navigation import LOOKS, READS, Place

OVERDUE = timedelta(minutes=1)  # due for this long and nothing being sent: nobody is at work
UNSEALED = timedelta(seconds=30)
UNSEEN = timedelta(minutes=1)
TELL = "Tell whoever looks after Carillon"
FORGOTTEN = timedelta(days=1)  # a worker that was stopped for good is no concern
NOT_GONE = (State.REJECTED, State.EXHAUSTED)
ACCOUNTS, CALENDAR, DOCTOR, RECORD = "watch/accounts", "watch/calendar", "watch/doctor", "watch/record"
SOURCES, ANSWERS, WAITING = "watch/calendar/sources", "watch/answers", "watch/waiting"
WEBHOOKS = "watch/school/webhooks"
# Pages that are not everybody's.
GUARDED = (
    Place(DOCTOR, "Doctor", "info", LOOKS, whole_school=True),
    Place(RECORD, "Record", "book", READS, whole_school=True),
    Place(WEBHOOKS, "Programs that are told", "info", LOOKS),
)


@dataclass(frozen=True, slots=True)
class Concern:
    """A sentence, what it is about, and the page where it is dealt with, by its address below the root.

    Without a link it is dealt with on a page that whoever looks may not open; then `do` says whom to tell.
    """

    says: str
    link: str
    name: str = ""
    do: str = "Look at it"


@dataclass(slots=True)
class Group:
    """Concerns of one kind. `count`: of how many, where more are meant than stand here."""

    title: str
    icon: str
    grave: bool
    concerns: list[Concern] = field(default_factory=list)
    count: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """What somebody looks at: the house, the announcements found in it, and how their people stand."""

    house: House
    chosen: Chosen
    rows: Mapping[int, Shown]
    counted: Mapping[int, Counted | None]
    department: str | None = None  # whose concerns alone; None for the whole school's
    inboxes: Collection[str] | None = None  # those that are there for whoever looks; None for all
    closed: Collection[str] = ()  # pages that they may not open


# What stands for each kind, in the order of how grave it is.
GROUPS: Mapping[str, tuple[str, str, bool]] = {
    "stopped": ("Nothing goes out", "stop", True),
    "harm": ("For the safeguarding lead", "bad", True),
    "accounts": ("Accounts that cannot send", "plug", True),
    "doubt": ("It may have left, or not", "question", True),
    "people": ("People whom nothing has reached", "person", True),
    "waits": ("Waiting for a yes", "hand", False),
    "failed": ("Messages that did not go", "bad", False),
    "licences": ("Licences", "badge", False),
    "money": ("Money", "coins", False),
    "answers": ("Answers that wait", "speech", False),
    "sources": ("Nothing new from outside", "inbox", False),
    "calendar": ("Calendar", "calendar", False),
    "record": ("The record", "book", False),
    "other": ("Also", "info", False),
}
# An alarm's kind → its group, and the page where it is dealt with. {0} is what it is about, up to the first blank.
ALARMS: Mapping[str, tuple[str, str]] = {
    "stopped": ("stopped", "watch/switches"),
    "rules_unreadable": ("stopped", "watch/rules"),
    "safeguarding": ("harm", f"{ANSWERS}/{{0}}"),
    **dict.fromkeys(
        ("account_rejected", "cannot_open", "gateway", "policy_failed", "posture", "found_post", "redaction"),
        ("accounts", f"{ACCOUNTS}/{{0}}"),
    ),
    **dict.fromkeys(("licence_lapsed", "licence_lapsing"), ("licences", f"{ACCOUNTS}/{{0}}")),
    **dict.fromkeys(("budget_nearly_used", "budget_used_up"), ("money", "watch/budgets")),
    **dict.fromkeys(("approval_overridden", "approval_void"), ("waits", "watch/{0}")),
    **dict.fromkeys(("correction_over", "audience_gone", "retraction"), ("failed", "watch/{0}")),
    "render_failed": ("failed", "watch/announcements"),
    **dict.fromkeys(
        (
            "timetable_failed",
            "timetable_held",
            "timetable_silent",
            "timetable_classes",
            "calendar_unreadable",
        ),
        ("sources", SOURCES),
    ),
    "calendar_silent": ("sources", SOURCES),
    "mailbox_away": ("sources", DOCTOR),
    **dict.fromkeys(("answers_waiting", "mail_aside"), ("answers", ANSWERS)),
    **dict.fromkeys(
        ("reminder_missed", "reminder_waits", "schedule_missed", "schedule_waits", "calendar_ends"),
        ("calendar", CALENDAR),
    ),
    "webhook_paused": ("other", WEBHOOKS),
    "heads_not_mailed": ("record", RECORD),
}
# What an alarm says to do at a terminal; here a link leads to the page.
_COMMAND = re.compile(r"`?\bcarillon [a-z].*$", re.DOTALL)
_LED_TO_IT = re.compile(r"[:;,(]?\s*(?:see|look|for all [a-z ]*|or|and|then)?[\s:,;(]*$")


def plain(message: str) -> str:
    """An alarm's words without the command that some of them end with."""
    cut = _COMMAND.sub("", message)
    return (_LED_TO_IT.sub("", cut) if cut != message else message).strip()


def closed_to(roles: frozenset[OperatorRole], department: str | None) -> frozenset[str]:
    """The pages that somebody may not open, of those that a concern may lead to."""
    return frozenset(place.address for place in GUARDED if not place.open_to(roles, department))


def concerns(seen: Seen) -> Sequence[Group]:
    """Everything that needs somebody, by kind; the gravest first."""
    groups = {key: Group(*look) for key, look in GROUPS.items()}
    for key, concern in _all(seen):
        is_closed = concern.link in seen.closed
        groups[key].concerns.append(replace(concern, link="", do=TELL) if is_closed else concern)
    for group in groups.values():
        group.count = len(group.concerns)
    waits = groups["waits"]
    waits.count += max(0, seen.chosen.waiting - len(seen.chosen.waits))
    if seen.chosen.waiting > FEW:
        more = f"{words.many(seen.chosen.waiting - FEW, 'other waits', 'others wait')} besides these"
        waits.concerns.append(Concern(more, WAITING, do="See them all"))
    answers = sum(n for inbox, n in seen.house.answers.items() if _may_read(seen, inbox))
    groups["answers"].count += max(0, answers - 1)
    return [group for group in groups.values() if group.concerns]


def _all(seen: Seen) -> Iterator[tuple[str, Concern]]:
    yield from _alarms(seen)
    yield from _at_work(seen)
    yield from _ways(seen)
    yield from _announcements(seen)
    answers = sum(n for inbox, n in seen.house.answers.items() if _may_read(seen, inbox))
    if answers:
        says = f"{words.many(answers, 'answer')} nobody has dealt with yet"
        yield "answers", Concern(says, ANSWERS, do="Read them")
    unsealed = seen.house.unsealed_since
    if seen.department is None and unsealed is not None and seen.house.at - unsealed > UNSEALED:
        entries = words.many(seen.house.unsealed, "entry is", "entries are")
        yield (
            "record",
            Concern(f"The newest {entries} not protected against changes yet", DOCTOR, do="See why"),
        )


def _may_read(seen: Seen, inbox: str) -> bool:
    return seen.inboxes is None or inbox in seen.inboxes


def _alarms(seen: Seen) -> Iterator[tuple[str, Concern]]:
    for alarm in seen.house.alarms:
        if seen.department is None or _is_theirs(seen, alarm):
            group, link = ALARMS.get(
                alarm.kind, ("calendar" if "schedule" in alarm.kind else "other", DOCTOR)
            )
            about = alarm.subject.partition(" ")[0].partition("/")[0]
            named = alarm.subject if group in {"accounts", "licences", "money", "stopped"} else ""
            yield (
                group,
                Concern(f"{words.alarm(alarm.kind)}: {plain(alarm.message)}", link.format(about), named),
            )


def _is_theirs(seen: Seen, alarm: Alarm) -> bool:
    """Whether it is about an account that a department goes by, its budget, or an announcement of its own."""
    about = alarm.subject.partition(" ")[0]
    accounts = {way.account for way in _theirs(seen)}
    own = {str(row.announcement.public_id) for row in seen.rows.values()}
    return about in accounts or about == seen.department or about in own


def _theirs(seen: Seen) -> Sequence[WayOut]:
    return [
        way for way in seen.house.ways if seen.department in {None, way.department} or way.department is None
    ]


def _at_work(seen: Seen) -> Iterator[tuple[str, Concern]]:
    late = [way for way in _theirs(seen) if _is_late(way, seen.house.at)]
    for way in late:
        waiting = f"more than {COUNTED:,} messages" if way.due > COUNTED else words.many(way.due, "message")
        says = f"{waiting} should have gone by now, and nothing is sending them"
        yield "stopped", Concern(says, DOCTOR, way.account, "See why")
    last = seen.house.worker_seen
    if last is not None and UNSEEN < seen.house.at - last < FORGOTTEN and not late:
        yield "stopped", Concern("Nobody has been at work for a while: nothing is sent", DOCTOR, do="See why")


def _is_late(way: WayOut, now: datetime) -> bool:
    idle = way.paused_why is None and not way.sending and not way.lately
    return idle and way.oldest_due is not None and now - way.oldest_due > OVERDUE


def _ways(seen: Seen) -> Iterator[tuple[str, Concern]]:
    # Who paused it by an alarm has said why.
    alarmed = {one.subject for one in seen.house.alarms if ALARMS.get(one.kind, ("",))[0] == "accounts"}
    theirs = _theirs(seen)
    for way in theirs:
        if way.paused_why is not None and way.account not in alarmed:
            says = f"It is paused, and what goes by it waits: {way.paused_why}"
            yield "accounts", Concern(says, f"{ACCOUNTS}/{way.account}", way.account)
    named = {way.account for way in theirs}
    for one in seen.house.gateways:
        if one.stand is Stand.OUT and one.held_by and one.account in named:
            says = f"{one.held_by} holds {one.gateway} out: {one.why}"
            yield "accounts", Concern(says, f"{ACCOUNTS}/{one.account}", one.account)


def _announcements(seen: Seen) -> Iterator[tuple[str, Concern]]:
    rows, chosen = seen.rows, seen.chosen
    for row in sorted(
        (rows[id_] for id_ in chosen.waits if id_ in rows), key=lambda row: row.announcement.due_at
    ):
        link = f"watch/{row.announcement.public_id}"  # to look is everybody's, to decide an approver's
        yield (
            "waits",
            Concern("it waits for a second person to say yes or no", link, _title(row), "Look at it"),
        )
    for id_, n in chosen.uncertain.items():
        if id_ in rows:
            says = f"nobody knows of {words.many(n, 'message')} whether it left or not"
            link = f"watch/{rows[id_].announcement.public_id}?show=uncertain"
            yield (
                "doubt",
                Concern(says if n == 1 else says.replace("it left", "they left"), link, _title(rows[id_])),
            )
    recent = {id_ for id_ in chosen.newest if id_ in rows and _is_recent(rows[id_], seen)}
    for id_ in sorted({*recent, *chosen.wrong, *chosen.live} & rows.keys(), reverse=True):
        yield from _of_one(rows[id_], seen.counted.get(id_))


def _is_recent(row: Shown, seen: Seen) -> bool:
    """Whether somebody can still be rung about it: of what is weeks old its own page tells."""
    return row.announcement.due_at > seen.house.at - RECENT


def _of_one(row: Shown, counted: Counted | None) -> Iterator[tuple[str, Concern]]:
    """Whom nothing reached, and what failed on the way."""
    if row.stage is Stage.WITHDRAWN:
        return
    untold = counted.duties[DutyState.LAPSED] if counted is not None else 0
    if untold:
        link = f"watch/{row.announcement.public_id}/people"
        says = f"{words.many(untold, 'person', 'people')} could not be told"
        yield "people", Concern(says, link, _title(row), "See who")
    failed = {state: sum(states.get(state, 0) for states in row.channels.values()) for state in NOT_GONE}
    told = [f"{count:,} {STATES[state].label}" for state, count in failed.items() if count]
    if told:
        link = f"watch/{row.announcement.public_id}?show=failed"
        yield "failed", Concern("; ".join(told), link, _title(row), "See why")


def _title(row: Shown) -> str:
    return row.title or "Without a title"
