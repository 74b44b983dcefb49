"""Groups, whom they mean today, and whom an announcement to them would reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response
from pydantic import Field

from broker import audience as audiences
from broker.announcement import People, Purpose
from broker.authority import departments
from broker.moments import today_of
from broker.office import expressions
from broker.office import groups as verbs
from broker.office.reach import Question, before
from broker.ports.api import Scope
from broker.ports.office import KeptRow
from ledger.reads.groups import Listed, groups, within
from web.api.calling import Call, Done, Name, Page, once, wants
from web.api.errors import THERE, answers
from web.api.shapes import Groups, Slug, Ways
from web.api.strict import Sent, Shape, StrictRoute, Told, example

router = APIRouter(tags=["groups"], route_class=StrictRoute)
MOST_SHOWN = 1_000
MOST_MEMBERS = 8 * 1024 * 1024  # a school's whole list of ids, each as long as may be
MOST_UNTOLD = 5_000
Group = Annotated[str, Path(min_length=1, max_length=200, examples=["Choir"])]


class GroupTold(Told):
    """A group; `people` is null for one that is made of others."""

    name: str
    kind: str
    people: int | None
    slug: str
    public: bool
    department: str | None
    expression: str | None


class MemberTold(Told):
    """Somebody in it, as a pupil or as a member of staff."""

    id: str
    name: str
    group: str
    staff: bool


class WithinTold(Told):
    """Whom it means today: how many, and the first of them."""

    pupils: int
    staff: int
    members: Sequence[MemberTold]


class NewGroup(Shape):
    """A group that is kept by hand; or, with an expression, one that is made of others."""

    model_config = example({"name": "Band trip", "expression": "Orchestra + Year 7 - 7B"})

    name: Name
    expression: Groups | None = None
    department: Slug | None = None


class Members(Shape):
    """The school's own ids of everybody who is in it."""

    model_config = example({"ids": ["P0417", "P0418"]})

    ids: list[Annotated[str, Field(min_length=1, max_length=200)]] = Field(min_length=1, max_length=20_000)


class ChangedTold(Told):
    """What became of its members; ids of nobody, and of those who can be in no group, were passed over."""

    name: str
    added: int
    removed: int
    unknown: Sequence[str]
    not_members: Sequence[str]


class Reach(Shape):
    """Whom an announcement would be for."""

    model_config = example({"to": "Year 7", "ways": ["sms", "email"]})

    to: Groups
    ways: Ways
    people: People = People.GUARDIANS
    purpose: Purpose = Purpose.SERVICE
    department: Slug | None = None


class ReachWayTold(Told):
    """What one way reaches. `refused`: a rule's code → how many addresses."""

    addresses: int
    people: int
    refused: Mapping[str, int]
    waits: str


class NotReachedTold(Told):
    """Somebody whom no way reaches, and why."""

    person: UUID
    name: str
    group: str
    why: str


class ReachTold(Told):
    """Who would be told, by which ways, and by name who would not, and why."""

    people: int
    reached: int
    unreached: int
    ways: Mapping[str, ReachWayTold]
    public: Sequence[str]
    untold: Sequence[NotReachedTold] = Field(description=f"The first {MOST_UNTOLD:,}.")


@router.get(
    "/groups",
    operation_id="list_groups",
    responses=answers(401, 403, 422, 503),
    openapi_extra={"x-scope": Scope.GROUPS_READ},
)
def list_(call: Call = wants(Scope.GROUPS_READ)) -> Page[GroupTold]:
    """List the groups of the school and of one's own department, with their size."""
    return Page(items=[GroupTold.model_validate(one) for one in _seen(call)], next=None)


@router.post(
    "/groups",
    operation_id="create_group",
    status_code=201,
    responses={200: {"model": GroupTold, "description": THERE}, **answers(401, 403, 409, 413, 422, 503)},
    openapi_extra={"x-scope": Scope.GROUPS_WRITE},
)
def create(
    said: Sent[NewGroup],
    response: Response,
    call: Call = wants(Scope.GROUPS_WRITE),
) -> GroupTold:
    """Begin a group that is kept by hand, or make one of others; one that is made of others is changed by this too.

    Safe to repeat: a group of this name that is kept by hand for the same department is the one that was begun.
    """
    owner = said.department or call.department
    departments.must_own(call.actor, owner)
    known = _named(call, said.name)
    if known is not None and not departments.sees(call.actor, known.department):
        raise verbs.name_taken()
    if said.expression is not None:
        made = verbs.define(call.ports, said.name, said.expression, department=owner, actor=call.actor)
        response.status_code = 201 if known is None else 200
    else:
        made = once(
            response,
            lambda: verbs.keep(call.ports, said.name, department=owner, actor=call.actor),
            lambda: _kept_alike(call, said.name, owner),
        )
    return GroupTold.model_validate(next(one for one in _seen(call) if one.name == made.name))


@router.get(
    "/groups/{name}/members",
    operation_id="list_members",
    responses=answers(401, 403, 404, 422, 503),
    openapi_extra={"x-scope": Scope.GROUPS_READ},
)
def members(name: Group, call: Call = wants(Scope.GROUPS_READ)) -> WithinTold:
    """Say whom a group, or an expression such as `Choir & Year 7`, means today."""
    tree = audiences.parse(name)
    for each in audiences.names(tree):
        _must_see(call, each)
    with call.ledger.look() as tx:
        audience = expressions.resolve(tx, tree, field="name")
        found = within(tx.hand, audience, today=today_of(tx), most=MOST_SHOWN)
    return WithinTold.model_validate(found)


@router.put(
    "/groups/{name}/members",
    operation_id="set_members",
    responses=answers(401, 403, 404, 413, 422, 503),
    openapi_extra={"x-scope": Scope.GROUPS_WRITE, "x-most": MOST_MEMBERS},
)
def set_members(
    name: Group,
    said: Sent[Members],
    call: Call = wants(Scope.GROUPS_WRITE),
) -> ChangedTold:
    """Make the members of a group that is kept by hand these and no others."""
    _must_own(call, name)
    with call.ledger.look() as tx:
        listed = verbs.look_up(tx, said.ids)
    done = verbs.set_members(call.ports, name, said.ids, actor=call.actor)
    return ChangedTold(
        name=done.name,
        added=done.added,
        removed=done.removed,
        unknown=listed.unknown,
        not_members=listed.not_members,
    )


@router.delete(
    "/groups/{name}",
    operation_id="retire_group",
    responses=answers(401, 403, 404, 422, 503),
    openapi_extra={"x-scope": Scope.GROUPS_WRITE},
)
def retire(name: Group, call: Call = wants(Scope.GROUPS_WRITE)) -> Done:
    """Give up a group that is kept by hand. What was announced to it stands."""
    _must_own(call, name)
    verbs.retire(call.ports, name, actor=call.actor)
    return Done()


@router.post(
    "/reach",
    operation_id="reach",
    responses=answers(401, 403, 413, 422, 503),
    openapi_extra={"x-scope": Scope.GROUPS_READ},
)
def reach(
    said: Sent[Reach],
    call: Call = wants(Scope.GROUPS_READ),
) -> ReachTold:
    """Say who would be told, by which ways, and by name who would not, and why. Nothing is kept or sent."""
    owner = departments.owner_of(call.settings.departments, said.department, call.actor)
    departments.must_own(call.actor, owner)
    for name in said.ways:
        call.ports.channels.traits(name)
    tree = audiences.parse(said.to)
    with call.ledger.look() as tx:
        expressions.must_see(tx, tree, call.actor)
        audience = expressions.resolve(tx, tree)
        found = before(call.ports, tx, Question(audience, said.people, tuple(said.ways), owner, said.purpose))
    return ReachTold(
        people=found.people,
        reached=found.reached,
        unreached=len(found.untold),
        ways={name: ReachWayTold.model_validate(way) for name, way in found.ways.items()},
        public=found.public,
        untold=[NotReachedTold.model_validate(one) for one in found.untold[:MOST_UNTOLD]],
    )


def _seen(call: Call) -> Sequence[Listed]:
    with call.ledger.look() as tx:
        found = groups(tx.hand, today=today_of(tx))
    return [one for one in found if departments.sees(call.actor, one.department)]


def _kept_alike(call: Call, name: str, owner: str | None) -> KeptRow | None:
    known = _named(call, name)
    alike = known is not None and (known.kept, known.expression, known.department) == (True, None, owner)
    return known if alike else None


def _must_see(call: Call, name: str) -> KeptRow:
    """What is not there and what is another department's get one answer, and no name that is like it."""
    known = _named(call, name)
    if known is None:
        raise departments.gone("name", "group")
    departments.must_see(call.actor, known.department, field="name", what="group")
    return known


def _must_own(call: Call, name: str) -> None:
    departments.must_own(call.actor, _must_see(call, name).department)


def _named(call: Call, name: str) -> KeptRow | None:
    with call.ledger.look() as tx:
        return tx.groups.named(audiences.fold(name)) if name.isprintable() else None
