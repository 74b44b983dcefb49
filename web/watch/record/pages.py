"""Reading the record: what was done, by whom and when, a page at a time, narrowed by theme, by whom, and by day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from broker.errors import RuleBroken
from broker.office import families
from broker.ports.approvals import OperatorRole
from broker.record import Entry
from ledger.reads.sealed import Covered, seals_of
from ledger.reads.search import UNREADABLE, Found, Page, Sought, deliveries_of, search
from ledger.reads.staff import called, name_of, numbered
from web.watch.desk import At, Desk, Form, number, of_the_school, posted
from web.watch.forms import begins, day_of
from web.watch.navigation import READS
from web.watch.record import words
from web.watch.signing_in import NoPage

router = APIRouter()
PAGE = 50
STRETCH = 2_000  # entries that one look goes through: each is read whole, and a page answers at once
MOST_WHO = 100
CARILLON = "carillon"


@dataclass(frozen=True, slots=True)
class Line:
    """One entry, in words."""

    found: Found
    at: datetime
    who: str
    done: str
    facts: Sequence[tuple[str, str]]
    seal: Covered | None
    unreadable: bool


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What somebody narrowed the record by; `by` is who did it, by number: addresses are logged, and hold no name."""

    theme: str = ""
    by: str = ""
    actor: str = ""
    since: str = ""
    until: str = ""

    @property
    def address(self) -> str:
        """The same as part of an address."""
        asked = {"theme": self.theme, "by": self.by, "from": self.since, "to": self.until}
        return urlencode({name: value for name, value in asked.items() if value})


@router.get("/watch/record")
def overview(at: Desk) -> Response:
    """The newest entries, or those before one."""
    reader(at)
    by, actor = _whose(at, at.query("by", MOST_WHO))
    narrowed = Narrowed(at.query("theme", 30), by, actor, at.query("from", 10), at.query("to", 10))
    return _page(at, narrowed, _sought(at, narrowed), at.number("before"))


@router.post("/watch/record/about")
async def about(request: Request) -> Response:
    """What the record tells of one person: looking for them is an act, which it tells, too."""
    return await posted(request, _about)


def _about(at: At, form: Form) -> Response:
    reader(at)
    try:
        with at.ledger.look() as tx:
            person = families.the(tx, " ".join(form["whose"][:MOST_WHO].split()), "whose").id
            theirs = deliveries_of(tx.hand.connection, person)
    except RuleBroken as refused:
        return _page(at, Narrowed(), Sought(), None, 422, problem=refused.problem, form=form)
    before = number(form["before"]) if form["before"] else None
    sought = replace(Sought(), person=person).within(*theirs)
    return _page(at, Narrowed(), sought, before, told=person, whose=form["whose"], form=form)


def reader(at: At) -> None:
    """Raises NoPage for somebody who may not read the record: it is the whole school's."""
    of_the_school(at, *READS)


def _whose(at: At, by: str) -> tuple[str, str]:
    """(who is meant, as an address says it; their name). An older link holds a name, and leads on by number.

    Raises NoPage for a number that nobody has.
    """
    if by in {"", CARILLON}:
        return by, by
    with at.reading() as hand:
        theirs = number(by) if by.isdecimal() else numbered(hand, by)
        name = (
            name_of(hand, theirs) if theirs is not None else by
        )  # a name that is on no staff is looked for as it is
    if name is None:
        raise NoPage(404, "not_found")
    return (by if theirs is None else str(theirs)), name


def _page(
    at: At,
    narrowed: Narrowed,
    sought: Sought,
    before: int | None,
    status: int = 200,
    *,
    told: int | None = None,
    **more: object,
) -> Response:
    with at.reading() as hand:
        page = search(hand.connection, sought, before=before, limit=PAGE, stretch=STRETCH)
        seals = seals_of(hand, [one.id for one in page.entries])
        staff = {str(which): name for which, name in called(hand).items()}
    if told is not None:
        entry = Entry("record.searched", at.actor, {"person": told, "entries": len(page.entries)})
        at.ports.ledger.transact(lambda tx: tx.record.add([entry]))
    if narrowed.by:  # somebody who was taken away since stays chosen
        staff.setdefault(narrowed.by, narrowed.actor)
    shown = {
        "lines": _lines(at, page, seals),
        "older": page.before,
        "narrowed": narrowed,
        "themes": {"": "everything", **{name: called for name, (called, _) in words.THEMES.items()}},
        "people": {"": "anybody", **staff, CARILLON: "Carillon itself"},
        "before": before,
        "whose": "",
        "changes": at.may(OperatorRole.ADMIN),
    }
    return at.page("record/record", status, **{**shown, **more})


def _lines(at: At, page: Page, seals: Mapping[int, Covered]) -> Sequence[Line]:
    names, currency = at.settings.departments, at.settings.school.currency
    return [
        Line(
            one,
            datetime.fromisoformat(one.at),
            words.who(one.actor),
            words.done(one.kind),
            words.facts(one.facts, names, currency),
            seals.get(one.id),
            UNREADABLE in one.facts,
        )
        for one in page.entries
    ]


def _sought(at: At, narrowed: Narrowed) -> Sought:
    kinds = words.THEMES[narrowed.theme][1] if narrowed.theme in words.THEMES else ()
    since, until = narrowed.since, narrowed.until
    return Sought(
        actor=narrowed.actor or None,
        since=begins(day_of(since), at.zone) if since else None,
        until=begins(day_of(until) + timedelta(days=1), at.zone) if until else None,
        kinds=kinds,
    )
