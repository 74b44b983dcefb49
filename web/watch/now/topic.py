"""What is seen first, as it can be watched: concerns, what is going out, how the ways stand, money, the newest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from broker.delivery import State
from broker.money import month_of, written
from ledger.hand import Hand
from ledger.reads.figures import Figures, figures
from ledger.reads.now import LIVE, Chosen, House, WayOut, chosen, house
from ledger.reads.watch import Shown, these
from web.watch.counts import Counted, Counts
from web.watch.now.charted import a_second, days_until, of_days, of_spend
from web.watch.now.concerns import Group, Seen, concerns
from web.watch.paint import templates
from web.watch.topics import Painted

HOUSE_EVERY = timedelta(seconds=2.5)  # it counts what waits
FIGURES_EVERY = timedelta(seconds=30)  # they are folded some seconds late anyway
NEWEST = 8
MONTHS = 6
templates.filters |= {"a_second": a_second, "money": written}
MOVING = (State.QUEUED, State.SENDING)


@dataclass(frozen=True, slots=True)
class Look:
    """Everything that the page says, before it is painted."""

    groups: Sequence[Group]
    live: Sequence[Shown]
    newest: Sequence[Shown]
    counted: Mapping[int, Counted | None]
    ways: Sequence[WayOut]
    house: House
    figures: Figures


@dataclass(frozen=True, slots=True)
class Overview:
    """What needs action first, and how everything stands; of one department, or all.

    `inboxes`: whose answers are there for whoever looks; None for all. `currency`: the school's. `writes`: they may
    announce something. `closed`: pages that they may not open.
    """

    department: str | None = None
    inboxes: frozenset[str] | None = None
    currency: str = "GBP"
    writes: bool = False
    closed: frozenset[str] = frozenset()

    def paint(self, hand: Hand, counts: Counts, *, exact: bool = False) -> Painted:
        """Its parts: some stand by themselves, and each announcement is one of its own."""
        look = self.look(hand, counts, exact=exact)
        known = {"zone": look.house.zone, "at": look.house.at, "currency": self.currency}
        parts = {"concerns": part("concerns", groups=look.groups, said=_said(look.groups), **known)}
        parts["going"] = part("going", live=look.live, **known)
        for row in look.live:
            counted = look.counted.get(row.announcement.id)
            parts[f"l-{row.announcement.public_id}"] = part("card", shown=row, counted=counted, **known)
        parts["ways"] = part("ways", ways=look.ways, gateways=look.house.gateways, **known)
        parts["money"] = part("money", **self._charts(look), **known)
        parts["newest"] = part("newest", empty=not look.newest, writes=self.writes, **known)
        for row in look.newest:
            parts[f"a-{row.announcement.public_id}"] = part("said", shown=row, **known)
        parts["older"] = part("older", more=len(look.newest) == NEWEST, **known)
        return Painted(
            parts, any(one is None or one.behind for one in look.counted.values()), look.house.zone
        )

    def look(self, hand: Hand, counts: Counts, *, exact: bool = False) -> Look:
        """Read it. What is counted at length is as old as a moment, and says so."""
        stands = counts.kept("house", HOUSE_EVERY if not exact else timedelta(0), lambda: house(hand))
        found = chosen(hand, self.department)
        rows = these(hand, found.all)
        counted = counts.several(hand, _with_people(found, rows), waits=not exact)
        live = [rows[id_] for id_ in found.live if id_ in rows and _moves(rows[id_])]
        seen = Seen(stands, found, rows, counted, self.department, self.inboxes, self.closed)
        return Look(
            groups=concerns(seen),
            live=live[:LIVE],
            newest=[rows[id_] for id_ in found.newest if id_ in rows][:NEWEST],
            counted=counted,
            ways=[
                way for way in stands.ways if self.department in {None, way.department} or not way.department
            ],
            house=stands,
            figures=counts.kept(
                ("figures", self.department), FIGURES_EVERY, lambda: self._figures(hand, stands)
            ),
        )

    def _figures(self, hand: Hand, stands: House) -> Figures:
        days, months = (
            days_until(stands.at, stands.zone),
            months_until(month_of(stands.at, stands.zone), MONTHS),
        )
        return figures(hand, days[0], days[-1], months, department=self.department)

    def _charts(self, look: Look) -> Mapping[str, Any]:
        days = days_until(look.house.at, look.house.zone)
        month = month_of(look.house.at, look.house.zone)
        return {
            "days": of_days(look.figures, days),
            "months": of_spend(look.figures, months_until(month, MONTHS), self.currency),
            "spent": look.figures.spent.get(month) or Decimal(0),
            "budget": look.figures.budgets.get(month),
        }


def part(name: str, **known: Any) -> str:
    """One part, from `templates/now/`; it stands on a page directly below the root."""
    html: str = templates.get_template(f"now/{name}.html").render(root="", **known)
    return html.strip()


def months_until(month: str, count: int) -> list[str]:
    """So many months, the last of them this: 2026-11."""
    year, number = int(month[:4]), int(month[5:])
    found = [divmod(year * 12 + number - 1 - back, 12) for back in range(count)]
    return [f"{one[0]:04}-{one[1] + 1:02}" for one in reversed(found)]


def _with_people(found: Chosen, rows: Mapping[int, Shown]) -> Sequence[Shown]:
    return [
        rows[id_] for id_ in sorted({*found.live, *found.wrong, *found.newest} & rows.keys(), reverse=True)
    ]


def _moves(row: Shown) -> bool:
    return any(states.get(state) for states in row.channels.values() for state in MOVING)


def _said(groups: Sequence[Group]) -> str:
    count = sum(group.count for group in groups)
    if not count:
        return "Nothing needs action"
    return f"{count:,} {'thing needs' if count == 1 else 'things need'} action: {', '.join(g.title for g in groups)}"
