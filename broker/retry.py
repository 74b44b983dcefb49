"""When to try again: a value and a pure function, never a loop."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from broker.delivery import Event
from broker.errors import DeliveryFailure, Permanent, RateLimited, Transient


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """A channel's patience: how often a transient failure is tried again and how long it waits between.

    `attempts` counts tries that burned one (a rate limit burns none). The wait doubles from `first` up to `most`,
    moved by up to `jitter` (a share, 0.2 is a fifth) so that a thousand failures do not come back at one instant.
    `rate_limit_wait` is used when the provider says "slow down" without saying for how long.
    """

    attempts: int = 5
    first: timedelta = timedelta(seconds=30)
    most: timedelta = timedelta(minutes=30)
    jitter: float = 0.2
    rate_limit_wait: timedelta = timedelta(seconds=5)

    def wait(self, burned: int, spread: float) -> timedelta:
        """How long to wait after the `burned`-th burned attempt; `spread` in [0, 1) places it in the jitter."""
        doublings: int = min(max(burned - 1, 0), 30)
        plain: timedelta = min(self.first * (1 << doublings), self.most)
        return plain * (1 + self.jitter * (2 * spread - 1))


@dataclass(frozen=True, slots=True)
class Decision:
    """What a failure leads to: the event, when to come back (for a retry), and whether it burned an attempt."""

    event: Event
    due_at: datetime | None = None
    burned: bool = True


def after_failure(
    policy: RetryPolicy, failure: DeliveryFailure, *, burned_before: int, now: datetime, spread: float
) -> Decision:
    """Decide what one failed try leads to. Unknown failures never get here: they are Uncertain already."""
    if isinstance(failure, RateLimited):
        return Decision(Event.RETRY, now + (failure.retry_after or policy.rate_limit_wait), burned=False)
    if isinstance(failure, Transient):
        burned = burned_before + 1
        if burned >= policy.attempts:
            return Decision(Event.EXHAUST)
        return Decision(Event.RETRY, now + policy.wait(burned, spread))
    if isinstance(failure, Permanent):
        return Decision(Event.REJECT)
    return Decision(Event.LOSE)
