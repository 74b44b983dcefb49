"""One announcement as it can be watched: its parts, live; and what can be done about it, as far as its times tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from markupsafe import Markup

from broker.delivery import FAILED, REACHED, REQUEUEABLE, STATES, State
from ledger.hand import Hand
from ledger.reads.deliveries import Listed, Wanted, deliveries
from ledger.reads.watch import Shown, one, zone
from web.watch.announcement import words
from web.watch.announcement.offers import offers
from web.watch.counts import Counts
from web.watch.paint import templates
from web.watch.topics import Painted

DELIVERIES = 30
SAFELY_AGAIN = REQUEUEABLE - {State.UNCERTAIN}
ROOT = "../"  # from /watch/ID, which all of it is shown on
SHOWS: Mapping[str, frozenset[State] | None] = {
    "all": None,
    "failed": FAILED,
    "waiting": frozenset({State.QUEUED, State.SENDING}),
    "sent": REACHED,
    **{state.value: frozenset({state}) for state in STATES if state is not State.SENT},
}
# The filters that stand on the page; any single state can be asked for by its address.
CHIPS = {
    "all": "All",
    "failed": "Went wrong",
    "uncertain": "Uncertain",
    "waiting": "Under way",
    "sent": "Sent",
}


@dataclass(frozen=True, slots=True)
class Detail:
    """One announcement: how far it is, what went wrong and why, its deliveries."""

    announcement: UUID
    show: str = "all"
    channel: str | None = None
    before: int | None = None
    department: str | None = None  # of whoever looks: another's announcement is not there for them
    acts: bool = False  # whether they may change anything about it
    stops: bool = False  # whether they may take it back

    def paint(self, hand: Hand, counts: Counts, *, exact: bool = False) -> Painted | None:
        """Its parts."""
        row = one(hand, self.announcement, self.department)
        return None if row is None else self.of(hand, counts, row, zone(hand), exact=exact)

    def of(self, hand: Hand, counts: Counts, row: Shown, local: str, *, exact: bool = False) -> Painted:
        """The same of an announcement that was read already."""
        known = counts.of(hand, row, exact=exact)
        wanted = Wanted(self.announcement, self.channel, SHOWS[self.show])
        listed = deliveries(hand, wanted, before=self.before, limit=DELIVERIES)
        stand = {
            "shown": row,
            "counted": known,
            "topic": self,
            "offers": offers(row, hand.now, acts=self.acts, stops=self.stops),
            "failing": failing(row),
            "listed": listed,
            "older": _older(listed),
            "chips": _chips(self.show),
            "FOLLOWS": words.FOLLOWS,
            "zone": local,
        }
        names = ("head", "actions", "progress", "people", "failures", "deliveries")
        return Painted({name: _part(name, stand) for name in names}, known.behind)


def _part(name: str, stand: Mapping[str, Any]) -> Markup:
    html = templates.get_template(f"announcement/parts/{name}.html").render(root=ROOT, **stand)
    return Markup(html.strip())  # noqa: S704 - autoescaped by the template


def failing(row: Shown) -> Mapping[str, int]:
    """Way → how many of it went wrong and can be tried again without a risk that they come twice."""
    found = {
        channel: sum(n for state, n in states.items() if state in SAFELY_AGAIN)
        for channel, states in row.channels.items()
    }
    return {channel: n for channel, n in found.items() if n}


def _older(listed: Sequence[Listed]) -> int | None:
    return listed[-1].id if len(listed) == DELIVERIES else None


def _chips(show: str) -> Mapping[str, str]:
    if show in CHIPS:
        return CHIPS
    return {**CHIPS, show: STATES[State(show)].label.capitalize()}
