"""What is done with an import: a file is chosen, another is added, it is taken in, read again, or thrown away."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, HTTPException, Request, Response
from starlette.concurrency import run_in_threadpool

from broker.errors import NotAllowed, NotToBeChanged, Problem, RuleBroken
from broker.rosters import staging
from broker.rosters.staged import StagedFile, StagedKind, StagedRow, StagedStage
from web.watch.desk import At, Form, at_desk, posted
from web.watch.forms import answered, pressed
from web.watch.imports.desk import MOST_UPLOAD, SLOWEST_UPLOAD, address_of, importing, may, staged
from web.watch.imports.pages import SPEAKS_FOR, choosing, one
from web.watch.signing_in import NoPage

router = APIRouter()

MEBIBYTE = 1024 * 1024


@router.post("/watch/import")
async def choose(request: Request) -> Response:
    """Take a file and read it."""
    try:
        return await posted(request, _choose, most=MOST_UPLOAD, within=SLOWEST_UPLOAD)
    except HTTPException as refused:
        return await run_in_threadpool(_given_up, request, refused.status_code)


@router.post("/watch/import/{public_id}")
async def act(public_id: str, request: Request) -> Response:
    """Whatever its button says."""

    def do(at: At, form: Form) -> Response:
        row, _ = staged(at, public_id)
        verb = pressed(form, {"take": _take, "throw": _throw, "again": _again, "more": _more})

        def again(problem: Problem, status: int) -> Response:
            return one(at, *staged(at, public_id), status, problem=problem, form=form)

        return answered(lambda: verb(at, row, form), again)

    return await posted(request, do, most=MOST_UPLOAD, within=SLOWEST_UPLOAD)


def _given_up(request: Request, status: int) -> Response:
    """The page again, with why the file was not read to its end."""
    at = at_desk(request)
    may(at)
    if status == 408:
        problem = Problem("too_slow", "file", "this took too long to arrive", "try it from a faster line")
    else:
        hint = "a zip of the same files is much smaller; or let the system leave out what is not needed"
        problem = Problem("too_large", "file", f"this is larger than {MOST_UPLOAD // MEBIBYTE} MB", hint)
    return choosing(at, status, problem=problem)


def _choose(at: At, form: Form) -> Response:
    may(at)
    try:
        kind, asked = _asked(form)
        chosen = form.file("file")
        if chosen is None:
            hint = "choose the file that your school’s system made"
            raise NotToBeChanged(Problem("no_file", "file", "no file was chosen", hint))
        files = [StagedFile(chosen.name, chosen.data)]
        made = staging.stage(at.ports, kind, files, asked, actor=at.actor)
    except NotAllowed:
        raise NoPage(403, "not_yours") from None
    except RuleBroken as refused:
        return choosing(at, 422, problem=refused.problem, form=form)
    importing(at).read(made)
    return at.done(address_of(made))


def _asked(form: Form) -> tuple[StagedKind, dict[str, object]]:
    """What is to be done with the file. Raises NotToBeChanged."""
    if form["kind"] not in set(StagedKind):
        hint = "choose one of them"
        raise NotToBeChanged(Problem("no_kind", "kind", "nothing says what is in the file", hint))
    kind = StagedKind(form["kind"])
    if kind is StagedKind.GROUP:
        if not form["group"]:
            raise NotToBeChanged(
                Problem("no_group", "group", "which group is it?", "choose it from the list")
            )
        return kind, {"group": form["group"]}
    if kind is StagedKind.PEOPLE and form["only"]:
        if form["only"] not in SPEAKS_FOR:
            raise NotToBeChanged(Problem("no_kind", "only", "this is none of these", "choose one of them"))
        return kind, {"only": form["only"].split(",")}
    return kind, {}


def _take(at: At, row: StagedRow, form: Form) -> Response:
    """As it was looked at; how many leave is typed where it is many."""
    if row.stage is not StagedStage.READ or form["seen"] != row.told["seen"]:
        hint = "look at it as it is now, and take it in then"
        raise NotToBeChanged(Problem("not_seen", "", "this is not what you looked at", hint))
    leaving = row.told["leaving"]
    if row.told["must_confirm"]:
        typed = form["leaving"]
        if not (typed.isascii() and typed.isdigit() and len(typed) < 10 and int(typed) == leaving):
            hint = "check that it is the whole school; if they have left, type that number"
            message = f"{leaving:,} people would leave"
            raise NotToBeChanged(Problem("many_leaving", "leaving", message, hint))
    staging.begin(at.ports, row.public_id, StagedStage.TAKING, actor=at.actor)
    importing(at).take(row.public_id, leaving, actor=at.actor)
    return _on(at, row.public_id)


def _throw(at: At, row: StagedRow, form: Form) -> Response:
    staging.throw_away(at.ports, row.public_id, actor=at.actor)
    return at.done("watch/import", "import_thrown_away")


def _again(at: At, row: StagedRow, form: Form) -> Response:
    staging.begin(at.ports, row.public_id, StagedStage.READING, actor=at.actor)
    importing(at).read(row.public_id)
    return _on(at, row.public_id)


def _more(at: At, row: StagedRow, form: Form) -> Response:
    """Another report that belongs to it."""
    chosen = form.file("file")
    if chosen is None:
        hint = "choose the report that belongs to it"
        raise NotToBeChanged(Problem("no_file", "file", "no file was chosen", hint))
    staging.add_file(at.ports, row.public_id, StagedFile(chosen.name, chosen.data), actor=at.actor)
    importing(at).read(row.public_id)
    return _on(at, row.public_id)


def _on(at: At, public_id: UUID) -> Response:
    row, _ = staging.one(at.ports, public_id)
    if row.stage is StagedStage.TAKEN:
        return at.done("watch/import", "import_taken")
    return at.done(address_of(public_id))
