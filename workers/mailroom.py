"""What comes back is looked after beside the sending, on a thread of its own: a mailbox may take its time."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from broker.actor import Actor, ActorKind
from broker.incoming import bounces, inboxes
from broker.incoming.bouncing import FAILURES_WITHIN
from config.assembly import House
from config.calendars import CalendarRoom
from config.mailroom import Mailroom
from config.timetables import TimetableRoom
from workers.every import Every

log = logging.getLogger(__name__)

LOOK_EVERY = timedelta(seconds=1)  # whose turn it is; each mailbox has its own while
WATCH_EVERY = timedelta(minutes=1)
JUDGE_EVERY = timedelta(hours=1)


class LookingAfter:
    """Reads mailboxes, timetables, calendars; watches inboxes, marks what fails. Start and stop it with the worker."""

    def __init__(self, house: House, *, name: str) -> None:
        self._ports = house.ports
        self._actor = Actor(ActorKind.SYSTEM, name)
        self._mailroom = Mailroom(house.ports, house.settings)
        self._timetables = TimetableRoom(house.ports, house.settings, name=name)
        self._calendars = CalendarRoom(house.ports, house.settings.school.zone, name=name)
        self._judged = datetime(2000, 1, 1, tzinfo=UTC)
        self._every = [
            Every("mailboxes", LOOK_EVERY, self._mailroom.read_due) if house.settings.mailboxes else None,
            Every("timetables", LOOK_EVERY, self._timetables.read_due) if house.settings.timetables else None,
            Every("silent timetables", WATCH_EVERY, self._timetables.watch)
            if house.settings.timetables
            else None,
            Every("calendars", WATCH_EVERY, self._calendars.read_due),
            Every("inboxes", WATCH_EVERY, self._watch),
            Every("failing addresses", JUDGE_EVERY, self._judge),
        ]

    def start(self) -> None:
        """Begin, with a first look at once."""
        for each in self._every:
            if each is not None:
                each.start()

    def stop(self) -> None:
        """End after what is in hand; safe to call twice."""
        for each in self._every:
            if each is not None:
                each.stop()

    def _watch(self) -> None:
        inboxes.raise_overdue(self._ports, actor=self._actor)

    def _judge(self) -> None:
        now = datetime.now(UTC)
        # What failed since the last look, with an hour to spare for clocks; the first look is at all that counts.
        since = max(self._judged - JUDGE_EVERY, now - FAILURES_WITHIN)
        bounces.mark_failing(self._ports, since, actor=self._actor)
        self._judged = now
