"""Answers: what somebody wrote back is kept, brought to a person, and answered once with where to get help now.

This is no chat. Whatever is written here, the house says one thing to each sender and day: that nobody reads it live.
A child may disclose harm in it, so a list of words brings it to the safeguarding lead at once, and to nobody else; no
alarm, mail, log or entry of the record says more of it than its id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from broker.actor import Actor, ActorKind
from broker.address import AddressKind, BadAddress, parse_email, parse_mobile
from broker.audience import fold
from broker.authority.operators import must, same
from broker.errors import NotAllowed, NotFound, NotToBeChanged, Problem
from broker.incoming.answering import (
    LONGEST_SUBJECT,
    LONGEST_TEXT,
    AnswerRow,
    Inbound,
    Inbox,
)
from broker.incoming.inboxes import (
    ALARM_CONCERN,
    call_the_lead,
    department_of,
    raise_concern,
    tell_the_inbox,
)
from broker.incoming.replying import reply
from broker.ports import Ports, Transaction
from broker.ports.approvals import OperatorRole
from broker.record import Entry

LATELY = timedelta(days=14)  # what was sent before is hardly what somebody answers
_CONTROLS = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 127))


@dataclass(frozen=True, slots=True)
class Recorded:
    """An answer that is kept now; `new` is False when it was before."""

    public_id: UUID | None
    new: bool
    concern: bool = False
    replied: bool = False


def record_inbound(ports: Ports, tx: Transaction, inbound: Inbound, *, actor: Actor) -> Recorded:
    """Keep what somebody wrote, in the caller's transaction; tell whoever should know, and answer it once.

    Never raises for anything that a stranger may have written. Safe to repeat: the same `key` of the same channel is
    kept once. `actor` is who brought it: the provider whose signature held, or the reader of a mailbox.
    """
    kind = ports.channels.traits(inbound.channel).address_kind or AddressKind.EMAIL
    sender, usable = _normalised(inbound, kind, tx.school.region)
    inbound = _bounded(inbound)
    about = None if inbound.settled else tx.answers.about(inbound, kind=kind, sender=sender, within=LATELY)
    whose = about.department if about is not None else _owner(tx, inbound)
    department = whose or tx.answers.first_department()
    rules = ports.answering
    concern = not (inbound.settled or inbound.automatic) and rules.words.heard_in(
        inbound.subject, inbound.text
    )
    inbox = rules.lead if concern else rules.inbox_of(whose)
    kept = tx.answers.add(inbound, kind=kind, sender=sender, inbox=inbox.name, concern=concern, about=about)
    if kept is None:
        return Recorded(None, new=False)
    facts = {"answer": str(kept.public_id), "channel": inbound.channel}
    tx.record.add([Entry("answer.recorded", actor, facts, about.announcement if about else None)])
    if concern:
        call_the_lead(ports, tx, kept, department)
    elif kept.done_at is None:
        tell_the_inbox(ports, tx, inbox, department)
    replied = False
    if not inbound.settled:
        why_not = "" if usable else "its sender has no address that can be answered"
        said = why_not or reply(
            ports, tx, inbound, kind, sender, about, concern=concern, department=department
        )
        tx.answers.note_reply(kept.id, said or "answered once: not read live, and where to get help")
        replied = not said
    return Recorded(kept.public_id, new=True, concern=concern, replied=replied)


def record_settled(ports: Ports, tx: Transaction, texts: Sequence[Inbound], *, actor: Actor) -> int:
    """Keep texts of one account on which nothing is left to do (STOP, START), however many; returns how many are new.

    A school's families may say STOP within one minute: one by one, that would keep whatever else comes waiting.
    """
    if not texts:
        return 0
    first = texts[0]
    kind = ports.channels.traits(first.channel).address_kind or AddressKind.EMAIL
    region = tx.school.region
    told = [(_bounded(one), _normalised(one, kind, region)[0]) for one in texts]
    inbox = ports.answering.inbox_of(_owner(tx, first))
    kept = tx.answers.add_settled(told, kind=kind, inbox=inbox.name)
    if kept:
        facts = {"answers": [str(one) for one in kept], "channel": first.channel}
        tx.record.add([Entry("answers.settled", actor, facts)])
    return len(kept)


def finish(ports: Ports, public_id: UUID, *, actor: Actor) -> None:
    """Somebody has dealt with it.

    Raises NotFound; NotToBeChanged where it is for the safeguarding lead alone; NotAllowed for who neither watches the
    inbox nor is an author whose department's answers go there.
    """

    def work(tx: Transaction) -> None:
        answer = _the(ports, tx, public_id, actor)
        if answer.done_at is None:
            tx.answers.finish(answer.id, actor.id)
            tx.record.add([Entry("answer.done", actor, {"answer": str(public_id)})])
            if answer.concern:
                tx.sweeps.clear_alarm(ALARM_CONCERN, str(public_id))

    ports.ledger.transact(work)


def reopen(ports: Ports, public_id: UUID, *, actor: Actor) -> None:
    """It is to be dealt with after all; safe to repeat. Raises as `finish` does, and for what nobody need deal with."""

    def work(tx: Transaction) -> None:
        answer = _the(ports, tx, public_id, actor)
        if answer.done_at is None:
            return
        if not answer.done_by:
            message = "there is nothing to do about this: it was dealt with as it came"
            raise NotToBeChanged(Problem("nothing_to_do", "id", message, "leave it as it is"))
        tx.answers.reopen(answer.id)
        if answer.concern:
            raise_concern(tx, public_id)
        tx.record.add([Entry("answer.reopened", actor, {"answer": str(public_id)})])

    ports.ledger.transact(work)


def show(ports: Ports, public_id: UUID, *, actor: Actor) -> AnswerRow:
    """One answer with its content; that it was looked at is recorded. Raises as `finish` does."""

    def work(tx: Transaction) -> AnswerRow:
        answer = _the(ports, tx, public_id, actor)
        if answer.opened_at is None:
            tx.answers.open(answer.id, actor.id)
        tx.record.add([Entry("answer.shown", actor, {"answer": str(public_id)})])
        return answer

    return ports.ledger.transact(work)


def reveal(ports: Ports, public_id: UUID, *, actor: Actor) -> str:
    """The number or email it came from, to ring or to write to by hand; that it was shown is recorded.

    Raises as `finish` does.
    """

    def work(tx: Transaction) -> str:
        answer = _the(ports, tx, public_id, actor)
        tx.record.add([Entry("answer.sender_shown", actor, {"answer": str(public_id)})])
        return answer.sender

    return ports.ledger.transact(work)


def release(ports: Ports, public_id: UUID, inbox: str, *, actor: Actor) -> None:
    """The safeguarding lead gives an answer to an inbox, whose watchers see it from now on. Raises as `finish` does."""
    to = next((one for one in ports.answering.inboxes if one.name == inbox), None)
    if to is None:
        known = ", ".join(one.name for one in ports.answering.inboxes)
        raise NotFound(Problem("unknown_inbox", "inbox", "there is no such inbox", f"one of: {known}"))

    def work(tx: Transaction) -> None:
        answer = _the(ports, tx, public_id, actor)
        if not answer.concern:
            message = "this answer is no concern of the safeguarding lead's any more"
            raise NotToBeChanged(Problem("not_a_concern", "id", message, "see: carillon answers list"))
        tx.answers.release(answer.id, to.name, actor.id)
        tx.sweeps.clear_alarm(ALARM_CONCERN, str(public_id))
        tx.record.add([Entry("answer.released", actor, {"answer": str(public_id), "inbox": to.name})])
        tell_the_inbox(ports, tx, to, department_of(tx, to))

    ports.ledger.transact(work)


def may_see(ports: Ports, actor: Actor, *, concern: bool) -> bool:
    """A concern is for the safeguarding lead alone. While the school has named nobody, it must not be for nobody."""
    return not concern or not ports.answering.lead.watchers or _watches(ports.answering.lead, actor)


def inboxes_of(ports: Ports, actor: Actor, department: str | None) -> frozenset[str] | None:
    """The inboxes whose answers are there for whoever acts for a department; None: all of them.

    Its department's own, and those that they watch. For the safeguarding lead, and for the school, all are there.
    """
    rules = ports.answering
    if department is None or _watches(rules.lead, actor):
        return None
    watched = (one.name for one in rules.inboxes if _watches(one, actor))
    return frozenset({rules.inbox_of(department).name, *watched})


def _owner(tx: Transaction, inbound: Inbound) -> str | None:
    """The department whose own account was written to."""
    return next((one.department for one in tx.accounts.all() if one.id == inbound.account), None)


def _normalised(inbound: Inbound, kind: AddressKind, region: str) -> tuple[str, bool]:
    """The sender as an address is kept, and whether anything could be sent there."""
    try:
        if kind is AddressKind.MOBILE:
            return parse_mobile(inbound.sender, region), True
        return parse_email(inbound.sender), True
    except BadAddress:
        plain = inbound.sender.encode("utf-8", "replace").decode().translate(_CONTROLS)
        return " ".join(plain.split())[:254], False


def _bounded(inbound: Inbound) -> Inbound:
    return replace(
        inbound,
        text=_readable(inbound.text, LONGEST_TEXT),
        subject=" ".join(_readable(inbound.subject, LONGEST_SUBJECT).split()),
    )


def _readable(text: str, most: int) -> str:
    """No longer than may be kept, and nothing in it that a database or a terminal would stumble over."""
    clipped = text[:most].encode("utf-8", "replace").decode().replace("\r\n", "\n").replace("\r", "\n")
    return clipped.translate(_CONTROLS)


def _the(ports: Ports, tx: Transaction, public_id: UUID, actor: Actor) -> AnswerRow:
    """An answer that this actor may open and deal with."""
    found = tx.answers.named(public_id, lock=True)
    if found is None:
        raise NotFound(Problem("not_found", "id", "there is no such answer", "see: carillon answers list"))
    if not may_see(ports, actor, concern=found.concern):
        message = "this answer is for the safeguarding lead alone"
        hint = f"they are: {', '.join(ports.answering.lead.watchers)}"
        raise NotToBeChanged(Problem("for_the_lead", "id", message, hint))
    inbox = ports.answering.named(found.inbox)
    if not (_watches(ports.answering.lead, actor) or (inbox is not None and _watches(inbox, actor))):
        _must_be_author(ports, tx, found.inbox, actor)
    return found


def _must_be_author(ports: Ports, tx: Transaction, inbox: str, actor: Actor) -> None:
    """Whoever does not watch an inbox reads it as an author, and one of a department its own answers alone."""
    known = tx.operators.named(fold(actor.id)) if actor.kind is ActorKind.PERSON else None
    must(tx, actor, OperatorRole.AUTHOR, known.department if known is not None else None)
    if known is None or known.department is None:
        return
    if ports.answering.inbox_of(known.department).name != inbox:
        message = f"{known.name} acts for {known.department} alone, whose answers go elsewhere"
        hint = "ask whoever watches this inbox: carillon answers inboxes"
        raise NotAllowed(Problem("not_allowed", "operator", message, hint))


def _watches(inbox: Inbox, actor: Actor) -> bool:
    return actor.kind is ActorKind.PERSON and any(same(actor.id, one) for one in inbox.watchers)
