"""Who got an announcement, by which way, and who did not and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from rich.text import Text

from broker.announcement import Announcement
from broker.delivery import describe
from broker.duty import DutyState
from cli import show
from ledger.connect import Ledger
from ledger.reads.reached import Told, reached

ORDER = (DutyState.MET, DutyState.OPEN, DutyState.LAPSED)


def everybody(ledger: Ledger, announcement: Announcement) -> Iterator[Told]:
    """Everyone a duty is about, page by page."""
    last = 0
    while True:
        with ledger.reading() as hand:
            page = reached(hand, announcement, after=last)
        if not page:
            return
        yield from page
        last = page[-1].duty


def told_rows(people: Iterable[Told]) -> Iterator[tuple[object, ...]]:
    """Rows for a table: those who were told first, then the others with the reason."""
    for one in sorted(people, key=lambda one: (ORDER.index(one.state), one.name)):
        state = Text(one.state.value, style=show.DUTY_COLOURS[one.state])
        if one.state is DutyState.MET:
            yield one.name, state, ways_in_words(one)
        else:
            yield one.name, state, one.why


def ways_in_words(one: Told) -> str:
    """The ways somebody was told by: "sms 2 delivered, email 1 sent"."""
    counted = Counter((way.channel, describe(way.state)) for way in one.ways)
    return ", ".join(f"{channel} {n} {state}" for (channel, state), n in counted.items()) or one.why
