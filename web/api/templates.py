"""Templates: named wordings of a department, as versions that never change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field

from broker.announcement import Part
from broker.authority import departments
from broker.office import templates as verbs
from broker.ports.api import Scope
from broker.ports.office import TemplateRow
from ledger.reads.templates import listed
from web.api.calling import Call, Done, Page, wants
from web.api.errors import answers
from web.api.shapes import MOST_WITH_FILES, NewFile, Slug, Words
from web.api.strict import Sent, Shape, StrictRoute, Told, example

router = APIRouter(tags=["templates"], route_class=StrictRoute)
Template = Annotated[str, Path(min_length=1, max_length=100, examples=["Rehearsal"])]
Department = Annotated[str | None, Query(min_length=1, max_length=63, description="Whose it is.")]
Language = Annotated[str, Query(max_length=40)]


class TemplateTold(Told):
    """One version of a template. `gaps` are filled when it is announced."""

    name: str
    department: str
    language: str
    version: int
    words: Mapping[Part, str]
    gaps: Sequence[str]
    files: Sequence[str]
    made_at: datetime
    made_by: str


class NewTemplate(Shape):
    """A wording with its files."""

    model_config = example({"words": {"long": "{pupil}: rehearsal at {time}."}})

    words: Words
    department: Slug | None = None
    language: Annotated[str, Field(max_length=40)] = ""
    files: list[NewFile] = Field(default_factory=list, max_length=20)


@router.get(
    "/templates",
    operation_id="list_templates",
    responses=answers(401, 403, 404, 422, 503),
    openapi_extra={"x-scope": Scope.TEMPLATES_READ},
)
def list_(department: Department = None, call: Call = wants(Scope.TEMPLATES_READ)) -> Page[TemplateTold]:
    """List the templates that are offered, the newest version of each."""
    if department is not None:
        departments.must_see(call.actor, department, field="department", what="department")
    with call.ledger.reading() as hand:
        found = listed(hand, owner=department or call.department)
    return Page(items=[_told(one) for one in found], next=None)


@router.get(
    "/templates/{name}",
    operation_id="get_template",
    responses=answers(401, 403, 404, 422, 503),
    openapi_extra={"x-scope": Scope.TEMPLATES_READ},
)
def get(
    name: Template,
    department: Department = None,
    language: Language = "",
    version: Annotated[int | None, Query(ge=1, le=1_000_000)] = None,
    call: Call = wants(Scope.TEMPLATES_READ),
) -> TemplateTold:
    """Look at a template."""
    owner = _owner(call, department)
    with call.ledger.look() as tx:
        return _told(verbs.the(tx, owner, name, language=language, version=version))


@router.put(
    "/templates/{name}",
    operation_id="save_template",
    responses=answers(401, 403, 404, 413, 422, 503),
    openapi_extra={"x-scope": Scope.TEMPLATES_WRITE, "x-most": MOST_WITH_FILES},
)
def save(
    name: Template,
    said: Sent[NewTemplate],
    call: Call = wants(Scope.TEMPLATES_WRITE),
) -> TemplateTold:
    """Save a wording under a name: a new version, unless it says the same already."""
    owner = departments.owner_of(call.settings.departments, said.department, call.actor)
    departments.must_own(call.actor, owner)
    files = tuple(file.attachment() for file in said.files)
    made = verbs.save(
        call.ports,
        owner,
        name,
        said.words.parts(),
        language=said.language,
        attachments=files,
        actor=call.actor,
    )
    return _told(made)


@router.delete(
    "/templates/{name}",
    operation_id="retire_template",
    responses=answers(401, 403, 404, 422, 503),
    openapi_extra={"x-scope": Scope.TEMPLATES_WRITE},
)
def retire(name: Template, department: Department = None, call: Call = wants(Scope.TEMPLATES_WRITE)) -> Done:
    """Offer a template no more. What was announced with it stands."""
    verbs.retire(call.ports, _owner(call, department), name, actor=call.actor)
    return Done()


def _owner(call: Call, named: str | None) -> str:
    owner = departments.owner_of(call.settings.departments, named, call.actor)
    departments.must_see(call.actor, owner, field="department", what="department")
    return owner


def _told(one: TemplateRow) -> TemplateTold:
    return TemplateTold(
        name=one.name,
        department=one.department,
        language=one.language,
        version=one.version,
        words=one.parts,
        gaps=verbs.gaps_of(one),
        files=[file.name for file in one.attachments],
        made_at=one.made_at,
        made_by=one.made_by,
    )
