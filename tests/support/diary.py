"""A school's diary at a page: its terms, schedules and events, made by the verbs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from html import unescape
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import httpx2

from broker.actor import SYSTEM, Actor, ActorKind
from broker.announcement import Draft, Part, People, Step
from broker.diary import event_book, reminders, schedules, terms
from broker.diary.calendar import DayKind, Span, SpanKind
from broker.diary.events import ALONE, ToldEvent
from broker.diary.recurrence import Pattern
from broker.diary.recurrence_rule import read_rule
from broker.moments import instant
from broker.ports import Ports
from broker.ports.calendar import ScheduleRow
from broker.ports.events import EventRow, ReminderRule
from tests.support.watching import Watched

ZONE = "Europe/London"
REED = Actor(ActorKind.PERSON, "Mr Reed")


@dataclass
class Diary:
    """What stands in the diary of a school that is looked at."""

    here: Watched
    department: str = "office"

    @property
    def ports(self) -> Ports:
        return self.here.tower.house.ports

    @property
    def now(self) -> datetime:
        """By the school's clock, naive."""
        with self.here.ledger.look() as tx:
            return tx.now.astimezone(ZoneInfo(ZONE)).replace(tzinfo=None, second=0, microsecond=0)

    @property
    def today(self) -> date:
        return self.now.date()

    def school_year(self) -> None:
        """One term from last month until far ahead, with a half-term in it, so that today is in term."""
        today = self.today
        half = Span(SpanKind.HALF_TERM, "Half-term", today + timedelta(days=21), today + timedelta(days=25))
        term = Span(SpanKind.TERM, "Autumn", today - timedelta(days=30), today + timedelta(days=70))
        terms.bring(self.ports, [term, half], actor=SYSTEM)

    def weekly(
        self, name: str = "Choir", *, starts: datetime | None = None, to: str = "Choir"
    ) -> ScheduleRow:
        """A rehearsal's reminder, every week from tomorrow at eight on."""
        first = starts or datetime.combine(self.today + timedelta(days=1), datetime.min.time()).replace(
            hour=8
        )
        rule = read_rule("FREQ=WEEKLY", zone=ZONE, starts=first)
        pattern = Pattern(first, ZONE, rule, on=frozenset({DayKind.TERM, DayKind.INSET}))
        draft = Draft(
            self.department,
            to,
            People.GUARDIANS,
            (Step(("bell",)),),
            {Part.SHORT: "{pupil}: choir at 15:30."},
        )
        return schedules.save(self.ports, name, draft, pattern, lasts=timedelta(hours=4), actor=SYSTEM)

    def event(
        self, title: str = "Concert", *, days: int = 5, clock: str = "19:00", to: str = "Choir"
    ) -> EventRow:
        """An event some days from today."""
        wall = datetime.fromisoformat(f"{self.today + timedelta(days=days)} {clock}")
        starts = instant(str(wall)[:16], zone=ZONE, field="starts")
        told = ToldEvent(str(uuid4()), ALONE, wall, starts, starts + timedelta(hours=2), title, "Hall")
        return event_book.add(self.ports, told, department=self.department, audience=to, actor=SYSTEM)

    def rule(self, name: str = "Text", *, before: timedelta = timedelta(days=2)) -> ReminderRule:
        """A reminder of every event of the music department."""
        words = {Part.LONG: "{title}: {starts}, {place}."}
        rule = ReminderRule(0, self.department, name, "", before, People.GUARDIANS, (Step(("bell",)),), words)
        return reminders.add_rule(self.ports, rule, actor=SYSTEM)


_TOKEN = re.compile(r'name="token" value="([^"]+)"')


def send(here: Watched, path: str, page: str = "", **fields: Any) -> httpx2.Response:
    """A form of one of our own pages, as a browser sends it."""
    token = _TOKEN.search(here.get(page or "/watch/calendar/schedules/new"))
    assert token is not None
    data = {"token": token[1], **fields}
    return here.client.post(path, data=data, headers={"Origin": here.url})


def send_file(here: Watched, path: str, page: str, name: str, data: bytes, **fields: Any) -> httpx2.Response:
    """The same with a file."""
    token = _TOKEN.search(here.get(page))
    assert token is not None
    files = {"file": (name, data, "application/octet-stream")}
    return here.client.post(
        path, data={"token": token[1], **fields}, files=files, headers={"Origin": here.url}
    )


def words_of(html: str) -> str:
    """What somebody reads on a page, between whose words there is one blank."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())
