"""Intake of many at once: hundreds of announcements that are due together, in as many statements as a few take.

Each is checked by the same functions as one alone, and is accepted or refused for itself. What a rule refuses has been
stored by then, for rules judge what is stored: all of it is taken back, and done again without that one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from broker import audience as audiences
from broker import drafts, intake, judging
from broker.actor import Actor, ActorKind
from broker.announcement import Announcement, Content, Draft
from broker.authority import operators
from broker.errors import BrokerError, InvalidAnnouncement, RuleBroken, SetupError
from broker.intake import Accepted
from broker.money import micros
from broker.office.expressions import resolve
from broker.policy import Hold
from broker.ports import NewAnnouncement, Ports, Transaction
from broker.ports.approvals import Binding, Decided, OperatorRole
from broker.reckoning import costs_of
from broker.remembering import remembering
from broker.rules.approval import SECOND_PERSON, may_drift, wanted_for_size
from broker.scrutiny.audit import decision_entry

Answer = Accepted | RuleBroken


@dataclass(frozen=True, slots=True)
class Agreed:
    """A second person's yes to what it is made from: whose, and to about how many people, if those were known.

    `to`: the questions that it answers.
    """

    by: str
    why: str
    counted: int | None = None
    to: frozenset[str] = SECOND_PERSON


@dataclass(frozen=True, slots=True)
class Wanted:
    """One of many to be announced: what, by whom, and what a second person said to all that is like it."""

    draft: Draft
    actor: Actor
    agreed: Agreed | None = None


@dataclass(frozen=True, slots=True)
class _Ready:
    at: int  # its place among those wanted
    wanted: Wanted
    new: NewAnnouncement
    audience: audiences.Audience


class _Refused(BrokerError):
    """Raised when rules refuse some of many, so that what was stored is taken back; carries what they refused."""

    def __init__(self, found: Mapping[int, judging.RefusedByRule]) -> None:
        self.found = found


def accept_all(ports: Ports, tx: Transaction, wanted: Sequence[Wanted]) -> Sequence[Answer]:
    """Accept each or say why not, in their order; whoever began the transaction calls `intake.tell` after its commit.

    They quote nothing. What a person may not announce is a refusal like any other.
    """
    tx = remembering(tx, ((one.draft.audience, one.draft.people) for one in wanted))
    answers: dict[int, Answer] = {}
    ready = _checked(ports, tx, wanted, answers)
    while ready:
        try:
            with tx.attempt():
                answers |= _stored(ports, tx, ready)
        except _Refused as refused:
            for at, why in refused.found.items():
                answers[at] = why
                one = wanted[at]
                digest = next(each.new.digest for each in ready if each.at == at)
                tx.record.add([judging.refusal_told(why, one.draft.department, digest, one.actor)])
            ready = [each for each in ready if each.at not in refused.found]
        else:
            break
    return [answers[at] for at in range(len(wanted))]


def _checked(
    ports: Ports, tx: Transaction, wanted: Sequence[Wanted], answers: dict[int, Answer]
) -> Sequence[_Ready]:
    keys = {(one.draft.department, one.draft.key) for one in wanted if one.draft.key is not None}
    known = tx.announcements.by_keys(keys)
    ready: list[_Ready] = []
    for at, one in enumerate(wanted):
        try:
            draft, tree = drafts.checked(ports, one.draft, changes=True)
            intake.check_no_quote(draft)
            digest = intake.digest_of(draft)
            if (before := known.get((draft.department, draft.key or ""))) is not None:
                answers[at] = intake.already(before, digest)
                continue
            operators.must(tx, one.actor, OperatorRole.AUTHOR, draft.department)
            due_at, expires_at = drafts.judged(ports, tx, draft, tree, patient=True)
        except RuleBroken as broken:
            answers[at] = broken
            continue
        except SetupError as fault:
            # A channel that is not installed here: the others are announced all the same.
            answers[at] = InvalidAnnouncement(fault.problems[0])
            continue
        new = NewAnnouncement(draft, digest, one.actor, due_at, expires_at)
        ready.append(_Ready(at, one, new, resolve(tx, tree)))
    return ready


def _stored(ports: Ports, tx: Transaction, ready: Sequence[_Ready]) -> Mapping[int, Accepted]:
    """All of them, counted, reckoned and judged. Raises _Refused."""
    announcements = tx.announcements.add_all([each.new for each in ready])
    both = list(zip(ready, announcements, strict=True))
    counts = {said.id: _count(tx, each, said) for each, said in both}
    tx.cases.count_all(
        [
            (said.id, counts[said.id], each.new.draft.expected, tx.cases.norm(said.department))
            for each, said in both
        ]
    )
    _reckon(ports, tx, both)
    found = dict(judging.rulings_of_all(ports, tx, announcements, asked=True, patient=True))
    _agree(ports, tx, both, counts, found)
    refused = {each.at: why for each, said in both if (why := judging.refusal_in(found[said.id])) is not None}
    if refused:
        raise _Refused(refused)
    tx.record.add(
        [intake.accepted_entry(said, each.new.draft, each.new.digest, each.new.actor) for each, said in both]
    )
    judging.keep_all(
        tx, [(said.id, ruling, each.new.actor) for each, said in both for ruling in found[said.id]]
    )
    accepted: dict[int, Accepted] = {}
    for each, said in both:
        hold = judging.hold_of(found[said.id])
        if hold is not None:
            judging.hold_back(tx, said, hold)
        accepted[each.at] = Accepted(said, created=True, hold=hold)
    return accepted


def _count(tx: Transaction, each: _Ready, said: Announcement) -> int:
    return intake.count_told(tx, said, each.audience, selective=each.new.draft.told_before is not None)


def _reckon(ports: Ports, tx: Transaction, both: Sequence[tuple[_Ready, Announcement]]) -> None:
    costs = []
    for each, said in both:
        draft = each.new.draft
        wording = [Content(1, draft.language, draft.parts, draft.attachments)]
        for account, cost in costs_of(ports, tx, said, wording, each.audience):
            costs.append((said.id, account, micros(cost.unit), cost.messages))
    tx.money.reckoned_all(costs)


def _agree(
    ports: Ports,
    tx: Transaction,
    both: Sequence[tuple[_Ready, Announcement]],
    counts: Mapping[int, int],
    found: dict[int, Sequence[judging.Ruling]],
) -> None:
    """Where the rules want a second person, and one agreed to what it is made from: that is their yes to this one."""
    agreeing = []
    for each, said in both:
        agreed = each.wanted.agreed
        if agreed is None or not _answers(agreed, found[said.id]):
            continue
        rules = tx.rules.current()
        if agreed.counted is not None and not may_drift(rules, agreed.counted, counts[said.id]):
            continue
        ways = tuple(tuple(step.channels) for step in said.ways)
        binding = Binding(1, said.audience, said.people.value, ways, rules.version, counts[said.id])
        tx.approvals.add(said.id, Decided.APPROVED, binding, by=agreed.by, why=agreed.why)
        second = Actor(ActorKind.PERSON, agreed.by)
        tx.record.add([decision_entry(said, Decided.APPROVED, binding, second)])
        agreeing.append(said)
    if agreeing:
        found |= judging.rulings_of_all(ports, tx, agreeing, asked=True, patient=True)


def _answers(agreed: Agreed, found: Sequence[judging.Ruling]) -> bool:
    """Whether a second person is asked, and nothing but what this one agreed to: one yes would answer all of it."""
    if judging.hold_of(found) is None:
        return False
    holds = [ruling.verdict for ruling in found if isinstance(ruling.verdict, Hold)]
    asked = {each.code for hold in holds for each in (hold, *hold.besides)} & SECOND_PERSON
    if not asked or not asked <= agreed.to:
        return False
    return agreed.counted is not None or not any(wanted_for_size(ruling.case) for ruling in found)
