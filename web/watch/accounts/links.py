"""For other pages, and by private links: what everybody may read, the widget, and each group's own links."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from broker.errors import Problem
from broker.licences.licensing import Shown
from broker.office import private_links
from broker.office.private_links import MadeLink
from ledger.reads.accounts import groups_to_link
from ledger.reads.feeds import public_groups
from web.watch import private_link
from web.watch.accounts import look
from web.watch.desk import At, Desk, Form, number, posted
from web.watch.forms import answered
from web.watch.signing_in import NoPage

router = APIRouter()

MOST_FORM = 8 * 1024
MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Board:
    """One scope of what everybody may read: its name, and the addresses of it below the school's own."""

    name: str
    scope: str


@router.get("/watch/accounts/{name}/links")
def links(name: str, at: Desk) -> Response:
    """The addresses, and who was given a private one."""
    return _page(at, name)


@router.post("/watch/accounts/{name}/links")
async def make(name: str, request: Request) -> Response:
    """A new private link; its address is shown this once."""
    return await posted(request, lambda at, form: _make(at, form, name), most=MOST_FORM)


@router.post("/watch/accounts/{name}/links/{link}/end")
async def end(name: str, link: str, request: Request) -> Response:
    """Take one back."""
    return await posted(request, lambda at, form: _end(at, name, number(link)), most=MOST_FORM)


def _make(at: At, form: Form, name: str) -> Response:
    at.must(*private_link.MAKES)  # before anything is told of the account
    _the(at, name)
    return answered(
        lambda: _page(at, name, made=private_link.make(at, form, form["group"][:200])),
        lambda problem, status: _page(at, name, status, problem=private_link.beside(problem), form=form),
    )


def _end(at: At, name: str, link: int) -> Response:
    at.must(*private_link.MAKES)  # before anything is told of the account
    _the(at, name)

    def work() -> Response:
        private_link.end(at, link, among=private_links.listed(at.ports, department=at.department))
        return at.done(f"watch/accounts/{name}/links", "link_revoked")

    return answered(work, lambda problem, status: _page(at, name, status, problem=problem))


def _page(
    at: At,
    name: str,
    status: int = 200,
    *,
    problem: Problem | None = None,
    form: Form | None = None,
    made: MadeLink | None = None,
) -> Response:
    shown = _the(at, name)
    listed = private_links.listed(at.ports, department=at.department)
    with at.reading() as hand:
        feeds, groups = public_groups(hand), groups_to_link(hand, at.department)
    boards = [Board(at.settings.school.name, at.settings.school.slug)]
    boards += [Board(each, f"departments/{slug}") for slug, each in at.settings.departments.items()]
    boards += [Board(feed.name, f"groups/{feed.slug}") for feed in feeds]
    return at.page(
        "accounts/links",
        status,
        shown=shown,
        boards=boards,
        listed=listed[:MOST_SHOWN],
        groups=[(name, name) for name in groups],
        problem=problem,
        form=form or Form(),
        **private_link.known(at, made),
    )


def _the(at: At, name: str) -> Shown:
    """An account of which there is something to put on other pages. Raises NoPage."""
    shown = look.shown(at, name)
    if not shown.traits.for_anybody or shown.traits.never_alone:
        raise NoPage(404, "not_found")
    return shown
