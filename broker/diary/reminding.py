"""Reminding: each event once by each rule and never after it began; and whom a change reaches, told of it once.

Nothing is kept of what is to come: what is due follows from the events and the rules at the moment somebody looks, so
that a moved event moves its reminders. What is announced and what is known of it become true in one transaction.

After a change a rule goes on with those of the group whom its reminder had not told; those whom it had, or may have,
get the notice of the change, at the very addresses. So nobody hears of a time twice by one rule, and nobody only of
the old one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from broker import audience as audiences
from broker import intake
from broker.actor import Actor
from broker.announcement import Draft, Part, People, Step, ToldBefore
from broker.authority import operators
from broker.diary.event_telling import applies, place_in_words, starts_in_words, title_in_words
from broker.diary.reminders import WAITS, furthest, when
from broker.errors import RuleBroken
from broker.intake import Accepted
from broker.intake_many import Agreed, Wanted, accept_all
from broker.moments import today_of
from broker.naming import fill_gaps
from broker.office.expressions import resolve
from broker.ports import Ports, Transaction
from broker.ports.events import EventRow, Owed, Reminded, ReminderRule, Told
from broker.record import Entry
from broker.rules.approval import SECOND_PERSON

LOOK_BACK = timedelta(days=7)  # for events that began with nobody reminded
MOST_AT_ONCE = 200
MISSED = "reminder_missed"
_HEARD_BY = {  # whom a rule is for → the rules that these people hear all of
    People.FIRST: {People.FIRST, People.GUARDIANS, People.BOTH},
    People.GUARDIANS: {People.GUARDIANS, People.BOTH},
    People.PUPILS: {People.PUPILS, People.BOTH},
}
# No event's words were looked at when a rule was agreed to, nor its size.
AGREED_TO = frozenset({"needs_approval"})


@dataclass(frozen=True, slots=True)
class Due:
    """A reminder to be made now; `before`: what the same rule announced of this event before it was changed."""

    event: EventRow
    rule: ReminderRule
    told: Told
    before: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Ahead:
    """A reminder that is still to come, as its event and its rule stand now."""

    event: EventRow
    rule: ReminderRule
    at: datetime


def make_due(ports: Ports, *, actor: Actor, stopping: Callable[[], bool] = lambda: False) -> int:
    """Announce the reminders and the notices that are due, turn after turn; how many were dealt with."""
    dealt = 0
    while not stopping():
        looked, done = _turn(ports, actor)
        dealt += done
        if not done or looked < MOST_AT_ONCE:
            break
    return dealt


def _turn(ports: Ports, actor: Actor) -> tuple[int, int]:
    """Some of what is due: how much there was of either kind, and how much was done."""
    with ports.ledger.look() as tx:
        due, owed = due_now(tx)[:MOST_AT_ONCE], tx.events.owed(limit=MOST_AT_ONCE)
        changed = sorted({each.event for each in owed} | {each.event.id for each in due if each.before})
        in_hand = tx.events.in_hand(changed) if changed else {}
    for announcement in {one for some in in_hand.values() for one in some}:
        intake.withdraw(ports, announcement, actor=actor)  # what waits of it does not wait any more
    made: list[Accepted | bool | None] = []
    if due:
        events = sorted({each.event.id for each in due})
        made += ports.ledger.transact(lambda tx: _remind(ports, tx, events, actor))
    for each in owed:
        made.append(ports.ledger.transact(lambda tx, one=each: _notice(ports, tx, one, owed, actor)))  # type: ignore[misc]
    for accepted in made:
        if isinstance(accepted, Accepted):
            intake.tell(ports, accepted)
    return max(len(due), len(owed)), sum(each is not None for each in made)


def due_now(tx: Transaction) -> list[Due]:
    """What is to be done at this moment, the earliest event first."""
    rules = tx.events.rules()
    if not rules:
        return []
    zone = tx.school.zone if any(rule.clock for rule in rules) else ""
    events = [
        one
        for one in tx.events.between(tx.now - LOOK_BACK, tx.now + furthest(rules))
        if one.cancelled_at is None
    ]
    told: dict[int, list[Reminded]] = defaultdict(list)
    for reminded in tx.events.reminded([one.id for one in events]):
        told[reminded.event].append(reminded)
    return [
        found
        for event in events
        for found in _due_of(event, _in_turn(event, rules, zone), told.get(event.id, ()), tx.now)
    ]


def _in_turn(
    event: EventRow, rules: Sequence[ReminderRule], zone: str
) -> list[tuple[datetime, ReminderRule]]:
    """Those that remind of an event, each with its time, the earliest first."""
    fitting = [(when(rule, event, zone), rule) for rule in rules if fits(rule, event)]
    return sorted(fitting, key=lambda one: one[0])


def fits(rule: ReminderRule, event: EventRow) -> bool:
    """Whether a rule reminds of an event."""
    return rule.department == event.department and applies(rule.audience, event.audience)


def to_come(
    events: Sequence[EventRow],
    rules: Sequence[ReminderRule],
    told: Mapping[int, Sequence[Reminded]],
    *,
    now: datetime,
    zone: str,
) -> list[Ahead]:
    """The reminders of these events whose time is still to come, the soonest first; `told`: what became of others."""
    found = []
    for event in events:
        done = {each.rule for each in told.get(event.id, ()) if each.told is not Told.MOVED}
        for at, rule in _in_turn(event, rules, zone):
            if event.cancelled_at is None and rule.id not in done and at > now:
                found.append(Ahead(event, rule, at))
    return sorted(found, key=lambda each: (each.at, each.event.id))


def at_once(
    event: EventRow, rules: Sequence[ReminderRule], *, now: datetime, zone: str
) -> Sequence[ReminderRule]:
    """By which rules those are reminded now whom an event that was changed a moment ago is for, too."""
    found = _due_of(replace(event, changed_at=now), _in_turn(event, rules, zone), (), now)
    return [one.rule for one in found if one.told is Told.SENT]


def _due_of(
    event: EventRow, rules: Sequence[tuple[datetime, ReminderRule]], told: Sequence[Reminded], now: datetime
) -> list[Due]:
    """Of one event. What lay before it or its rule was known is passed over where the same people hear of it again.

    The last one for them goes now. So it does of several that are due at once because what is said of the event, or to
    whom, was changed after their time.
    """
    done = {each.rule for each in told if each.told is not Told.MOVED}
    found: list[Due] = []
    for place, (at, rule) in enumerate(rules):
        if rule.id in done or at > now:
            continue
        known = max(event.known_at, rule.made_at or event.known_at)
        heard_by = _HEARD_BY.get(rule.people, {rule.people})
        theirs = [one for _, one in rules if one.people in heard_by]
        next_due = [one for then, one in rules[place + 1 :] if one.people in heard_by and then <= now]
        heard_again = at < event.worded_at and any(one.id not in done for one in next_due)
        if event.starts_at <= now:
            became = Told.PASSED if event.starts_at <= known else Told.MISSED
        elif heard_again or (at < known and rule is not theirs[-1]):
            became = Told.PASSED
        else:
            became = Told.SENT
        before = tuple(each.announcement for each in told if each.rule == rule.id and each.announcement)
        found.append(Due(event, rule, became, before))
    return found


def _remind(ports: Ports, tx: Transaction, events: Sequence[int], actor: Actor) -> Sequence[Accepted | bool]:
    """One turn over these events, with other schedulers kept away; what was announced, True for what was only noted."""
    tx.events.lock(events)
    in_hand = tx.events.in_hand(events)
    due = [
        _as_told(tx, each)
        for each in due_now(tx)
        if each.event.id in set(events) and not (each.before and each.event.id in in_hand)
    ]
    wanted = [_wanted(each, actor) for each in due if each.told is Told.SENT]
    answers = iter(accept_all(ports, tx, wanted) if wanted else ())
    made: list[Accepted | bool] = []
    for each in due:
        answer = next(answers) if each.told is Told.SENT else None
        _keep(tx, each, answer, actor)
        made.append(answer if isinstance(answer, Accepted) else True)
    return made


def _as_told(tx: Transaction, due: Due) -> Due:
    """What everybody it is for was told of before the change is passed over: they had the notice."""
    if due.told is not Told.SENT or not due.before:
        return due
    try:
        audience = resolve(tx, audiences.parse(due.event.audience))
    except RuleBroken:  # told where it is announced
        return due
    today = today_of(tx)
    untold = tx.plans.count_untold(audience, due.rule.people, today, due.before)
    return due if untold else replace(due, told=Told.PASSED)


def _wanted(due: Due, actor: Actor) -> Wanted:
    event, rule = due.event, due.rule
    values = {
        "title": title_in_words(event),
        "place": place_in_words(event),
        "starts": starts_in_words(event),
    }
    draft = Draft(
        department=event.department,
        audience=event.audience,
        people=rule.people,
        ways=rule.ways,
        parts={part: fill_gaps(text, values) for part, text in rule.parts.items()},
        key=f"reminder:{event.public_id}:{rule.id}:{event.sequence}",
        expires_at=event.starts_at,  # never after it began
        settled_at=max(rule.made_at or event.worded_at, event.worded_at),
        told_before=ToldBefore(due.before, again=False) if due.before else None,
    )
    behalf = replace(actor, department=event.department, on_behalf_of=rule.made_by)
    # Whose event it is has a hand in the words, and nobody agrees to their own.
    if rule.approved is None or operators.same(rule.approved.by, event.made_by):
        return Wanted(draft, behalf)
    why = f"all that the reminder {rule.name} says was agreed to on {rule.approved.at:%Y-%m-%d}"
    return Wanted(draft, behalf, Agreed(rule.approved.by, why, to=AGREED_TO))


def _keep(tx: Transaction, due: Due, answer: Accepted | RuleBroken | None, actor: Actor) -> None:
    event, rule, told, why = due.event, due.rule, due.told, ""
    announcement = answer.announcement.public_id if isinstance(answer, Accepted) else None
    if isinstance(answer, RuleBroken):
        told, why = Told.REFUSED, answer.problem.message
    tx.events.remind(Reminded(event.id, rule.id, event.sequence, told, tx.now, why, announcement))
    if told in {Told.MISSED, Told.REFUSED}:
        when = f"{event.wall:%Y-%m-%d %H:%M}"
        message = f"nobody was reminded of an event on {when}: {why or 'nothing ran in time'}"
        tx.sweeps.raise_alarm(MISSED, f"{event.public_id}/{rule.id}", message)
    if isinstance(answer, Accepted) and answer.hold is not None and answer.hold.code in SECOND_PERSON:
        further = f"for all it says: carillon events approve {rule.name!r}"
        if rule.approved is not None:
            further = "the yes to all it says is none to this: carillon approvals"
        message = f"what the reminder {rule.name} says waits for a second person; {further}"
        tx.sweeps.raise_alarm(WAITS, str(rule.id), message)
    facts = {"event": str(event.public_id), "rule": rule.id, "told": told}
    tx.record.add([Entry("event.reminded", actor, facts)])


def _notice(
    ports: Ports, tx: Transaction, owed: Owed, others: Sequence[Owed], actor: Actor
) -> Accepted | bool | None:
    """Tell those who were reminded of a change, once it is sure who they are; None where that is not yet so."""
    tx.events.lock([owed.event])
    row = tx.events.by_id(owed.event)
    if row is None or (row.sequence != owed.sequence and _overtaken(owed, others)):
        tx.events.noticed(owed.event, owed.sequence, None)  # the later change is told, once
        return True
    if tx.events.in_hand([owed.event]):
        return None
    if owed not in tx.events.owed(limit=MOST_AT_ONCE):  # another scheduler was here
        return None
    before = tuple(each.announcement for each in tx.events.reminded([row.id]) if each.announcement)
    told = tx.plans.count_told(before)
    # Once it has begun a notice helps nobody any more; and where nothing had left there is nobody to tell.
    if not told or row.starts_at <= tx.now:
        tx.events.noticed(owed.event, owed.sequence, None)
        return True
    draft = Draft(
        department=row.department,
        audience=row.audience,
        people=owed.people,
        ways=(Step(owed.ways),),
        parts={Part.SHORT: owed.words},
        key=f"notice:{row.public_id}:{owed.sequence}",
        expires_at=row.starts_at,
        told_before=ToldBefore(before, again=True),
        expected=told,  # they are who they are: nobody has to type their number
    )
    # The house's own words to those whom it told before, so it speaks for itself.
    (answer,) = accept_all(ports, tx, [Wanted(draft, replace(actor, department=row.department))])
    if isinstance(answer, RuleBroken):
        alarm = f"those who were reminded were not told of a change: {answer.problem.message}"
        tx.sweeps.raise_alarm(MISSED, f"{row.public_id}/{owed.sequence}", alarm)
        tx.events.noticed(owed.event, owed.sequence, None)
        return True
    tx.events.noticed(owed.event, owed.sequence, answer.announcement.public_id)
    return answer


def _overtaken(owed: Owed, others: Sequence[Owed]) -> bool:
    return any(each.event == owed.event and each.sequence > owed.sequence for each in others)
