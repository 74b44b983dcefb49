"""Which provider faults are in force: a new mix every few seconds, drawn from the seed.

What a provider may do within its promise: refuse, break before or after it accepted, hang, answer late, answer rubbish.
`BEYOND` breaks the promise: it accepts later than the grace, and stands apart (docs/reliability.md).
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

# (order, rate); a mix takes some of them. Slow accepts stay within the grace of three seconds.
TEXTS: Sequence[tuple[str, float]] = (
    ("twilio:429", 0.03),
    ("twilio:503", 0.015),
    ("twilio:500-before-accept", 0.03),
    ("twilio:500-after-accept", 0.045),
    ("twilio:reset-before-accept", 0.03),
    ("twilio:reset-after-accept", 0.045),
    ("twilio:hang-before-accept:ms=6000", 0.0075),
    ("twilio:hang-after-accept:ms=6000", 0.0075),
    ("twilio:hang-after-accept:ms=25000", 0.0045),  # longer than a client waits
    ("twilio:slow:ms=1500", 0.015),
    ("twilio:slow-accept:ms=1200", 0.03),
    ("twilio:bad-json", 0.015),
    ("twilio:truncated", 0.045),
    ("twilio:error:code=21614", 0.0045),  # no such mobile: rejected for good
)
# The school of many processes has a second gateway for its texts: now and then the first one fails altogether, for
# longer than it takes to notice.
OUTAGES = (
    "twilio:hang-before-accept:ms=9000",
    "twilio:500-after-accept",
    "twilio:reset-before-accept",
    "twilio:reset-after-accept",
    "twilio:slow:ms=15000",
)
SECOND: Sequence[tuple[str, float]] = (
    ("notify:429", 0.02),
    ("notify:500-before-accept", 0.02),
    ("notify:500-after-accept", 0.03),
    ("notify:reset-after-accept", 0.03),
    ("notify:hang-after-accept:ms=6000", 0.005),
    ("notify:slow-accept:ms=1200", 0.02),
    ("notify:bad-json", 0.01),
)
LOOK_UPS: Sequence[tuple[str, float]] = (
    ("twilio:503:stage=list", 0.1),
    ("twilio:429:stage=list", 0.1),
    ("twilio:truncated:stage=list", 0.1),
    ("twilio:hang-before-accept:stage=list,ms=3000", 0.03),
    ("x:503:stage=posts", 0.1),
    ("x:429:stage=posts", 0.1),
)
MAILS: Sequence[tuple[str, float]] = (
    ("smtp:lost-after-dot", 0.015),
    ("smtp:lost", 0.015),
    ("smtp:hang-after-dot:ms=8000", 0.003),
    ("smtp:hang:ms=8000", 0.003),
    ("smtp:slow:ms=1000", 0.015),
    ("smtp:slow-accept:ms=1000", 0.015),
    ("smtp:reply:code=550,text=5.1.1 No such user,stage=rcpt", 0.0045),
    ("smtp:421:each=1", 0.006),
)
# A mail that was put off three times waits for two minutes, longer than all may take to settle: so these come early.
PUT_OFF: Sequence[tuple[str, float]] = (
    ("smtp:reply:code=451,each=1", 0.015),
    ("smtp:reply:code=450,text=4.2.0 Later,stage=rcpt,each=1", 0.015),
    ("smtp:lost:stage=data", 0.01),
    ("smtp:lost:stage=connect", 0.03),
)
POSTS: Sequence[tuple[str, float]] = (
    ("x:429", 0.1),
    ("x:503", 0.1),
    ("x:500-before-accept", 0.1),
    ("x:500-after-accept", 0.15),
    ("x:503-after-accept", 0.1),
    ("x:reset-before-accept", 0.1),
    ("x:reset-after-accept", 0.15),
    ("x:hang-after-accept:ms=4000", 0.05),
    ("x:slow-accept:ms=1200", 0.1),
    ("x:bad-json", 0.1),
    ("x:truncated", 0.15),
    ("x:503:stage=delete", 0.2),
)
RECEIPTS: Sequence[tuple[str, float]] = (
    ("twilio:callback-twice", 0.2),
    ("twilio:callback-disorder", 0.2),
    ("twilio:callback-lost", 0.05),
    ("twilio:callback-forged", 0.02),
    ("twilio:undelivered", 0.01),
    ("twilio:failed", 0.005),
)
# Always there: providers that take a moment, so that a kill meets work in hand.
CLIMATE = ("twilio:latency:ms=150", "notify:latency:ms=150", "smtp:latency:ms=15", "x:latency:ms=150")
LATEST = timedelta(seconds=40)
BEYOND = (f"twilio:slow-accept:ms={LATEST.total_seconds() * 1000:.0f},rate=0.02",)
# To a mail, at its final dot.
LOSES_THE_REPLY = frozenset({"lost", "hang", "lost-after-dot", "hang-after-dot"})


def orders(draw: float, *, early: bool = True, beyond: bool = False) -> list[str]:
    """The faults in force until the weather changes; `early` in a run, those too that put a mail off for long."""
    chance = random.Random(draw)
    chosen = [
        *chance.sample(TEXTS, k=9),
        *chance.sample(LOOK_UPS, k=3),
        *chance.sample(MAILS, k=5),
        *(chance.sample(PUT_OFF, k=2) if early else ()),
        *chance.sample(POSTS, k=5),
        *chance.sample(RECEIPTS, k=4),
        *chance.sample(SECOND, k=3),
    ]
    rated = [
        f"{order}{',' if order.count(':') > 1 else ':'}rate={rate},seed={chance.randrange(1 << 30)}"
        for order, rate in chosen
    ]
    return [*CLIMATE, *(BEYOND if beyond else ()), *rated]


def given(struck: Mapping[str, int]) -> int:
    """How many faults the providers gave; a fair answer that takes a moment is none."""
    return sum(n for name, n in struck.items() if name.split(":")[1] != "latency")


def lost_replies(struck: Mapping[str, int]) -> int:
    """How many mails were handed over whole and not answered: of those nobody can know."""
    named: Iterable[tuple[list[str], int]] = ((name.split(":"), n) for name, n in struck.items())
    return sum(
        n
        for (service, kind, stage), n in named
        if (service, stage) == ("smtp", "dot") and kind in LOSES_THE_REPLY
    )
