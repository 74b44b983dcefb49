"""Subscribed calendars, read in turn by whichever process has the turn."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

from broker.actor import Actor, ActorKind
from broker.diary import subscriptions
from broker.diary.event_book import Brought
from broker.diary.recurrence import HORIZON
from broker.diary.subscriptions import Answer
from broker.errors import Problem, RuleBroken
from broker.moments import day_at
from broker.ports import Ports
from broker.ports.calendar import SubscriptionRow
from sources import fetch
from sources.calendars import LIMITS, events_of_csv, events_of_ics, looks_like_ics
from sources.fetch import FetchRefused, Seen

AWAY = frozenset({"too_slow", "unreachable", "bad_answer"})  # of a server that has a bad day
log = logging.getLogger(__name__)
FETCHING = replace(fetch.LIMITS, most=LIMITS.file_bytes)


class CalendarRoom:
    """Reads subscribed calendars. Several processes may have one: the ledger gives each calendar one turn at a time."""

    def __init__(
        self, ports: Ports, zone: str, *, name: str = "calendars", limits: fetch.Limits = FETCHING
    ) -> None:
        self._ports, self._zone, self._limits = ports, zone, limits
        self._actor = Actor(ActorKind.SYSTEM, name)

    def read_due(self) -> list[Brought]:
        """Read every calendar whose turn it is; one that fails raises an alarm and stops no other."""
        done: list[Brought] = []
        while (row := subscriptions.take_turn(self._ports)) is not None:
            brought = self.read(row)
            if brought is not None:
                done.append(brought)
        return done

    def read(self, row: SubscriptionRow) -> Brought | None:
        """Read one; None where it could not be."""
        try:
            return self._read(row)
        except RuleBroken as broken:
            away = isinstance(broken, FetchRefused) and broken.problem.code in AWAY
            subscriptions.failed(self._ports, row, broken, away=away)
            return None

    def _read(self, row: SubscriptionRow) -> Brought:
        """Raises RuleBroken, whatever it stumbles over."""
        try:
            return subscriptions.answered(self._ports, row, self.asked(row), actor=self._actor)
        except RuleBroken:
            raise
        except Exception as fault:  # noqa: BLE001 - one stranger's calendar stops no other, and is told of
            log.error("calendar %s: reading it failed with %s", row.id, type(fault).__name__)
            message = f"it cannot be read ({type(fault).__name__})"
            raise RuleBroken(Problem("unreadable", "", message, "look at the calendar")) from None

    def asked(self, row: SubscriptionRow) -> Answer:
        """What its address holds now. Raises RuleBroken."""
        # What lies ahead moves on even where a calendar does not: once a day it is read whole.
        today = day_at(datetime.now(UTC), self._zone)
        stamp = f"{today}:"
        known = row.digest.startswith(stamp)
        found = fetch.fetch_if_changed(
            row.url, Seen(row.etag, row.modified) if known else Seen(), self._limits
        )
        if found is None:
            return Answer(None, row.etag, row.modified)
        digest = stamp + sha256(found.data).hexdigest()[:40]
        if digest == row.digest:
            return Answer(None, found.seen.etag, found.seen.modified)
        reader = events_of_ics if looks_like_ics(found.data) else events_of_csv
        told = reader(found.data, zone=self._zone, begins=today, ends=today + HORIZON)
        return Answer(told, found.seen.etag, found.seen.modified, digest)
