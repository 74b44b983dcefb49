"""Who got an announcement, by which way, and who did not and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice

from rich.text import Text

from broker.announcement import Announcement
from broker.delivery import describe
from broker.duty import DutyState
from broker.office.reach import kinds_of
from cli import show
from config.assembly import House
from ledger.reads.reached import Told, reached
from ledger.reads.status import Status

MOST_UNTOLD = 20
ORDER = (DutyState.MET, DutyState.OPEN, DutyState.LAPSED)


def everybody(house: House, announcement: Announcement) -> Iterator[Told]:
    """Everyone a duty is about, page by page."""
    last, kinds = 0, kinds_of(house.ways_out, announcement)
    while True:
        with house.ledger.reading() as hand:
            page = reached(hand, announcement, after=last, kinds=kinds)
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


def show_who(house: House, status: Status, *, everyone: bool) -> None:
    """Everybody; or those who were not told and why, the first of them where they are many."""
    people: Iterable[Told] = everybody(house, status.announcement)
    untold = sum(n for state, n in status.duties.items() if state is not DutyState.MET)
    if not everyone:
        wanted = (one for one in people if one.state is not DutyState.MET)
        people = list(islice(wanted, min(untold, MOST_UNTOLD)))  # none: nobody is looked through for it
    rows = list(told_rows(people))
    if rows:
        show.table(("who", "told", "by which way, or why not"), rows)
    if not everyone and untold > MOST_UNTOLD:
        show.hint(f"and {untold - MOST_UNTOLD:,} more: carillon status {status.announcement.public_id} --who")
