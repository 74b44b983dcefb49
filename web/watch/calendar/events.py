"""Events: the list, one with its reminders and their times; added, changed and cancelled with what is told to whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from broker.diary import event_book as verbs
from broker.diary import reminding
from broker.diary.event_book import Outlook
from broker.diary.event_changes import Changed
from broker.diary.events import ALONE, ToldEvent
from broker.diary.recurrence import HORIZON
from broker.diary.reminding import Ahead
from broker.errors import Problem, RuleBroken
from broker.moments import instant
from broker.ports.events import EventRow, Reminded, ReminderRule
from ledger.reads import calendar as reads
from web.watch.calendar.known import WRITES
from web.watch.calendar.refused import told
from web.watch.calendar.sight import DAY, look
from web.watch.calendar.views import day_asked
from web.watch.compose import asked
from web.watch.compose.choices import Choices, choices, ticked
from web.watch.desk import At, Desk, Form, acting, number, posted, uuid_of
from web.watch.form_key import key_of, new_key
from web.watch.forms import status_of
from web.watch.signing_in import NoPage

router = APIRouter()
PAGE = 50
BESIDE = ("title", "to", "place", "day", "time", "meant", "until_day", "until_time", "until_meant")
USUAL = timedelta(hours=1)  # of an event of which nobody said how long it takes, as the command has it
TOLD = {
    "sent": ("good", "went out"),
    "passed": ("info", "was passed over: its time lay before the event was known"),
    "missed": ("bad", "was missed: the event had begun"),
    "refused": ("bad", "was refused"),
}


@dataclass(frozen=True, slots=True)
class One:
    """An event, what reminds of it and when, and what became of reminders already."""

    row: EventRow
    zone: str
    ahead: Sequence[Ahead]
    told: Sequence[tuple[ReminderRule | None, Reminded]]
    rules: Sequence[ReminderRule] = field(repr=False)
    notices: Sequence[UUID] = ()  # what told of its changes


@dataclass(frozen=True, slots=True)
class Filled:
    """An event as it was filled in."""

    title: str
    place: str
    wall: datetime
    starts_at: datetime
    ends_at: datetime


@router.get("/watch/calendar/events")
def list_(at: Desk) -> Response:
    """What takes place, from a day on."""
    with at.ledger.look() as tx:
        begun = look(tx)
        on = day_asked(at, begun.today)
        begins = _begins(on, begun.zone)
        taking = reads.events_between(tx.hand, begins, begins + HORIZON, department=at.department, most=PAGE)
        rules = tx.events.rules()
    lines = [
        (row, reminding.to_come([row], rules, taking.reminded, now=begun.now, zone=begun.zone))
        for row in taking.rows
    ]
    after = taking.rows[-1].wall.date() if taking.cut else None
    if after == on:  # a day with more than a page holds is looked at in the calendar
        after = on + DAY
    return at.page(
        "calendar/events",
        lines=lines,
        on=on,
        today=begun.today,
        after=after,
        zone=begun.zone,
        writes=at.may(*WRITES),
    )


@router.get("/watch/calendar/events/new")
def new(at: Desk) -> Response:
    """The form."""
    at.must(*WRITES)
    offered = choices(at, department=at.query("department"))
    return _form(at, Form({"day": [at.query("on", most=20)], "key": [new_key()]}), offered)


@router.post("/watch/calendar/events/new")
async def add(request: Request) -> Response:
    """Keep it."""
    return await posted(request, _add)


@router.get("/watch/calendar/events/{public_id}")
def one(public_id: str, at: Desk) -> Response:
    """One event."""
    return at.page("calendar/event", **_known(at, the(at, public_id)))


@router.get("/watch/calendar/events/{public_id}/change")
def change(public_id: str, at: Desk) -> Response:
    """The form, as the event stands."""
    at.must(*WRITES)
    found = the(at, public_id)
    offered = choices(at, department=found.row.department)
    return _form(at, _as_form(found, offered), offered, row=found.row)


@router.post("/watch/calendar/events/{public_id}/change")
async def keep_change(public_id: str, request: Request) -> Response:
    """Look at what is told to whom, then change it."""
    return await posted(request, lambda at, form: _change(at, form, public_id))


@router.get("/watch/calendar/events/{public_id}/cancel")
def ask_to_cancel(public_id: str, at: Desk) -> Response:
    """What is told to whom if it does not take place."""
    at.must(*WRITES)
    found = the(at, public_id)
    if found.row.cancelled_at is not None:
        raise NoPage(404, "not_found")
    outlook = verbs.outlook(at.ports, found.row.public_id, None, actor=acting(at))
    return at.page("calendar/event_look", outlook=outlook, form=Form(), ahead=(), **_known(at, found))


@router.post("/watch/calendar/events/{public_id}/cancel")
async def cancel(public_id: str, request: Request) -> Response:
    """It does not take place."""
    return await posted(request, lambda at, form: _cancel(at, public_id))


def the(at: At, public_id: str) -> One:
    """Raises NoPage for what is not there, or another department's."""
    wanted = uuid_of(public_id)
    with at.ledger.look() as tx:
        row, now = tx.events.by_public_id(wanted), tx.now
        if row is None or (at.department is not None and row.department != at.department):
            raise NoPage(404, "not_found")
        rules = [rule for rule in tx.events.rules() if rule.department == row.department]
        reminded, notices = tx.events.reminded([row.id]), tx.events.notices(row.id)
    by_id = {rule.id: rule for rule in rules}
    ahead = reminding.to_come([row], rules, {row.id: reminded}, now=now, zone=at.zone)
    became = [(by_id.get(each.rule), each) for each in reminded if each.told in TOLD]
    return One(row, at.zone, ahead, became, rules, notices)


def _known(at: At, found: One) -> dict[str, object]:
    return {
        "it": found,
        "id": found.row.public_id,
        "zone": found.zone,
        "TOLD": TOLD,
        "writes": at.may(*WRITES) and found.row.cancelled_at is None,
    }


def _add(at: At, form: Form) -> Response:
    at.must(*WRITES)
    if (other := asked.switched(form)) is not None:
        return _form(at, other, choices(at, department=other["department"]))
    offered = choices(at, department=form["department"])
    try:
        filled = _filled(at, form)
        row = _added(at, form, filled, offered.department)
    except RuleBroken as refused:
        return _refused(at, form, offered, refused)
    return at.done(f"watch/calendar/events/{row.public_id}", "event_added")


def _added(at: At, form: Form, filled: Filled, owner: str) -> EventRow:
    """The event, or the one that was added by the same form before. Raises RuleBroken."""
    audience = asked.audience_of(form)
    uid = verbs.uid_of(owner, key_of(form), f"{filled!r} {audience}")
    with at.ledger.look() as tx:
        known = verbs.added_before(tx, uid, department=owner, actor=acting(at))
    if known is not None:
        return known
    event = ToldEvent(uid, ALONE, filled.wall, filled.starts_at, filled.ends_at, filled.title, filled.place)
    return verbs.add(at.ports, event, department=owner, audience=audience, actor=acting(at))


def _change(at: At, form: Form, public_id: str) -> Response:
    at.must(*WRITES)
    found = the(at, public_id)
    row, offered = found.row, choices(at, department=found.row.department)
    if form["do"] == "back":
        return _form(at, form, offered, row=row)
    try:
        filled = _filled(at, form)
        whose = None if row.source else asked.audience_of(form)
        to = Changed(filled.wall, filled.starts_at, filled.ends_at, filled.place, filled.title, whose)
        if form["do"] != "keep":
            outlook = verbs.outlook(at.ports, row.public_id, to, actor=acting(at))
            return _look(at, form, found, outlook)
        verbs.change(at.ports, row.public_id, to, actor=acting(at), seen=_seen(form))
    except RuleBroken as refused:
        return _refused(at, form, offered, refused, row)
    return at.done(f"watch/calendar/events/{row.public_id}", "event_changed")


def _seen(form: Form) -> int | None:
    """Its sequence when the form was opened."""
    return number(form["was"]) if form["was"] else None


def _look(at: At, form: Form, found: One, outlook: Outlook) -> Response:
    with at.ledger.look() as tx:
        now = tx.now
    ahead = reminding.to_come([outlook.new], found.rules, {}, now=now, zone=at.zone)
    at_once = reminding.at_once(outlook.new, found.rules, now=now, zone=at.zone)
    return at.page(
        "calendar/event_look",
        outlook=outlook,
        form=form,
        ahead=ahead,
        at_once=at_once if outlook.joining else (),
        **_known(at, found),
    )


def _cancel(at: At, public_id: str) -> Response:
    at.must(*WRITES)
    found = the(at, public_id)
    try:
        verbs.cancel(at.ports, found.row.public_id, actor=acting(at))
    except RuleBroken as refused:
        status = status_of(refused)
        return at.page("calendar/event", status, problem=told(refused.problem), **_known(at, found))
    return at.done(f"watch/calendar/events/{public_id}", "event_cancelled")


def _filled(at: At, form: Form) -> Filled:
    """Raises RuleBroken."""
    if not form["title"]:
        raise asked.bad("empty_text", "title", "it is not said what takes place", "such as Spring concert")
    title, place = " ".join(form["title"].split()), " ".join(form["place"].split())
    if "all_day" in form:
        return _of_whole_days(at, form, title, place)
    starts_at = asked.moment_of(at, form, "")
    wall = starts_at.astimezone(ZoneInfo(at.zone)).replace(tzinfo=None)
    ends_at = starts_at + USUAL
    if form["until_time"]:
        day = form["until_day"] or form["day"]
        until = Form({**form.values, "until_day": [day]})
        ends_at = asked.moment_of(at, until, "until_")
    elif form["until_day"]:
        raise asked.bad("no_hour", "until_time", "no time is chosen", "choose one, such as 21:00")
    if ends_at < starts_at:
        raise asked.bad("ends_first", "until_time", "it ends before it begins", "check its times")
    return Filled(title, place, wall, starts_at, ends_at)


def _of_whole_days(at: At, form: Form, title: str, place: str) -> Filled:
    """From midnight to midnight, by the school's clock."""
    first = _day(form, "day")
    last = _day(form, "until_day") if form["until_day"] else first
    if last < first:
        raise asked.bad("ends_first", "until_day", "it ends before it begins", "check its days")
    begins, ends = _begins(first, at.zone), _begins(last + DAY, at.zone)
    return Filled(title, place, datetime.combine(first, time()), begins, ends)


def _day(form: Form, name: str) -> date:
    """Raises RuleBroken."""
    if not form[name]:
        raise asked.bad("no_day", name, "no day is chosen", "choose one")
    moment = instant(f"{form[name]} 12:00", zone="UTC", field=name)
    return moment.date()


def _begins(on: date, zone: str) -> datetime:
    return datetime.combine(on, time(), ZoneInfo(zone)).astimezone(UTC)


def _as_form(found: One, offered: Choices) -> Form:
    row = found.row
    ends = row.ends_at.astimezone(ZoneInfo(found.zone))
    values = {
        "title": [row.title],
        **ticked(offered, row.audience),
        "place": [row.place],
        "was": [str(row.sequence)],
        "day": [row.wall.date().isoformat()],
    }
    if row.days:
        values |= {"all_day": ["yes"], "until_day": [row.last_day.isoformat()]}
    else:
        values |= {
            "time": [f"{row.wall:%H:%M}"],
            "until_day": [ends.date().isoformat()],
            "until_time": [f"{ends:%H:%M}"],
        }
    return Form(values)


def _refused(
    at: At, form: Form, offered: Choices, refused: RuleBroken, row: EventRow | None = None
) -> Response:
    status = status_of(refused)
    problem = told(refused.problem)
    if problem.code == "changed_since" and row is not None:  # told once: who keeps it then has been told
        form = Form({**form.values, "was": [str(row.sequence)]})
    if problem.code == "key_conflict":  # whoever sends it once more means it
        form = Form({**form.values, "key": [new_key()]})
    if refused.problem.field in {"starts", "to"} and refused.problem.code == "past":
        problem = Problem(problem.code, "day", problem.message, problem.hint)
    if refused.problem.field == "ends":
        problem = Problem(problem.code, "until_time", problem.message, problem.hint)
    return _form(at, form, offered, row=row, status=status, problem=problem)


def _form(
    at: At,
    form: Form,
    offered: Choices,
    *,
    row: EventRow | None = None,
    status: int = 200,
    problem: Problem | None = None,
) -> Response:
    rules: Sequence[ReminderRule] = ()
    if row is None:
        with at.ledger.look() as tx:
            rules = [rule for rule in tx.events.rules() if rule.department == offered.department]
    both: Mapping[str, Mapping[str, str]] = {
        which: asked.twice(at, form, which) for which in ("", "until_") if form[f"{which}time"]
    }
    return at.page(
        "calendar/event_form",
        status,
        form=form,
        offered=offered,
        row=row,
        rules=rules,
        problem=problem,
        beside=BESIDE,
        twice=both,
    )
