"""How much one worker takes at a time, and what it has of its own for all its deliveries."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from broker.actor import Actor
from broker.brake import Brake
from broker.gateways import BREAKER, Breaker
from broker.rooms import Rooms


@dataclass(frozen=True, slots=True)
class Tempo:
    """How much one worker takes at a time. The defaults are measured: see docs/performance.md."""

    chunk: int = 200  # deliveries a claim
    lease: timedelta = timedelta(seconds=90)
    margin: timedelta = timedelta(seconds=30)  # of lease that a start needs left: longer than a call may take
    horizon: timedelta = timedelta(seconds=1)  # how far ahead turns are reserved
    late: timedelta = timedelta(milliseconds=300)  # a turn used so long after its moment stops the reserving
    brake_wait: timedelta = timedelta(milliseconds=50)
    breaker: Breaker = BREAKER  # of accounts with several gateways


TEMPO = Tempo()


@dataclass(frozen=True, slots=True)
class Process:
    """What one worker process has of its own, for all its deliveries: its brake, its rooms, and its name as actor."""

    brake: Brake
    actor: Actor
    rooms: Rooms = field(default_factory=Rooms)
