"""The list of people, by what they are and which groups they are in; and who is found by a name that was typed."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from broker.errors import Problem, RuleBroken
from broker.office import expressions
from broker.rosters.roster import GroupKind, Role
from ledger.reads import finding, found
from ledger.reads.group_pages import group_lines
from ledger.reads.people import Page, Sought, people
from web.watch.desk import At, Desk, Form, acting, posted
from web.watch.forms import further
from web.watch.people.common import MOST_FORM, today_and_zone, words
from web.watch.signing_in import NoPage

router = APIRouter()
NOBODY = Page((), None, None)
LISTED = (GroupKind.YEAR, GroupKind.FORM)  # offered where a group is typed: few, and what is asked for most


@router.get("/watch/people")
def list_(at: Desk) -> Response:
    """Everybody at the school, by family name."""
    role, typed = _role(at.query("role")), at.query("in")
    after, before = at.number("after"), at.number("before")
    problem: Problem | None = None
    with at.ledger.look() as tx:
        today, zone = today_and_zone(tx)
        try:
            audience = expressions.means(tx, typed, acting(at), field="in") if typed else None
            shown = people(tx.hand, Sought(role, audience), today=today, after=after, before=before)
        except RuleBroken as refused:
            problem, shown = refused.problem, NOBODY
        offered = group_lines(tx.hand, department=at.department, kinds=LISTED)
    known = {"shown": shown, "role": role, "typed": typed, "offered": offered, "problem": problem}
    filters = {"role": role.value if role else "", "in": typed}
    return at.page("people/list", 422 if problem else 200, filters=filters, zone=zone, **known, **words())


@router.post("/watch/people/found")
async def search(request: Request) -> Response:
    """Who is called so, or holds the number that was typed. A form, for a name shall stand in no address."""
    return await posted(request, _search, most=MOST_FORM)


@router.get("/watch/people/found")
def again(at: Desk) -> Response:
    """What is left of a search in an address: nothing. It begins anew."""
    return at.done("watch/people")


def _search(at: At, form: Form) -> Response:
    typed = " ".join(form["q"].split())[: found.MOST_TYPED]
    after = further(form["after"])
    with at.reading() as hand:
        those = found.people(hand, typed, after=after, region=at.settings.school.region)
    short = not finding.words_of(typed) and not those.count
    known = {"q": typed, "those": those, "after": after, "size": finding.PAGE, "short": short}
    if at.request.headers.get("hx-request"):
        return at.part("people/found_part", **known, **words())
    return at.page("people/found", **known, **words())


def _role(text: str) -> Role | None:
    if not text:
        return None
    if text not in set(Role):
        raise NoPage(404, "not_found")
    return Role(text)
