"""The members of a group kept by hand: added by name or by a list, taken out, and put back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from fastapi import APIRouter, Request, Response

from broker.authority import departments
from broker.errors import Problem, RuleBroken
from broker.office import groups as verbs
from broker.office.lists import MOST_LIST, ids_of
from broker.ports.office import PersonRow
from ledger.reads.found import MOST_TYPED
from ledger.reads.found import people as found_people
from ledger.reads.group_pages import GroupLine, members_of
from ledger.reads.people import people_at
from web.watch.desk import At, Desk, Form, acting, posted
from web.watch.forms import pressed
from web.watch.people.common import MOST_FORM, WRITES, words
from web.watch.people.groups import may_change, the_group
from web.watch.signing_in import NoPage

router = APIRouter()
MOST_UNDONE = (
    40  # people of whom the way back stands in an address, by our numbers of them: it has to hold them all
)
MOST_FILE = MOST_LIST + 16 * 1024  # bytes of the form with it


@dataclass(frozen=True, slots=True)
class Difference:
    """What a list would change: who comes, who goes, and what of it nobody at the school has."""

    joining: Sequence[PersonRow] = field(repr=False)
    leaving: Sequence[PersonRow] = field(repr=False)
    staying: int
    unknown: Sequence[str] = field(repr=False)
    not_members: Sequence[str] = field(repr=False)


@router.get("/watch/groups/{number:int}/members")
def list_(number: int, at: Desk) -> Response:
    """Who is in it, by name."""
    with at.reading() as hand:
        group = _with_members(at, number)
        shown = members_of(hand, group.id, after=at.number("after"))
        undo = people_at(hand, _numbers(at.query("were", 1000)))
    way = at.query("way")
    known = {"group": group, "shown": shown, "undo": undo if way in {"in", "out"} else (), "way": way}
    return at.page("people/members", changes=may_change(at, group), **known, **words())


@router.post("/watch/groups/{number:int}/members")
async def change(number: int, request: Request) -> Response:
    """Look for somebody, add whom one ticked, take out whom one ticked."""
    return await posted(request, lambda at, form: _change(at, form, number), most=MOST_FORM)


@router.get("/watch/groups/{number:int}/list")
def ask_list(number: int, at: Desk) -> Response:
    """A form for a list of the school's own ids."""
    return _list_page(at, _mine(at, number), "", None, None)


@router.post("/watch/groups/{number:int}/list")
async def bring_list(number: int, request: Request) -> Response:
    """Show what a list would change; then make the members equal to it."""
    return await posted(request, lambda at, form: _bring(at, form, number), most=MOST_FILE)


def _change(at: At, form: Form, number: int) -> Response:
    group = _mine(at, number)
    if form["do"] == "find":
        return _found(at, group, form["q"])
    ids = _numbers(",".join(form.all("who")))
    with at.reading() as hand:
        chosen = people_at(hand, ids)
        before = {one.person.id for one in members_of(hand, group.id, limit=verbs.MOST_AT_ONCE).shown}
    adds = pressed(form, {"add": True, "remove": False})
    if not chosen:
        problem = Problem("nobody", "who", "nobody is ticked", "tick those who are meant")
        return _page(at, group, problem)
    try:
        verb = verbs.add_members if adds else verbs.remove_members
        verb(at.ports, group.name, [one.source_id for one in chosen], actor=acting(at))
    except RuleBroken as refused:
        return _page(at, group, refused.problem)
    changed = [one.id for one in chosen if (one.id in before) is not adds]
    to = f"watch/groups/{number}/members"
    if 0 < len(changed) <= MOST_UNDONE:
        to += f"?way={'out' if adds else 'in'}&were={','.join(map(str, changed))}"
    return at.done(to, "members_added" if adds else "members_removed")


def _bring(at: At, form: Form, number: int) -> Response:
    group = _mine(at, number)
    sent = form.file("file")
    try:
        text = sent.data.decode("utf-8-sig") if sent is not None else form["list"]
    except UnicodeDecodeError:
        hint = "save it as a list with commas (CSV), in UTF-8"
        problem = Problem("bad_file", "file", "this file cannot be read", hint)
        return _list_page(at, group, "", None, problem)
    ids = [one for _, one in ids_of(text)]
    try:
        difference = _difference(at, group, ids)
        if form["do"] != "swap":
            return _list_page(at, group, "\n".join(ids), difference, None)
        verbs.set_members(at.ports, group.name, ids, actor=acting(at))
    except RuleBroken as refused:
        problem = Problem(refused.problem.code, "list", refused.problem.message, refused.problem.hint)
        return _list_page(at, group, "\n".join(ids), None, problem)
    return at.done(f"watch/groups/{number}/members", "members_listed")


def _difference(at: At, group: GroupLine, ids: Sequence[str]) -> Difference:
    if not ids:
        hint = "one of the school's own ids a line"
        raise RuleBroken(Problem("nobody", "list", "there is nobody in this list", hint))
    with at.ledger.look() as tx:
        listed = verbs.look_up(tx, ids)
        now = {
            one.person.id: one.person for one in members_of(tx.hand, group.id, limit=verbs.MOST_AT_ONCE).shown
        }
    then = {one.id: one for one in listed.members}
    return Difference(
        joining=[one for number, one in then.items() if number not in now],
        leaving=[one for number, one in now.items() if number not in then],
        staying=len(now.keys() & then.keys()),
        unknown=listed.unknown,
        not_members=listed.not_members,
    )


def _found(at: At, group: GroupLine, typed: str) -> Response:
    typed = " ".join(typed.split())[:MOST_TYPED]
    with at.reading() as hand:
        those = found_people(hand, typed, region=at.settings.school.region)
    return _page(at, group, None, q=typed, those=those)


def _page(at: At, group: GroupLine, problem: Problem | None, **more: object) -> Response:
    with at.reading() as hand:
        shown = members_of(hand, group.id)
    known = {"group": group, "shown": shown, "undo": (), "way": "", "problem": problem}
    return at.page("people/members", 422 if problem else 200, changes=True, **known, **more, **words())


def _list_page(
    at: At, group: GroupLine, typed: str, difference: Difference | None, problem: Problem | None
) -> Response:
    known = {"group": group, "typed": typed, "difference": difference, "problem": problem}
    return at.page("people/members_list", 422 if problem else 200, **known, **words())


def _mine(at: At, number: int) -> GroupLine:
    """A group with members of its own that they may change. Raises NoPage."""
    at.must(*WRITES)
    group = _with_members(at, number)
    if not group.kept:
        raise NoPage(404, "not_found")
    try:
        departments.must_own(acting(at), group.department)
    except RuleBroken:
        raise NoPage(403, "not_yours") from None
    return group


def _with_members(at: At, number: int) -> GroupLine:
    with at.reading() as hand:
        group = the_group(hand, number, at)
    if group.expression is not None or not group.active:
        raise NoPage(404, "not_found")
    return group


def _numbers(text: str) -> Sequence[int]:
    """Our numbers of people, as a form or an address lists them. Raises NoPage."""
    words_ = [word for word in text.split(",") if word][: verbs.MOST_AT_ONCE]
    if not all(word.isascii() and word.isdigit() and len(word) < 19 for word in words_):
        raise NoPage(404, "not_found")
    return [int(word) for word in dict.fromkeys(words_)]
