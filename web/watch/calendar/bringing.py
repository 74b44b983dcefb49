"""A file of events: what is new, moved or gone in it is shown before it is taken."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter, Request, Response

from broker.announcement import Attachment
from broker.diary import event_book as verbs
from broker.diary.event_book import Bringing
from broker.diary.events import ToldCalendar
from broker.diary.recurrence import HORIZON
from broker.errors import Problem, RuleBroken
from broker.moments import today_of
from sources.calendars import LIMITS, events_of_csv, events_of_ics, looks_like_ics
from web.watch.calendar.known import WRITES
from web.watch.calendar.refused import told
from web.watch.calendar.terms import MOST_TOLD
from web.watch.compose import asked, files
from web.watch.compose.choices import Choices, choices
from web.watch.desk import At, Desk, File, Form, acting, posted
from web.watch.forms import status_of

router = APIRouter()
LONGEST_NAME = 200  # characters of what a calendar is known by, as the command takes them
MOST_UPLOAD = 2 * LIMITS.file_bytes + 64 * 1024  # the file, or as text on its way from one page to the next
BESIDE = ("file", "source", "to")


@router.get("/watch/calendar/events/bring")
def ask(at: Desk) -> Response:
    """The form."""
    at.must(*WRITES)
    return _form(at, Form(), choices(at, department=at.query("department")))


@router.post("/watch/calendar/events/bring")
async def bring(request: Request) -> Response:
    """Look at what it changes, or take it."""
    return await posted(request, _bring, most=MOST_UPLOAD)


def _bring(at: At, form: Form) -> Response:
    at.must(*WRITES)
    if (other := asked.switched(form)) is not None:
        return _form(at, other, choices(at, department=other["department"]))
    offered = choices(at, department=form["department"])
    try:
        file = _file(form)
        calendar = _read(at, file)
        brings = _brings(form, offered, file, calendar)
        if form["do"] == "keep":
            verbs.bring(
                at.ports,
                brings.source,
                brings.told,
                department=brings.department,
                audience=brings.audience,
                problems=brings.problems,
                in_term=brings.in_term,
                expect_gone=brings.expect_gone,
                actor=acting(at),
            )
            return at.done("watch/calendar/events", "events_brought")
        brought = verbs.rehearse(at.ports, brings, actor=acting(at))
    except RuleBroken as refused:
        problem = told(refused.problem)
        if problem.field not in BESIDE:
            problem = replace(problem, field="file")
        return _form(at, form, offered, status_of(refused), problem)
    carried = files.carried_file(Attachment.of(file.name, file.data))
    return at.page(
        "calendar/bring_look",
        brought=brought,
        brings=brings,
        problems=calendar.problems[:MOST_TOLD],
        more=max(0, len(calendar.problems) - MOST_TOLD),
        form=form,
        carried=carried,
    )


def _file(form: Form) -> File:
    """The file that was chosen, or that came from the page before. Raises RuleBroken."""
    file = form.file("file")
    if file is None and form["carried"]:
        (kept,) = files.attachments_of(Form({"kept": [form["carried"]]}))
        file = File(kept.name, kept.data)
    if file is None or not file.data:
        raise asked.bad("no_file", "file", "no file is chosen", "choose the file with the events")
    if len(file.data) > LIMITS.file_bytes:
        raise asked.bad("too_large", "file", "this file is too large", "is it the right one?")
    return file


def _read(at: At, file: File) -> ToldCalendar:
    with at.ledger.look() as tx:
        zone, today = tx.school.zone, today_of(tx)
    reader = events_of_ics if looks_like_ics(file.data) else events_of_csv
    found = reader(file.data, zone=zone, begins=today, ends=today + HORIZON)
    if not found.events and not found.problems:
        hint = "a calendar file (.ics), or a table with the columns title, begins and ends"
        raise asked.bad("no_events", "file", "no event of the year ahead stands in this file", hint)
    return found


def _brings(form: Form, offered: Choices, file: File, calendar: ToldCalendar) -> Bringing:
    """Raises RuleBroken."""
    source = " ".join((form["source"] or file.name).split())
    if not (source.isprintable() and len(source) <= LONGEST_NAME):
        raise asked.bad("no_source", "source", "what shall this calendar be known by?", "such as: choir")
    return Bringing(
        source,
        calendar.events,
        offered.department,
        asked.audience_of(form),
        calendar.problems,
        in_term="in_term" in form,
        expect_gone="expect_gone" in form,
    )


def _form(
    at: At, form: Form, offered: Choices, status: int = 200, problem: Problem | None = None
) -> Response:
    all_gone = problem is not None and problem.code == "all_gone"
    return at.page(
        "calendar/bring",
        status,
        form=form,
        offered=offered,
        problem=problem,
        beside=BESIDE,
        all_gone=all_gone,
    )
