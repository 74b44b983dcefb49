"""The timetable system pushes what changed; what was told already is not told again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from broker.authority import departments
from broker.diary import timetable_notice, timetables
from broker.ports.api import Scope
from broker.ports.timetables import SourceRow
from config.timetables import TimetableAt, TimetableRoom
from sources.timetables.text import MOST_BYTES
from web.api.calling import Call, Page, wants
from web.api.errors import answers
from web.api.strict import StrictRoute, Told

router = APIRouter(tags=["timetable"], route_class=StrictRoute)
Source = Annotated[str, Path(min_length=1, max_length=100, examples=["untis"])]
FILE = {
    "x-most": MOST_BYTES,
    "requestBody": {
        "required": True,
        "description": "GPU014.TXT, a CSV or an ICS, as the settings say of this source.",
        "content": {
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            "text/plain": {"schema": {"type": "string", "format": "binary"}},
            "text/csv": {"schema": {"type": "string", "format": "binary"}},
            "text/calendar": {"schema": {"type": "string", "format": "binary"}},
        },
    },
}


class PushedTold(Told):
    """What a push came to. `held`: far more changed than usual, and a person looks first."""

    rows: int
    changes: int
    within_horizon: int
    notices: int
    held: bool
    why: str
    unknown: Sequence[str] = Field(description="Classes that no group is called by.")
    announcement: UUID | None
    waits: str
    left_out: Sequence[str]


class SourceTold(Told):
    """How a source stands."""

    name: str
    department: str
    template: str
    approved: bool
    read_at: datetime | None
    written_at: datetime | None
    rows: int
    changes: int
    within_horizon: int
    announcement: UUID | None
    held_since: datetime | None
    why: str


@router.get(
    "/timetable",
    operation_id="list_timetable_sources",
    responses=answers(401, 403, 422, 503),
    openapi_extra={"x-scope": Scope.TIMETABLE_READ},
)
def list_(call: Call = wants(Scope.TIMETABLE_READ)) -> Page[SourceTold]:
    """List the sources that the settings name, and how each stands."""
    with call.ledger.look() as tx:
        read = {row.name: row for row in tx.timetables.sources()}
        told = [
            _told(name, at, read.get(name), approved=timetable_notice.is_approved(tx, at.source(name)))
            for name, at in call.settings.timetables.items()
            if departments.sees(call.actor, at.department)
        ]
    return Page(items=told, next=None)


@router.post(
    "/timetable/{source}",
    operation_id="push_timetable",
    responses=answers(401, 403, 404, 408, 413, 422, 503),
    openapi_extra={"x-scope": Scope.TIMETABLE_WRITE, **FILE},
)
async def push(source: Source, request: Request, call: Call = wants(Scope.TIMETABLE_WRITE)) -> PushedTold:
    """Tell what has changed since last time, in one announcement. The body is the file. Safe to repeat."""
    _at(call, source)
    data = await request.body()
    room = TimetableRoom(call.ports, call.settings)
    return PushedTold.model_validate(
        await run_in_threadpool(lambda: room.push(source, data, actor=call.actor))
    )


@router.post(
    "/timetable/{source}/release",
    operation_id="release_timetable",
    responses=answers(401, 403, 404, 409, 422, 503),
    openapi_extra={"x-scope": Scope.TIMETABLE_WRITE},
)
def release(source: Source, call: Call = wants(Scope.TIMETABLE_WRITE)) -> SourceTold:
    """Let what is held go: the next push within an hour tells it, if it is not more by then."""
    at = _at(call, source)
    row = timetables.release(call.ports, source, department=at.department, actor=call.actor)
    with call.ledger.look() as tx:
        return _told(source, at, row, approved=timetable_notice.is_approved(tx, at.source(source)))


def _at(call: Call, source: str) -> TimetableAt:
    at = call.settings.timetables.get(source)
    if at is None:
        raise departments.gone("source", "source in the settings")
    departments.must_see(call.actor, at.department, field="source", what="source in the settings")
    return at


def _told(name: str, at: TimetableAt, row: SourceRow | None, *, approved: bool) -> SourceTold:
    row = row or SourceRow(name)
    return SourceTold(
        name=name,
        department=at.department,
        template=at.template,
        approved=approved,
        read_at=row.pushed_at,
        written_at=row.read_at,
        rows=row.rows,
        changes=row.changes,
        within_horizon=row.told,
        announcement=row.announcement,
        held_since=row.held_at,
        why=row.held_why,
    )
