"""How a school's own report is read: a saved mapping, or one made here by saying of each column what it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fastapi import APIRouter, Request, Response

from broker.errors import BadMapping, NotFound, Problem, RuleBroken
from broker.rosters import mappings, staging
from broker.rosters.mapping import MOST_HEADER_ROWS, NO_HEADERS, Encoding, ReportMapping, Rows, make
from broker.rosters.staged import StagedFile, StagedRow, StagedStage
from web.watch.desk import At, Desk, Form, posted
from web.watch.imports.columns import Column, Layout, columns_of, offered
from web.watch.imports.desk import address_of, importing, may, refused_of, staged
from web.watch.signing_in import NoPage

router = APIRouter()

ROWS = {Rows.PUPILS.value: "one pupil, perhaps with contacts", Rows.STAFF.value: "one member of staff"}
LETTERS = {
    Encoding.UTF_8.value: "UTF-8 (most systems today)",
    Encoding.WINDOWS_1252.value: "Windows (older systems, Excel’s plain “CSV”)",
}


@router.get("/watch/import/mappings")
def kept(at: Desk) -> Response:
    """The mappings that there are."""
    may(at)
    return _kept(at)


@router.post("/watch/import/mappings")
async def forget(request: Request) -> Response:
    """Forget one of them."""
    return await posted(request, _forget)


@router.get("/watch/import/{public_id}/columns")
def ask(public_id: str, at: Desk) -> Response:
    """Say how the columns of a file are read."""
    row, _ = staged(at, public_id)
    return asking(at, row)


@router.post("/watch/import/{public_id}/columns")
async def say(public_id: str, request: Request) -> Response:
    """Take a saved mapping for it, or keep the one that was made."""

    def do(at: At, form: Form) -> Response:
        row, _ = staged(at, public_id)
        try:
            name = form["mapping"] if form["do"] == "use" else _made(at, row, form)
            if not name:
                raise BadMapping(Problem("no_mapping", "mapping", "none was chosen", "choose one of them"))
            if form["do"] == "use":
                mappings.named(at.ports, name)
            return _read_with(at, row, form, name)
        except NotFound:
            raise NoPage(404, "not_found") from None
        except RuleBroken as refused:
            return asking(at, row, 422, problem=_beside(refused.problem, form), form=form)

    return await posted(request, do)


def asking(at: At, row: StagedRow, status: int = 200, **known: object) -> Response:
    """The page that asks what the columns of a file hold."""
    if row.stage.over or not row.files:
        raise NoPage(404, "not_found")
    sent = known.get("form")
    form = sent if isinstance(sent, Form) else None
    position = _position(at, row, form)
    layout = _layout(at, form)
    columns, unreadable = columns_of(_file(at, row, position), layout)
    with at.ports.ledger.look() as tx:
        there = tx.mappings.all()
    chosen = {n: form[f"c{n}"] if form is not None else one.guess for n, one in enumerate(columns)}
    return at.page(
        "imports/asking",
        status,
        **{
            "row": row,
            "position": position,
            "layout": layout,
            "columns": columns,
            "unreadable": unreadable,
            "chosen": chosen,
            "offered": offered(layout.rows),
            "there": [(one.name, f"{one.name} ({ROWS[one.rows.value]})") for one in there],
            "rows_words": ROWS,
            "letters": LETTERS,
            "most_header": MOST_HEADER_ROWS,
            "beside": ["name", "mapping", *(f"c{n}" for n in chosen)],
            "why": refused_of(row),
            **known,
        },
    )


def _made(at: At, row: StagedRow, form: Form) -> str:
    """Keep the mapping that was made; returns its name. Raises BadMapping."""
    position, layout = _position(at, row, form), _layout(at, form)
    columns, unreadable = columns_of(_file(at, row, position), layout)
    if unreadable is not None:
        raise BadMapping(unreadable)
    mapping = make(
        form["name"],
        [one.header for one in columns],
        _wanted(columns, form),
        rows=layout.rows,
        header_row=layout.header_row,
        encoding=layout.encoding,
    )
    mappings.keep(at.ports, mapping, actor=at.actor, replace="replace" in form)
    return mapping.name


def _wanted(columns: Sequence[Column], form: Form) -> Mapping[str, str]:
    wanted: dict[str, str] = {}
    for n, one in enumerate(columns):
        held = form[f"c{n}"]
        if not held:
            continue
        if held in wanted:
            hint = "one column is one thing: leave one of them out, or take the next contact"
            raise BadMapping(Problem("field_twice", f"c{n}", "two columns are said to hold this", hint))
        wanted[held] = one.told
    return wanted


def _read_with(at: At, row: StagedRow, form: Form, name: str) -> Response:
    """Read the file by this mapping, and so what is staged once each of its files has one."""
    position = _position(at, row, form)
    named = [name if n == position else one.mapping for n, one in enumerate(row.files)]
    staging.begin(at.ports, row.public_id, StagedStage.READING, actor=at.actor, mappings=named)
    importing(at).read(row.public_id)
    return at.done(address_of(row.public_id), "mapping_kept" if form["do"] != "use" else "")


def _file(at: At, row: StagedRow, position: int) -> StagedFile:
    _, files = staging.files_of(at.ports, row.public_id)
    return files[position]


def _position(at: At, row: StagedRow, form: Form | None) -> int:
    """Which of its files: the one that is asked for, else the first that has no mapping yet."""
    asked = form["file"] if form is not None else at.query("file")
    if asked:
        if not (asked.isascii() and asked.isdigit() and len(asked) < 3) or int(asked) >= len(row.files):
            raise NoPage(404, "not_found")
        return int(asked)
    return next((n for n, one in enumerate(row.files) if not one.mapping), 0)


def _layout(at: At, form: Form | None) -> Layout:
    """As it was said; as most reports are where nothing was. Raises NoPage for what no form of ours sends."""

    def said(name: str) -> str:
        return form[name] if form is not None else at.query(name)

    header = said("header_row") or "1"
    if not (header.isascii() and header.isdigit() and NO_HEADERS <= int(header[:3]) <= MOST_HEADER_ROWS):
        raise NoPage(404, "not_found")
    try:
        encoding = Encoding(said("encoding") or Encoding.UTF_8)
        rows = Rows(said("rows") or Rows.PUPILS)
    except ValueError:
        raise NoPage(404, "not_found") from None
    return Layout(int(header), encoding, rows)


def _beside(problem: Problem, form: Form) -> Problem:
    """The problem beside the column that was said to hold the field it is about."""
    for name in form.values:
        if name.startswith("c") and name[1:].isdigit() and form[name] == problem.field:
            return Problem(problem.code, name, problem.message, problem.hint)
    return problem


def _kept(at: At, status: int = 200, **known: object) -> Response:
    with at.ports.ledger.look() as tx:
        there = tx.mappings.all()
    return at.page(
        "imports/mappings", status, **{"there": there, "rows_words": ROWS, "words_of": words_of, **known}
    )


def _forget(at: At, form: Form) -> Response:
    may(at)
    try:
        mappings.forget(at.ports, form["name"], actor=at.actor)
    except BadMapping as refused:
        return _kept(at, 422, problem=refused.problem)
    return at.done("watch/import/mappings", "mapping_forgotten")


def words_of(mapping: ReportMapping) -> Mapping[str, str]:
    """What a mapping reads, field by field in plain words."""
    told = {field: words for _, fields in offered(mapping.rows, mapping) for field, words in fields.items()}
    return {told.get(field, field): column.told for field, column in mapping.columns.items()}
