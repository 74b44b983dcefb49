"""What happened at the sample school before somebody opens its pages: a term, played by the real verbs.

Every announcement truly goes out to the stand-ins; only the ledger's clock stands further back, and catches up.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from broker import audience as audiences
from broker import intake
from broker.actor import Actor, ActorKind
from broker.announcement import Draft, Part, People, Step, Urgency
from broker.authority import operators, rule_changes, spending
from broker.diary import event_book, reminders, schedules, terms
from broker.diary.calendar import DayKind, Span, SpanKind
from broker.diary.events import ALONE, ToldEvent
from broker.diary.recurrence import Pattern
from broker.diary.recurrence_rule import read_rule
from broker.money import read_amount
from broker.office import expressions, groups, templates
from broker.ports.approvals import OperatorRole as Role
from broker.ports.events import ReminderRule
from cli.follow import follow, looking
from cli.show import busy
from config.assembly import House
from sandbox.client import RunningSandbox

WEEKS = 9  # since the term began
LOOKED_AGAIN = timedelta(seconds=0.8)  # a worker that has just seen a day go by reads what stops it anew
SETTLED_WITHIN = timedelta(seconds=30)
ZONE = ZoneInfo("Europe/London")
OFFICE, MUSIC = "office", "music"
BOTH = ("sms", "email")


@dataclass(frozen=True, slots=True)
class Staff:
    """Somebody of the sample school: what they are there for, what they may do, and for which department."""

    name: str
    does: str
    roles: frozenset[Role]
    department: str | None = None

    @property
    def actor(self) -> Actor:
        """As the record names them."""
        return Actor(ActorKind.PERSON, self.name)


ADMIN = Staff("demo", "looks after Carillon", frozenset({Role.ADMIN, Role.AUTHOR}))
BELL = Staff("Mrs Bell", "school office: texts to families", frozenset({Role.AUTHOR}), OFFICE)
OKAFOR = Staff("Mr Okafor", "music: rehearsals and concerts", frozenset({Role.AUTHOR}), MUSIC)
HART = Staff("Ms Hart", "head: says yes or no", frozenset({Role.APPROVER, Role.AUDITOR}))
GRAY = Staff("Dr Gray", "governor: reads the record", frozenset({Role.AUDITOR}))
STAFF = (ADMIN, BELL, OKAFOR, HART, GRAY)


@dataclass(slots=True)
class TermClock:
    """The machine's time, so many weeks ago until it goes on."""

    behind: timedelta = timedelta(weeks=WEEKS)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self) -> datetime:
        """The time now."""
        with self._lock:
            return datetime.now(UTC) - self.behind

    def go_on(self, to: datetime) -> None:
        """On to a later moment; never beyond the machine's own."""
        with self._lock:
            self.behind = max(timedelta(0), min(self.behind, datetime.now(UTC) - to))


@dataclass(frozen=True, slots=True)
class Said:
    """One announcement of the term: how long after it began, by whom, to whom, what."""

    week: int
    weekday: int  # Monday is 0
    at: str
    by: Staff
    audience: str
    title: str
    text: str
    ways: tuple[str, ...] = BOTH
    fault: str = ""  # ordered of the stand-in while it goes out
    people: People = People.GUARDIANS
    urgency: Urgency = Urgency.ROUTINE


SILENT = "twilio:undelivered:rate=0.1,seed=7"
NO_SUCH_NUMBER = "twilio:error:code=21211,rate=0.06,seed=7"
TERM = (
    Said(0, 1, "09:10", BELL, "Year 7", "Welcome to Year 7", "Form tutors are at the gate from 8:15."),
    Said(0, 3, "15:40", OKAFOR, "Choir", "Choir begins", "Choir begins on Tuesday at 15:30 in the hall."),
    Said(1, 2, "10:00", BELL, "Year 10", "Work experience", "Forms are due on Friday.", ("email",)),
    Said(2, 0, "08:05", BELL, "Year 9", "Coach at 8:30", "The coach leaves at 8:30, not 8:15.", fault=SILENT),
    Said(2, 4, "12:30", OKAFOR, "Orchestra", "In the gym", "Orchestra is in the gym on Thursday.", ("sms",)),
    Said(3, 1, "16:00", BELL, "Year 11", "Mock examinations", "The timetable has come out.", ("email",)),
    Said(4, 2, "09:30", OKAFOR, "Jazz Band", "No Jazz Band today", "Jazz Band is cancelled today."),
    Said(
        5,
        0,
        "11:00",
        BELL,
        "Year 8",
        "Parents’ evening",
        "It is on the 20th, from 17:00.",
        fault=NO_SUCH_NUMBER,
    ),
    Said(6, 3, "14:00", BELL, "Year 13", "University visits", "The minibus leaves at 7:45 on Monday."),
    Said(
        7,
        1,
        "15:15",
        OKAFOR,
        "Choir + Orchestra",
        "Concert tickets",
        "They are at the office.",
        ("email",),
    ),
    Said(8, 0, "07:20", BELL, "everyone", "Snow", "School opens at 10 today: snow.", urgency=Urgency.URGENT),
    Said(8, 2, "13:00", BELL, "Year 7 & Choir", "Photograph on Friday", "It is taken on Friday at 9:00."),
)


def begin(house: House) -> None:
    """Name the staff, tell the terms and what the school laid down: as it was when the term began."""
    ports, admin = house.ports, ADMIN.actor
    for one in STAFF:
        operators.add(ports, one.name, one.roles, one.department, actor=admin)
    today = _today(house)
    began = today - timedelta(days=today.weekday() + 7)
    terms.bring(
        ports,
        [
            Span(SpanKind.TERM, "Autumn term", began, began + timedelta(weeks=WEEKS + 6)),
            Span(SpanKind.INSET, "Staff training", began, began),
            Span(
                SpanKind.HALF_TERM,
                "Half-term",
                began + timedelta(weeks=7),
                began + timedelta(weeks=7, days=4),
            ),
        ],
        actor=admin,
    )
    spending.set_budget(ports, OFFICE, read_amount("120"), actor=admin)
    spending.set_budget(ports, MUSIC, read_amount("25"), actor=admin)
    templates.save(
        ports,
        OFFICE,
        "Late opening",
        {Part.TITLE: "School opens at {time}", Part.SHORT: "School opens at {time} today because of {why}."},
        actor=BELL.actor,
    )
    templates.save(
        ports,
        MUSIC,
        "Rehearsal moved",
        {
            Part.TITLE: "Rehearsal moved",
            Part.SHORT: "{pupil}: the rehearsal on {day} is at {time} in {room}.",
        },
        actor=OKAFOR.actor,
    )
    groups.define(ports, "Autumn concert", "Choir + Orchestra", actor=admin)


def play(house: House, sandbox: RunningSandbox, clock: TermClock, *, quiet: bool = False) -> None:
    """What was announced, each on its day, and settled before the next."""
    began = _today(house)
    began -= timedelta(days=began.weekday())
    with busy("A term goes by", quiet=quiet) as tell:
        for number, said in enumerate(TERM, 1):
            day = began + timedelta(weeks=said.week, days=said.weekday)
            clock.go_on(datetime.fromisoformat(f"{day}T{said.at}").replace(tzinfo=ZONE).astimezone(UTC))
            time.sleep(LOOKED_AGAIN.total_seconds())
            _say(house, sandbox, said)
            tell(number / len(TERM))
    clock.go_on(datetime.now(UTC))
    time.sleep(LOOKED_AGAIN.total_seconds())


def _say(house: House, sandbox: RunningSandbox, said: Said) -> None:
    orders = sandbox.control.order(said.fault) if said.fault else []
    parts = {Part.TITLE: said.title, Part.SHORT: said.text, Part.LONG: said.text}
    draft = Draft(
        said.by.department or OFFICE,
        said.audience,
        said.people,
        (Step(said.ways),),
        parts,
        urgency=said.urgency,
    )
    made = intake.accept(house.ports, draft, actor=said.by.actor).announcement
    until = time.monotonic() + SETTLED_WITHIN.total_seconds()
    follow(
        looking(house.ledger, made.public_id),
        until=lambda now: now.settled or time.monotonic() > until,
        quiet=True,
    )
    for order in orders:
        sandbox.control.clear(order)


def leave_to_do(house: House, sandbox: RunningSandbox) -> None:
    """What stands there when somebody comes in: dates ahead, something that waits for a yes, answers from parents."""
    _say_again_and_again(house)
    _fill_the_calendar(house)
    _wait_for_a_yes(house)
    _answer(house, sandbox)


def _say_again_and_again(house: House) -> None:
    """A schedule, and a reminder of every event."""
    ports, today = house.ports, _today(house)
    starts = datetime.fromisoformat(f"{today + timedelta(days=(1 - today.weekday()) % 7 or 7)}T08:00")
    schedules.save(
        ports,
        "Choir on Tuesdays",
        Draft(
            MUSIC,
            "Choir",
            People.GUARDIANS,
            (Step(BOTH),),
            {Part.TITLE: "Choir today", Part.SHORT: "{pupil}: choir today at 15:30 in the hall."},
        ),
        Pattern(
            starts,
            ZONE.key,
            read_rule("FREQ=WEEKLY", zone=ZONE.key, starts=starts),
            frozenset({DayKind.TERM}),
        ),
        lasts=timedelta(hours=4),
        actor=OKAFOR.actor,
    )
    reminders.add_rule(
        ports,
        ReminderRule(
            0,
            MUSIC,
            "Two days before",
            "",
            timedelta(days=2),
            People.GUARDIANS,
            (Step(BOTH),),
            {Part.TITLE: "{title}", Part.SHORT: "{pupil}: {title}, {starts}, {place}."},
        ),
        actor=OKAFOR.actor,
    )


def _fill_the_calendar(house: House) -> None:
    """Events ahead."""
    today = _today(house)
    for days, at, title, place, audience in (
        (11, "19:00", "Autumn concert", "the hall", "Autumn concert"),
        (4, "13:30", "Jazz Band at the care home", "Oak House", "Jazz Band"),
    ):
        wall = datetime.fromisoformat(f"{today + timedelta(days=days)}T{at}")
        starts = wall.replace(tzinfo=ZONE).astimezone(UTC)
        told = ToldEvent(f"{title}@demo", ALONE, wall, starts, starts + timedelta(hours=2), title, place)
        event_book.add(house.ports, told, department=MUSIC, audience=audience, actor=OKAFOR.actor)


def _wait_for_a_yes(house: House) -> None:
    """What goes to the whole school wants a second person here, and something does."""
    ports = house.ports
    why, many = "what goes to the whole school is read by two", _families(house) * 2 // 3
    rule_changes.change(ports, "approval.needed", f"any/over {many}/any", why, actor=ADMIN.actor)
    words = "The photographer is here on Monday. Please wear school uniform."
    waiting = Draft(
        OFFICE,
        "everyone",
        People.GUARDIANS,
        (Step(BOTH),),
        {Part.TITLE: "Photographs on Monday", Part.SHORT: words, Part.LONG: words},
    )
    intake.accept(ports, waiting, actor=BELL.actor)


def _answer(house: House, sandbox: RunningSandbox) -> None:
    """Some who were told write back."""
    told = list(dict.fromkeys(entry["to"] for entry in sandbox.truth("sms")))
    url = f"{house.settings.public_url}/callbacks/sms/inbound"
    for number, words in zip(
        told, ("Thank you!", "Ada is ill today, she cannot come.", "STOP"), strict=False
    ):
        sandbox.control.text_from(number, words, url=url)


def _families(house: House) -> int:
    """How many a message to the whole school is for; the sample school has as many pupils as somebody asked for."""
    with house.ledger.look() as tx:
        whole = expressions.resolve(tx, audiences.parse("everyone"))
        return tx.reaches.count(whole, People.GUARDIANS, tx.now.astimezone(ZONE).date())


def _today(house: House) -> date:
    with house.ledger.look() as tx:
        return tx.now.astimezone(ZONE).date()
