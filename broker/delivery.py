"""A delivery and its states: the one table from which everything else about states derives.

The SQL constraint, the diagram in the docs, the labels and colours on every page, and what "settled" and
"failed" mean are all computed from `STATES` and `TRANSITIONS`; nothing else lists states.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from broker.errors import IllegalTransition, Problem


class State(StrEnum):
    """Where a delivery stands. Who enters and who leaves is said at each (design §5)."""

    QUEUED = "queued"  # planned, held, to be retried or requeued; left by a claim or by a verdict
    SENDING = "sending"  # claimed under a lease and a fence; left by its outcome or by the sweep
    SENT = "sent"  # the provider has it; left by evidence only
    DELIVERED = "delivered"  # the provider says that it arrived
    REFUSED = "refused"  # our rules said no; a person may requeue it
    REJECTED = "rejected"  # the provider's permanent no, or a bounce; a person may requeue it
    EXHAUSTED = "exhausted"  # every attempt that the retry rule allows was burned
    UNCERTAIN = "uncertain"  # it may have left, and we never heard; look-ups, evidence or a person decide
    WITHDRAWN = "withdrawn"  # it never left, and must not any more
    RETRACTED = "retracted"  # it left and was taken back: a post deleted


@dataclass(frozen=True, slots=True)
class Look:
    """How a state is shown to people: a plain word and a colour that is never the only sign."""

    label: str
    colour: str
    failed: bool = False


STATES: dict[State, Look] = {
    State.QUEUED: Look("waiting", "blue"),
    State.SENDING: Look("being sent", "cyan"),
    State.SENT: Look("sent", "green"),
    State.DELIVERED: Look("delivered", "green"),
    State.REFUSED: Look("refused by our rules", "yellow", failed=True),
    State.REJECTED: Look("rejected by the provider", "red", failed=True),
    State.EXHAUSTED: Look("given up after retries", "red", failed=True),
    State.UNCERTAIN: Look("uncertain: it may have left", "magenta", failed=True),
    State.WITHDRAWN: Look("withdrawn before it left", "white"),
    State.RETRACTED: Look("taken back", "white"),
}

FAILED = frozenset(state for state, look in STATES.items() if look.failed)
REACHED = frozenset({State.SENT, State.DELIVERED})


class Event(StrEnum):
    """What can happen to a delivery."""

    HOLD = "hold"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    CLAIM = "claim"
    RELEASE = "release"
    ACCEPT = "accept"
    RETRY = "retry"
    REJECT = "reject"
    EXHAUST = "exhaust"
    LOSE = "lose"
    NOT_SENT = "not-sent"
    RETRACT = "retract"
    REQUEUE = "requeue"
    SETTLE = "settle"
    CONFIRM = "confirm"
    BOUNCE = "bounce"


class Phase(StrEnum):
    """`sending` is two things: claimed (nothing has left) and started (bytes may have left)."""

    UNSTARTED = "unstarted"
    STARTED = "started"


_S, _E = State, Event

# (state, phase of sending or None) → event → state. Design §5, line for line.
TRANSITIONS: dict[tuple[State, Phase | None], dict[Event, State]] = {
    (_S.QUEUED, None): {
        _E.HOLD: _S.QUEUED,
        _E.REFUSE: _S.REFUSED,
        _E.WITHDRAW: _S.WITHDRAWN,
        _E.CLAIM: _S.SENDING,
    },
    (_S.SENDING, Phase.UNSTARTED): {
        _E.RELEASE: _S.QUEUED,
        _E.WITHDRAW: _S.WITHDRAWN,
        _E.HOLD: _S.QUEUED,
        _E.REFUSE: _S.REFUSED,
    },
    (_S.SENDING, Phase.STARTED): {
        _E.ACCEPT: _S.SENT,
        _E.RETRY: _S.QUEUED,
        _E.REJECT: _S.REJECTED,
        _E.EXHAUST: _S.EXHAUSTED,
        _E.LOSE: _S.UNCERTAIN,
        _E.NOT_SENT: _S.QUEUED,
        _E.WITHDRAW: _S.WITHDRAWN,
        _E.REFUSE: _S.REFUSED,
    },
    (_S.SENT, None): {_E.RETRACT: _S.RETRACTED},
    (_S.DELIVERED, None): {_E.RETRACT: _S.RETRACTED},
    (_S.UNCERTAIN, None): {
        _E.ACCEPT: _S.SENT,
        _E.REQUEUE: _S.QUEUED,
        _E.SETTLE: _S.UNCERTAIN,
    },
    (_S.REFUSED, None): {_E.REQUEUE: _S.QUEUED},
    (_S.REJECTED, None): {_E.REQUEUE: _S.QUEUED},
    (_S.EXHAUSTED, None): {_E.REQUEUE: _S.QUEUED},
    (_S.WITHDRAWN, None): {},
    (_S.RETRACTED, None): {},
}

REQUEUEABLE = frozenset(state for (state, _), events in TRANSITIONS.items() if Event.REQUEUE in events)


def step(state: State, event: Event, phase: Phase | None = None) -> State:
    """The state after `event`; `phase` is needed for `sending` alone.

    Raises IllegalTransition when the table holds no such step.
    """
    try:
        return TRANSITIONS[(state, phase)][event]
    except KeyError:
        raise IllegalTransition(
            Problem(
                "illegal_transition",
                "state",
                f"a delivery that is {state} cannot {event}",
                "look at its state again: something else moved it first",
            )
        ) from None


# --- evidence: what the provider says later, in any order and any number of times -------------------------------


class Evidence(StrEnum):
    """News about one attempt, whoever brought it: a callback, a look-up, a late worker, a bounce."""

    ACCEPTED = "sent"
    DELIVERED = "delivered"
    BOUNCED = "rejected"


EVIDENCE_STATE: dict[Evidence, State] = {
    Evidence.ACCEPTED: State.SENT,
    Evidence.DELIVERED: State.DELIVERED,
    Evidence.BOUNCED: State.REJECTED,
}
_WITHIN_ATTEMPT = {Evidence.ACCEPTED: 1, Evidence.BOUNCED: 2, Evidence.DELIVERED: 3}
_ACROSS_ATTEMPTS = {Evidence.BOUNCED: 1, Evidence.ACCEPTED: 2, Evidence.DELIVERED: 3}


def fold_attempt(known: Evidence | None, news: Evidence) -> Evidence:
    """Within one attempt delivered > rejected > sent: the strongest news stands, whatever came first."""
    return news if known is None else max(known, news, key=_WITHIN_ATTEMPT.__getitem__)


def fold_delivery(
    state: State, attempts: Iterable[tuple[int, Evidence | None]], *, requeued_fence: int = 0
) -> State:
    """The state of a delivery after all that is known of its attempts, as `(fence, evidence)` pairs.

    Across attempts delivered > sent > rejected. A bounce counts only for the newest attempt, and only if no
    requeue came after it (`requeued_fence`: the fence when a person last requeued, 0 for never), or if the
    delivery is only called sent because of what that same attempt had told before.
    `retracted` absorbs everything. Confluent by construction: it reads a set, not a history.
    """
    if state is State.RETRACTED:
        return state
    tried = list(attempts)
    newest = max((fence for fence, _ in tried), default=0)
    known = [
        evidence
        for fence, evidence in tried
        if evidence is not None
        and (evidence is not Evidence.BOUNCED or (fence == newest and fence > requeued_fence))
    ]
    if not known:
        # Sent, and nothing says so any more: the try that said so has bounced since.
        unsaid = state in REACHED and any(evidence is Evidence.BOUNCED for _, evidence in tried)
        return State.REJECTED if unsaid else state
    return EVIDENCE_STATE[max(known, key=_ACROSS_ATTEMPTS.__getitem__)]


# --- settled --------------------------------------------------------------------------------------------------------


def is_settled(state: State, lookup_due: datetime | None) -> bool:
    """Not queued, not sending, and not uncertain with a look-up still due (glossary)."""
    if state is State.UNCERTAIN:
        return lookup_due is None
    return state not in {State.QUEUED, State.SENDING}


def describe(state: State) -> str:
    """The plain words for a state, as every page and table shows it."""
    return STATES[state].label
