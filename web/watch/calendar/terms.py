"""The terms: when they begin and end, half-terms, INSET days, closures; typed in, or brought as a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fastapi import APIRouter, Request, Response

from broker.diary import terms as verbs
from broker.diary.calendar import Span, SpanKind, has_own_terms
from broker.diary.events import EventProblem
from broker.diary.typed import day_from
from broker.errors import Problem, RuleBroken
from broker.ports.approvals import OperatorRole
from sources.calendars import LIMITS, looks_like_ics, spans_of_csv, spans_of_ics
from web.watch.calendar.refused import told
from web.watch.calendar.sight import look
from web.watch.compose import asked
from web.watch.desk import At, Desk, Form, of_the_school, posted
from web.watch.forms import status_of
from web.watch.signing_in import NoPage

router = APIRouter()
KINDS: Mapping[str, str] = {
    SpanKind.TERM: "Term",
    SpanKind.HALF_TERM: "Half-term",
    SpanKind.INSET: "INSET day",
    SpanKind.CLOSED: "School is closed",
}
BESIDE = ("kind", "name", "begins", "ends", "file")
MOST_TOLD = 20  # of what could not be read
MOST_UPLOAD = LIMITS.file_bytes + 64 * 1024  # the file, and the form about it
APART = "|"  # between the parts of a stretch in a form; a name may hold it, and stands last


@router.get("/watch/calendar/terms")
def list_(at: Desk) -> Response:
    """The term calendar, and what could be changed about it."""
    return _page(at, Form())


@router.post("/watch/calendar/terms/add")
async def add(request: Request) -> Response:
    """Keep one more."""
    return await posted(request, _add)


@router.post("/watch/calendar/terms/change")
async def change(request: Request) -> Response:
    """Change one, or take it out."""
    return await posted(request, _change)


@router.post("/watch/calendar/terms/bring")
async def bring(request: Request) -> Response:
    """A file: what it changes is shown first."""
    return await posted(request, _bring, most=MOST_UPLOAD)


def _page(at: At, form: Form, status: int = 200, problem: Problem | None = None, **known: object) -> Response:
    with at.ledger.look() as tx:
        begun = look(tx)
        own = verbs.in_order(tx.calendars.spans())
    roster = [] if has_own_terms(own) else [span for span in begun.calendar.spans if span not in own]
    return at.page(
        "calendar/terms",
        status,
        own=[(span, carried(span)) for span in own],
        roster=roster,
        calendar=begun.calendar,
        today=begun.today,
        zone=begun.zone,
        form=form,
        problem=problem,
        beside=BESIDE,
        KINDS=KINDS,
        may=at.may(OperatorRole.ADMIN) and at.department is None,
        **known,
    )


def _add(at: At, form: Form) -> Response:
    _must(at)
    try:
        verbs.add(at.ports, _filled(form), actor=at.actor)
    except RuleBroken as refused:
        return _refused(at, form, refused)
    return at.done("watch/calendar/terms", "term_added")


def _change(at: At, form: Form) -> Response:
    _must(at)
    was = _carried(form["was"])
    try:
        to = None if form["do"] == "take" else _filled(form)
        verbs.change(at.ports, was, to, actor=at.actor)
    except RuleBroken as refused:
        return _refused(at, form, refused)
    return at.done("watch/calendar/terms", "term_changed" if to is not None else "term_gone")


def _bring(at: At, form: Form) -> Response:
    _must(at)
    try:
        if form["do"] == "keep":
            verbs.bring(at.ports, [_carried(text) for text in form.all("span")], actor=at.actor)
            return at.done("watch/calendar/terms", "terms_brought")
        spans, problems = _read(form)
        with at.ledger.look() as tx:
            new, gone = verbs.difference(tx, spans)
    except RuleBroken as refused:
        return _refused(at, form, refused)
    return at.page(
        "calendar/terms_look",
        new=new,
        gone=gone,
        problems=problems[:MOST_TOLD],
        more=max(0, len(problems) - MOST_TOLD),
        carried=[carried(span) for span in spans],
        count=len(spans),
        KINDS=KINDS,
    )


def _read(form: Form) -> tuple[Sequence[Span], Sequence[EventProblem]]:
    """What a file tells, and what of it could not be read. Raises RuleBroken."""
    file = form.file("file")
    if file is None:
        raise asked.bad("no_file", "file", "no file is chosen", "choose the file with the terms")
    if len(file.data) > LIMITS.file_bytes:
        raise asked.bad("too_large", "file", "this file is too large", "is it the right one?")
    reader = spans_of_ics if looks_like_ics(file.data) else spans_of_csv
    spans, problems = reader(file.data)
    if not spans:
        hint = "a calendar file (.ics), or a table with the columns kind, name, begins and ends"
        raise asked.bad("no_terms_there", "file", "no term could be read in this file", hint)
    return spans, problems


def _filled(form: Form) -> Span:
    """Raises RuleBroken."""
    if form["kind"] not in set(SpanKind):
        raise asked.bad("no_kind", "kind", "it is not said what it is", "choose one")
    begins = day_from(form["begins"], "begins")
    ends = day_from(form["ends"], "ends") if form["ends"] else begins
    return Span(SpanKind(form["kind"]), " ".join(form["name"].split()), begins, ends)


def carried(span: Span) -> str:
    """A stretch as a field of a form holds it."""
    return APART.join((span.kind.value, span.begins_on.isoformat(), span.ends_on.isoformat(), span.name))


def _carried(text: str) -> Span:
    """Raises NoPage for what is none of ours."""
    kind, _, rest = text.partition(APART)
    begins, _, rest = rest.partition(APART)
    ends, _, name = rest.partition(APART)
    try:
        return Span(SpanKind(kind), name, day_from(begins, ""), day_from(ends, ""))
    except (ValueError, RuleBroken):
        raise NoPage(400, "refused") from None


def _must(at: At) -> None:
    """The terms are the whole school's. Raises NoPage."""
    of_the_school(at, OperatorRole.ADMIN)


def _refused(at: At, form: Form, refused: RuleBroken) -> Response:
    status = status_of(refused)
    return _page(at, form, status, told(refused.problem))
