"""A claim: due deliveries are locked, judged with every fact, and taken under a lease and a fence, or told why not."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from broker import judging
from broker.actor import Actor
from broker.authority import approvals
from broker.channel import Channel
from broker.delivery import Event, State, step
from broker.house_rules import EXPIRED, HOUSE_RULES
from broker.judging import PolicyFailed, Ruling
from broker.policy import Allow, Case, Hold, Policy, Refuse, Verdict, Withdraw, judge
from broker.ports import Ports, Transaction
from broker.reckoning import share
from broker.record import entries
from broker.rules import book
from broker.rules.approval import SECOND_PERSON, not_approved
from broker.rules.case import AnnouncementCase
from broker.values import ON_TIME, AccountRow, Lane, Picked, Slots, Step


@dataclass(frozen=True, slots=True)
class Claimed:
    """What one claim took: deliveries allowed to go, how many were looked at, and the turns reserved for them.

    `cases`: as each announcement was judged.
    """

    taken: Sequence[Picked]
    looked_at: int
    turns: Slots
    cases: Mapping[int, AnnouncementCase] = field(default_factory=dict)


def claim(  # noqa: PLR0913 - what a worker can take on, each by its name
    ports: Ports,
    account: AccountRow,
    channel: Channel,
    lane: Lane,
    *,
    most: int,
    within: timedelta,
    lease: timedelta,
    actor: Actor,
    late: timedelta = ON_TIME,
) -> Claimed:
    """Claim up to `most` deliveries whose turns begin `within` this long; one short transaction.

    `late`: how long after its moment a turn was used here of late.

    Raises PolicyFailed, with nothing claimed, when a rule raises; RulesUnreadable when there are none to be had.
    """

    def work(tx: Transaction) -> Claimed:
        turns = tx.pace.reserve(account, most=most, within=within, late=late)
        if not turns.count:
            return Claimed((), 0, turns)
        picked = tx.deliveries.pick(account, lane, limit=turns.count)
        # The house first: what it holds (a paused account) reaches no rule, for the rule that fails may have paused it.
        housed = [(one, judge(one.case, HOUSE_RULES)) for one in picked]
        ruled = {one.announcement for one, house in housed if not isinstance(house, Hold)}
        rulings = _rulings(ports, tx, ruled, account, channel, actor)
        judged: Sequence[tuple[Picked, Verdict]] = [
            (one, _verdict(one, house, rulings, channel.policies)) for one, house in housed
        ]
        judged = share(tx, judged, rulings)
        steps = [_step(one, verdict) for one, verdict in judged]
        taken = [one for (one, _), made in zip(judged, steps, strict=True) if made.event is Event.CLAIM]
        tx.pace.give_back(account, turns, turns.count - len(taken))
        tx.deliveries.step(account, steps, lease=lease, holder=actor.id)
        _keep_account(tx, account, judged, steps, actor)
        cases = {announcement: ruling.case for announcement, ruling in rulings.items()}
        return Claimed(taken, len(picked), turns, cases)

    return ports.ledger.transact(work, ahead=lane is Lane.URGENT)


def _rulings(
    ports: Ports,
    tx: Transaction,
    announcements: Collection[int],
    account: AccountRow,
    channel: Channel,
    actor: Actor,
) -> Mapping[int, Ruling]:
    """What the rules say to each announcement of a chunk; answers that are new are kept."""
    found = judging.claimed(ports, tx, announcements, account, channel.traits)
    for announcement, ruling in found.items():
        if ruling.is_new:
            judging.keep(tx, announcement, [ruling], actor=actor)
            if isinstance(ruling.verdict, Hold) and ruling.verdict.code in SECOND_PERSON:
                approvals.tell_that_it_waits(tx, tx.announcements.by_id(announcement), ruling.verdict.why)
    return found


def _verdict(
    one: Picked, house: Verdict, rulings: Mapping[int, Ruling], policies: Sequence[Policy]
) -> Verdict:
    """What the house refuses or holds stays so; what is left goes by the rules, then by the channel's own."""
    if isinstance(house, Hold):
        return house
    ruling = rulings[one.announcement]
    if not isinstance(house, Allow):
        return not_approved(ruling.case) if house.code == EXPIRED and ruling.case.unapproved else house
    if not isinstance(ruling.verdict, Allow):
        return ruling.verdict
    try:
        # All of them ask after a pupil's own address; and a copy of the case with its rules is the dearest of judging.
        if any(cover.own for cover in one.case.covers):
            own = judge(_with(one, ruling), book.EACH_DELIVERY)
            if not isinstance(own, Allow):
                return own
        return judge(one.case, policies)
    except Exception as error:
        # A channel's own rules too: whatever they break on, nothing leaves by this account.
        raise PolicyFailed(f"a rule failed with {type(error).__name__}") from error


def _with(one: Picked, ruling: Ruling) -> Case:
    return replace(one.case, rules=ruling.case.rules, zone=ruling.case.zone)


def _step(one: Picked, verdict: Verdict) -> Step:
    event, due_at = Event.CLAIM, None
    code, why = one.state_reason, ""
    if isinstance(verdict, Withdraw):
        event, code, why = Event.WITHDRAW, verdict.code, verdict.why
    elif isinstance(verdict, Refuse):
        event, code, why = Event.REFUSE, verdict.code, verdict.why
    elif isinstance(verdict, Hold):
        # Never later than expiry, so that what will not go any more is told so in time.
        event, code, why = Event.HOLD, verdict.code, verdict.told
        due_at = min(verdict.until, one.case.expires_at)
    fallen = tuple(c.duty for c in one.case.covers if not c.stands)
    return Step(
        delivery=one.delivery,
        fence=one.fence if event is Event.CLAIM else one.fence - 1,
        event=event,
        state=step(State.QUEUED, event),
        code=code,
        why=why,
        due_at=due_at,
        dropped_duties=fallen if event is Event.CLAIM else (),
    )


def _keep_account(
    tx: Transaction,
    account: AccountRow,
    judged: Sequence[tuple[Picked, Verdict]],
    steps: Sequence[Step],
    actor: Actor,
) -> None:
    """The record of what was refused or held."""
    told = (
        (one.announcement, [made.delivery, made.event.value, made.code, list(made.dropped_duties)])
        for (one, _), made in zip(judged, steps, strict=True)
        if made.event in (Event.REFUSE, Event.WITHDRAW)
        or made.dropped_duties
        or (made.event is Event.HOLD and made.code != one.state_reason)  # newly held
    )
    tx.record.add(entries("deliveries.judged", actor, "verdicts", told, account=account.name))
