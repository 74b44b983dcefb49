"""Intake: what somebody wants announced is checked whole, then accepted once; and taken back on request.

Nothing is written until everything holds. The same key with the same words is the same announcement; with other
words it is a conflict.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from broker import audience as audiences
from broker import drafts, judging
from broker.actor import SYSTEM, Actor
from broker.announcement import AS_CORRECTION, Announcement, Content, Draft, FollowUp, Part
from broker.authority import operators
from broker.capabilities import Verifies
from broker.corrections import binding
from broker.corrections.law import AGAIN
from broker.errors import BrokerError, InvalidAnnouncement, KeyConflict, NotFound, Problem
from broker.ladders import in_order
from broker.moments import today_of
from broker.office import expressions
from broker.policy import Hold
from broker.ports import Ports, Transaction
from broker.ports.approvals import OperatorRole
from broker.reckoning import reckon
from broker.record import Entry
from broker.remembering import remembering
from broker.scrutiny.audit import kept_digest, wording_digest
from broker.values import FanOutHint, StopKind

CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class Accepted:
    """An accepted announcement; `created` is False when the key had been used for the same words before.

    `hold`: what the rules keep it waiting for, as a whole.
    """

    announcement: Announcement
    created: bool
    hold: Hold | None = None


AndThen = Callable[[Transaction, Accepted], Accepted]


def accept(ports: Ports, draft: Draft, *, actor: Actor, and_then: AndThen | None = None) -> Accepted:
    """Check a draft, store it, and hint that there is something to plan.

    `and_then` is done with what was accepted in the same transaction: where it raises, nothing is accepted.
    Raises InvalidAnnouncement, UnknownAudience, UnknownChannel or KeyConflict; then nothing has been written but, where
    a rule refused it, that it did.
    """
    accepted = accept_unhinted(ports, draft, actor=actor, and_then=and_then)
    tell(ports, accepted)
    return accepted


def accept_unhinted(ports: Ports, draft: Draft, *, actor: Actor, and_then: AndThen | None = None) -> Accepted:
    """As `accept`, for whoever calls `tell` themselves, once nobody waits for the answer any more.

    Raises what `accept` raises.
    """
    checked, tree = drafts.checked(ports, draft)
    digest = digest_of(checked)
    _verify(ports, checked, tree, digest, actor)

    def work(tx: Transaction) -> Accepted:
        stored = _store(ports, tx, checked, tree, digest, actor)
        return stored if and_then is None else and_then(tx, stored)

    try:
        return ports.ledger.transact(work)
    except judging.RefusedByRule as refused:
        told = judging.refusal_told(refused, checked.department, digest, actor)
        ports.ledger.transact(lambda tx: tx.record.add([told]))
        raise


def accept_within(ports: Ports, tx: Transaction, draft: Draft, *, actor: Actor) -> Accepted:
    """As `accept`, in a transaction that keeps more with it; whoever began that one calls `tell` after its commit.

    Its wording may have `{changes}`, which is kept beside it. It quotes nothing: no provider is asked meanwhile.
    Raises what `accept` raises.
    """
    checked, tree = drafts.checked(ports, draft, changes=True)
    check_no_quote(checked)
    return _store(ports, tx, checked, tree, digest_of(checked), actor)


def check_no_quote(draft: Draft) -> None:
    """Raises InvalidAnnouncement for a quote: nobody may be asked about it where this is accepted."""
    if Part.QUOTE in draft.parts:
        raise _bad("quote_unused", "quote", "what is announced by itself quotes no post", "leave it out")


def tell(ports: Ports, accepted: Accepted) -> None:
    """Hint that there is something to plan, once it is committed."""
    if accepted.created and accepted.hold is None:
        ports.hints.publish(FanOutHint(accepted.announcement.public_id))


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What accepting a draft would store: the draft as checked, its times, at what moment; its audience as resolved.

    `rulings` are what the rules would say, `counted` how many people it would tell.
    """

    draft: Draft
    audience: audiences.Audience
    now: datetime
    due_at: datetime
    expires_at: datetime
    rulings: Sequence[judging.Ruling] = ()
    counted: int = 0

    @property
    def hold(self) -> Hold | None:
        """What would keep it waiting as a whole, on every way."""
        return judging.hold_of(self.rulings)


class _NotKept(BrokerError):
    """Raised by a rehearsal so that its transaction is taken back; it carries what was found."""

    def __init__(self, rehearsed: Rehearsed) -> None:
        self.rehearsed = rehearsed


def rehearse(ports: Ports, draft: Draft, *, actor: Actor = SYSTEM) -> Rehearsed:
    """Everything that `accept` checks, with nothing stored. Raises what it raises, but for what rules refuse."""
    checked, tree = drafts.checked(ports, draft)
    digest = digest_of(checked)
    _verify(ports, checked, tree, digest, actor)

    def work(tx: Transaction) -> Rehearsed:
        _said_before(tx, checked, tree, digest, actor)
        said, counted, found = _put(ports, tx, replace(checked, key=None), tree, digest, actor)
        audience = binding.audience_of(tx, said, tree)
        raise _NotKept(Rehearsed(checked, audience, tx.now, said.due_at, said.expires_at, found, counted))

    try:
        return ports.ledger.transact(work)
    except _NotKept as done:
        return done.rehearsed


def withdraw(ports: Ports, public_id: UUID, *, actor: Actor) -> int:
    """Take an announcement back: nothing of it starts more than a second after this commits (design §6.5).

    Returns how many deliveries became withdrawn at once; those in hand follow by the brake, and what the public has
    seen is taken back by `broker.retract`. Safe to repeat.
    Raises NotFound, NotAllowed.
    """

    def work(tx: Transaction) -> Announcement:
        announcement = _the(tx, public_id)
        operators.must_have(tx, actor, operators.STOPS, announcement.department)
        forbid(tx, announcement, actor=actor)
        return announcement

    return take_back_queued(ports, ports.ledger.transact(work).id, actor=actor)


def take_back_queued(ports: Ports, announcement: int, *, actor: Actor) -> int:
    """What waits of a withdrawn announcement, and of its thread, becomes withdrawn too; how many deliveries.

    Safe to repeat.
    """
    with ports.ledger.look() as tx:
        over = [one.id for one in tx.threads.below(announcement) if one.withdrawn_at is not None]
    return sum(_take_back(ports, each, actor) for each in (announcement, *over))


def _take_back(ports: Ports, announcement: int, actor: Actor) -> int:
    withdrawn = 0
    while count := ports.ledger.transact(lambda tx: _withdraw_queued(tx, announcement, actor)):
        withdrawn += count
    return withdrawn


def forbid(tx: Transaction, announcement: Announcement, *, actor: Actor) -> None:
    """Take a locked announcement back, and all that says it again or rightly: nothing more of it may start.

    Safe to repeat. What tells of its withdrawal goes on.
    """
    for each in (announcement, *tx.threads.below(announcement.id)):
        if each.follow_up is not FollowUp.WITHDRAWAL or each.id == announcement.id:
            _forbid(tx, each, actor)


def _forbid(tx: Transaction, announcement: Announcement, actor: Actor) -> None:
    if announcement.withdrawn_at is None:
        tx.announcements.mark_withdrawn(announcement.id)
        binding.let_go(tx, announcement)
        tx.stops.add(StopKind.ANNOUNCEMENT, announcement.id)
        tx.retractions.want(announcement.id)
        facts = {"id": str(announcement.public_id)}
        tx.record.add([Entry("announcement.withdrawn", actor, facts, announcement.id)])


def _withdraw_queued(tx: Transaction, announcement: int, actor: Actor) -> int:
    withdrawn = tx.moves.withdraw_queued(announcement, limit=CHUNK)
    if withdrawn:
        tx.record.add([Entry("deliveries.withdrawn", actor, {"deliveries": withdrawn}, announcement)])
    return len(withdrawn)


def digest_of(draft: Draft) -> str:
    """What makes two drafts the same: everything but the key, as canonical JSON, hashed.

    Of a follow-up not its times, nor a correction's ways, which come of the first one's as they are at the moment.
    """
    alone = draft.follows is None
    chosen = draft.follows is None or draft.follows.kind in AGAIN
    said: dict[str, object] = {
        "department": draft.department,
        "audience": draft.audience,
        "people": draft.people,
        "ways": [list(step.channels) for step in draft.ways] if chosen else [],
        "parts": {part.value: text for part, text in draft.parts.items()},
        "purpose": draft.purpose,
        "urgency": draft.urgency,
        "language": draft.language,
        "send_at": draft.send_at.isoformat() if draft.send_at and alone else None,
        "expires_at": draft.expires_at.isoformat() if draft.expires_at else None,
        "attachments": [[a.name, a.sha256] for a in draft.attachments],
    }
    if draft.copies:
        said["copies"] = list(draft.copies)
    if draft.told_before is not None:
        said["told_before"] = [sorted(map(str, draft.told_before.announcements)), draft.told_before.again]
    if follows := draft.follows:
        said["follows"] = [str(follows.first), follows.kind, follows.lead]
        said["again"] = [*sorted(map(str, follows.people)), follows.joined]
    if draft.ladder is not None and alone:
        said["ladder"] = [[str(one.at), one.unless] for one in draft.ladder.openings]
        said["seen"] = draft.ladder.seen
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _verify(ports: Ports, draft: Draft, tree: audiences.Audience, digest: str, actor: Actor) -> None:
    """Ask whether there is the post that is quoted. Raises InvalidAnnouncement, and what judging raises.

    Judged first, so that nobody is asked about what is refused anyway, or was accepted before; and no transaction is
    open while a provider takes its time.
    """
    if Part.QUOTE not in draft.parts:
        return
    with ports.ledger.look() as tx:
        if _said_before(tx, draft, tree, digest, actor) is not None:
            return
        drafts.judged(ports, tx, draft, tree)
        chosen = [tx.accounts.for_channel(name, draft.department) for name in drafts.channels_of(draft)]
        quotable = tx.rules.current().words("social.quotable")
    opened = [ports.channels.open(account.name) for account in chosen if account is not None]
    quoting = [channel for channel in opened if isinstance(channel, Verifies)]
    if not quoting:
        raise _bad("quote_unused", "quote", "none of these ways can quote a post", "add one, or leave it out")
    for problem in (
        problem for channel in quoting for problem in channel.verify(drafts.wording_of(draft), quotable)
    ):
        raise InvalidAnnouncement(problem)


def _store(
    ports: Ports, tx: Transaction, draft: Draft, tree: audiences.Audience, digest: str, actor: Actor
) -> Accepted:
    known = _said_before(tx, draft, tree, digest, actor)
    if known is not None:
        return known
    announcement, _, found = _put(ports, tx, draft, tree, digest, actor)
    if refused := judging.refusal_in(found):
        raise refused
    told = accepted_entry(announcement, draft, digest, actor)
    judging.keep(tx, announcement.id, found, actor=actor, after=[told])
    hold = judging.hold_of(found)
    if hold is not None:
        judging.hold_back(tx, announcement, hold)
    return Accepted(announcement, created=True, hold=hold)


def _put(
    ports: Ports, tx: Transaction, draft: Draft, tree: audiences.Audience, digest: str, actor: Actor
) -> tuple[Announcement, int, Sequence[judging.Ruling]]:
    """Store it, count whom it would tell, and ask the rules; what they refuse is for the caller to take back."""
    plain = draft.follows is None and draft.told_before is None
    tx = remembering(tx, [(draft.audience, draft.people)] if plain else ())
    due_at, expires_at = drafts.judged(ports, tx, draft, tree)
    announcement = tx.announcements.add(
        draft, digest=digest, actor=actor, due_at=due_at, expires_at=expires_at
    )
    announcement = binding.bind(ports, tx, announcement, draft, actor=actor)
    if draft.ladder is not None:
        tx.ladders.add(announcement, draft.ladder)
    audience = binding.audience_of(tx, announcement, tree)
    counted = count_told(tx, announcement, audience, selective=draft.told_before is not None)
    tx.cases.count(announcement.id, counted, draft.expected)
    reckon(ports, tx, announcement, audience, _longest(tx, announcement, draft))
    found = judging.rulings(ports, tx, announcement, asked=True)
    if draft.ladder is not None:
        in_order.must_leave_time(tx, announcement, draft.ladder, found)
    return announcement, counted, found


def _longest(tx: Transaction, announcement: Announcement, draft: Draft) -> Sequence[Content]:
    """What it is reckoned by: the longer wording of a correction, which is worded twice; else the one it has."""
    if announcement.follow_up is FollowUp.CORRECTION:
        return tx.announcements.content(announcement.id, AS_CORRECTION)
    return [drafts.wording_of(draft)]


def accepted_entry(announcement: Announcement, draft: Draft, digest: str, actor: Actor) -> Entry:
    """What the record keeps of an announcement that was accepted."""
    facts = {
        "id": str(announcement.public_id),
        "digest": digest,
        "content_version": 1,
        "kept": kept_digest(announcement),
        "wording": wording_digest(
            [(draft.language, part.value, words) for part, words in draft.parts.items() if words],
            [(file.name, file.sha256) for file in draft.attachments],
        ),
    }
    return Entry("announcement.accepted", actor, facts, announcement.id)


def count_told(
    tx: Transaction, announcement: Announcement, audience: audiences.Audience, *, selective: bool
) -> int:
    """How many people it is about today; `selective` where earlier ones say who of its audience."""
    today = today_of(tx)
    if selective or announcement.follow_up is not None:
        return binding.counted(tx, announcement, audience, today)
    return tx.reaches.count(audience, announcement.people, today)


def _said_before(
    tx: Transaction, draft: Draft, tree: audiences.Audience, digest: str, actor: Actor
) -> Accepted | None:
    """What was accepted under its key before, for whoever may say it: keys tell others nothing.

    Raises NotAllowed, KeyConflict, UnknownAudience.
    """
    operators.must(tx, actor, OperatorRole.AUTHOR, draft.department)
    known = tx.announcements.by_key(draft.department, draft.key) if draft.key is not None else None
    if known is not None:
        return already(known, digest)
    if draft.follows is None:
        expressions.must_see(tx, tree, actor)
    return None


def already(known: tuple[Announcement, str], digest: str) -> Accepted:
    """What was accepted under the same key before. Raises KeyConflict where that said something else."""
    announcement, earlier = known
    if earlier != digest:
        raise KeyConflict(
            Problem(
                "key_conflict",
                "key",
                "this key was used before for another announcement",
                "use a new key, or send exactly the same announcement again",
            )
        )
    return Accepted(announcement, created=False)


def _the(tx: Transaction, public_id: UUID) -> Announcement:
    announcement = tx.announcements.by_public_id(public_id, lock=True)
    if announcement is None:
        raise NotFound(
            Problem("not_found", "id", "there is no such announcement", "copy its id from `carillon status`")
        )
    return announcement


def _bad(code: str, field: str, message: str, hint: str) -> InvalidAnnouncement:
    return InvalidAnnouncement(Problem(code, field, message, hint))
