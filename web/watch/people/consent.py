"""Consent: who said yes or no to what, sheets to collect it on paper, and a filled-in sheet taken in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from fastapi import APIRouter, Request, Response

from broker.consent import consents
from broker.consent.ages import limits_of
from broker.consent.consents import ConsentRefused, Told
from broker.consent.sheets import COLUMNS, MOST_SHEET, rows_of
from broker.errors import Problem, RuleBroken
from broker.moments import today_of
from broker.office import expressions
from broker.office.reach import record_listing
from broker.office.sheets import as_csv
from broker.ports import Ports
from broker.ports.approvals import OperatorRole
from broker.ports.office import PersonRow
from broker.rosters.roster import Role
from broker.rules.ages import CONSENT
from ledger.reads import consented
from ledger.reads.group_pages import group_lines
from ledger.reads.people import Sought, people
from web.watch.desk import At, Desk, Form, acting, of_the_school, posted
from web.watch.forms import called
from web.watch.people.common import MOST_FORM, WRITES, words
from web.watch.people.pages import LISTED
from web.watch.signing_in import HEADERS, NoPage

router = APIRouter()
KEEPS = OperatorRole.AUTHOR  # of a yes, as the verb wants it
MOST_LISTED = 500  # people on one sheet: a whole year; more are printed group by group
MOST_UPLOAD = MOST_SHEET + 64 * 1024  # bytes of the form with it
SHOWN_FAULTS = 50
ANSWERS = {"": None, "yes": True, "no": False}
ASKED = {Role.GUARDIAN: "Guardians", Role.PUPIL: "Pupils", Role.STAFF: "Staff"}


@dataclass(frozen=True, slots=True)
class Counted:
    """What a filled-in sheet says, before it is kept."""

    yes: int
    no: int
    people: int
    rows: Sequence[Told] = field(repr=False)


def ways(ports: Ports, at: At) -> Sequence[str]:
    """The channels that somebody can say yes or no to, of those that the school has an account for."""
    has = {account.channel for account in at.settings.accounts.values()}
    known = [name for name in ports.channels.names() if name in has]
    kinds = {name: ports.channels.traits(name).address_kind for name in known}
    return [name for name, kind in kinds.items() if kind is not None and kind.of_people]


@router.get("/watch/consent")
def list_(at: Desk) -> Response:
    """What was said, the newest first; and how many said yes or no to what."""
    of_the_school(at)
    channel, said = at.query("channel", 63), at.query("said")
    if said not in ANSWERS:
        raise NoPage(404, "not_found")
    with at.ledger.look() as tx:
        shown, more = consented.words(
            tx.hand, channel=channel, given=ANSWERS[said], before=at.number("before")
        )
        standing = consented.standing(tx.hand)
        limits = limits_of(tx.rules.current().words(CONSENT))
    known = {"shown": shown, "more": more, "standing": standing, "limits": limits}
    filters = {"channel": channel, "said": said}
    may = {"writes": at.may(*WRITES), "keeps": at.may(KEEPS)}
    return at.page("people/consent", filters=filters, ways=ways(at.ports, at), **known, **may, **words())


@router.get("/watch/consent/sheet")
def ask_sheet(at: Desk) -> Response:
    """A form: for whom a sheet is wanted."""
    of_the_school(at)
    at.must(*WRITES)
    return _ask_sheet(at, "", "", None)


@router.post("/watch/consent/sheet")
async def sheet(request: Request) -> Response:
    """A sheet to print, or a table to fill in. The record keeps that a list of names was made."""
    return await posted(request, _sheet, most=MOST_FORM)


@router.get("/watch/consent/import")
def ask_import(at: Desk) -> Response:
    """A form for a filled-in sheet."""
    of_the_school(at)
    at.must(KEEPS)
    return _import_page(at, None, "", ())


@router.post("/watch/consent/import")
async def bring(request: Request) -> Response:
    """Read it and say what it says; keep it once somebody has looked."""
    return await posted(request, _bring, most=MOST_UPLOAD)


def _sheet(at: At, form: Form) -> Response:
    of_the_school(at)
    at.must(*WRITES)
    asked, typed = form["who"] or Role.GUARDIAN.value, form["in"]
    if asked not in {role.value for role in ASKED}:
        raise NoPage(400, "refused")
    try:
        with at.ledger.look() as tx:
            audience = expressions.means(tx, typed, acting(at), field="in")
            those = people(tx.hand, Sought(Role(asked), audience), today=today_of(tx), limit=MOST_LISTED)
    except RuleBroken as refused:
        return _ask_sheet(at, asked, typed, called(refused.problem, {"audience": "in"}))
    if not those.people:
        problem = Problem("nobody", "in", "nobody is in this list", "choose another group")
        return _ask_sheet(at, asked, typed, problem)
    record_listing(at.ports, "consent sheet", len(those.people), actor=acting(at))
    if form["do"] == "table":
        return _table(those.people, ways(at.ports, at))
    shown = {"people": those.people, "more": those.after is not None, "typed": typed}
    known = {"asked": ASKED[Role(asked)], "ways": ways(at.ports, at), "most": MOST_LISTED}
    return at.page("people/sheet", **shown, **known, **words())


def _table(those: Sequence[PersonRow], channels: Sequence[str]) -> Response:
    """A row for each person and channel; what is left empty says nothing when it comes back."""
    rows = [
        (one.source_id, channel, "promotional", "", "", "paper form", one.name, "")
        for one in those
        for channel in channels
    ]
    headers = {**HEADERS, "Content-Disposition": 'attachment; filename="consent.csv"'}
    return Response(as_csv(COLUMNS, rows), 200, headers, "text/csv; charset=utf-8")


def _bring(at: At, form: Form) -> Response:
    of_the_school(at)
    at.must(KEEPS)
    sent = form.file("file")
    try:
        text = sent.data.decode("utf-8-sig") if sent is not None else form["sheet"]
        rows = rows_of(text)
        if not rows:
            hint = "fill in yes or no, and choose the file again"
            raise RuleBroken(Problem("empty", "file", "nothing is filled in", hint))
        if form["do"] == "keep":
            consents.keep(at.ports, rows, actor=acting(at))
            return at.done("watch/consent", "consent_brought")
        # As it will be kept, but for the keeping: whoever looks shall not hear of a fault afterwards.
        consents.look(at.ports, rows)
    except UnicodeDecodeError:
        hint = "save it as CSV with commas, in UTF-8"
        return _import_page(at, None, "", (Problem("bad_file", "file", "this file cannot be read", hint),))
    except ConsentRefused as refused:
        return _import_page(at, None, "", refused.problems)
    except RuleBroken as refused:
        return _import_page(at, None, "", (refused.problem,))
    yes = sum(one.given for one in rows)
    counted = Counted(yes, len(rows) - yes, len({one.person for one in rows}), rows[:SHOWN_FAULTS])
    return _import_page(at, counted, text, ())


def _import_page(at: At, counted: Counted | None, text: str, problems: Sequence[Problem]) -> Response:
    shown = {"counted": counted, "text": text, "columns": COLUMNS}
    many = {"problems": problems[:SHOWN_FAULTS], "beyond": max(0, len(problems) - SHOWN_FAULTS)}
    return at.page("people/consent_import", 422 if problems else 200, **shown, **many, **words())


def _ask_sheet(at: At, asked: str, typed: str, problem: Problem | None) -> Response:
    with at.reading() as hand:
        offered = group_lines(hand, kinds=LISTED)
    known = {"asked": asked or Role.GUARDIAN.value, "typed": typed, "offered": offered, "problem": problem}
    roles = [(role.value, words_) for role, words_ in ASKED.items()]
    return at.page("people/consent_sheet", 422 if problem else 200, roles=roles, **known, **words())
