"""What a run does and when, drawn from its seed: pure. How the parts then fall together is the machine's own chance."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from enum import StrEnum

WHOLE = timedelta(minutes=3)
FIRST = timedelta(seconds=3)
# A machine that goes with supervisor and worker at once leaves nobody to give its leases back: they end by themselves,
# after 90 s. So it goes early, that the 120 s to settle are not all used up by waiting.
GONE_BEFORE = 0.4


class Act(StrEnum):
    """One stroke of the nemesis."""

    KILL_EMBEDDED = "kill an embedded process"
    KILL_CHILD = "kill a worker"
    KILL_SUPERVISOR = "kill a supervisor"
    KILL_HOST = "kill a supervisor with its worker"
    KILL_WEB = "kill the web"
    END_A_BACKEND = "terminate a database session"
    END_ALL_BACKENDS = "terminate every database session"
    RESTART_POSTGRES = "restart PostgreSQL"
    CRASH_POSTGRES = "kill PostgreSQL"
    KILL_REDIS = "kill Redis"
    PAUSE_REDIS = "pause Redis"
    FLUSH_REDIS = "flush Redis"
    WEATHER = "other provider faults"
    OUTAGE = "a gateway fails altogether"
    CLOCK = "jump a clock"


KILLS = (Act.KILL_EMBEDDED, Act.KILL_CHILD, Act.KILL_SUPERVISOR, Act.KILL_HOST, Act.KILL_WEB)
DATABASE = (Act.END_A_BACKEND, Act.END_ALL_BACKENDS, Act.RESTART_POSTGRES, Act.CRASH_POSTGRES)
REDIS = (Act.KILL_REDIS, Act.PAUSE_REDIS, Act.FLUSH_REDIS)
_KILL_WEIGHTS = (50, 34, 8, 0, 8)  # the machine that goes has times of its own


@dataclass(frozen=True, slots=True)
class Faults:
    """How many of each sort."""

    sigkill: int
    database: int
    redis: int
    provider: int

    def short_of(self, least: Faults) -> list[str]:
        """What there was too little of, in words."""
        wanted = asdict(least)
        return [
            f"only {n} {name} faults, at least {wanted[name]} are wanted"
            for name, n in asdict(self).items()
            if n < wanted[name]
        ]


@dataclass(frozen=True, slots=True)
class Stroke:
    """An act and its moment, counted from when the faults begin; `draw` in [0, 1) chooses among what it may hit."""

    at: timedelta
    act: Act
    draw: float


def least(length: timedelta) -> Faults:
    """What a run of this length must come to, or it has shown too little: 40, 5, 3 and 300 in three minutes."""
    share = length / WHOLE
    return Faults(*(math.ceil(n * share) for n in (40, 5, 3, 300)))


def strokes(seed: int, length: timedelta) -> Sequence[Stroke]:
    """Every stroke of a run, in order."""
    chance = random.Random(seed)
    share = length / WHOLE
    kills = chance.choices(KILLS, _KILL_WEIGHTS, k=math.ceil(84 * share))
    database = _each_at_least_once(DATABASE, math.ceil(10 * share), chance)
    redis = _each_at_least_once(REDIS, math.ceil(6 * share), chance)
    drawn = [
        *_spread(kills, length, chance),
        *_spread(database, length, chance),
        *_spread(redis, length, chance),
        *_spread([Act.WEATHER] * math.ceil(30 * share), length, chance),
        *_spread([Act.OUTAGE] * math.ceil(8 * share), length, chance),
        *_spread([Act.CLOCK] * math.ceil(12 * share), length, chance),
        *_spread([Act.KILL_HOST] * math.ceil(2 * share), length * GONE_BEFORE, chance),
        Stroke(timedelta(0), Act.WEATHER, chance.random()),
    ]
    return sorted(drawn, key=lambda stroke: stroke.at)


def _each_at_least_once(acts: Sequence[Act], count: int, chance: random.Random) -> list[Act]:
    first = chance.sample(acts, k=min(count, len(acts)))
    return [*first, *chance.choices(acts, k=count - len(first))]


def _spread(acts: Iterable[Act], length: timedelta, chance: random.Random) -> list[Stroke]:
    """One in each of as many equal spans, somewhere in it: never all in one corner."""
    acts = list(acts)
    chance.shuffle(acts)
    span = (length - FIRST) / max(len(acts), 1)
    return [
        Stroke(FIRST + span * (place + chance.random()), act, chance.random())
        for place, act in enumerate(acts)
    ]
