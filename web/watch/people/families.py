"""Families: who is reached by what for which child; all of them, of a group, or only those where nobody is reached."""

from __future__ import annotations

from fastapi import APIRouter, Response

from broker.errors import Problem, RuleBroken
from broker.office import expressions
from broker.rosters.roster import Role
from ledger.reads.group_pages import group_lines
from ledger.reads.households import households
from ledger.reads.people import Page, Sought, people
from web.watch.desk import Desk, acting
from web.watch.people.common import today_and_zone, words
from web.watch.people.pages import LISTED, NOBODY

router = APIRouter()
PAGE = 25  # children


@router.get("/watch/families")
def list_(at: Desk) -> Response:
    """The children by family name, each with who looks after it."""
    typed, without = at.query("in"), at.query("without") == "1"
    after, before = at.number("after"), at.number("before")
    problem: Problem | None = None
    shown: Page = NOBODY
    with at.ledger.look() as tx:
        today, zone = today_and_zone(tx)
        try:
            audience = expressions.means(tx, typed, acting(at), field="in") if typed else None
            sought = Sought(Role.PUPIL, audience, unheard=without)
            shown = people(tx.hand, sought, today=today, after=after, before=before, limit=PAGE)
        except RuleBroken as refused:
            problem = refused.problem
        found = households(tx.hand, shown.people)
        offered = group_lines(tx.hand, department=at.department, kinds=LISTED)
    filters = {"in": typed, "without": "1" if without else ""}
    known = {"shown": shown, "found": found, "typed": typed, "without": without, "offered": offered}
    return at.page(
        "people/families",
        422 if problem else 200,
        filters=filters,
        zone=zone,
        problem=problem,
        **known,
        **words(),
    )
