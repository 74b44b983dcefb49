"""For other pages, and by private links: what everybody may read, the widget, and each group's own links."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from broker.errors import NotFound, Problem, RuleBroken
from broker.licences.licensing import Shown
from broker.office import private_links as verbs
from broker.office.private_links import MadeLink
from broker.ports.approvals import OperatorRole
from channels.rss.feed import Format
from config.private_feeds import ICS
from ledger.reads.accounts import groups_to_link
from ledger.reads.feeds import public_groups
from web.watch.accounts import look
from web.watch.desk import At, Desk, Form, acting, number, posted
from web.watch.private_link import addresses_of
from web.watch.signing_in import NoPage

router = APIRouter()

MOST_FORM = 8 * 1024
MAKES = (OperatorRole.AUTHOR,)  # as the verb wants it
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
    at.must(*MAKES)
    _the(at, name)
    try:
        made = verbs.make(at.ports, form["group"][:200], form["about"], actor=acting(at))
    except RuleBroken as refused:
        at_field = {"name": "group", "for": "about"}.get(refused.problem.field, refused.problem.field)
        told = Problem(refused.problem.code, at_field, refused.problem.message, refused.problem.hint)
        return _page(at, name, 422, problem=told, form=form)
    return _page(at, name, made=made)


def _end(at: At, name: str, link: int) -> Response:
    at.must(*MAKES)
    _the(at, name)
    try:
        verbs.revoke(at.ports, link, actor=acting(at))
    except NotFound:
        raise NoPage(404, "not_found") from None
    except RuleBroken as refused:
        return _page(at, name, 422, problem=refused.problem)
    return at.done(f"watch/accounts/{name}/links", "link_revoked")


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
    with at.ledger.look() as tx:
        listed = [one for one in tx.links.all() if at.department in {None, one.department}]
        feeds, groups = public_groups(tx.hand), groups_to_link(tx.hand, at.department)
    base = at.settings.public_url or ""
    boards = [Board(at.settings.school.name, at.settings.school.slug)]
    boards += [Board(each, f"departments/{slug}") for slug, each in at.settings.departments.items()]
    boards += [Board(feed.name, f"groups/{feed.slug}") for feed in feeds]
    return at.page(
        "accounts/links",
        status,
        shown=shown,
        base=base,
        boards=boards,
        endings=[form_.value for form_ in Format],
        calendar=ICS,
        listed=listed[:MOST_SHOWN],
        groups=[(name, name) for name in groups],
        makes=at.may(*MAKES),
        problem=problem,
        form=form or Form(),
        made=made,
        addresses=addresses_of(at, made) if made else (),
    )


def _the(at: At, name: str) -> Shown:
    """An account of which there is something to put on other pages. Raises NoPage."""
    shown = look.shown(at, name)
    if not shown.traits.for_anybody or shown.traits.never_alone:
        raise NoPage(404, "not_found")
    return shown
