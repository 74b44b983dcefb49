"""What shows somebody outside that the record was not changed: its newest line, who is mailed it, the whole of it."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from broker.address import AddressKind, BadAddress, mask
from broker.errors import NotFound, Problem, RuleBroken
from broker.ports.approvals import OperatorRole
from broker.scrutiny import governors
from broker.scrutiny.heads import Left, written
from ledger.reads.sealed import gone
from ledger.scrutiny.bundle import hand_out
from web.watch.desk import At, Desk, Form, posted
from web.watch.forms import status_of
from web.watch.record.pages import reader
from web.watch.signing_in import HEADERS, NoPage

router = APIRouter()
HOW = {
    Left.MAILED: "mailed to the governors",
    Left.PRINTED: "printed on a sheet",
    Left.EXPORTED: "handed out",
}
MOST_NAME = 80
_ONE_AT_A_TIME = threading.Lock()  # a bundle of years is large, and is written to the disk


@router.get("/watch/record/kept")
def overview(at: Desk) -> Response:
    """The newest line, who holds lines outside, and which left the house."""
    return _page(at)


@router.post("/watch/record/kept")
async def change(request: Request) -> Response:
    """Mail the line to somebody, or to somebody no more."""
    return await posted(request, _change)


@router.post("/watch/record/file")
async def file(request: Request) -> Response:
    """All of it as a file that anybody checks without Carillon."""
    return await posted(request, _file)


def _change(at: At, form: Form) -> Response:
    reader(at)
    at.must(OperatorRole.ADMIN)
    name = " ".join(form["name"].split())[:MOST_NAME]
    try:
        if form["do"] == "remove":
            governors.remove(at.ports, name, actor=at.actor)
            return at.done("watch/record/kept", "governor_removed")
        if not name:
            raise RuleBroken(Problem("no_name", "name", "say who it is", "a name that people know them by"))
        governors.add(at.ports, name, form["email"][:320], actor=at.actor)
    except NotFound:
        raise NoPage(404, "not_found") from None
    except BadAddress as bad:
        return _page(at, 422, problem=bad.problem, form=form)
    except RuleBroken as refused:
        return _page(at, status_of(refused), problem=refused.problem, form=form)
    return at.done("watch/record/kept", "governor_added")


def _file(at: At, _form: Form) -> Response:
    reader(at)
    if not _ONE_AT_A_TIME.acquire(blocking=False):
        hint = "try again in a minute"
        busy = Problem("busy", "file", "somebody else has it written just now", hint)
        return _page(at, 422, problem=busy)
    try:
        folder = tempfile.TemporaryDirectory(prefix="record-")
        target = Path(folder.name) / "record.zip"
        try:
            hand_out(at.ledger, target, actor=at.actor)
        except RuleBroken as refused:
            folder.cleanup()
            return _page(at, 422, problem=refused.problem)
    finally:
        _ONE_AT_A_TIME.release()
    with at.ledger.look() as tx:
        called = f"record-{tx.school.slug}-{tx.now:%Y-%m-%d}.zip"
    return FileResponse(
        target,
        filename=called,
        media_type="application/zip",
        headers=HEADERS,
        background=BackgroundTask(folder.cleanup),
    )


def _page(at: At, status: int = 200, **more: object) -> Response:
    reader(at)
    with at.ledger.look() as tx:
        newest = tx.record.newest()
        line = written(newest, tx.school.slug, tx.now) if newest is not None else ""
        holders = {
            name: mask(AddressKind.EMAIL, email) for name, email in sorted(tx.record.holders().items())
        }
        left = gone(tx.hand)
    shown = {
        "line": line,
        "holders": holders,
        "left": left,
        "HOW": HOW,
        "changes": at.may(OperatorRole.ADMIN),
    }
    return at.page("record/kept", status, **{**shown, **more})
