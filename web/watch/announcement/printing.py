"""Papers for those whom nothing reached: slips, letters, whom to ring. They hold names: a button makes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from broker.duty import DutyState
from broker.errors import Problem, RuleBroken
from broker.office.reach import Untold, kinds_of, record_listing
from channels.markup import plain_words, to_plain
from ledger.hand import Hand
from ledger.reads.ladders import climbers, laddered
from ledger.reads.phones import calls
from ledger.reads.reach import after
from ledger.reads.watch import Shown
from web import papers
from web.safety import CSP
from web.watch.announcement import acting, words
from web.watch.announcement.pages import the
from web.watch.desk import At, Desk, Form, posted
from web.watch.hub import Hub
from web.watch.signing_in import HEADERS, NoPage

router = APIRouter()
MOST_PRINTED = 3_000  # people: a ream of paper at the most, and as much as one look may take
PAGE = 1_000


@router.get("/watch/{public_id:uuid}/papers")
def ask(public_id: UUID, at: Desk) -> Response:
    """What can be printed, and for how many; no name stands here."""
    return _papers(at, public_id)


@router.post("/watch/{public_id:uuid}/papers/{what}")
async def make(public_id: UUID, what: str, request: Request) -> Response:
    """One paper."""
    if what not in MAKE:
        raise NoPage(404, "not_found")
    return await posted(request, partial(_make, public_id, what))


def _make(public_id: UUID, what: str, at: At, form: Form) -> Response:
    at.must(*acting.ACTS)
    with at.reading() as hand:
        row = the(hand, at, public_id)
        on_sheet = form["who"] == "sheet"
        few = _count(at, hand, row) <= MOST_PRINTED
        untold = (_on_sheet if on_sheet else _untold)(at, hand, row) if few else ()
    try:
        if not few:
            message = f"this is about more than {MOST_PRINTED:,} people"
            raise RuleBroken(Problem("too_many", "", message, "wait until it has gone out"))
        html = MAKE[what](at, row, untold)
    except RuleBroken as refused:
        return _papers(at, public_id, 422, problem=refused.problem)
    return HTMLResponse(html, headers={**HEADERS, CSP: papers.POLICY})


def _slips(at: At, row: Shown, untold: Sequence[Untold]) -> str:
    return _wording_on(at, row, untold, papers.slips, "Slips")


def _letters(at: At, row: Shown, untold: Sequence[Untold]) -> str:
    return _wording_on(at, row, untold, papers.letters, "Letter", whole=True)


def _phones(at: At, row: Shown, untold: Sequence[Untold]) -> str:
    """Numbers stand on it in full: that somebody looked is in the record."""
    with at.reading() as hand:
        listed = calls(hand, [one.person for one in untold])
    paper = papers.paper_about(at.ledger, f"Not reached: {row.title}", at.zone, printed=True)
    record_listing(at.ports, "phones", len(untold), actor=at.actor)
    return papers.phones(paper, untold, listed)


MAKE = {"slips": _slips, "letters": _letters, "phones": _phones}


def _wording_on(
    at: At,
    row: Shown,
    untold: Sequence[Untold],
    make: Callable[[papers.Paper, Sequence[Untold], str], str],
    name: str,
    *,
    whole: bool = False,
) -> str:
    with at.ledger.look() as tx:
        content = papers.wording_of(tx, row.announcement.id)
    paper = papers.paper_about(at.ledger, f"{name}: {content.title}", at.zone, printed=True)
    return make(paper, untold, to_plain(content.long) if whole else plain_words(content))


def _untold(at: At, hand: Hand, row: Shown) -> Sequence[Untold]:
    kinds = kinds_of(at.ports.channels, row.announcement)
    return after(hand, row.announcement, kinds).untold


def _on_sheet(at: At, hand: Hand, row: Shown) -> Sequence[Untold]:
    """Those who stand on the slip sheet, and whom nothing has reached since."""
    said, last = row.announcement, 0
    kinds, found = kinds_of(at.ports.channels, said), list[Untold]()
    while page := climbers(hand, said, rung=len(said.ways), unmet=True, after=last, limit=PAGE, kinds=kinds):
        found += [Untold(one.person, one.name, one.group, one.why) for one in page]
        last = page[-1].duty
    return sorted(found, key=lambda one: (one.group, one.name))


def _count(at: At, hand: Hand, row: Shown) -> int:
    hub: Hub = at.request.app.state.hub
    counted = hub.counts.of(hand, row, exact=True).duties
    return counted.get(DutyState.OPEN, 0) + counted.get(DutyState.LAPSED, 0)


def _papers(at: At, public_id: UUID, status: int = 200, **known: object) -> Response:
    at.must(*acting.ACTS)
    with at.reading() as hand:
        row = the(hand, at, public_id)
        untold, whole = _count(at, hand, row), laddered(hand, public_id)
    has_ladder = whole is not None and whole.ladder is not None
    sheet = whole.counted.get(len(row.announcement.ways), {}) if whole is not None else {}
    return at.page(
        "announcement/papers",
        status,
        shown=row,
        untold=untold,
        laddered=has_ladder,
        on_sheet=sum(n for state, n in sheet.items() if state is not DutyState.MET),
        most=MOST_PRINTED,
        words=words,
        **known,
    )
