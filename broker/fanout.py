"""Fan-out: an announcement becomes duties and deliveries, a range of addresses at a time."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from broker import audience as audiences
from broker import judging
from broker.actor import Actor
from broker.announcement import Announcement, Urgency
from broker.audience import Audience
from broker.authority import approvals
from broker.corrections import binding, planning
from broker.errors import RuleBroken, RulesUnreadable, SetupError
from broker.ladders.in_order import waits_for_way
from broker.moments import today_of
from broker.ports import Ports, Transaction
from broker.reckoning import reckon_missing
from broker.record import Entry
from broker.values import DeliverHint, Lane, PlanProgress

# Addresses a transaction: about half a second on PostgreSQL, and a lock nobody waits long for.
PARTITION = 20_000


def plan(ports: Ports, public_id: UUID, *, actor: Actor) -> int:
    """Plan what is due of one announcement; returns how many deliveries were added.

    Resumable and safe to repeat: two planners take turns, a planner that died is continued by the next. Each
    transaction looks again whether the announcement still stands.
    """
    try:
        announcement = ports.ledger.transact(lambda tx: _begin(ports, tx, public_id, actor))
    except RulesUnreadable:  # the sweep raises the alarm, once, and finds it again when they are mended
        return 0
    if announcement is None:
        return 0
    urgent = announcement.urgency is Urgency.URGENT
    lane = Lane.URGENT if urgent else Lane.ROUTINE
    added, waits = 0, False
    if announcement.follow_up is not None:
        added, waits = planning.plan(ports, announcement, actor=actor, still=_still_to_plan)
    for channel in () if announcement.follow_up is not None else announcement.ways[0].channels:
        done = False
        while not done:
            step = ports.ledger.transact(
                lambda tx, c=channel: _partition(ports, tx, public_id, c),  # type: ignore[misc]
                ahead=urgent,
            )
            if step is None:
                return added
            progress, account = step
            added, done = added + progress.deliveries, progress.done
            waits = waits or progress.waits
            if progress.deliveries:
                ports.hints.publish(DeliverHint(account, channel, lane))
    if not waits:
        ports.ledger.transact(lambda tx: _finish(ports, tx, public_id, added, actor), ahead=urgent)
    return added


def _begin(ports: Ports, tx: Transaction, public_id: UUID, actor: Actor) -> Announcement | None:
    announcement = _still_to_plan(tx, public_id)
    if announcement is None:
        return None
    audience = _audience(tx, announcement)
    if audience is None:
        return None
    # The day in the school's own zone decides which memberships hold.
    today = today_of(tx)
    begun = planning.is_begun(tx, announcement)
    if (
        not begun
        and tx.now < announcement.expires_at
        and _held(ports, tx, announcement, audience, today, actor)
    ):
        return None
    if begun or planning.begin(ports, tx, announcement, actor=actor):
        return announcement
    tx.plans.add_duties(announcement, audience, today)
    return announcement


def _held(
    ports: Ports, tx: Transaction, announcement: Announcement, audience: Audience, today: date, actor: Actor
) -> bool:
    """Whether the rules keep it waiting as a whole; the sweep looks again when that is over."""
    counted = binding.counted(tx, announcement, audience, today)
    tx.cases.count(announcement.id, counted)
    reckon_missing(ports, tx, announcement, audience)
    approvals.still_bound(tx, announcement, counted, actor=actor)
    found = judging.rulings(ports, tx, announcement)
    judging.keep(tx, announcement.id, found, actor=actor)
    hold = judging.hold_of(found)
    if hold is not None:
        judging.hold_back(tx, announcement, hold)
    elif announcement.held_until is not None:
        tx.cases.hold(announcement.id, None)
    return hold is not None


def _audience(tx: Transaction, announcement: Announcement) -> Audience | None:
    """Whom it means today; None while a group of its audience is not there any more.

    It waits for a person then: without 7B, `Year 7 - 7B` would tell those whom somebody meant to leave out. When its
    time is over nothing can leave, and who would have been told is explained as far as it is known.
    """
    written = audiences.parse(announcement.audience)
    subject = str(announcement.public_id)
    try:
        audience = binding.audience_of(tx, announcement, written)
    except RuleBroken as broken:
        if tx.now >= announcement.expires_at:
            return written
        why = f"{broken.problem.message}: nothing of this announcement leaves until that is mended"
        tx.sweeps.raise_alarm("audience_gone", subject, why)
        return None
    tx.sweeps.clear_alarm("audience_gone", subject)
    return audience


def _partition(
    ports: Ports, tx: Transaction, public_id: UUID, channel: str
) -> tuple[PlanProgress, str] | None:
    announcement = _still_to_plan(tx, public_id)
    if announcement is None:
        return None
    account = tx.accounts.for_channel(channel, announcement.department)
    if account is None:  # taken out of the settings since: the other ways go on without it
        return PlanProgress(0, 0, done=True, waits=waits_for_way(tx, announcement)), ""
    try:
        kind = ports.channels.traits(channel).address_kind
    except SetupError:
        # Taken out of this installation since: the other ways go on, and the account's alarm says so.
        return PlanProgress(0, 0, done=True, waits=waits_for_way(tx, announcement)), account.name
    if kind is None:
        return tx.plans.add_public(announcement, channel, account), account.name
    progress = tx.plans.add_partition(announcement, channel, account, kind, size=PARTITION)
    return progress, account.name


def _finish(ports: Ports, tx: Transaction, public_id: UUID, added: int, actor: Actor) -> None:
    announcement = _still_to_plan(tx, public_id)
    if announcement is not None:
        tx.plans.finish(announcement)
        planning.tell_if_over(tx, announcement, planning.explain(ports, tx, announcement))
        facts = {"id": str(public_id), "deliveries_added": added}
        tx.record.add([Entry("announcement.planned", actor, facts, announcement.id)])


def _still_to_plan(tx: Transaction, public_id: UUID) -> Announcement | None:
    """The announcement, locked, while there is something to plan; an expired one is still explained by name."""
    found = tx.announcements.by_public_id(public_id, lock=True)
    if found is None or found.fanned_out_at or found.withdrawn_at or found.approved_at is None:
        return None
    if found.corrected_by is not None:  # what says it rightly tells them
        return None
    if found.held_until is not None and found.held_until > tx.now:
        return None
    return found if found.due_at <= tx.now else None
