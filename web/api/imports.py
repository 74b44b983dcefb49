"""Imports: a roster as the school's own system exports it, with its difference before and after."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from broker.authority import departments
from broker.moments import today_of
from broker.ports.api import Scope
from broker.rosters import imports
from broker.rosters.difference import ImportDifference
from broker.rosters.roster import Role, Roster, speaking_for
from config.import_kinds import read_one
from web.api.calling import Call, wants
from web.api.errors import answers
from web.api.strict import StrictRoute, Told
from web.door import MOST_BODY

router = APIRouter(tags=["imports"], route_class=StrictRoute)
MOST_FILE = MOST_BODY  # as much as the door lets in at all
MOST_PROBLEMS = 1_000
NAMES: Mapping[str, str] = {"application/zip": "roster.zip", "text/csv": "people.csv"}
FILE = {
    "x-most": MOST_FILE,
    "requestBody": {
        "required": True,
        "description": "A OneRoster zip, or a people.csv.",
        "content": {
            "application/zip": {"schema": {"type": "string", "format": "binary"}},
            "text/csv": {"schema": {"type": "string", "format": "binary"}},
        },
    },
}
Only = Annotated[
    Sequence[Role] | None,
    Query(description="It has these alone; the others stay as they are."),
]


class CountsTold(Told):
    """How many are new, changed, leaving, back again, and as they were."""

    new: int
    changed: int
    leaving: int
    returning: int
    unchanged: int


class ProblemTold(Told):
    """A value that could not be used, and where it stands."""

    file: str
    row: int | None
    column: str
    code: str
    message: str


class DifferenceTold(Told):
    """What an import changes, or would change."""

    applied: bool
    source: str
    speaks_for: Sequence[Role]
    before: int = Field(description="How many of those it speaks for were at the school.")
    people: CountsTold
    groups: CountsTold
    memberships: CountsTold
    guardianships: CountsTold
    addresses: CountsTold
    terms: CountsTold
    by_group: Mapping[str, CountsTold]
    problems: Sequence[ProblemTold] = Field(description=f"The first {MOST_PROBLEMS:,}.")
    problem_count: int


@router.post(
    "/imports/preview",
    operation_id="preview_import",
    responses=answers(401, 403, 408, 413, 415, 422, 503),
    openapi_extra={"x-scope": Scope.PEOPLE_WRITE, **FILE},
)
async def preview(
    request: Request,
    only: Only = None,
    content_type: Annotated[str, Header(include_in_schema=False)] = "",
    call: Call = wants(Scope.PEOPLE_WRITE),
) -> DifferenceTold:
    """Say what a roster would change. Nothing is changed."""
    body = await request.body()

    def work() -> DifferenceTold:
        departments.must_own(call.actor, None)
        return _told(imports.look(call.ports, _roster(call, body, content_type, only)), applied=False)

    return await run_in_threadpool(work)


@router.post(
    "/imports",
    operation_id="import_roster",
    responses=answers(401, 403, 408, 413, 415, 422, 503),
    openapi_extra={"x-scope": Scope.PEOPLE_WRITE, **FILE},
)
async def import_(
    request: Request,
    only: Only = None,
    expect_leaving: Annotated[
        int | None,
        Query(ge=0, le=10_000_000, description="How many leave, where it is a tenth of the school."),
    ] = None,
    content_type: Annotated[str, Header(include_in_schema=False)] = "",
    call: Call = wants(Scope.PEOPLE_WRITE),
) -> DifferenceTold:
    """Make people, groups and families equal to a roster, all at once or not at all. Who is not in it leaves."""
    body = await request.body()

    def work() -> DifferenceTold:
        departments.must_own(call.actor, None)
        roster = _roster(call, body, content_type, only)
        done = imports.import_roster(call.ports, roster, actor=call.actor, expect_leaving=expect_leaving)
        return _told(done, applied=done.any)

    return await run_in_threadpool(work)


def _roster(call: Call, body: bytes, content_type: str, only: Sequence[Role] | None) -> Roster:
    # The route takes no other types.
    name = NAMES[content_type.partition(";")[0].strip().lower()]
    with call.ledger.look() as tx:
        today = today_of(tx)
    roster = read_one(body, name, region=call.settings.school.region, today=today)
    return speaking_for(roster, only) if only else roster


def _told(found: ImportDifference, *, applied: bool) -> DifferenceTold:
    counted: Callable[[object], CountsTold] = CountsTold.model_validate
    return DifferenceTold(
        applied=applied,
        source=found.source,
        speaks_for=sorted(found.speaks_for),
        before=found.before,
        by_group={name: counted(counts) for name, counts in found.by_group.items()},
        problems=[ProblemTold.model_validate(one) for one in found.problems[:MOST_PROBLEMS]],
        problem_count=len(found.problems),
        **{what: counted(counts) for what, counts in found.counts().items()},
    )
