"""Reminders: two days before by email, three hours before by text; each event once by each rule, and never too late.

Nothing is kept of what is to come: what is due follows from the events and the rules at the moment somebody looks, so
that a moved event moves its reminders.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from broker import intake
from broker.actor import Actor
from broker.announcement import Draft, Part, Step
from broker.authority import operators
from broker.diary.event_book import LOOK_BACK, applies, place_in_words, starts_in_words
from broker.errors import InvalidAnnouncement, KeyConflict, NotFound, NotToBeChanged, Problem, RuleBroken
from broker.naming import fill_gaps, gaps
from broker.ports import Ports, Transaction
from broker.ports.approvals import OperatorRole
from broker.ports.events import EventRow, Reminded, ReminderRule, Told
from broker.record import Entry
from broker.wording import check_parts

SHORTEST, LONGEST = timedelta(minutes=5), timedelta(days=60)
MOST_AT_ONCE = 200
OWN_GAPS = ("title", "place", "starts")
MISSED = "reminder_missed"


@dataclass(frozen=True, slots=True)
class Due:
    """A reminder to be made now."""

    event: EventRow
    rule: ReminderRule
    told: Told


def add_rule(ports: Ports, rule: ReminderRule, *, actor: Actor) -> ReminderRule:
    """Keep a reminder rule; its wording may have {title}, {place} and {starts} beside the personal parts.

    Raises InvalidAnnouncement, NotToBeChanged, NotAllowed.
    """
    parts = check_parts(rule.parts, gaps=True)
    strange = [gap for text in parts.values() for gap in gaps(text) if gap not in OWN_GAPS]
    if strange:
        hint = "there are {title}, {place} and {starts}, and {pupil}, {guardian}, {class}"
        raise InvalidAnnouncement(
            Problem("unknown_placeholder", "text", f"nothing belongs where {{{strange[0]}}} stands", hint)
        )
    if not SHORTEST <= rule.before <= LONGEST:
        raise NotToBeChanged(
            Problem("bad_length", "before", "a reminder is 5 minutes to 60 days before", "such as 2 d")
        )
    filled = {part: fill_gaps(text, dict.fromkeys(OWN_GAPS, "there")) for part, text in parts.items()}
    audience = rule.audience or "everyone"
    intake.rehearse(ports, Draft(rule.department, audience, rule.people, rule.ways, filled), actor=actor)

    def work(tx: Transaction) -> ReminderRule:
        operators.must(tx, actor, OperatorRole.AUTHOR, rule.department)
        if any(one.name == rule.name for one in tx.events.rules()):
            raise NotToBeChanged(
                Problem("known", "name", "there is a reminder of this name", "choose another")
            )
        made = replace(rule, parts=parts, made_by=actor.id)
        made = replace(made, id=tx.events.add_rule(made))
        tx.record.add([Entry("reminder_rule.added", actor, {"rule": made.id, "department": made.department})])
        return made

    return ports.ledger.transact(work)


def retire_rule(ports: Ports, name: str, *, actor: Actor) -> None:
    """A rule reminds nobody any more. Raises NotFound, NotAllowed."""

    def work(tx: Transaction) -> None:
        rule = next((one for one in tx.events.rules() if one.name == name), None)
        if rule is None:
            hint = "list them with: carillon events rules"
            raise NotFound(Problem("not_found", "name", "there is no such reminder", hint))
        operators.must(tx, actor, OperatorRole.AUTHOR, rule.department)
        tx.events.retire_rule(rule.id)
        tx.record.add([Entry("reminder_rule.retired", actor, {"rule": rule.id})])

    ports.ledger.transact(work)


def make_due(ports: Ports, *, actor: Actor) -> int:
    """Announce the reminders and the notices that are due; how many were dealt with."""
    with ports.ledger.look() as tx:
        due = due_now(tx)[:MOST_AT_ONCE]
        owed = tx.events.owed(limit=MOST_AT_ONCE)
    reminded = sum(_remind(ports, each, actor) for each in due)
    latest = {event: max(n for one, n, *_ in owed if one == event) for event, *_ in owed}
    for event, sequence, words, ways, people in owed:
        # An earlier change that a later one overtook is told with that.
        draft = (
            Draft("", "", people, (Step(ways),), {Part.SHORT: words}) if sequence == latest[event] else None
        )
        _notice(ports, event, sequence, draft, actor)
    return reminded + len(owed)


def due_now(tx: Transaction) -> list[Due]:
    """What is to be done at this moment, the earliest event first."""
    rules = tx.events.rules()
    if not rules:
        return []
    events = [
        one
        for one in tx.events.between(tx.now - LOOK_BACK, tx.now + max(rule.before for rule in rules))
        if one.cancelled_at is None
    ]
    done: dict[int, set[int]] = {}
    for reminded in tx.events.reminded([one.id for one in events]):
        done.setdefault(reminded.event, set()).add(reminded.rule)
    return [
        found
        for event in events
        for found in _due_of(event, [r for r in rules if _fits(r, event)], done.get(event.id, set()), tx.now)
    ]


def _fits(rule: ReminderRule, event: EventRow) -> bool:
    return rule.department == event.department and applies(rule.audience, event.audience)


def _due_of(event: EventRow, rules: Sequence[ReminderRule], done: set[int], now: datetime) -> list[Due]:
    """Of one event. What lay before it was known is passed over where another comes; the last of all goes now."""
    to_come = [rule for rule in rules if event.starts_at - rule.before > now]
    found: list[Due] = []
    for rule in rules:
        at = event.starts_at - rule.before
        if rule.id in done or at > now:
            continue
        if event.starts_at <= now:
            told = Told.PASSED if event.starts_at <= event.known_at else Told.MISSED
        elif at < event.known_at and (to_come or rule is not rules[-1]):
            told = Told.PASSED
        else:
            told = Told.SENT
        found.append(Due(event, rule, told))
    return found


def _remind(ports: Ports, due: Due, actor: Actor) -> int:
    event, rule = due.event, due.rule
    announcement: UUID | None = None
    told, why = due.told, ""
    if told is Told.SENT:
        draft = Draft(
            department=event.department,
            audience=event.audience,
            people=rule.people,
            ways=rule.ways,
            parts={part: fill_gaps(text, _values(event)) for part, text in rule.parts.items()},
            key=f"reminder:{event.public_id}:{rule.id}:{event.sequence}",
            expires_at=event.starts_at,  # never after it began
        )
        behalf = replace(actor, department=event.department, on_behalf_of=rule.made_by)
        try:
            announcement = intake.accept(ports, draft, actor=behalf).announcement.public_id
        except KeyConflict:
            pass
        except RuleBroken as refused:
            told, why = Told.REFUSED, refused.problem.message

    def work(tx: Transaction) -> int:
        now = tx.events.by_id(event.id, lock=True)
        if now is None or now.sequence != event.sequence:  # moved or cancelled while this was being made
            said = (
                tx.announcements.by_public_id(announcement, lock=True) if announcement is not None else None
            )
            if said is not None:
                intake.forbid(tx, said, actor=actor)
            return 0
        if not tx.events.remind(Reminded(event.id, rule.id, told, tx.now, why, announcement)):
            return 0
        if told in {Told.MISSED, Told.REFUSED}:
            message = f"nobody was reminded of an event on {event.wall:%Y-%m-%d %H:%M}: {why or 'nothing ran in time'}"
            tx.sweeps.raise_alarm(MISSED, f"{event.public_id}/{rule.id}", message)
        facts = {"event": str(event.public_id), "rule": rule.id, "told": told}
        tx.record.add([Entry("event.reminded", actor, facts)])
        return 1

    return ports.ledger.transact(work)


def _notice(ports: Ports, event: int, sequence: int, draft: Draft | None, actor: Actor) -> None:
    with ports.ledger.look() as tx:
        row, now = tx.events.by_id(event), tx.now
    announcement: UUID | None = None
    # Once it has begun a notice helps nobody any more.
    if draft is not None and row is not None and row.starts_at > now:
        said = replace(
            draft,
            department=row.department,
            audience=row.audience,
            key=f"notice:{row.public_id}:{sequence}",
            expires_at=row.starts_at,
        )
        behalf = replace(actor, department=row.department, on_behalf_of=row.made_by)
        try:
            announcement = intake.accept(ports, said, actor=behalf).announcement.public_id
        except RuleBroken as refused:
            why = refused.problem.message
            alarm = f"those who were reminded were not told of a change: {why}"
            ports.ledger.transact(
                lambda tx: tx.sweeps.raise_alarm(MISSED, f"{row.public_id}/{sequence}", alarm)
            )
    ports.ledger.transact(lambda tx: tx.events.noticed(event, sequence, announcement))


def _values(event: EventRow) -> dict[str, str]:
    return {"title": event.title, "place": place_in_words(event), "starts": starts_in_words(event)}
