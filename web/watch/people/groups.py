"""Groups: the list, one group, and an expression tried before it is used: how many it means today, and some of them."""

from __future__ import annotations

from datetime import date
from typing import Any

from fastapi import APIRouter, Response

from broker.audience import LONGEST, Group, fold
from broker.authority import departments
from broker.errors import RuleBroken
from broker.moments import today_of
from broker.office import expressions
from broker.rosters.roster import GroupKind
from ledger.hand import Hand
from ledger.reads.group_pages import GroupLine, few_of, given_up, group_at, group_page, sizes
from ledger.reads.groups import Within
from web.watch.desk import At, Desk, acting
from web.watch.people.common import WRITES, today_and_zone, words
from web.watch.signing_in import NoPage

router = APIRouter()
PAGE = 50
FEW = 8  # names beside a count: enough to see whether it is who was meant
GIVEN_UP = 20


@router.get("/watch/groups")
def list_(at: Desk) -> Response:
    """The groups, as a school lists them."""
    kind, typed, after = _kind(at.query("kind")), at.query("q", 100), at.number("after")
    with at.ledger.look() as tx:
        today, zone = today_and_zone(tx)
        shown, every, more = group_page(
            tx.hand,
            department=at.department,
            kinds=(kind,) if kind is not None else tuple(GroupKind),
            containing=typed,
            after=after,
            limit=PAGE,
        )
        counts = sizes(tx.hand, [one.id for one in shown if one.expression is None], today=today)
        gone = given_up(tx.hand, department=at.department, limit=GIVEN_UP) if at.may(*WRITES) else ()
    filters = {"kind": kind.value if kind else "", "q": typed}
    known = {"shown": shown, "counts": counts, "more": more, "every": every, "gone": gone, "zone": zone}
    return at.page("people/groups", filters=filters, writes=at.may(*WRITES), **known, **words())


@router.get("/watch/groups/try")
def try_(at: Desk) -> Response:
    """Whom an expression means today. Groups alone stand in the address, and nobody's name."""
    typed = at.query("expression", LONGEST)
    found, problem = tried(at, typed)
    known = {"typed": typed, "found": found, "problem": problem, "few": FEW}
    if at.request.headers.get("hx-request"):
        return at.part("people/tried_part", **known, **words())
    return at.page("people/tried", 422 if problem else 200, writes=at.may(*WRITES), **known, **words())


@router.get("/watch/groups/{number:int}")
def one(number: int, at: Desk) -> Response:
    """One group: what it is, how many are in it, and what may be done with it."""
    with at.ledger.look() as tx:
        group, (today, zone) = the_group(tx.hand, number, at), today_and_zone(tx)
        found = _whom(tx, group, today)
        uses = tx.groups.uses(fold(group.name)) if group.active and group.kept else ()
    known = {"group": group, "found": found, "uses": uses, "few": FEW, "zone": zone}
    return at.page("people/group", changes=may_change(at, group), **known, **words())


def tried(at: At, typed: str) -> tuple[Within | None, Any]:
    """Whom an expression means today, or why it cannot be read."""
    if not typed:
        return None, None
    try:
        with at.ledger.look() as tx:
            audience = expressions.means(tx, typed, acting(at), field="expression")
            return few_of(tx.hand, audience, today=today_of(tx), most=FEW), None
    except RuleBroken as refused:
        return None, refused.problem


def the_group(hand: Hand, number: int, at: At) -> GroupLine:
    """Which group an address means. Raises NoPage."""
    group = group_at(hand, number, department=at.department) if 0 < number < 2**62 else None
    if group is None or not (group.active or group.kept):
        raise NoPage(404, "not_found")
    return group


def may_change(at: At, group: GroupLine) -> bool:
    """Whether somebody may change a group: one kept here, of their own department or by somebody of the school."""
    try:
        departments.must_own(acting(at), group.department)
    except RuleBroken:
        return False
    return group.kept and at.may(*WRITES)


def _whom(tx: Any, group: GroupLine, today: date) -> Within | None:
    """How many are in it today; None where it is made of what is there no more."""
    if not group.active:
        return None
    try:
        audience = expressions.resolve(tx, Group(group.name)) if group.expression else Group(group.name)
    except RuleBroken:
        return None
    return few_of(tx.hand, audience, today=today, most=FEW)


def _kind(text: str) -> GroupKind | None:
    if not text:
        return None
    if text not in set(GroupKind):
        raise NoPage(404, "not_found")
    return GroupKind(text)
