"""Which gateway of an account the next messages go by: health, a breaker, and the choice. Pure (design §6.3).

A gateway is judged by what it did of late: errors (it did not answer, or said that it does not know) and slow answers.
Too many of them open its breaker, and the next gateway in order takes over. After a while a trial of a few routine
messages shows whether it is well again. What one gateway may have is never given to another: that is no business of the
breaker's, but of the look-up (`broker.reconcile`), which asks the gateway that the attempt names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from broker.channel import Outcome
from broker.errors import RateLimited, Uncertain, Unreachable
from broker.values import Lane


class Stand(StrEnum):
    """How a gateway's breaker stands."""

    CLOSED = "closed"  # it is used in its turn
    OPEN = "open"  # it is passed over, until a trial
    HALF_OPEN = "half-open"  # a trial is in hand
    OUT = "out"  # the provider refused the account, or a person holds it out: only a person takes it back


@dataclass(frozen=True, slots=True)
class Health:
    """What is known of one gateway.

    `since`: when it came to stand so; a newer opening has a newer one, so that what began before it is told apart.
    `until`: of an open breaker when a trial may be made, of a half-open one until when the trial in hand is waited for.
    `openings`: how often it opened in a row. `held_by`: the person who holds it out, "" for its provider.
    The counts are of tries since `counted_from`.
    """

    stand: Stand = Stand.CLOSED
    since: datetime | None = None
    until: datetime | None = None
    why: str = ""
    openings: int = 0
    held_by: str = ""
    counted_from: datetime | None = None
    tries: int = 0
    errors: int = 0
    slow: int = 0


WELL = Health()


@dataclass(frozen=True, slots=True)
class Facts:
    """What a run learned of its gateway since it last told: `opening` is the `since` under which its tries began.

    `rejected`: why the provider refused the account; then nothing else matters. `away`: so long it takes nothing more,
    as it says itself, for a day's limit is used up.
    """

    good: int = 0
    errors: int = 0
    slow: int = 0
    why: str = ""
    rejected: str = ""
    away: timedelta | None = None
    opening: datetime | None = None
    trial: bool = False

    @property
    def bad(self) -> int:
        """Errors and slow answers."""
        return self.errors + self.slow

    @property
    def matters(self) -> bool:
        """Whether the ledger must hear of it: of what went well only where a breaker is not closed."""
        return bool(
            self.bad or self.rejected or self.away or (self.opening is not None and (self.good or self.trial))
        )


@dataclass(frozen=True, slots=True)
class Breaker:
    """When a gateway is passed over: `bad` errors and slow answers `within` this time, and that `share` of its tries.

    Counted from the first of them on.

    An answer is slow that is not there `slow_after` its call began. An open breaker lets a trial of `trials` messages
    through after `open_for`, twice as long after each that failed, at most `longest`; a trial that nobody reports of
    is over after `trial_for`: longer than any call may take, for whoever died in one is waited for no longer.
    """

    bad: int = 3
    share: float = 0.5
    within: timedelta = timedelta(seconds=30)
    slow_after: timedelta = timedelta(seconds=5)
    open_for: timedelta = timedelta(seconds=30)
    longest: timedelta = timedelta(minutes=10)
    trials: int = 3
    trial_for: timedelta = timedelta(seconds=30)
    long: timedelta = timedelta(minutes=5)  # to be asked to wait for: the next gateway is quicker

    def rest(self, openings: int) -> timedelta:
        """How long it stays open, opened so often in a row."""
        doublings: int = min(max(openings - 1, 0), 20)
        return min(self.open_for * (1 << doublings), self.longest)


BREAKER = Breaker()


@dataclass(frozen=True, slots=True)
class Choice:
    """The gateway of the next messages: as a trial of it, or for want of a better one (`health` is not closed)."""

    gateway: str
    health: Health = WELL
    trial: bool = False


def is_error(outcome: Outcome) -> bool:
    """Whether this is held against a gateway: no connection, or no answer that tells. A refusal is an answer."""
    return isinstance(outcome, Unreachable | Uncertain)


def away_for(breaker: Breaker, outcome: Outcome) -> timedelta | None:
    """How long a gateway wants nothing more, where that is long: not a moment's pace, but a limit that is used up."""
    if isinstance(outcome, RateLimited) and outcome.retry_after is not None:
        return outcome.retry_after if outcome.retry_after > breaker.long else None
    return None


def choose(
    order: Sequence[str],
    known: Mapping[str, Health],
    lane: Lane,
    now: datetime,
    *,
    breaker: Breaker = BREAKER,
) -> Choice | None:
    """The first gateway in order that is well; before it, for routine messages, one that is due for a trial.

    When none is well, what is urgent goes by the one that was to be tried first: it would find none better by waiting.
    What is routine waits for the next trial (None), which then comes soon, however often it failed.
    """
    for name in order:
        health = known.get(name, WELL)
        if health.stand is Stand.CLOSED:
            return Choice(name)
        if lane is Lane.ROUTINE and due_for_trial(health, now):
            return Choice(name, health, trial=True)
    left = [(name, known[name]) for name in order if known[name].stand is not Stand.OUT]
    if lane is Lane.ROUTINE:
        soon = [
            Choice(name, health, trial=True)
            for name, health in left
            if health.stand is Stand.OPEN and now - (health.since or now) >= breaker.open_for
        ]
        return next(iter(soon), None)
    if not left:
        return None
    return Choice(*min(left, key=lambda one: one[1].until or now))


def due_for_trial(health: Health, now: datetime) -> bool:
    """Whether a trial may begin: its time has come, and none is in hand."""
    return health.stand in (Stand.OPEN, Stand.HALF_OPEN) and (health.until is None or health.until <= now)


def tried(breaker: Breaker, health: Health, now: datetime) -> Health:
    """It, with a trial in hand."""
    return replace(health, stand=Stand.HALF_OPEN, until=now + breaker.trial_for)


def learned(breaker: Breaker, health: Health, facts: Facts, now: datetime) -> Health:
    """What is known of a gateway after these facts. It closes by a success that began while it was open, never else."""
    if health.stand is Stand.OUT:
        return health
    if facts.rejected:
        return Health(Stand.OUT, since=now, why=facts.rejected)
    if facts.away is not None and (health.stand is Stand.CLOSED or facts.opening == health.since):
        return Health(Stand.OPEN, since=now, until=now + facts.away, why=facts.why, openings=1)
    if health.stand is Stand.CLOSED:
        return _counted(breaker, health, facts, now)
    if facts.opening is None or facts.opening != health.since:
        return health  # begun before it opened: nothing new
    if facts.bad:
        # What goes by it for want of a better one says nothing new either: only trials make it rest longer.
        return _opened(breaker, health, facts.why, now) if facts.trial else health
    if facts.good:
        return Health(since=now)
    # A trial for which nothing was due.
    return replace(health, stand=Stand.OPEN, until=now + breaker.open_for) if facts.trial else health


def held_out(why: str, by: str, now: datetime) -> Health:
    """A person holds it out."""
    return Health(Stand.OUT, since=now, why=why, held_by=by)


def _counted(breaker: Breaker, health: Health, facts: Facts, now: datetime) -> Health:
    if not facts.bad:
        return health
    begun = health.counted_from
    fresh = begun is None or not timedelta(0) <= now - begun <= breaker.within
    tries = facts.good + facts.bad + (0 if fresh else health.tries)
    errors = facts.errors + (0 if fresh else health.errors)
    slow = facts.slow + (0 if fresh else health.slow)
    if errors + slow >= breaker.bad and errors + slow >= breaker.share * tries:
        return _opened(breaker, health, facts.why or health.why, now)
    counted_from = now if fresh else begun
    return replace(health, why=facts.why, counted_from=counted_from, tries=tries, errors=errors, slow=slow)


def _opened(breaker: Breaker, health: Health, why: str, now: datetime) -> Health:
    openings = health.openings + 1
    return Health(Stand.OPEN, since=now, until=now + breaker.rest(openings), why=why, openings=openings)
