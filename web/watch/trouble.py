"""What went wrong below a page, told on a page: whoever works there is a person, and reads no program's words."""

from __future__ import annotations

from fastapi import Request, Response
from starlette.exceptions import HTTPException

from broker.errors import Problem
from web.safety import part_of
from web.watch.signing_in import show

PARTS = frozenset({"watch", "account", "sign-in"})  # the first words of the addresses that people sign in for
FILES = "/watch/static/"
NOWHERE = 404
# What each status means to whoever sent a form or opened a page, and what to do.
TOLD = {
    405: Problem("method_not_allowed", "", "this cannot be done here", "begin again from the first page"),
    408: Problem(
        "too_slow", "", "this took too long to arrive", "see whether the connection holds, then send it again"
    ),
    413: Problem("too_large", "", "this is too large", "choose a smaller file, or write less"),
    429: Problem("too_many", "", "too much is asked for at once", "wait a minute, then try again"),
    503: Problem(
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


def told(request: Request, error: HTTPException) -> Response:
    """A page for what was refused. It reads nothing of the ledger: that may be what is away."""
    headers = dict(error.headers or {})
    if error.status_code == NOWHERE:
        return show(request, "not_found", NOWHERE, headers=headers)
    if error.status_code not in TOLD:
        return show(request, "refused", error.status_code, headers=headers)
    return show(request, "trouble", error.status_code, headers=headers, problem=TOLD[error.status_code])


def broken(request: Request, problem: Problem, status: int) -> Response:
    """A page for a rule that was broken where no page of its own tells of it."""
    return show(request, "trouble", status, problem=problem)
