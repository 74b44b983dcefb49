"""What went wrong below a page, told on a page: whoever works there is a person, and reads no program's words."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import Request, Response
from starlette.exceptions import HTTPException

from broker.errors import Problem
from web.safety import part_of
from web.watch.desk import At
from web.watch.signing_in import NoPage, Signed, show

PARTS = frozenset({"watch", "account", "sign-in"})  # the first words of the addresses that people sign in for
FILES = "/watch/static/"
NOWHERE = 404
AWAY = 503
# What each status means to whoever sent a form or opened a page, and what to do.
TOLD = {
    405: Problem("method_not_allowed", "", "this cannot be done here", "begin again from the first page"),
    408: Problem(
        "too_slow", "", "this took too long to arrive", "see whether the connection holds, then send it again"
    ),
    413: Problem("too_large", "", "this is too large", "choose a smaller file, or write less"),
    429: Problem("too_many", "", "too much is asked for at once", "wait a minute, then try again"),
    AWAY: Problem(
        "unavailable",
        "",
        "this cannot be done just now",
        "wait a minute, then load this page again; what was done already is not done twice",
    ),
}


def at_a_page(request: Request) -> bool:
    """Whether somebody's browser asks for a page, or sends a form of one."""
    path = request.url.path
    return part_of(path) in PARTS and not path.startswith(FILES)


async def no_page(request: Request, error: Exception) -> Response:
    """What stands there instead of a page that there is not, or not for them."""
    assert isinstance(error, NoPage)  # noqa: S101 - registered for it alone
    return _page(request, error.name, error.status)


def told(request: Request, error: HTTPException) -> Response:
    """A page for what was refused. It reads nothing of the ledger: that may be what is away."""
    status, headers = error.status_code, dict(error.headers or {})
    if status == NOWHERE:
        return _page(request, "not_found", status, headers)
    if status not in TOLD:
        return _page(request, "refused", status, headers)
    if status == AWAY:  # a menu would lead to nothing but the same
        return show(request, "trouble", status, headers=headers, problem=TOLD[status])
    return _page(request, "trouble", status, headers, problem=TOLD[status])


def broken(request: Request, problem: Problem, status: int) -> Response:
    """A page for a rule that was broken where no page of its own tells of it."""
    return _page(request, "trouble", status, problem=problem)


def _page(
    request: Request,
    name: str,
    status: int,
    headers: Mapping[str, str] | None = None,
    problem: Problem | None = None,
) -> Response:
    """Within the menu of whoever was found to be signed in before this went wrong; the ledger is not asked again."""
    signed: Signed | None = getattr(request.state, "signed", None)
    if signed is None or not signed.whole:
        return show(request, name, status, headers=headers, problem=problem)
    answer = At(request, signed).page(name, status, zone="", problem=problem)
    answer.headers.update(headers or {})
    return answer
