"""The calendar of each public group, for anybody's telephone to subscribe to: /feeds/groups/<slug>.ics.

An event keeps its UID for good, its SEQUENCE rises with each change, and one that is cancelled stays, as cancelled: who
only left it out would leave it standing on every telephone. A private group's calendar waits for addresses that can be
revoked.
"""

from __future__ import annotations

import gzip
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event

from broker.audience import fold
from broker.ports import Transaction
from broker.ports.events import EventRow
from broker.rules.public_text import gives_away
from config.feeds import ASK_EVERY, BEGINNING, PACKING, Served
from ledger.connect import Ledger
from ledger.reads.feeds import public_groups

BACK, AHEAD = timedelta(days=60), timedelta(days=400)
MOST_KEPT = 500  # calendars at hand: more than a school has groups that are public
PATH = re.compile(r"groups/([a-z0-9-]{1,63})\.ics")  # of a calendar, after /feeds/
MEDIA_TYPE = "text/calendar; charset=utf-8"
REFRESH = "PT1H"


class CalendarFeeds:
    """The calendars of one school's public groups, for any number of threads."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._kept: dict[str, tuple[float, Served | None]] = {}
        self._asking = threading.Lock()

    def fetch(self, slug: str) -> Served | None:
        """The calendar of a public group; None where there is none of this name. Blocks."""
        with self._asking:
            kept = self._kept.get(slug)
            if kept is not None and time.monotonic() - kept[0] <= ASK_EVERY.total_seconds():
                return kept[1]
            served = self._read(slug)
            if len(self._kept) >= MOST_KEPT:  # strangers may ask for whatever they like
                self._kept.clear()
            self._kept[slug] = time.monotonic(), served
            return served

    def _read(self, slug: str) -> Served | None:
        with self._ledger.look() as tx:
            group = next((one for one in public_groups(tx.hand) if one.slug == slug), None)
            if group is None:
                return None
            events = [
                event
                for event in tx.events.between(tx.now - BACK, tx.now + AHEAD)
                if fold(event.audience) == fold(group.name)
            ]
            school = tx.school
            if events:
                events = _fit(tx, events, group.name)
        body = written(f"{group.name}, {school.name}", events, zone=ZoneInfo(school.zone), host=school.slug)
        updated = max((_changed(event) for event in events), default=BEGINNING)
        packed = gzip.compress(body, PACKING, mtime=0)
        return Served(MEDIA_TYPE, body, packed, sha256(body).hexdigest()[:32], updated, "")


def _fit(tx: Transaction, events: Sequence[EventRow], group: str) -> list[EventRow]:
    """Nobody looked at these words before everybody reads them: those that tell too much become the group's name."""
    rules, names, region = tx.rules.current(), tx.people.names(), tx.school.region
    return [
        replace(event, title=group, place="")
        if gives_away((event.title, event.place), rules, names, region)
        else event
        for event in events
    ]


def written(name: str, events: Sequence[EventRow], *, zone: ZoneInfo, host: str) -> bytes:
    """One calendar as iCalendar writes it: the same events are the same bytes."""
    calendar = Calendar()
    calendar.add("prodid", "-//Carillon//Events//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    calendar.add("x-wr-timezone", zone.key)
    calendar.add("x-published-ttl", REFRESH)
    for event in events:
        calendar.add_component(_event(event, zone, host))
    if events:
        calendar.add_missing_timezones()
    return bytes(calendar.to_ical())


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
    return max(event.known_at, event.cancelled_at or event.known_at).astimezone(UTC).replace(microsecond=0)
