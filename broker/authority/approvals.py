"""A second person's yes or no: what waits for it, what it binds, and when it does no more (R13, R20).

A yes is given to one wording, audience, ways, version of the rules, and about so many people. Whatever of that changes
before it is planned sends the announcement back to wait. Once it goes out, a yes stands: then only a rule about what
its words do to somebody may want another one, and what waits for it goes on (decision 32). Approver ≠ author, always;
of two who decide at once the second finds it decided.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from broker import audience as audiences
from broker import drafts, intake, judging
from broker.actor import Actor, ActorKind
from broker.announcement import (
    AS_CORRECTION,
    Announcement,
    Content,
    Draft,
    FollowUp,
    Part,
    Urgency,
)
from broker.authority import operators
from broker.authority.signin import must_be_small
from broker.errors import InvalidAnnouncement, NotAllowed, NotFound, NotToBeChanged, Problem
from broker.office.expressions import resolve
from broker.ports import Ports, Transaction
from broker.ports.approvals import Author, Binding, Decided, Decision, OperatorRole
from broker.reckoning import reckon
from broker.record import Entry
from broker.rules.approval import SECOND_PERSON, may_drift
from broker.scrutiny.audit import decision_entry, wording_digest
from broker.values import FanOutHint
from broker.wording import check_parts

OVERRIDDEN = "approval_overridden"  # the alarm: told to all approvers at once, until somebody has reviewed it
VOID = "approval_void"
SHORT = 12  # characters of a binding's digest that are shown, and typed


def approve(
    ports: Ports,
    public_id: UUID,
    *,
    actor: Actor,
    seen: str | None = None,
    why: str = "",
    proved: bool = True,
) -> Decision:
    """Say yes as a second person. `seen`: the beginning of the binding's digest that was looked at.

    It may be left out while the words are the first ones. `proved`: whether whoever says it was asked who they are;
    without that, nothing goes to many.

    Raises NotFound, NotAllowed, NotToBeChanged.
    """

    def work(tx: Transaction) -> Decision:
        announcement = _waiting(tx, public_id)
        binding = _bound(tx, announcement, actor, seen)
        if not proved:
            must_be_small(tx, binding.counted)
        _in_place_of_an_override(tx, announcement, actor)
        return _decide(tx, announcement, Decided.APPROVED, binding, actor, why)

    return _and_plan(ports, public_id, ports.ledger.transact(work))


def reject(ports: Ports, public_id: UUID, why: str, *, actor: Actor, seen: str | None = None) -> Decision:
    """Say no as a second person: nothing of it will leave any more. Raises NotFound, NotAllowed, NotToBeChanged."""

    def work(tx: Transaction) -> Decision:
        announcement = _waiting(tx, public_id)
        binding = _bound(tx, announcement, actor, seen)
        _in_place_of_an_override(tx, announcement, actor)
        decision = _decide(tx, announcement, Decided.REJECTED, binding, actor, why)
        intake.forbid(tx, announcement, actor=actor)
        return decision

    decision = ports.ledger.transact(work)
    intake.take_back_queued(ports, decision.announcement, actor=actor)
    return decision


def override(ports: Ports, public_id: UUID, why: str, *, actor: Actor) -> Decision:
    """Send an urgent announcement without a second person: approvers are told at once, and it is listed until reviewed.

    Raises NotFound, NotAllowed, NotToBeChanged.
    """

    def work(tx: Transaction) -> Decision:
        return _overridden(ports, tx, _waiting(tx, public_id, decided=True), why, actor)

    return _and_plan(ports, public_id, ports.ledger.transact(work))


def accept_overridden(ports: Ports, draft: Draft, why: str, *, actor: Actor) -> intake.Accepted:
    """Accept an urgent draft and send it without a second person, where it would wait for one; or neither.

    Raises what `intake.accept` and `override` raise.
    """

    def at_once(tx: Transaction, accepted: intake.Accepted) -> intake.Accepted:
        if accepted.hold is None or accepted.hold.code not in SECOND_PERSON:
            return accepted
        # Locked and read anew: what holds it stands in its row only since it was judged.
        _overridden(ports, tx, _waiting(tx, accepted.announcement.public_id), why, actor)
        return replace(accepted, hold=judging.hold_of(judging.rulings(ports, tx, accepted.announcement)))

    return intake.accept(ports, draft, actor=actor, and_then=at_once)


def _overridden(
    ports: Ports, tx: Transaction, announcement: Announcement, why: str, actor: Actor
) -> Decision:
    operators.must(tx, actor, OperatorRole.AUTHOR, announcement.department)
    if actor.kind is not ActorKind.PERSON:
        hint = "let a second person look, or send it as an operator"
        raise NotAllowed(Problem("not_allowed", "", "only a person sends without a second one", hint))
    if announcement.urgency is not Urgency.URGENT:
        raise _refused(
            "not_urgent", "only an urgent announcement goes without a second person", "let it wait"
        )
    if announcement.hold_code != "needs_approval":
        raise _always_checked()
    binding = tx.approvals.binding(announcement)
    message = f"{announcement.department}: sent as urgent without a second person; look at it and review it"
    tx.sweeps.raise_alarm(OVERRIDDEN, str(announcement.public_id), message)
    decision = _decide(tx, announcement, Decided.OVERRIDDEN, binding, actor, why)
    hold = judging.hold_of(judging.rulings(ports, tx, announcement))
    if hold is not None and hold.code in SECOND_PERSON:
        raise _always_checked()
    return decision


def review(ports: Ports, public_id: UUID, note: str, *, actor: Actor) -> None:
    """Somebody who may approve has looked at an override since. Raises NotFound, NotAllowed, NotToBeChanged."""

    def work(tx: Transaction) -> None:
        announcement = _the(tx, public_id)
        overridden = tx.approvals.to_review(announcement.id)
        _second(tx, announcement, actor, *_authors(tx.approvals.author(announcement)))
        if overridden is not None:
            _second(tx, announcement, actor, overridden.by)
        if not tx.approvals.review(announcement.id, by=actor.id, note=note):
            raise _refused("nothing_to_review", "there is nothing to review here", "see `carillon approvals`")
        tx.sweeps.clear_alarm(OVERRIDDEN, str(public_id))
        tx.record.add([Entry("approval.reviewed", actor, {"id": str(public_id)}, announcement.id)])

    ports.ledger.transact(work)


def reword(
    ports: Ports, public_id: UUID, parts: Mapping[Part, str], *, actor: Actor, language: str | None = None
) -> int:
    """Give an announcement that is not planned yet another wording, as a new version; returns its number.

    A yes to the one before does no more. Raises NotFound, NotAllowed, NotToBeChanged, InvalidAnnouncement.
    """
    checked = {part: text for part, text in check_parts(parts).items() if text}

    def work(tx: Transaction) -> int:
        announcement = _the(tx, public_id)
        operators.must(tx, actor, OperatorRole.AUTHOR, announcement.department)
        if not any(operators.same(each, actor.id) for each in _authors(tx.approvals.author(announcement))):
            # Or somebody could approve words of their own under another's name.
            raise _refused("not_its_author", "only its author changes the words", "ask them, or reject it")
        _not_begun(tx, announcement)
        if announcement.follow_up is FollowUp.CORRECTION:  # two wordings hang together in it
            raise _refused("a_correction", "its words are two", "undo it, and correct the first one anew")
        known = tx.approvals.binding(announcement).content_version
        before = tx.announcements.content(announcement.id, known)
        spoken = language if language is not None else before[0].language
        wording = replace(before[0], version=known + 1, language=spoken, parts=checked)
        _check(ports, tx, announcement, drafts.with_its_link(ports, wording))
        tx.approvals.reword(announcement, known + 1, checked, spoken)
        audience = resolve(tx, audiences.parse(announcement.audience))
        reckon(ports, tx, announcement, audience, tx.announcements.content(announcement.id, known + 1))
        void(tx, announcement, "its wording was changed since", actor=actor)
        digest = wording_digest(
            [(spoken, part.value, text) for part, text in checked.items()],
            [(file.name, file.sha256) for file in before[0].attachments],
        )
        facts = {"id": str(public_id), "content_version": known + 1, "wording": digest}
        tx.record.add([Entry("announcement.reworded", actor, facts, announcement.id)])
        _judge_again(ports, tx, announcement, actor)
        return known + 1

    version = ports.ledger.transact(work)
    ports.hints.publish(FanOutHint(public_id))
    return version


def still_bound(tx: Transaction, announcement: Announcement, counted: int, *, actor: Actor) -> None:
    """Just before it is planned: a yes to something else than this does no more, and it waits again."""
    decision = tx.approvals.standing(announcement.id)
    if decision is None or decision.decided is Decided.REJECTED or tx.cases.has_begun(announcement.id):
        return
    why = _changed(tx, announcement, decision, counted)
    if why and decision.decided is Decided.APPROVED:
        void(tx, announcement, why, actor=actor)
        tell_that_it_waits(tx, announcement, why)


def tell_that_it_waits(tx: Transaction, announcement: Announcement, why: str) -> None:
    """Whoever watches hears that it waits for a second person anew, and why."""
    tx.sweeps.raise_alarm(VOID, str(announcement.public_id), f"it waits for a second person again: {why}")


def void(tx: Transaction, announcement: Announcement, why: str, *, actor: Actor) -> None:
    """A yes that stood does no more, if there was one."""
    decision = tx.approvals.standing(announcement.id)
    if decision is not None:
        tx.approvals.void(announcement.id, why)
        facts = {"id": str(announcement.public_id), "why": why, "decision": decision.decided.value}
        tx.record.add([Entry("approval.void", actor, facts, announcement.id)])


def _changed(tx: Transaction, announcement: Announcement, decision: Decision, counted: int) -> str:
    """What differs from what was agreed to, in words; "" where nothing does."""
    if tx.approvals.binding(announcement).digest != decision.bound:
        return "its wording, audience, ways or the school's rules were changed since"
    if decision.counted is None:
        return ""
    if may_drift(tx.rules.current(), decision.counted, counted):
        return ""
    return f"it would now tell {counted:,} people, and {decision.counted:,} were agreed to"


def _decide(
    tx: Transaction, announcement: Announcement, decided: Decided, binding: Binding, actor: Actor, why: str
) -> Decision:
    if tx.approvals.standing(announcement.id) is not None:
        raise _refused("decided", "somebody has decided it already", "see `carillon approvals show`")
    tx.approvals.add(announcement.id, decided, binding, by=actor.id, why=why)
    tx.sweeps.clear_alarm(VOID, str(announcement.public_id))
    if decided is not Decided.REJECTED:
        tx.cases.hold(announcement.id, None)
        tx.cases.look_again(announcement.id)
    tx.record.add([decision_entry(announcement, decided, binding, actor)])
    kept = tx.approvals.standing(announcement.id)
    assert kept is not None  # noqa: S101 - written three statements ago, in this transaction
    return kept


def _bound(tx: Transaction, announcement: Announcement, actor: Actor, seen: str | None) -> Binding:
    """What is decided about, as it is now; by somebody else than its author, who has seen it so."""
    _second(tx, announcement, actor, *_authors(tx.approvals.author(announcement)))
    binding = tx.approvals.binding(announcement)
    # Of words that were changed once nobody knows which ones a yes without `seen` is about.
    first = AS_CORRECTION if announcement.follow_up is FollowUp.CORRECTION else 1
    blind = seen is None and binding.content_version > first
    if blind or (seen is not None and not (len(seen) >= SHORT and binding.digest.startswith(seen))):
        hint = "look at it again: carillon approvals show; and say what it ends with: --seen"
        raise _refused("changed_since", "it was changed since you looked at it", hint)
    return binding


def _authors(author: Author) -> tuple[str, ...]:
    """Whose announcement it is: who made it, and on whose behalf."""
    return tuple(name for name in (author.id, author.on_behalf_of) if name)


def _second(tx: Transaction, announcement: Announcement, actor: Actor, *first: str) -> None:
    operators.must(tx, actor, OperatorRole.APPROVER, announcement.department)
    if any(operators.same(each, actor.id) for each in first):
        raise _refused(
            "own_announcement", "nobody approves what they announced themselves", "ask somebody else"
        )


def _in_place_of_an_override(tx: Transaction, announcement: Announcement, actor: Actor) -> None:
    """What went without a second person, and waits for one after all, is decided by that one; it stays listed."""
    decision = tx.approvals.standing(announcement.id)
    if decision is not None and decision.decided is Decided.OVERRIDDEN:
        void(tx, announcement, "a second person has decided after all", actor=actor)


def _waiting(tx: Transaction, public_id: UUID, *, decided: bool = False) -> Announcement:
    """The announcement, locked, while it waits for a second person. Raises NotFound, NotToBeChanged.

    `decided`: not even where it went without one and has to wait after all.
    """
    announcement = _the(tx, public_id)
    decision = tx.approvals.standing(announcement.id)
    if decision is not None and (decided or decision.decided is not Decided.OVERRIDDEN):
        message = f"it was {decision.decided.value} already"
        raise _refused("decided", message, "see `carillon approvals show`")
    if announcement.withdrawn_at is not None:
        raise _refused("withdrawn", "it was withdrawn", "announce it anew")
    if tx.now >= announcement.expires_at:
        raise _refused("expired", "its time is over", "announce it anew with another expiry")
    if announcement.hold_code not in SECOND_PERSON and not tx.approvals.waits_in_mid_send(announcement.id):
        raise _refused("not_waiting", "it does not wait for a second person", "see `carillon status`")
    return announcement


def _not_begun(tx: Transaction, announcement: Announcement) -> None:
    if announcement.withdrawn_at is not None or tx.now >= announcement.expires_at:
        raise _refused("over", "its time is over", "announce it anew")
    if announcement.fanned_out_at is not None or tx.cases.is_planned(announcement.id):
        raise _refused("planned", "it is going out already", "withdraw it, and announce it anew")


def _judge_again(ports: Ports, tx: Transaction, announcement: Announcement, actor: Actor) -> None:
    found = judging.rulings(ports, tx, announcement, reworded=True)
    if refused := judging.refusal_in(found):
        raise refused
    judging.keep(tx, announcement.id, found, actor=actor)
    hold = judging.hold_of(found)
    if hold is not None:
        judging.hold_back(tx, announcement, hold)
    else:
        tx.cases.hold(announcement.id, None)


def _check(ports: Ports, tx: Transaction, announcement: Announcement, content: Content) -> None:
    for channel in (name for step in announcement.ways for name in step.channels):
        account = tx.accounts.for_channel(channel, announcement.department)
        if account is not None:
            opened = drafts.gateways_of(ports, account.name)
            for problem in (each for one in opened for each in drafts.objections(one, content)):
                raise InvalidAnnouncement(problem)


def _and_plan(ports: Ports, public_id: UUID, decision: Decision) -> Decision:
    ports.hints.publish(FanOutHint(public_id))
    return decision


def _the(tx: Transaction, public_id: UUID) -> Announcement:
    announcement = tx.announcements.by_public_id(public_id, lock=True)
    if announcement is None:
        raise NotFound(
            Problem(
                "not_found", "id", "there is no such announcement", "copy its id from `carillon approvals`"
            )
        )
    return announcement


def _always_checked() -> NotToBeChanged:
    hint = "change the wording, or let a second person look"
    return _refused("always_checked", "what made it wait is checked however urgent it is", hint)


def _refused(code: str, message: str, hint: str) -> NotToBeChanged:
    return NotToBeChanged(Problem(code, "id", message, hint))
