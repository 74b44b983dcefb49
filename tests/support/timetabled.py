"""A school whose timetable is pushed, and everything that was texted."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import select

from broker.actor import SYSTEM
from broker.announcement import Announcement, Content, Part
from broker.authority import rule_changes
from broker.channel import Message, Recipient
from broker.diary import timetables
from broker.diary.timetable import ChangeKind, TimetableChange
from broker.diary.timetable_sources import TimetableSource
from broker.diary.timetables import Export, Pushed
from broker.office import templates
from ledger import tables as t
from ledger.announcements import announcement_of, announcements_by
from tests.support.broker_world import World
from tests.support.school import SmallSchool, family

SOURCE = TimetableSource("untis", "office", "Changes", ("sms",), day_ends=time.max)


def today() -> date:
    """The school's, asked anew each time: a run that began before midnight goes on after it."""
    return datetime.now(ZoneInfo("Europe/London")).date()


def change(period: str = "2", *classes: str, day: date | None = None, **more: object) -> TimetableChange:
    plain = TimetableChange(
        day or today(), period, classes or ("7B",), ChangeKind.COVER, "Maths", new_room="R5", number="12"
    )
    return replace(plain, **more)  # type: ignore[arg-type]


@dataclass
class Office:
    """A school whose timetable is pushed, and everything that was texted."""

    world: World
    school: SmallSchool = field(default_factory=family)
    texts: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world.bring(self.school)
        words = {Part.SHORT: "Timetable: {changes}"}
        templates.save(self.world.ports, "office", "Changes", words, actor=SYSTEM)
        self.rule("adults.notices", "office/Changes")
        channel = self.world.channels.open("texts")
        plain = channel.render

        def render(content: Content, to: Recipient) -> Message:
            message = plain(content, to)
            if to.address:  # a price is reckoned for nobody in particular
                self.texts.append((to.address, message.fields["body"]))
            return message

        channel.render = render  # type: ignore[method-assign]

    def rule(self, key: str, value: str) -> None:
        """The school lays it down."""
        rule_changes.change(self.world.ports, key, value, "a test", actor=SYSTEM)

    def push(self, *changes: TimetableChange, source: TimetableSource = SOURCE) -> Pushed:
        return timetables.push(self.world.ports, source, Export(changes, len(changes)), actor=SYSTEM)

    def send(self) -> list[str]:
        """What goes out now, to whom ends so."""
        self.texts.clear()
        for said in self.announcements():
            self.world.plan(said)
        self.world.send()
        return sorted(f"{address[-1]} {body}" for address, body in self.texts)

    def announcements(self) -> list[Announcement]:
        found = [announcement_of(row) for row in self.world.rows(announcements_by(t.announcement.c.id > 0))]
        return sorted(found, key=lambda each: each.id)

    def alarms(self) -> list[str]:
        return [row.kind for row in self.world.rows(select(t.alarm).where(t.alarm.c.cleared_at.is_(None)))]


def when(period: str, name: str = "7B") -> str:
    day = today()
    return f"{name}, {day:%a} {day.day} {day:%b}, period {period}"
