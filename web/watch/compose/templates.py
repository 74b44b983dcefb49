"""Templates: the list, one with its versions, writing one anew, and offering it no more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request, Response

from broker.announcement import Attachment, Draft, Part, People, Step
from broker.authority import departments, operators
from broker.errors import NotFound, Problem, RuleBroken
from broker.office import templates as verbs
from broker.ports.office import TemplateRow
from broker.wording import check_parts
from config.rehearsal import readings
from ledger.reads.templates import listed, versions
from web.watch.compose import asked, choices, files, reading, words
from web.watch.compose.choices import departments_of
from web.watch.compose.reading import Read
from web.watch.desk import At, Desk, Form, acting, posted
from web.watch.signing_in import NoPage

router = APIRouter()
WRITERS = operators.ACTS
LIST = "watch/templates"
BESIDE = ("name", "title", "short", "long", "language", "department", "file1", "file2", "file3")


@dataclass(frozen=True, slots=True)
class Listed:
    """One template in the list."""

    row: TemplateRow
    gaps: Sequence[str]
    place: str  # its address below the root, without the word before it
    ours: bool  # whether whoever looks may change it


@router.get("/watch/templates")
def overview(at: Desk) -> Response:
    """Those that are offered, by department."""
    with at.reading() as hand:
        rows = listed(hand, owner=at.department)
    found = [Listed(one, verbs.gaps_of(one), place_of(one), _may_change(at, one.department)) for one in rows]
    return at.page("compose/templates", found=found, names=at.settings.departments, writes=at.may(*WRITERS))


@router.get("/watch/templates/new")
def new(at: Desk) -> Response:
    """An empty form."""
    at.must(*WRITERS)
    return _form(at, Form({"department": [choices.owner(at, at.query("department"))]}))


@router.post("/watch/templates/new")
async def add(request: Request) -> Response:
    """Keep it."""
    return await posted(request, _save, most=files.MOST_WITH_FILES)


@router.post("/watch/templates/read")
async def read(request: Request) -> Response:
    """What it reads like so far."""
    return await posted(request, _read)


@router.get("/watch/templates/one")
def show(at: Desk) -> Response:
    """One template: its words, its versions."""
    found = _the(at)
    with at.reading() as hand:
        known = versions(hand, found)
    return at.page(
        "compose/template",
        found=found,
        known=known,
        gaps=verbs.gaps_of(found),
        place=place_of(found),
        read=_as_read(at, found.department, found.parts, found.language, found.attachments),
        newest=not known or found.version == known[0].version,
        ours=_may_change(at, found.department) and at.may(*WRITERS),
        names=at.settings.departments,
    )


@router.get("/watch/templates/change")
def change(at: Desk) -> Response:
    """The form with its words."""
    at.must(*WRITERS)
    found = _the(at)
    values = {part.value: [text] for part, text in found.parts.items()}
    kept = [files.stored_file(file) for file in found.attachments]
    about = {"name": [found.name], "department": [found.department], "language": [found.language]}
    return _form(at, Form({**values, **about, "kept": kept}), known=found)


@router.post("/watch/templates/change")
async def save(request: Request) -> Response:
    """Keep what it says now, as a new version."""
    return await posted(request, _save, most=files.MOST_WITH_FILES)


@router.post("/watch/templates/retire")
async def retire(request: Request) -> Response:
    """Offer it no more."""
    return await posted(request, _retire)


def place_of(one: TemplateRow) -> str:
    """What its addresses end with: a name may hold anything."""
    return "?" + urlencode(
        {"department": one.department, "name": one.name, "language": one.language}, quote_via=quote
    )


def _save(at: At, form: Form) -> Response:
    at.must(*WRITERS)
    whose = choices.owner(at, form["department"])
    try:
        departments.must_own(acting(at), whose)
        made = verbs.save(
            at.ports,
            whose,
            form["name"],
            asked.typed(form),
            language=form["language"],
            attachments=files.attachments_of(form, _there(at, whose, form)),
            actor=acting(at),
        )
    except RuleBroken as refused:
        return _form(at, form, problem=words.told(refused.problem))
    return at.done(f"{LIST}/one{place_of(made)}", "template_saved")


def _retire(at: At, form: Form) -> Response:
    at.must(*WRITERS)
    whose = choices.owner(at, form["department"])
    try:
        departments.must_own(acting(at), whose)
        verbs.retire(at.ports, whose, form["name"], actor=acting(at))
    except NotFound:
        raise NoPage(404, "not_found") from None
    return at.done(LIST, "template_retired")


def _form(
    at: At, form: Form, *, known: TemplateRow | None = None, problem: Problem | None = None
) -> Response:
    return at.page(
        "compose/template_form",
        200 if problem is None else 422,
        form=form,
        known=known,
        problem=problem,
        beside=BESIDE,
        departments=departments_of(at),
        kept=files.kept_of(form, _there(at, choices.owner(at, form["department"]), form)),
        read=_of_form(at, form),
        place=place_of(known) if known is not None else "",
        change=known is not None or at.request.url.path.endswith("/change"),
    )


def _there(at: At, whose: str, form: Form) -> tuple[Attachment, ...]:
    """The files of the template that is changed; a new one has none."""
    if not form.all("kept"):
        return ()
    try:
        with at.ports.ledger.look() as tx:
            return tuple(verbs.the(tx, whose, form["name"], language=form["language"]).attachments)
    except NotFound:
        return ()


def _read(at: At, form: Form) -> Response:
    at.must(*WRITERS)
    return at.part("compose/read", read=_of_form(at, form))


def _of_form(at: At, form: Form) -> Read:
    return _as_read(at, choices.owner(at, form["department"]), asked.typed(form), form["language"], ())


def _as_read(
    at: At,
    department: str,
    parts: Mapping[Part, str],
    language: str,
    files: tuple[Attachment, ...],
) -> Read:
    """What each of the usual ways would give to read, written to nobody in particular; gaps stand as they are."""
    if not any(parts.values()):
        return Read()
    try:
        checked = check_parts(parts, gaps=True)
    except RuleBroken as broken:
        return Read(problem=words.told(broken.problem))
    offered = choices.choices(at, department=department, listed=False)
    ways = (Step(tuple(offered.usual)),)
    bare = tuple(replace(file, data=b"") for file in files)
    draft = Draft(department, "", People.GUARDIANS, ways, checked, language=language, attachments=bare)
    currency = at.settings.school.currency
    return Read([reading.shown(name, one, currency) for name, one in readings(at.ports, draft).items()])


def _the(at: At) -> TemplateRow:
    """The template of an address. Raises NoPage."""
    whose, version = at.query("department"), at.number("version")
    if at.department not in {None, whose} or version == 0:
        raise NoPage(404, "not_found")
    try:
        with at.ports.ledger.look() as tx:
            found = verbs.the(tx, whose, at.query("name"), language=at.query("language"), version=version)
    except NotFound:
        raise NoPage(404, "not_found") from None
    return found


def _may_change(at: At, department: str) -> bool:
    return at.department in {None, department}
