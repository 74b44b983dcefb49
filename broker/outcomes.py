"""From what a send came to, to what the ledger is told: pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from broker.channel import Key, NotStarted, Outcome, Receipt, Traits
from broker.delivery import EVIDENCE_STATE, Event, Evidence, Phase, State, step
from broker.errors import AccountRejected, DeliveryFailure, Unreachable
from broker.gateways import BREAKER, away_for
from broker.retry import Decision, RetryPolicy, after_failure
from broker.values import Picked, Result

ACCOUNT_WAIT = timedelta(seconds=30)
ACCOUNT_REJECTED = "account_rejected"


@dataclass(frozen=True, slots=True)
class Tried:
    """One started try: what was picked, under which key, with what commitment for the record."""

    picked: Picked
    key: Key
    commitment: str = ""
    cost: int = 0


def result_of(
    tried: Tried,
    outcome: Outcome,
    *,
    retry: RetryPolicy,
    traits: Traits,
    now: datetime,
    spread: float,
    elsewhere: bool = False,
) -> Result:
    """What one outcome means for its delivery and attempt; `spread` in [0, 1) places a retry in its jitter.

    `elsewhere`: there is another gateway, so that what could not even be handed to this one waits for nothing.
    """
    if isinstance(outcome, Receipt):
        return _result(
            tried,
            Decision(Event.ACCEPT, burned=True),
            state=EVIDENCE_STATE[outcome.evidence],
            provider_id=outcome.provider_id,
            evidence=outcome.evidence,
        )
    if isinstance(outcome, NotStarted):
        return _result(tried, Decision(Event.NOT_SENT, burned=False), code="requeued")
    decision = decide(tried, outcome, retry, now, spread, elsewhere)
    lookup_at = now + traits.grace if decision.event is Event.LOSE and traits.settles_itself else None
    # What a resumed account lets go on is found by this code, whatever the provider called it.
    code = ACCOUNT_REJECTED if isinstance(outcome, AccountRejected) else outcome.code
    return _result(
        tried,
        decision,
        code=code or type(outcome).__name__.lower(),
        why=outcome.why,
        lookup_at=lookup_at,
        evidence=Evidence.BOUNCED if decision.event is Event.REJECT else None,
    )


def decide(
    tried: Tried, failure: DeliveryFailure, retry: RetryPolicy, now: datetime, spread: float, elsewhere: bool
) -> Decision:
    """The retry rule's decision; a rejected account is no fault of the delivery, which waits and burns nothing."""
    not_by_this_one = isinstance(failure, AccountRejected | Unreachable) or away_for(BREAKER, failure)
    if elsewhere and not_by_this_one:
        return Decision(Event.RETRY, now, burned=False)
    if isinstance(failure, AccountRejected):
        return Decision(Event.RETRY, _capped(tried, now + ACCOUNT_WAIT), burned=False)
    decision = after_failure(retry, failure, burned_before=tried.picked.burned, now=now, spread=spread)
    if decision.due_at is None:
        return decision
    return Decision(decision.event, _capped(tried, decision.due_at), decision.burned)


def _capped(tried: Tried, due_at: datetime) -> datetime:
    """Never later than expiry: then it is judged once more and told that its time has passed."""
    return min(due_at, tried.picked.case.expires_at)


def _result(
    tried: Tried,
    decision: Decision,
    *,
    state: State | None = None,
    code: str = "",
    why: str = "",
    lookup_at: datetime | None = None,
    provider_id: str = "",
    evidence: Evidence | None = None,
) -> Result:
    return Result(
        delivery=tried.key.delivery,
        fence=tried.key.fence,
        attempt=tried.key.attempt,
        announcement=tried.picked.announcement,
        event=decision.event,
        state=state or step(State.SENDING, decision.event, Phase.STARTED),
        burned=decision.burned,
        code=code,
        why=why,
        due_at=decision.due_at,
        lookup_at=lookup_at,
        provider_id=provider_id,
        evidence=evidence,
        commitment=tried.commitment,
        cost=tried.cost,
    )
