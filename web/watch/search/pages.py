"""The box by itself, and what was found: announcements, groups and people, each with its count, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from broker.announcement import stage_in_words
from broker.rosters.roster import Role
from ledger.reads import finding, found
from web.watch.desk import At, Desk, Form, posted
from web.watch.forms import further
from web.watch.people.common import GROUPS as KINDS_OF_GROUPS
from web.watch.signing_in import NoPage

router = APIRouter()

MOST_FORM = 4 * 1024  # bytes: a hundred signs, each sent as twelve letters, and a token
ALL, PEOPLE, ANNOUNCEMENTS, GROUPS = "", "people", "announcements", "groups"


@dataclass(slots=True)
class _Lists:
    """What was looked for, each None where it was not."""

    people: found.People | None = None
    announcements: found.Announcements | None = None
    groups: found.Groups | None = None


@router.get("/watch/search")
def box(at: Desk) -> Response:
    """Only the box: what is looked for never stands in an address."""
    return _page(at, "", ALL, 0, _Lists())


@router.post("/watch/search")
async def search(request: Request) -> Response:
    """What was found."""
    return await posted(request, _search, most=MOST_FORM)


def _search(at: At, form: Form) -> Response:
    typed = " ".join(form["q"].split())[: found.MOST_TYPED]
    only = form["only"]
    if only not in {ALL, PEOPLE, ANNOUNCEMENTS, GROUPS}:
        raise NoPage(400, "refused")
    after, whose = further(form["after"]), at.department
    lists = _Lists()
    with at.reading() as hand:
        if only in {ALL, PEOPLE}:
            lists.people = found.people(hand, typed, after=after, region=at.settings.school.region)
        if only in {ALL, ANNOUNCEMENTS}:
            lists.announcements = found.announcements(hand, typed, after=after, department=whose)
        if only in {ALL, GROUPS}:
            lists.groups = found.groups(hand, typed, after=after, department=whose)
    return _page(at, typed, only, after, lists)


def _page(at: At, typed: str, only: str, after: int, lists: _Lists) -> Response:
    people = lists.people
    return at.page(
        "search/found",
        q=typed,
        people=people,
        announcements=lists.announcements,
        groups=lists.groups,
        GROUPS=KINDS_OF_GROUPS,
        only=only,
        after=after,
        short=bool(typed) and not finding.words_of(typed) and not (people and people.count),
        size=finding.PAGE,
        who=_who,
        stands=_stands,
    )


def _who(one: found.Person) -> str:
    """What somebody is to the school: "pupil, 7B", "guardian of Ann Lee"."""
    roles = one.person.roles
    told = []
    if Role.PUPIL in roles:
        told.append(f"pupil, {one.person.form or f'Year {one.person.year}'}".removesuffix(", Year "))
    if Role.STAFF in roles:
        told.append("staff")
    if Role.GUARDIAN in roles:
        told.append(f"guardian of {', '.join(one.of)}" if one.of else "guardian")
    return "; ".join(told) or "nobody whom messages reach"


def _stands(one: found.Said) -> str:
    return stage_in_words(one.stage, settled=one.settled, went_out=one.went_out)
