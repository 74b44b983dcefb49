"""What is said, to whom, by which ways: asked for alike whether it is said once or again and again."""

from __future__ import annotations

from typing import Annotated

from fastapi import BackgroundTasks, Response
from pydantic import Field

from broker import intake
from broker.announcement import Attachment, Draft, People
from broker.authority import departments
from broker.intake import Accepted
from broker.office import templates
from web.api.calling import Call
from web.api.shapes import Groups, Slug, Ways, Words, steps
from web.api.strict import Shape


class Drafted(Shape):
    """What is said. Words or a template, or a template and words that stand instead of some of its."""

    to: Groups
    ways: Ways = Field(default_factory=lambda: ["sms", "email"], min_length=1, max_length=20)
    people: People = People.GUARDIANS
    words: Words | None = None
    template: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    fills: dict[str, Annotated[str, Field(max_length=500)]] = Field(default_factory=dict, max_length=50)
    department: Slug | None = None
    language: Annotated[str, Field(max_length=40, examples=["cy"])] = ""
    expect: Annotated[int, Field(ge=0, le=10_000_000, description="How many people are meant.")] | None = None


def draft_of(call: Call, said: Drafted, files: tuple[Attachment, ...] = ()) -> Draft:
    """As the law has it, its template filled. Raises RuleBroken."""
    owner = departments.owner_of(call.settings.departments, said.department, call.actor)
    # Before its templates are looked up: another department's tell nothing.
    departments.must_own(call.actor, owner)
    parts = said.words.parts() if said.words is not None else {}
    if said.template is not None:
        with call.ledger.look() as tx:
            parts, files = templates.worded(
                tx, owner, said.template, language=said.language, fills=said.fills, typed=parts, files=files
            )
    return Draft(
        department=owner,
        audience=said.to,
        people=said.people,
        ways=steps(said.ways),
        parts=parts,
        language=said.language,
        attachments=files,
        expected=said.expect,
        template=said.template or "",
    )


def accept(call: Call, draft: Draft, response: Response, later: BackgroundTasks) -> Accepted:
    """Announce it, and say where it is to be found; 200 where its key was used for the same before.

    It stands in the ledger then: nobody need wait until a worker is told, and a sweep finds it where none was.
    """
    accepted = intake.accept_unhinted(call.ports, draft, actor=call.actor)
    later.add_task(intake.tell, call.ports, accepted)
    return answered(accepted, response)


def answered(accepted: Accepted, response: Response) -> Accepted:
    """The same, with its status and its place in the answer."""
    if not accepted.created:
        response.status_code = 200
    response.headers["Location"] = f"/v1/announcements/{accepted.announcement.public_id}"
    return accepted
