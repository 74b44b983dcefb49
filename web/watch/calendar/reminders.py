"""Reminders: how long before the events of a department who is reminded, in which words and by which ways."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from fastapi import APIRouter, Request, Response

from broker.announcement import Part, People, Step
from broker.diary import reminders as verbs
from broker.diary.typed import clock_from
from broker.errors import Problem, RuleBroken
from broker.ports.events import ReminderRule
from web.watch.calendar.known import WRITES
from web.watch.calendar.refused import told
from web.watch.compose import asked
from web.watch.compose.choices import PEOPLE, Choices, choices
from web.watch.desk import At, Desk, Form, acting, number, posted
from web.watch.forms import called, status_of
from web.watch.signing_in import NoPage

router = APIRouter()
UNITS: Mapping[str, tuple[str, timedelta]] = {
    "days": ("days before", timedelta(days=1)),
    "hours": ("hours before", timedelta(hours=1)),
    "minutes": ("minutes before", timedelta(minutes=1)),
}
MOST_COUNT = 99_999  # minutes of 60 days have five figures
LONGEST_NAME = 100
BESIDE = ("name", "to", "count", "unit", "clock", "short", "title", "long", "ways")


@router.get("/watch/calendar/reminders")
def list_(at: Desk) -> Response:
    """The reminders, the longest before first."""
    with at.ledger.look() as tx:
        zone = tx.school.zone
        rules = [rule for rule in tx.events.rules() if at.department in {None, rule.department}]
    return at.page("calendar/reminders", rules=rules, zone=zone, writes=at.may(*WRITES))


@router.get("/watch/calendar/reminders/new")
def new(at: Desk) -> Response:
    """The form, with what an office says most often."""
    at.must(*WRITES)
    offered = choices(at, department=at.query("department"))
    usual = {
        "count": ["2"],
        "unit": ["days"],
        "people": [People.GUARDIANS.value],
        "ways": list(offered.usual)[:1],
        "short": ["{pupil}: {title}, {starts}, {place}."],
        "to": [at.query("to", most=200)],
    }
    return _form(at, Form(usual), offered)


@router.post("/watch/calendar/reminders/new")
async def add(request: Request) -> Response:
    """Keep it."""
    return await posted(request, _add)


@router.get("/watch/calendar/reminders/{which}/change")
def change(which: str, at: Desk) -> Response:
    """The form, as the reminder stands."""
    at.must(*WRITES)
    rule = _the(at, which)
    return _form(at, _as_form(rule), choices(at, department=rule.department), rule=rule)


@router.post("/watch/calendar/reminders/{which}/change")
async def keep_change(which: str, request: Request) -> Response:
    """Keep what it says now, under its name of now."""
    return await posted(request, lambda at, form: _change(at, form, which))


@router.post("/watch/calendar/reminders/{which}/retire")
async def retire(which: str, request: Request) -> Response:
    """It reminds nobody any more."""
    return await posted(request, lambda at, form: _retire(at, which))


def _add(at: At, form: Form) -> Response:
    at.must(*WRITES)
    if (other := asked.switched(form)) is not None:
        return _form(at, other, choices(at, department=other["department"]))
    offered = choices(at, department=form["department"])
    return _keep(at, form, offered, lambda rule: verbs.add_rule(at.ports, rule, actor=acting(at)))


def _change(at: At, form: Form, which: str) -> Response:
    at.must(*WRITES)
    was = _the(at, which)
    offered = choices(at, department=was.department)

    def keep(rule: ReminderRule) -> ReminderRule:
        return verbs.change_rule(at.ports, was.name, rule, actor=acting(at))

    return _keep(at, form, offered, keep, was)


def _keep(
    at: At,
    form: Form,
    offered: Choices,
    keep: Callable[[ReminderRule], ReminderRule],
    was: ReminderRule | None = None,
) -> Response:
    try:
        waits = verbs.waits(at.ports, keep(_filled(form, offered)), actor=acting(at))
    except RuleBroken as refused:
        problem = called(told(refused.problem), {"before": "count"})
        return _form(at, form, offered, rule=was, status=status_of(refused), problem=problem)
    said = "reminder_changed" if was is not None else "reminder_added"
    return at.done("watch/calendar/reminders", f"{said}_waits" if waits else said)


def _retire(at: At, which: str) -> Response:
    rule = _the(at, which)
    try:
        verbs.retire_rule(at.ports, rule.name, actor=acting(at))
    except RuleBroken:
        raise NoPage(403, "not_yours") from None
    return at.done("watch/calendar/reminders", "reminder_retired")


def _the(at: At, which: str) -> ReminderRule:
    """One that reminds somebody. Raises NoPage."""
    wanted = number(which)
    with at.ledger.look() as tx:
        rule = next((one for one in tx.events.rules() if one.id == wanted), None)
    if rule is None or at.department not in {None, rule.department}:
        raise NoPage(404, "not_found")
    return rule


def _filled(form: Form, offered: Choices) -> ReminderRule:
    """Raises RuleBroken."""
    name = " ".join(form["name"].split())
    if not (name and name.isprintable() and len(name) <= LONGEST_NAME):
        raise asked.bad("bad_reminder_name", "name", "it has no name", "such as: Text, two days before")
    count = form["count"]
    if not (count.isascii() and count.isdigit() and len(count) <= len(str(MOST_COUNT))):
        raise asked.bad("bad_count", "count", "this is no number", "type it in figures, such as 2")
    _, unit = UNITS.get(form["unit"], UNITS["days"])
    ways = tuple(dict.fromkeys(form.all("ways")))
    if not ways:
        raise asked.bad("no_way", "ways", "no way is chosen", "tick one, such as text messages")
    people = People(form["people"]) if form["people"] in set(People) else People.GUARDIANS
    parts = {part: form[part.value] for part in (Part.TITLE, Part.SHORT, Part.LONG) if form[part.value]}
    return ReminderRule(
        0,
        offered.department,
        name,
        asked.audience_of(form),
        int(count) * unit,
        people,
        (Step(ways),),
        parts,
        clock=clock_from(form["clock"], "clock") if form["clock"] else None,
    )


def _as_form(rule: ReminderRule) -> Form:
    unit, length = next((name, length) for name, (_, length) in UNITS.items() if not rule.before % length)
    values = {
        "name": [rule.name],
        "to": [rule.audience],
        "count": [str(rule.before // length)],
        "unit": [unit],
        "clock": [f"{rule.clock:%H:%M}" if rule.clock is not None else ""],
        "people": [rule.people.value],
        "ways": [name for step in rule.ways for name in step.channels],
        **{part.value: [words] for part, words in rule.parts.items()},
    }
    return Form(values)


def _form(
    at: At,
    form: Form,
    offered: Choices,
    *,
    rule: ReminderRule | None = None,
    status: int = 200,
    problem: Problem | None = None,
) -> Response:
    return at.page(
        "calendar/reminder_form",
        status,
        rule=rule,
        form=form,
        offered=offered,
        problem=problem,
        beside=BESIDE,
        PEOPLE=PEOPLE,
        UNITS={name: words for name, (words, _) in UNITS.items()},
    )
