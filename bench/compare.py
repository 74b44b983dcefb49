"""Rounds played in turns, so that whatever else the machine does meets all sides alike, and what a ratio is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles

Round = Callable[[], "Played"]
LIMITED = 0.7  # of a core: above it the stand-in, not the client, may be what limits a rate


@dataclass(frozen=True, slots=True)
class Played:
    """One round: how many were sent in how long, at how much CPU (worker, database, stand-in)."""

    size: int
    seconds: float
    worker_cpu: float
    database_cpu: float = 0.0
    stand_in_cpu: float = 0.0
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
    def stand_in_share(self) -> float:
        """Of one core, used by the stand-in."""
        return self.stand_in_cpu / self.seconds


@dataclass(frozen=True, slots=True)
class Spread:
    """A median and what lies around it."""

    median: float
    lowest: float
    highest: float
    quarters: tuple[float, float]  # half of all lie between these

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of at least one value."""
        cuts = quantiles(values, n=4) if len(values) > 1 else [values[0]] * 3
        return cls(median(values), min(values), max(values), (cuts[0], cuts[2]))


@dataclass(slots=True)
class Comparison:
    """Ours beside theirs, a turn at a time; `aim` is what the ratio of rates should reach."""

    name: str
    aim: float | None
    ours: list[Played] = field(default_factory=list)
    theirs: list[Played] = field(default_factory=list)
    limit: bool = False  # theirs is the bare client's limit: void when the stand-in was what limited it

    @property
    def ratios(self) -> Sequence[float]:
        """Ours to theirs."""
        return [mine.rate / other.rate for mine, other in zip(self.ours, self.theirs, strict=True)]

    @property
    def ratio(self) -> Spread:
        """Of rates."""
        return Spread.of(self.ratios)

    @property
    def cpu_ratio(self) -> Spread:
        """Our CPU a delivery, the database's among it, to theirs: what a busy machine blurs least."""
        pairs = zip(self.ours, self.theirs, strict=True)
        return Spread.of([mine.cpu_each / other.cpu_each for mine, other in pairs])

    @property
    def stand_in_share(self) -> float:
        """Of one core, used by the stand-in beside them."""
        return median(played.stand_in_share for played in self.theirs)

    @property
    def void(self) -> bool:
        """Whether the stand-in may have limited the bare side: then the ratio flatters us, and proves nothing."""
        return self.limit and self.stand_in_share > LIMITED


@dataclass(slots=True)
class Series:
    """Several sides that send the same; each turn plays every one of them once, and who begins changes."""

    sides: Mapping[str, Round]
    turns: list[Mapping[str, Played]] = field(default_factory=list)

    def play(self, turns: int) -> Series:
        """Play so many turns, with everybody warm already."""
        for turn in range(turns):
            at = turn % len(self.sides)
            order = [*self.sides][at:] + [*self.sides][:at]
            if turn % 2:
                order.reverse()
            self.turns.append({name: self.sides[name]() for name in order})
        return self

    def compare(
        self, name: str, theirs: str, *, ours: str = "carillon", aim: float | None, limit: bool = False
    ) -> Comparison:
        """Two of the sides."""
        mine, other = ([turn[side] for turn in self.turns] for side in (ours, theirs))
        return Comparison(name, aim, mine, other, limit)


def best(ways: Mapping[str, Round]) -> str:
    """The fastest of several ways, each tried twice: a peer plays as well as it can."""
    rates = {way: max(play().rate, play().rate) for way, play in ways.items()}
    return max(rates, key=lambda way: rates[way])
