"""Reminder rules: how long before the events of a department who is reminded, by which ways and in which words.

What is due by them follows from the events at the moment somebody looks (`broker.diary.reminding`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from broker import intake, judging
from broker.actor import Actor
from broker.announcement import Draft, Part
from broker.authority import operators
from broker.diary.recurrence import Double, Missing, resolve
from broker.errors import InvalidAnnouncement, NotFound, NotToBeChanged, Problem
from broker.naming import fill_gaps, gaps
from broker.ports import Ports, Transaction
from broker.ports.approvals import OperatorRole
from broker.ports.events import EventRow, ReminderRule
from broker.record import Entry
from broker.rules.approval import SECOND_PERSON
from broker.scrutiny.laid_down import as_said
from broker.wording import check_parts

SHORTEST, LONGEST = timedelta(minutes=5), timedelta(days=60)
DAY, NOW = timedelta(days=1), timedelta()
OWN_GAPS = ("title", "place", "starts")
WAITS = "reminder_waits"


def add_rule(ports: Ports, rule: ReminderRule, *, actor: Actor) -> ReminderRule:
    """Keep a reminder rule; its wording may have {title}, {place} and {starts} beside the personal parts.

    Raises InvalidAnnouncement, NotToBeChanged, NotAllowed.
    """
    checked = _checked(ports, rule, actor)

    def work(tx: Transaction) -> ReminderRule:
        operators.must(tx, actor, OperatorRole.AUTHOR, rule.department)
        _must_be_free(tx, rule.name)
        made = replace(checked, id=tx.events.add_rule(checked))
        tx.record.add([_entry("reminder_rule.added", made, actor)])
        return made

    return ports.ledger.transact(work)


def change_rule(ports: Ports, name: str, rule: ReminderRule, *, actor: Actor) -> ReminderRule:
    """From now on a rule is called so, and reminds in these words, by these ways, at that time; it stays the same rule.

    Whom it has reminded of an event it does not remind anew. A second person's yes was to what it said before.
    Raises NotFound, and what `add_rule` raises.
    """
    checked = _checked(ports, rule, actor)

    def work(tx: Transaction) -> ReminderRule:
        was = _the(tx, name)
        for department in (was.department, rule.department):
            operators.must(tx, actor, OperatorRole.AUTHOR, department)
        if rule.name != was.name:
            _must_be_free(tx, rule.name)
        changed = replace(checked, id=was.id)
        tx.events.change_rule(changed)
        tx.sweeps.clear_alarm(WAITS, str(was.id))
        tx.record.add([_entry("reminder_rule.changed", changed, actor)])
        return changed

    return ports.ledger.transact(work)


def when(rule: ReminderRule, event: EventRow, zone: str) -> datetime:
    """When a rule reminds of an event. Of an hour that is missing it is the next one, of a double one the first."""
    if rule.clock is None:
        return event.starts_at - rule.before
    wall = datetime.combine(event.wall.date() - rule.before, rule.clock)
    at, _ = resolve(wall, zone, missing=Missing.LATER, double=Double.FIRST)
    return at or event.starts_at - rule.before


def furthest(rules: Sequence[ReminderRule]) -> timedelta:
    """How long before an event the first of these may remind of it."""
    return max((rule.before + (DAY if rule.clock else NOW) for rule in rules), default=NOW)


def waits(ports: Ports, rule: ReminderRule, *, actor: Actor) -> str:
    """Why what a rule says waits for a second person each time, until one says yes to the rule; "" where not."""
    hold = judging.hold_of(_rehearsed(ports, rule, actor).rulings)
    return hold.why if hold is not None and hold.code in SECOND_PERSON else ""


def approve_rule(ports: Ports, name: str, *, actor: Actor) -> None:
    """Say yes, as a second person, to all that a rule will say. Raises NotFound, NotAllowed, NotToBeChanged."""

    def work(tx: Transaction) -> None:
        rule = _the(tx, name)
        operators.must(tx, actor, OperatorRole.APPROVER, rule.department)
        if operators.same(rule.made_by, actor.id):
            message = "nobody approves what they announce themselves"
            raise NotToBeChanged(Problem("own_announcement", "name", message, "ask somebody else"))
        tx.events.approve_rule(rule.id, by=actor.id)
        tx.sweeps.clear_alarm(WAITS, str(rule.id))
        tx.record.add([_entry("reminder_rule.approved", rule, actor, agreed=actor.id)])

    ports.ledger.transact(work)


def retire_rule(ports: Ports, name: str, *, actor: Actor) -> None:
    """A rule reminds nobody any more. Raises NotFound, NotAllowed."""

    def work(tx: Transaction) -> None:
        rule = _the(tx, name)
        operators.must(tx, actor, OperatorRole.AUTHOR, rule.department)
        tx.events.retire_rule(rule.id)
        tx.record.add([Entry("reminder_rule.retired", actor, {"rule": rule.id})])

    ports.ledger.transact(work)


def _checked(ports: Ports, rule: ReminderRule, actor: Actor) -> ReminderRule:
    """The rule as it is kept, worded by whoever acts. Raises InvalidAnnouncement, NotToBeChanged."""
    parts = check_parts(rule.parts, gaps=True)
    strange = [gap for text in parts.values() for gap in gaps(text) if gap not in OWN_GAPS]
    if strange:
        hint = "there are {title}, {place} and {starts}, and {pupil}, {guardian}, {class}"
        raise InvalidAnnouncement(
            Problem("unknown_placeholder", "text", f"nothing belongs where {{{strange[0]}}} stands", hint)
        )
    if rule.clock is not None and (rule.before < DAY or rule.before % DAY):
        hint = "for less than a day say how long before, and no time of day"
        raise NotToBeChanged(Problem("bad_length", "before", "a time of day is of whole days before", hint))
    if not SHORTEST <= rule.before <= LONGEST:
        raise NotToBeChanged(
            Problem("bad_length", "before", "a reminder is 5 minutes to 60 days before", "such as 2 d")
        )
    checked = replace(rule, parts=parts, made_by=actor.id)
    _rehearsed(ports, checked, actor)
    return checked


def _must_be_free(tx: Transaction, name: str) -> None:
    if any(one.name == name for one in tx.events.rules()):
        raise NotToBeChanged(Problem("known", "name", "there is a reminder of this name", "choose another"))


def _entry(kind: str, rule: ReminderRule, actor: Actor, agreed: str = "") -> Entry:
    facts = {"rule": rule.id, "department": rule.department, "says": says_of(rule), "agreed": agreed}
    return Entry(kind, actor, facts)


def says_of(rule: ReminderRule) -> str:
    """The digest of all that a rule says, to whom and by which ways."""
    return as_said(_draft(rule, rule.parts))


def _rehearsed(ports: Ports, rule: ReminderRule, actor: Actor) -> intake.Rehearsed:
    filled = {part: fill_gaps(text, dict.fromkeys(OWN_GAPS, "there")) for part, text in rule.parts.items()}
    return intake.rehearse(ports, _draft(rule, filled), actor=actor)


def _draft(rule: ReminderRule, parts: Mapping[Part, str]) -> Draft:
    return Draft(rule.department, rule.audience or "everyone", rule.people, rule.ways, parts)


def _the(tx: Transaction, name: str) -> ReminderRule:
    rule = next((one for one in tx.events.rules() if one.name == name), None)
    if rule is None:
        hint = "list them with: carillon events rules"
        raise NotFound(Problem("not_found", "name", "there is no such reminder", hint))
    return rule
