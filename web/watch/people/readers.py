"""Who else can read what a group is told: everybody, once it is public, and whoever was given a private link."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from broker.audience import fold
from broker.authority import departments
from broker.errors import Problem, RuleBroken
from broker.office import public_groups
from broker.office.private_links import MadeLink
from broker.ports.events import EventRow
from config.calendar_feeds import AHEAD
from ledger.connect import Transaction as LedgersOwn
from ledger.reads.feeds import CHANNEL, Kind, Scope, Standing, newest
from ledger.reads.group_pages import GroupLine
from web.watch import private_link
from web.watch.desk import At, Desk, Form, acting, posted
from web.watch.desk import number as number_of
from web.watch.forms import answered, pressed
from web.watch.people.common import MOST_FORM, WRITES, words
from web.watch.people.groups import the_group
from web.watch.signing_in import NoPage

router = APIRouter()
FEW = 3  # announcements and events by name: enough to see of what kind they are
MOST_LINKS = 100


@dataclass(frozen=True, slots=True)
class Open:
    """What strangers read of a group, or would: its newest announcements, and its events that are to come."""

    said: Sequence[Standing]
    events: Sequence[EventRow]


NOTHING = Open((), ())


@router.get("/watch/groups/{number:int}/readers")
def look(number: int, at: Desk) -> Response:
    """Whether everybody may read it, what that shows, and who was given a private link."""
    return _page(at, number)


@router.post("/watch/groups/{number:int}/readers")
async def act(number: int, request: Request) -> Response:
    """Publish it or hide it; make a private link or end one."""
    return await posted(request, lambda at, form: _act(at, form, number), most=MOST_FORM)


def _act(at: At, form: Form, number: int) -> Response:
    group = _active(at, number)
    do = pressed(form, {"publish": _publish, "hide": _hide, "make": _make, "end": _end})
    return answered(
        lambda: do(at, form, group),
        lambda problem, status: _page(at, number, status, problem=private_link.beside(problem), form=form),
    )


def _publish(at: At, form: Form, group: GroupLine) -> Response:
    return _set_public(at, group, public=True)


def _hide(at: At, form: Form, group: GroupLine) -> Response:
    return _set_public(at, group, public=False)


def _set_public(at: At, group: GroupLine, *, public: bool) -> Response:
    at.must(*WRITES)
    public_groups.set_public(at.ports, group.name, public=public, actor=acting(at))
    return at.done(f"watch/groups/{group.id}/readers", "group_published" if public else "group_hidden")


def _make(at: At, form: Form, group: GroupLine) -> Response:
    return _page(at, group.id, made=private_link.make(at, form, group.name))


def _end(at: At, form: Form, group: GroupLine) -> Response:
    with at.ledger.look() as tx:
        links = tx.links.all(group=group.id)
    private_link.end(at, number_of(form["link"]), among=links)
    return at.done(f"watch/groups/{group.id}/readers", "group_link_ended")


def _page(
    at: At,
    number: int,
    status: int = 200,
    *,
    problem: Problem | None = None,
    form: Form | None = None,
    made: MadeLink | None = None,
) -> Response:
    with at.ledger.look() as tx:
        group = _in_use(the_group(tx.hand, number, at))
        scope = Scope(Kind.GROUP, public_groups.slug_of(group.name), group.name, group.department)
        mine = _is_theirs(at, group)
        # What another department says and plans is no business of somebody who can only look, until it is public.
        shown = _open(tx, scope) if mine or group.public else NOTHING
        links = tx.links.all(group=group.id) if mine else ()
    known = {
        "group": group,
        "open": shown,
        "few": FEW,
        "scope": f"groups/{scope.slug}",
        "feeds": any(account.channel == CHANNEL for account in at.settings.accounts.values()),
        "mine": mine,
        "links": links[:MOST_LINKS],
        "publishes": mine and at.may(*WRITES),
        **private_link.known(at, made),
    }
    return at.page("people/readers", status, problem=problem, form=form or Form(), **known, **words())


def _open(tx: LedgersOwn, scope: Scope) -> Open:
    """By its name exactly, as its feed and its calendar go."""
    mine = fold(scope.name)
    ahead = tx.events.between(tx.now, tx.now + AHEAD)
    return Open(newest(tx.hand, scope, limit=FEW), [one for one in ahead if fold(one.audience) == mine])


def _active(at: At, number: int) -> GroupLine:
    with at.reading() as hand:
        return _in_use(the_group(hand, number, at))


def _in_use(group: GroupLine) -> GroupLine:
    """Of one that was given up there is nothing to read. Raises NoPage."""
    if not group.active:
        raise NoPage(404, "not_found")
    return group


def _is_theirs(at: At, group: GroupLine) -> bool:
    try:
        departments.must_own(acting(at), group.department)
    except RuleBroken:
        return False
    return True
