"""Groups made and changed: begun, made of others, renamed, given to a department, given up and brought back."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response

from broker.audience import LONGEST, fold
from broker.authority import departments
from broker.errors import Problem, RuleBroken
from broker.office import groups as verbs
from ledger.reads.departments import departments as every_department
from ledger.reads.group_pages import GroupLine
from web.watch.desk import At, Desk, Form, acting, posted
from web.watch.forms import answered, pressed
from web.watch.people.common import MOST_FORM, WRITES, typed, words
from web.watch.people.groups import FEW, may_change, the_group, tried
from web.watch.signing_in import NoPage

router = APIRouter()
MEMBERS, OTHERS = "members", "others"  # what a new group is made of


@router.get("/watch/groups/new")
def ask_new(at: Desk) -> Response:
    """A form for a new group; what was tried before stands in it."""
    at.must(*WRITES)
    tried_ = at.query("expression", LONGEST)
    form = {"of": OTHERS if tried_ else MEMBERS, "expression": tried_, "department": at.department or ""}
    return _new(at, form, None)


@router.post("/watch/groups/new")
async def new(request: Request) -> Response:
    """Begin it."""
    return await posted(request, _make, most=MOST_FORM)


@router.get("/watch/groups/{number:int}/change")
def ask_change(number: int, at: Desk) -> Response:
    """Its name, whose it is, what it is made of; and to give it up."""
    return _change_page(at, _mine(at, number), {}, None, 200)


@router.post("/watch/groups/{number:int}/change")
async def change(number: int, request: Request) -> Response:
    """Do what was asked."""
    return await posted(request, lambda at, form: _change(at, form, number), most=MOST_FORM)


def _make(at: At, form: Form) -> Response:
    at.must(*WRITES)
    name, owner = form["name"], at.department or form["department"] or None
    try:
        departments.must_own(acting(at), owner)
        if form["of"] == OTHERS:
            _must_be_free(at, name)
            made = verbs.define(at.ports, name, form["expression"], department=owner, actor=acting(at))
        else:
            made = verbs.keep(at.ports, name, department=owner, actor=acting(at))
    except RuleBroken as refused:
        return _new(
            at, {key: form[key] for key in ("name", "of", "expression", "department")}, refused.problem
        )
    if form["of"] == OTHERS:
        return at.done(f"watch/groups/{made.id}", "group_made")
    return at.done(f"watch/groups/{made.id}/members", "group_begun")


def _must_be_free(at: At, name: str) -> None:
    """The verb changes a group of this name that is made of others; whoever makes a new one means no other."""
    with at.ledger.look() as tx:
        if name.isprintable() and tx.groups.named(fold(name)) is not None:
            raise verbs.name_taken()


def _change(at: At, form: Form, number: int) -> Response:
    group = _mine(at, number)
    do = pressed(
        form, {"rename": _rename, "define": _define, "give": _give, "retire": _retire, "back": _back}
    )
    return answered(
        lambda: at.done(f"watch/groups/{number}", do(at, form, group)),
        lambda problem, status: _change_page(at, group, _typed(form), problem, status),
    )


def _rename(at: At, form: Form, group: GroupLine) -> str:
    verbs.rename(at.ports, group.name, form["name"], actor=acting(at))
    return "group_renamed"


def _define(at: At, form: Form, group: GroupLine) -> str:
    if group.expression is None:
        raise NoPage(400, "refused")
    verbs.define(at.ports, group.name, form["expression"], actor=acting(at))
    return "group_changed"


def _give(at: At, form: Form, group: GroupLine) -> str:
    verbs.give_to(at.ports, group.name, form["department"] or None, actor=acting(at))
    return "group_given"


def _retire(at: At, form: Form, group: GroupLine) -> str:
    verbs.retire(at.ports, group.name, actor=acting(at))
    return "group_retired"


def _back(at: At, form: Form, group: GroupLine) -> str:
    verbs.bring_back(at.ports, group.id, actor=acting(at))
    return "group_back"


def _typed(form: Form) -> Mapping[str, str]:
    return {key: form[key] for key in ("name", "expression", "department") if key in form}


def _mine(at: At, number: int) -> GroupLine:
    """A group that they may change. Raises NoPage."""
    with at.reading() as hand:
        group = the_group(hand, number, at)
    if not may_change(at, group):
        raise NoPage(403, "not_yours")
    return group


def _new(at: At, form: Mapping[str, str], problem: Problem | None) -> Response:
    found = tried(at, form["expression"])[0] if form.get("expression") else None
    known = {"form": typed(form), "problem": problem, "found": found, "few": FEW, "owners": _owners(at)}
    return at.page("people/group_new", 422 if problem else 200, **known, **words())


def _change_page(
    at: At, group: GroupLine, said: Mapping[str, str], problem: Problem | None, status: int
) -> Response:
    with at.ledger.look() as tx:
        uses = tx.groups.uses(fold(group.name)) if group.active else ()
    form = {
        "name": said.get("name") or group.name,
        "expression": said.get("expression") or group.expression or "",
        "department": said.get("department") or group.department or "",
    }
    known = {"group": group, "form": form, "problem": problem, "uses": uses, "owners": _owners(at)}
    return at.page("people/group_change", status, **known, **words())


def _owners(at: At) -> Mapping[str, str]:
    """Whose a group may be: their department's alone, or anybody's for somebody of the school."""
    with at.reading() as hand:
        every = every_department(hand)
    if at.department is not None:
        return {slug: name for slug, name in every.items() if slug == at.department}
    return {"": "The whole school", **every}
