"""How long many schedules and a large calendar take: `python -m bench.schedules [--schedules N] [--json]`.

Schedules that fall due in one minute, each with words of its own, by text and mail, to a hundred groups of twenty:
until every one of them is an accepted announcement, judged by every rule, with its entries of the record. Then, of some
of them, until they are planned. And a calendar of a thousand events, each a series: read and worked out for a year;
brought for the first time, and again with nothing changed. Wanted: 10 s for 10,000 schedules, 2 s for the year of a
calendar.
"""

from __future__ import annotations

import argparse
import gc
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import uuid6
from sqlalchemy import select

from bench.timetable import ledgers
from broker import fanout
from broker.actor import SYSTEM
from broker.announcement import Draft, Part, People, Step
from broker.diary import event_book, scheduler
from broker.diary.calendar import Span, SpanKind
from broker.diary.recurrence import Pattern
from broker.diary.recurrence_rule import read_rule
from broker.ports.calendar import ScheduleRow
from config.signer import HmacSigner
from ledger import tables as t
from ledger.connect import Ledger
from ledger.setup import ConfiguredAccount, School, install
from sources.calendars import events_of_ics
from tests.support.broker_world import World
from tests.support.school import SmallSchool

SCHEDULES, EVENTS, PLANNED = 10_000, 1_000, 300
TIMES = 10  # of each series: a rehearsal a week, half a term
GROUPS, PUPILS = 100, 20
WANTED = {"announced": timedelta(seconds=10), "expanded": timedelta(seconds=2)}
LONDON = "Europe/London"
SIGNER = HmacSigner(b"a secret of the bench and of nobody else")


@dataclass(frozen=True)
class Took:
    """What one step took; `wanted` in seconds, where the issue gives a figure."""

    database: str
    what: str
    count: int
    seconds: float
    cpu_seconds: float  # of this process; the database's own come on top
    wanted: float | None = None


@contextmanager
def worlds() -> Iterator[Sequence[tuple[str, World]]]:
    """A school of a hundred groups on each database."""
    with ledgers() as opened:
        yield [(name, _school(ledger)) for name, ledger in opened]


def _school(ledger: Ledger) -> World:
    accounts = [ConfiguredAccount("texts", "sms"), ConfiguredAccount("mails", "email")]
    install(ledger, School("st-brides", "St Bride's", LONDON, "en-GB", "GB"), {"music": "Music"}, accounts)
    world = World.over(ledger, SIGNER)
    school = SmallSchool()
    for group in range(GROUPS):
        for n in range(PUPILS):
            number = group * PUPILS + n
            pupil = school.pupil(f"Pupil{number}", f"Group {group}")
            mobiles, emails = (f"+4479{11_000_000 + number}",), (f"p{number}@example.org",)
            school.guardian(f"Parent{number}", pupil, mobiles=mobiles, emails=emails)
    world.bring(school)
    today = datetime.now(UTC).date()
    with ledger.begin() as tx:
        term = Span(SpanKind.TERM, "Term", today - timedelta(days=100), today + timedelta(days=250))
        tx.calendars.replace([term], by="bench")
    return world


def due_in_one_minute(world: World, count: int) -> None:
    """Weekly schedules, a term old, all of whose next time was within the last minute."""
    with world.ledger.begin() as tx:
        now = tx.now
        wall = now.astimezone(ZoneInfo(LONDON)).replace(tzinfo=None, microsecond=0)
        # By the wall clock: between then and now the clocks may have changed.
        began = wall - timedelta(weeks=12)
        for n in range(count):
            starts = began - timedelta(seconds=n % 60)
            rule = read_rule("FREQ=WEEKLY", zone=LONDON, starts=starts)
            draft = Draft(
                department="music",
                audience=f"Group {n % GROUPS}",
                people=People.GUARDIANS,
                ways=(Step(("sms", "email")),),
                parts={Part.SHORT: f"{{pupil}}: rehearsal {n} is at 15:30 in the hall."},
            )
            before = now - timedelta(minutes=2)
            row = ScheduleRow(
                0, uuid6.uuid7(), f"Schedule {n}", draft, Pattern(starts, LONDON, rule), timedelta(hours=4),
                "Mrs Bell", before, before, before, before,
            )  # fmt: skip
            tx.schedules.add(row)


def calendar_of(events: int, begins: date) -> bytes:
    """A calendar of weekly series, one in ten of them with a date that is moved and one that is left out."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0"]
    for n in range(events):
        starts = datetime.combine(begins + timedelta(days=n % 7), datetime.min.time()).replace(hour=8 + n % 9)
        at = f"{starts:%Y%m%dT%H%M%S}"
        lines += ["BEGIN:VEVENT", f"UID:{n}", f"SUMMARY:Rehearsal {n}", "LOCATION:Hall"]
        lines += [
            f"DTSTART;TZID={LONDON}:{at}",
            f"DTEND;TZID={LONDON}:{starts + timedelta(hours=1):%Y%m%dT%H%M%S}",
        ]
        lines += [f"RRULE:FREQ=WEEKLY;COUNT={TIMES}"]
        if n % 10 == 0:
            lines += [f"EXDATE;TZID={LONDON}:{starts + timedelta(weeks=2):%Y%m%dT%H%M%S}"]
        lines += ["END:VEVENT"]
        if n % 10 == 0:
            third = starts + timedelta(weeks=3)
            lines += ["BEGIN:VEVENT", f"UID:{n}", f"RECURRENCE-ID;TZID={LONDON}:{third:%Y%m%dT%H%M%S}"]
            lines += [
                f"SUMMARY:Rehearsal {n}",
                f"DTSTART;TZID={LONDON}:{third + timedelta(hours=2):%Y%m%dT%H%M%S}",
            ]
            lines += ["END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


class _Watch:
    """How long a step takes."""

    def __init__(self) -> None:
        self._began, self._cpu = time.monotonic(), time.process_time()

    def took(self, database: str, what: str, count: int) -> Took:
        seconds, cpu = time.monotonic() - self._began, time.process_time() - self._cpu
        wanted = WANTED[what].total_seconds() if what in WANTED else None
        return Took(database, what, count, round(seconds, 2), round(cpu, 2), wanted)


def measure(schedules: int = SCHEDULES, events: int = EVENTS) -> Sequence[Took]:
    """Every step, the calendar's reading once and the rest on each database."""
    today = datetime.now(UTC).date()
    data = calendar_of(events, today + timedelta(days=1))
    watch = _Watch()
    told = events_of_ics(data, zone=LONDON, begins=today, ends=today + timedelta(days=366))
    found = [_say(watch.took("none", "expanded", len(told.events)))]
    assert not told.problems, told.problems[0]
    with worlds() as opened:
        gc.collect()
        gc.freeze()  # as a worker does when it starts
        for name, world in opened:
            due_in_one_minute(world, schedules)
            watch = _Watch()
            dealt = scheduler.make_due(world.ports, actor=SYSTEM)
            found.append(_say(watch.took(name, "announced", dealt)))
            assert dealt == schedules, f"{dealt} of {schedules}"
            found.append(_say(_planned(name, world, min(PLANNED, schedules))))
            for what in ("brought", "brought again, unchanged"):
                watch = _Watch()
                event_book.bring(
                    world.ports,
                    "bench.ics",
                    told.events,
                    department="music",
                    audience="Group 1",
                    actor=SYSTEM,
                )
                found.append(_say(watch.took(name, what, len(told.events))))
    return found


def _say(one: Took) -> Took:
    aim = f", wanted {one.wanted:g}" if one.wanted is not None else ""
    told = f"{one.count:,} {one.what} in {one.seconds:.2f} s ({one.cpu_seconds:.2f} of CPU){aim}"
    print(f"{one.database}: {told}", flush=True)
    return one


def _planned(name: str, world: World, count: int) -> Took:
    with world.ledger.reading() as hand:
        query = select(t.announcement.c.public_id).order_by(t.announcement.c.id).limit(count)
        these = hand.connection.execute(query).scalars().all()
    watch = _Watch()
    for one in these:
        fanout.plan(world.ports, one, actor=SYSTEM)
    return watch.took(name, "planned", len(these))


def main() -> int:
    """Measure and say; 1 when a step took longer than wanted."""
    parser = argparse.ArgumentParser(prog="python -m bench.schedules", description=__doc__)
    parser.add_argument("--schedules", type=int, default=SCHEDULES)
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = measure(asked.schedules, asked.events)
    if asked.json:
        print(json.dumps([asdict(one) for one in found]))
    return int(any(one.wanted is not None and one.seconds > one.wanted for one in found))


if __name__ == "__main__":
    raise SystemExit(main())
