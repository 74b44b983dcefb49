"""Calendars for anybody's telephone to subscribe to: the school's, a department's, a public group's.

An event keeps its UID for good, its SEQUENCE rises with each change, and one that is cancelled stays, as cancelled: who
only left it out would leave it standing on every telephone. A public group's has the events of exactly this group; a
department's and the school's have those of public groups, and those meant for every family.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event

from broker import audience as audiences
from broker.audience import fold
from broker.errors import InvalidAnnouncement
from broker.ports import Transaction
from broker.ports.events import EventRow
from broker.rosters.roster import Role
from broker.rules.public_text import gives_away
from config.feeds import ASK_EVERY, Served, served
from ledger.connect import Ledger
from ledger.reads.feeds import Kind, Scope, scopes

BACK, AHEAD = timedelta(days=60), timedelta(days=400)
MEDIA_TYPE = "text/calendar; charset=utf-8"
REFRESH = "PT1H"


Key = tuple[Kind, str]


@dataclass(frozen=True, slots=True)
class _Found:
    """One calendar, its events as they may be shown, and when (monotonic) it was read."""

    served: Served
    events: Sequence[EventRow]
    zone: ZoneInfo
    asked: float


class CalendarFeeds:
    """The public calendars of one school, for any number of threads."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._kept: dict[Key, _Found] = {}
        self._asking = threading.Lock()

    def at_hand(self, kind: Kind, slug: str) -> Served | None:
        """The calendar, if it is known to hold just now: never waits. Ask `fetch` when it is None."""
        found = self._kept.get((kind, slug))
        return found.served if found is not None and _holds(found) else None

    def fetch(self, kind: Kind, slug: str) -> Served | None:
        """The calendar; None where there is none of this name. Blocks."""
        found = self._find(kind, slug)
        return found.served if found is not None else None

    def to_come(self, kind: Kind, slug: str, *, most: int) -> Sequence[EventRow]:
        """The next events of a calendar, cancelled ones too, the soonest first; times in the school's zone."""
        found = self._find(kind, slug)
        return coming(found.events, datetime.now(UTC), found.zone, most=most) if found is not None else ()

    def _find(self, kind: Kind, slug: str) -> _Found | None:
        with self._asking:
            kept = self._kept.get((kind, slug))
            if kept is not None and _holds(kept):
                return kept
            found = self._read(kind, slug)
            if found is None:
                self._kept.pop((kind, slug), None)
            else:
                self._kept[kind, slug] = found
            return found

    def _read(self, kind: Kind, slug: str) -> _Found | None:
        with self._ledger.look() as tx:
            every = scopes(tx.hand)
            scope = next((one for one in every if (one.kind, one.slug) == (kind, slug)), None)
            if scope is None:
                return None
            public = frozenset(fold(one.name) for one in every if one.kind is Kind.GROUP)
            events = [event for event in _between(tx) if _belongs(event, scope, public)]
            events, school = fit(tx, events), tx.school
        name = school.name if scope.kind is Kind.SCHOOL else f"{scope.name}, {school.name}"
        zone = ZoneInfo(school.zone)
        return _Found(calendar(name, events, zone=zone, host=school.slug), events, zone, time.monotonic())


def group_events(tx: Transaction, group: str) -> Sequence[EventRow]:
    """The events of exactly this group, as they may be shown to whoever was given a link."""
    return fit(tx, [event for event in _between(tx) if fold(event.audience) == fold(group)])


def calendar(name: str, events: Sequence[EventRow], *, zone: ZoneInfo, host: str) -> Served:
    """One calendar, ready to be given out."""
    return served(MEDIA_TYPE, written(name, events, zone=zone, host=host))


def coming(events: Sequence[EventRow], now: datetime, zone: ZoneInfo, *, most: int) -> Sequence[EventRow]:
    """Those that are not over, the soonest first, with their times in this zone."""
    ahead = sorted((one for one in events if one.ends_at > now), key=lambda one: (one.starts_at, one.id))
    return [
        replace(one, starts_at=one.starts_at.astimezone(zone), ends_at=one.ends_at.astimezone(zone))
        for one in ahead[:most]
    ]


def fit(tx: Transaction, events: Sequence[EventRow]) -> list[EventRow]:
    """Nobody looked at these words before everybody reads them: those that tell too much become the audience's name."""
    if not events:
        return []
    rules, names, region = tx.rules.current(), tx.people.names(), tx.school.region
    return [
        replace(event, title=event.audience, place="")
        if gives_away((event.title, event.place), rules, names, region)
        else event
        for event in events
    ]


def _between(tx: Transaction) -> Sequence[EventRow]:
    return tx.events.between(tx.now - BACK, tx.now + AHEAD)


def _belongs(event: EventRow, scope: Scope, public: frozenset[str]) -> bool:
    if scope.kind is Kind.GROUP:
        return fold(event.audience) == fold(scope.name)
    if scope.kind is Kind.DEPARTMENT and event.department != scope.slug:
        return False
    return _is_open(event.audience, public)


def _is_open(audience: str, public: frozenset[str]) -> bool:
    """Whether events of this audience are for everybody to know: of public groups, or of every family."""
    try:
        tree = audiences.parse(audience)
    except InvalidAnnouncement:
        return False
    return Role.STAFF not in audiences.roles(tree) and all(
        fold(one) in public for one in audiences.names(tree)
    )


def _holds(found: _Found) -> bool:
    return time.monotonic() - found.asked <= ASK_EVERY.total_seconds()


def written(name: str, events: Sequence[EventRow], *, zone: ZoneInfo, host: str) -> bytes:
    """One calendar as iCalendar writes it: the same events are the same bytes."""
    made = Calendar()
    made.add("prodid", "-//Carillon//Events//EN")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", name)
    made.add("x-wr-timezone", zone.key)
    made.add("x-published-ttl", REFRESH)
    for event in events:
        made.add_component(_event(event, zone, host))
    if events:
        made.add_missing_timezones()
    return bytes(made.to_ical())


def _event(event: EventRow, zone: ZoneInfo, host: str) -> Event:
    made = Event()
    made.add("uid", f"{event.public_id}@{host}.carillon")
    made.add("dtstamp", _changed(event))
    made.add("last-modified", _changed(event))
    made.add("sequence", event.sequence)
    made.add("status", "CANCELLED" if event.cancelled_at is not None else "CONFIRMED")
    made.add("summary", event.title)
    if event.place:
        made.add("location", event.place)
    if event.days:
        made.add("dtstart", event.wall.date())
        made.add("dtend", event.wall.date() + timedelta(days=event.days))
    else:
        made.add("dtstart", event.starts_at.astimezone(zone))
        made.add("dtend", event.ends_at.astimezone(zone))
    return made


def _changed(event: EventRow) -> datetime:
    return max(event.worded_at, event.cancelled_at or event.worded_at).astimezone(UTC).replace(microsecond=0)
