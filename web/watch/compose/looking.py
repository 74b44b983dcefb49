"""What would happen, as the page before the sending says it: the rehearsal, told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from broker import judging
from broker.announcement import Draft
from broker.errors import Problem
from broker.money import written
from broker.office.reach import Statement, Untold
from broker.policy import Hold
from config.rehearsal import Cost, Rehearsal, Way, rehearsal
from web.watch.compose import words
from web.watch.compose.words import Says
from web.watch.desk import At, acting
from web.watch.words import by_their_names

MOST_NAMED = 500  # people on one page; the page of the announcement has them all


@dataclass(frozen=True, slots=True)
class Told:
    """One way, as the page has it."""

    name: str
    way: Way
    says: Sequence[Says]
    cost: str
    opens: str = ""


@dataclass(frozen=True)
class Looked:
    """A rehearsal with its words."""

    found: Rehearsal
    ways: Sequence[Told]
    refused: Problem | None
    cost: str
    zone: str

    @property
    def draft(self) -> Draft:
        """As it was checked."""
        return self.found.rehearsed.draft

    @property
    def reach(self) -> Statement:
        """Who is told, and who is not."""
        return self.found.reach

    @property
    def hold(self) -> Hold | None:
        """What would keep all of it waiting."""
        return self.found.rehearsed.hold

    @property
    def counted(self) -> int:
        """How many it would tell."""
        return self.found.rehearsed.counted

    @property
    def reasons(self) -> Sequence[tuple[str, int]]:
        """Why people are not reached, and how many for each reason."""
        return Counter(self.why(one) for one in self.reach.untold).most_common()

    def why(self, one: Untold) -> str:
        """Why somebody is not reached."""
        return by_their_names(one.why, self.reach.ways)

    @property
    def waits(self) -> Sequence[Says]:
        """What keeps all of it waiting, and what ends that."""
        return [words.held(one, self.zone) for one in words.every(self.hold) if one.whole]

    @property
    def named(self) -> Sequence[Untold]:
        """The first of them by name, for whoever asks."""
        return self.reach.untold[:MOST_NAMED]

    @property
    def later(self) -> bool:
        """Whether it goes at another time than now."""
        return self.draft.send_at is not None

    @property
    def wants_count(self) -> bool:
        """Whether a typed number would let it go on."""
        return words.wants_count(self.hold)

    @property
    def wants_second(self) -> bool:
        """Whether a second person has to agree."""
        return words.wants_second(self.hold)


def look(at: At, draft: Draft) -> Looked:
    """What sending this would come to; nothing is kept. Raises RuleBroken, SetupError."""
    currency = at.settings.school.currency
    found = rehearsal(at.ports, draft, currency=currency, actor=acting(at))
    refusal = judging.refusal_in(found.rehearsed.rulings)
    ways = [
        Told(name, way, words.answer(way.verdict, at.zone), cost_of(way.cost), _opens(found, name))
        for name, way in found.ways.items()
    ]
    refused = words.told(refusal.problem) if refusal is not None else None
    return Looked(found, ways, refused, whole_cost([way.cost for way in found.ways.values()]), at.zone)


def cost_of(cost: Cost | None) -> str:
    """What a way costs, in words; "" where nobody said a price."""
    if cost is None:
        return ""
    total = f"{cost.messages:,} × {written(cost.unit, cost.currency)} = {written(cost.total, cost.currency)}"
    if cost.left is None:
        return total
    return f"{total}; {written(max(cost.left, Decimal(0)), cost.currency)} is left of this month’s budget"


def whole_cost(costs: Sequence[Cost | None]) -> str:
    """What all ways cost together."""
    known = [cost for cost in costs if cost is not None]
    return written(sum((cost.total for cost in known), Decimal(0)), known[0].currency) if known else ""


def _opens(found: Rehearsal, channel: str) -> str:
    """When a later way is tried; "" for the first ones."""
    draft = found.rehearsed.draft
    place = next(place for place, step in enumerate(draft.ways) if channel in step.channels)
    if not place or draft.ladder is None:
        return ""
    opens_at = draft.ladder.openings[place - 1].by(found.rehearsed.due_at)
    late = f", and at {opens_at.astimezone(found.zone):%H:%M} at the latest" if opens_at else ""
    return f"only for whom the way before fails{late}"
