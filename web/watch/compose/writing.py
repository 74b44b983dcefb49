"""What is done with the form: it is looked at, changed, sent; and what stands beside it while somebody types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from fastapi import APIRouter, Request, Response

from broker import intake
from broker.announcement import Draft, Urgency
from broker.authority import approvals
from broker.errors import KeyConflict, Problem, RuleBroken, SetupError
from broker.intake import Accepted
from broker.ports.approvals import OperatorRole
from web.watch import words as shared
from web.watch.compose import asked, files, reading, words
from web.watch.compose.choices import Choices, choices
from web.watch.compose.looking import look
from web.watch.compose.pages import form_page
from web.watch.desk import At, Form, acting, posted
from web.watch.form_key import new_key
from web.watch.forms import reason

router = APIRouter()
# Asked for on the page before the sending itself.
LAST = ("expect", "why")
NOT_CARRIED = frozenset({"token", "do", "kept", *LAST})


@router.post("/watch/write")
async def write(request: Request) -> Response:
    """The form was sent: to be looked at, to be changed, or to go."""
    return await posted(request, _write, most=files.MOST_WITH_FILES)


@router.post("/watch/write/read")
async def read(request: Request) -> Response:
    """What it reads like so far."""
    return await posted(request, _read)


@router.post("/watch/write/reach")
async def reach(request: Request) -> Response:
    """Whom it would reach so far."""
    return await posted(request, _reach)


def _read(at: At, form: Form) -> Response:
    offered = _offered(at, form, listed=False)
    return at.part("compose/read", read=reading.read(at, form, offered))


def _reach(at: At, form: Form) -> Response:
    offered = _offered(at, form, listed=False)
    return at.part("compose/reach", reach=reading.reach(at, form, offered))


def _write(at: At, form: Form) -> Response:
    if (other := asked.switched(form)) is not None:
        return form_page(at, other, _offered(at, other))
    offered, do = _offered(at, form), form["do"]
    if do == "send":
        return _send(at, form, offered)
    if do in {"look", "names"}:
        return _look(at, form, offered, names=do == "names")
    return form_page(at, form, offered)


def _offered(at: At, form: Form, *, listed: bool = True) -> Choices:
    at.must(OperatorRole.AUTHOR)
    return choices(
        at,
        department=form["department"],
        template=form["template"],
        language=form["template_language"],
        listed=listed,
    )


def _look(at: At, form: Form, offered: Choices, *, names: bool = False) -> Response:
    try:
        draft = asked.draft_of(at, form, offered)
    except RuleBroken as refused:
        return form_page(at, form, offered, words.told(refused.problem), 422)
    try:
        return _before(at, form, offered, draft, names=names)
    except KeyConflict as said_before:
        return _said_otherwise(at, form, offered, draft, said_before)
    except (RuleBroken, SetupError) as refused:
        return form_page(at, form, offered, _problem(refused), 422)


def _before(
    at: At,
    form: Form,
    offered: Choices,
    draft: Draft,
    *,
    names: bool = False,
    problem: Problem | None = None,
    earlier: UUID | None = None,
) -> Response:
    """The page before the sending: what will happen. Raises RuleBroken, SetupError."""
    looked = look(at, draft)
    if looked.refused is not None and looked.refused.field == "expect":
        problem, looked = looked.refused, look(at, replace(draft, expected=None))
    return at.page(
        "compose/look",
        422 if problem is not None else 200,
        form=form,
        offered=offered,
        looked=looked,
        told=shared.audience(looked.draft),
        names=names,
        problem=problem,
        earlier=earlier,
        carried=carried(form),
    )


def _send(at: At, form: Form, offered: Choices) -> Response:
    try:
        draft = asked.draft_of(at, form, offered)
    except RuleBroken as refused:
        return form_page(at, form, offered, words.told(refused.problem), 422)
    try:
        accepted = _accepted(at, draft, form["why"])
    except KeyConflict as said_before:
        return _said_otherwise(at, form, offered, draft, said_before)
    except (RuleBroken, SetupError) as refused:
        problem = _problem(refused)
        if problem.field in LAST:
            return _before(at, form, offered, draft, problem=problem)
        return form_page(at, form, offered, problem, 422)
    return at.done(f"watch/{accepted.announcement.public_id}", _told(accepted, draft))


def _told(accepted: Accepted, draft: Draft) -> str:
    """Which sentence stands on the page of the announcement."""
    if not accepted.created:
        return "written_before"
    if words.wants_count(accepted.hold):
        return "written_to_be_counted"
    if words.wants_second(accepted.hold):
        return "written_to_be_agreed"
    if draft.send_at is not None:
        return "written_for_later"
    return "written" if accepted.hold is not None else "written_at_once"


def _accepted(at: At, draft: Draft, why: str) -> Accepted:
    """Accepted; without a second person where somebody says why. Raises RuleBroken, SetupError."""
    if not why:
        return intake.accept(at.ports, draft, actor=acting(at))
    if draft.urgency is not Urgency.URGENT:
        message = "only an urgent announcement goes without a second person"
        raise asked.bad("not_urgent", "why", message, "let it wait, or mark it as urgent")
    return approvals.accept_overridden(at.ports, draft, reason(why), actor=acting(at))


def _said_otherwise(at: At, form: Form, offered: Choices, draft: Draft, said_before: KeyConflict) -> Response:
    """This form was sent already, and said something else then: nothing is sent unless it is meant as well."""
    with at.ports.ledger.look() as tx:
        known = tx.announcements.by_key(draft.department, draft.key or "")
    earlier = known[0].public_id if known is not None else None
    key = new_key()
    form, draft = replace(form, values={**form.values, "key": [key]}), replace(draft, key=key)
    message = "this form was sent already, and said something else then"
    problem = replace(words.told(said_before.problem), message=message)
    return _before(at, form, offered, draft, problem=problem, earlier=earlier)


def carried(form: Form) -> Sequence[tuple[str, str]]:
    """What the page before the sending carries on, so that it can be sent or changed."""
    fields = [
        (name, value)
        for name, values in form.values.items()
        if name not in NOT_CARRIED
        for value in values
        if value.strip()
    ]
    return [*fields, *(("kept", data) for _, data in files.kept_of(form))]


def _problem(refused: RuleBroken | SetupError) -> Problem:
    found = refused.problem if isinstance(refused, RuleBroken) else refused.problems[0]
    return words.told(found)
