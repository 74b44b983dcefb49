"""A new schedule, and a change of one: filled in, looked at with its next ten dates, then kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from fastapi import APIRouter, Request, Response

from broker import judging
from broker.announcement import Attachment, Draft, Part, People, Step
from broker.audience import alike
from broker.diary import schedules as verbs
from broker.diary.recurrence import Occurrence, Pattern
from broker.diary.recurrence_words import DAYS
from broker.errors import Problem, RuleBroken
from broker.policy import Hold
from broker.ports.calendar import ScheduleRow
from broker.rules.approval import SECOND_PERSON
from web.watch.calendar import rhythm
from web.watch.calendar.known import WRITES
from web.watch.calendar.refused import told
from web.watch.calendar.schedules import goes_on
from web.watch.compose import asked, files, words
from web.watch.compose.choices import PEOPLE, Choices, choices, ticked
from web.watch.desk import At, Desk, Form, acting, posted
from web.watch.forms import status_of

router = APIRouter()
PARTS = (Part.SHORT, Part.TITLE, Part.LONG)
# The first of these is what an office says most often; `people` of a schedule made elsewhere stays as it is.
USUAL_PEOPLE = People.GUARDIANS


@dataclass(frozen=True, slots=True)
class Filled:
    """A schedule as it was filled in."""

    name: str
    draft: Draft
    pattern: Pattern
    lasts: timedelta


@dataclass(frozen=True, slots=True)
class Looked:
    """What there is to see before it is kept: its dates, to how many, what the rules say, and what waits."""

    filled: Filled
    dates: Sequence[Occurrence]
    counted: int
    hold: Hold | None
    refused: str = ""

    @property
    def rhythm(self) -> str:
        """When it comes, in words."""
        return rhythm.in_short(self.filled.pattern)

    @property
    def wants_count(self) -> bool:
        """Whether somebody types how many people are meant, or a second person says yes."""
        return words.wants_count(self.hold)

    @property
    def waits(self) -> str:
        """Why each of them waits for a second person; "" where none does."""
        return self.hold.why if self.hold is not None and self.hold.code in SECOND_PERSON else ""


@router.get("/watch/calendar/schedules/new")
def new(at: Desk) -> Response:
    """The form, empty but for what is usual."""
    at.must(*WRITES)
    offered = choices(at, department=at.query("department"), template=at.query("template", most=100),
                      language=at.query("language", most=40))  # fmt: skip
    usual = {
        "people": [USUAL_PEOPLE.value],
        "ways": list(offered.usual),
        "often": [rhythm.WEEKLY],
        "on": [rhythm.TERM],
        "lasts": ["4"],
        "time": ["08:00"],
    }
    return _form(at, Form(usual), offered)


@router.post("/watch/calendar/schedules/new")
async def add(request: Request) -> Response:
    """Look at it, or keep it."""
    return await posted(request, _add, most=files.MOST_WITH_FILES)


@router.get("/watch/calendar/schedules/{public_id}/change")
def change(public_id: str, at: Desk) -> Response:
    """The form, as the schedule stands."""
    at.must(*WRITES)
    row = _row(at, public_id)
    offered = choices(at, department=row.draft.department)
    return _form(at, _as_form(row, offered), offered, row=row)


@router.post("/watch/calendar/schedules/{public_id}/change")
async def keep_change(public_id: str, request: Request) -> Response:
    """Look at the change, or keep it."""
    return await posted(request, lambda at, form: _change(at, form, public_id), most=files.MOST_WITH_FILES)


def _add(at: At, form: Form) -> Response:
    at.must(*WRITES)
    other = asked.switched(form)
    form = other or form
    offered = choices(at, department=form["department"], template=form["template"][:100],
                      language=form["template_language"][:40])  # fmt: skip
    if other is not None or form["do"] == "back":
        return _form(at, form, offered)
    try:
        filled = _filled(at, form, offered)
        looked = _looked(at, filled)
        if form["do"] != "keep":
            return _look(at, form, looked)
        verbs.save(at.ports, filled.name, filled.draft, filled.pattern, lasts=filled.lasts, actor=acting(at))
    except RuleBroken as refused:
        return _refused(at, form, offered, refused)
    with at.ledger.look() as tx:
        made = verbs.the(tx, filled.name)
    said = "schedule_saved_waits" if looked.waits else "schedule_saved"
    return at.done(f"watch/calendar/schedules/{made.public_id}", said)


def _change(at: At, form: Form, public_id: str) -> Response:
    at.must(*WRITES)
    row = _row(at, public_id)
    offered = choices(at, department=row.draft.department)
    if form["do"] == "back":
        return _form(at, form, offered, row=row)
    try:
        filled = _filled(at, form, offered, row)
        draft = filled.draft if filled.draft != row.draft else None
        pattern = filled.pattern if replace(filled.pattern, moved=row.pattern.moved) != row.pattern else None
        dates = verbs.preview_change(
            at.ports, row.name, draft=draft, pattern=pattern, lasts=filled.lasts, actor=acting(at)
        )
        if form["do"] != "keep":
            return _look(at, form, _with_rules(at, filled, dates), row)
        seen, lasts = form["was"] or None, filled.lasts
        verbs.change(
            at.ports, row.name, draft=draft, pattern=pattern, lasts=lasts, actor=acting(at), seen=seen
        )
    except RuleBroken as refused:
        if refused.problem.code == "changed_since":  # told once: who keeps it then has been told
            form = Form({**form.values, "was": [verbs.stamp_of(row)]}, form.files)
        return _refused(at, form, offered, refused, row)
    return at.done(f"watch/calendar/schedules/{public_id}", "schedule_changed")


def _filled(at: At, form: Form, offered: Choices, row: ScheduleRow | None = None) -> Filled:
    """What was filled in. Raises RuleBroken."""
    if row is None and not form["name"]:
        raise asked.bad("bad_name", "name", words.NAMELESS, "such as: Choir, Tuesdays")
    ways = tuple(dict.fromkeys(form.all("ways")))
    if not ways:
        raise asked.bad("no_way", "ways", "no way is chosen", "tick one, such as text messages")
    people = People(form["people"]) if form["people"] in set(People) else USUAL_PEOPLE
    with at.ledger.look() as tx:
        zone = tx.school.zone
        parts, attached = asked.worded(tx, form, offered, _there(row))
    pattern = rhythm.pattern_of(form, zone, row.pattern if row is not None else None)
    draft = Draft(
        department=offered.department,
        audience=asked.audience_of(form),
        people=people,
        ways=(Step(ways),),
        parts=dict(parts),
        language=asked.language_of(form, offered),
        attachments=attached,
        expected=asked.count_of(form["expect"]),
        template=offered.template.name if offered.template is not None else "",
    )
    if row is not None:
        return Filled(row.name, _onto(row.draft, draft), pattern, rhythm.lasts_of(form, row.lasts))
    return Filled(" ".join(form["name"].split()), draft, pattern, rhythm.lasts_of(form))


def _onto(was: Draft, filled: Draft) -> Draft:
    """What was filled in, over what stands: the form does not ask for ways one after another."""
    named = tuple(name for step in was.ways for name in step.channels)
    same_words = dict(was.parts) == dict(filled.parts)
    return replace(
        was,
        audience=was.audience if alike(was.audience, filled.audience) else filled.audience,
        people=filled.people,
        ways=was.ways if (Step(named),) == filled.ways else filled.ways,
        parts=filled.parts,
        attachments=filled.attachments,
        expected=filled.expected,
        template=was.template if same_words else "",
    )


def _there(row: ScheduleRow | None) -> tuple[Attachment, ...]:
    """The files that go with it already."""
    return row.draft.attachments if row is not None else ()


def _look(at: At, form: Form, looked: Looked, row: ScheduleRow | None = None) -> Response:
    return at.page(
        "calendar/schedule_look",
        form=form,
        kept=files.kept_of(form, _there(row)),
        looked=looked,
        row=row,
        zone=looked.filled.pattern.zone,
    )


def _looked(at: At, filled: Filled) -> Looked:
    """Everything checked, nothing kept. Raises RuleBroken."""
    dates = verbs.preview(at.ports, filled.name, filled.draft, filled.pattern, lasts=filled.lasts)
    return _with_rules(at, filled, dates)


def _with_rules(at: At, filled: Filled, dates: Sequence[Occurrence]) -> Looked:
    """With what the rules would say of it today. Raises RuleBroken for a number that is not right."""
    found = verbs.rehearsed(at.ports, filled.draft, actor=acting(at))
    refusal = judging.refusal_in(found.rulings)
    if refusal is not None and refusal.problem.field == "expect":
        raise refusal
    why = refusal.problem.message if refusal is not None else ""
    return Looked(filled, dates, found.counted, found.hold, why)


def _row(at: At, public_id: str) -> ScheduleRow:
    """One that has not ended, with all that goes with it. Raises NoPage."""
    found = goes_on(at, public_id)
    with at.ledger.look() as tx:
        return verbs.the(tx, found.name)


def _as_form(row: ScheduleRow, offered: Choices) -> Form:
    draft, pattern = row.draft, row.pattern
    how = rhythm.filled(pattern)
    lasts = next((name for name, length in rhythm.LASTS.items() if length == row.lasts), "")
    values = {
        "name": [row.name],
        "was": [verbs.stamp_of(row)],
        **ticked(offered, draft.audience),
        "people": [draft.people.value],
        "ways": [name for step in draft.ways for name in step.channels],
        **{part.value: [draft.parts[part]] for part in PARTS if part in draft.parts},
        "day": [pattern.starts.date().isoformat()],
        "time": [f"{pattern.starts:%H:%M}"],
        "often": [how.often],
        "weekdays": list(how.weekdays),
        "last": [how.last.isoformat() if how.last else ""],
        "on": [rhythm.on_of(pattern)],
        "lasts": [lasts],
        "if_missing": [pattern.missing or ""],
        "if_double": [pattern.double or ""],
        "expect": [str(draft.expected) if draft.expected is not None else ""],
        "kept": [files.stored_file(file) for file in draft.attachments],
    }
    return Form(values)


def _refused(
    at: At, form: Form, offered: Choices, refused: RuleBroken, row: ScheduleRow | None = None
) -> Response:
    status = status_of(refused)
    return _form(at, form, offered, row=row, status=status, problem=told(refused.problem))


BESIDE = (
    "name", "to", "ways", "short", "title", "long", "day", "time", "often", "weekdays", "last", "on", "lasts",
    "if_missing", "if_double", "expect", "people", "file1",
)  # fmt: skip


def _form(
    at: At,
    form: Form,
    offered: Choices,
    *,
    row: ScheduleRow | None = None,
    status: int = 200,
    problem: Problem | None = None,
) -> Response:
    return at.page(
        "calendar/schedule_form",
        status,
        form=form,
        offered=offered,
        row=row,
        problem=problem,
        kept=files.kept_of(form, _there(row)),
        beside=(*BESIDE, *(f"fill_{gap}" for gap in offered.gaps)),
        PEOPLE=PEOPLE,
        OFTEN=_often(row),
        ON=_on(row),
        LASTS=_lasts(row),
        DAYS=DAYS,
        IF_MISSING=rhythm.IF_MISSING,
        IF_DOUBLE=rhythm.IF_DOUBLE,
    )


def _often(row: ScheduleRow | None) -> Mapping[str, str]:
    if row is None or rhythm.filled(row.pattern).often != rhythm.AS_IS:
        return rhythm.OFTEN
    return {rhythm.AS_IS: f"As it is: {rhythm.in_short(row.pattern)}", **rhythm.OFTEN}


def _on(row: ScheduleRow | None) -> Mapping[str, str]:
    if row is None or rhythm.on_of(row.pattern) != rhythm.AS_IS:
        return rhythm.ON
    return {rhythm.AS_IS: "On the days it is kept on now", **rhythm.ON}


def _lasts(row: ScheduleRow | None) -> Mapping[str, str]:
    told = {"1": "1 hour", "4": "4 hours", "8": "8 hours", "24": "1 day", "72": "3 days"}
    return told if row is None or row.lasts in rhythm.LASTS.values() else {"": "as long as now", **told}
