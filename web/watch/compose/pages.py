"""The form, blank or begun: with a template, or to groups that another page leads from."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Response

from broker.announcement import People
from broker.audience import fold
from broker.errors import Problem
from broker.ports.approvals import OperatorRole
from web.watch.compose import asked, choices, files, reading
from web.watch.compose.choices import OPEN_AT_FIRST, PEOPLE, UNLESS, WAITS, Choices
from web.watch.desk import At, Desk, Form
from web.watch.form_key import new_key

router = APIRouter()
MOST_OFFERED = 8  # templates on the form itself; the others are a click further
MOST_GROUPS = 50  # that a link may tick
# Fields that show their own trouble.
BESIDE = (
    *("to", "groups", "people", "ways", "title", "short", "long", "when", "day", "time"),
    *("until_day", "until_time", "urgent", "promotional", "language", "copies"),
    *("file1", "then1", "seen", "expect", "why"),
    *(f"{field}{n}" for field in ("after", "by") for n in range(1, choices.MOST_LATER + 1)),
)


@router.get("/watch/write")
def write(at: Desk) -> Response:
    """The form."""
    at.must(OperatorRole.AUTHOR)
    offered = choices.choices(
        at,
        department=at.query("department"),
        template=at.query("template"),
        language=at.query("language"),
    )
    return form_page(at, _begun(at, offered), offered, later=True)


def form_page(
    at: At,
    form: Form,
    offered: Choices,
    problem: Problem | None = None,
    status: int = 200,
    *,
    later: bool = False,
) -> Response:
    """The form as it is filled in, with what it would read like and whom it would reach.

    `later`: whom it would reach is asked for once the page is there, which need not wait for it.
    """
    return at.page(
        "compose/write",
        status,
        form=form,
        offered=offered,
        problem=choices.with_nearest(offered, problem),
        beside=(*BESIDE, *(f"fill_{gap}" for gap in offered.gaps)),
        kept=files.kept_of(form),
        twice={which: asked.twice(at, form, which) for which in ("", "until_")},
        read=reading.read(at, form, offered),
        reach=reading.Reach() if later else reading.reach(at, form, offered),
        asks=later and bool(form.all("groups") or form["to"]),
        PEOPLE=PEOPLE,
        WAITS=WAITS,
        UNLESS=UNLESS,
        LATER=range(1, choices.MOST_LATER + 1),
        OPEN_AT_FIRST=OPEN_AT_FIRST,
        MOST_OFFERED=MOST_OFFERED,
    )


def _begun(at: At, offered: Choices) -> Form:
    """Before anybody filled anything in: what is usual, and what the address says."""
    people = at.query("people")
    values: dict[str, Sequence[str]] = {
        "key": [new_key()],
        "groups": _ticked(at, offered),
        "to": [at.query("to", most=2000)],
        "people": [people if people in set(People) else People.GUARDIANS.value],
        "ways": list(offered.usual),
        "when": ["now"],
    }
    return Form(values)


def _ticked(at: At, offered: Choices) -> list[str]:
    named = {fold(name) for name in at.request.query_params.getlist("group")[:MOST_GROUPS]}
    return [one.name for one in offered.groups if fold(one.name) in named]
