"""Rounds played in turns, A B A B …, so that whatever else the machine does meets both sides alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

Round = Callable[[], "Played"]
LIMITED = 0.7  # of a core: above it the stand-in, not the client, may be what limits a rate


@dataclass(frozen=True, slots=True)
class Played:
    """One round: how many were sent in how long, at how much CPU (worker, database, stand-in)."""

    size: int
    seconds: float
    worker_cpu: float
    database_cpu: float = 0.0
    sandbox_cpu: float = 0.0
    statements: int = 0
    standing: int = 0  # statements of brake and sweep
    messages: int = 0
    most_rss_mb: float = 0.0

    @property
    def rate(self) -> float:
        """Deliveries a second."""
        return self.size / self.seconds

    @property
    def cpu_each(self) -> float:
        """CPU seconds a delivery, the database's among them."""
        return (self.worker_cpu + self.database_cpu) / self.size

    @property
    def sandbox_share(self) -> float:
        """Of one core, used by the stand-in."""
        return self.sandbox_cpu / self.seconds


@dataclass(slots=True)
class Comparison:
    """One row of the table."""

    name: str
    target: float | None
    ours: list[Played] = field(default_factory=list)
    theirs: list[Played] = field(default_factory=list)

    def play(self, theirs: Round, ours: Round, pairs: int) -> Comparison:
        """Play so many pairs; who begins changes with each."""
        for pair in range(pairs):
            for mine in (False, True) if pair % 2 == 0 else (True, False):
                (self.ours if mine else self.theirs).append((ours if mine else theirs)())
        return self

    @property
    def ratios(self) -> Sequence[float]:
        """Ours to theirs, a pair at a time."""
        return [mine.rate / other.rate for mine, other in zip(self.ours, self.theirs, strict=True)]

    @property
    def ratio(self) -> float:
        """The median of the pairs."""
        return median(self.ratios)

    @property
    def cpu_ratio(self) -> float:
        """Their CPU a delivery to ours, the database's among it: what a busy machine blurs least."""
        pairs = zip(self.ours, self.theirs, strict=True)
        return median(other.cpu_each / mine.cpu_each for mine, other in pairs)

    @property
    def void(self) -> bool:
        """Whether the stand-in limited the bare side: then the ratio flatters us, and proves nothing."""
        return median(played.sandbox_share for played in self.theirs) > LIMITED
