"""The letter to parents: read on a page, printed, or taken as plain text for another letter."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse, PlainTextResponse

from broker.errors import NotFound, RuleBroken
from broker.licences import letter as letters
from broker.licences.licensing import Shown
from config.letters import who_speaks
from web import papers
from web.safety import CSP
from web.watch.desk import At, Desk
from web.watch.signing_in import HEADERS, NoPage

router = APIRouter()

TITLE = "How the school keeps in touch"
MOST_CHOSEN = 50  # accounts; no school has so many


@router.get("/watch/letter")
def letter(at: Desk) -> Response:
    """The letter as it would be printed now, and which accounts it leaves out."""
    left_out, blocks = _made(at)
    parts = [(type(block).__name__, block) for block in blocks]
    return at.page("accounts/letter", parts=parts, left_out=left_out, query=_query(at))


@router.get("/watch/letter/print")
def printed(at: Desk) -> Response:
    """A sheet to print."""
    _, blocks = _made(at)
    if not blocks:
        raise NoPage(404, "not_found")
    paper = papers.paper_about(at.ledger, TITLE, at.zone, printed=False)
    return HTMLResponse(papers.blocks(paper, blocks), headers={**HEADERS, CSP: papers.POLICY})


@router.get("/watch/letter/text")
def plain(at: Desk) -> Response:
    """The words alone."""
    _, blocks = _made(at)
    if not blocks:
        raise NoPage(404, "not_found")
    name = {"Content-Disposition": 'attachment; filename="letter.txt"'}
    return PlainTextResponse(letters.as_text(blocks), headers={**HEADERS, **name})


def _made(at: At) -> tuple[Sequence[Shown], Sequence[letters.Block]]:
    """Who is left out, and what it says; nothing where no account may speak. Raises NoPage."""
    try:
        left_out, ways = who_speaks(at.settings, at.ports, _chosen(at))
    except NotFound:
        raise NoPage(404, "not_found") from None
    except RuleBroken:  # none may speak: there is nothing to tell parents yet
        return (), ()
    return left_out, letters.letter(at.settings.school.name, ways)


def _chosen(at: At) -> list[str]:
    """Which accounts were ticked; none for all."""
    return [
        name[:63] for name in at.request.query_params.getlist("account")[:MOST_CHOSEN] if name.isprintable()
    ]


def _query(at: At) -> str:
    """The same accounts for the sheet."""
    return f"?{urlencode([('account', name) for name in _chosen(at)])}" if _chosen(at) else ""
