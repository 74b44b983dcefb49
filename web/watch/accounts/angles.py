"""The four angles of an account: what is settled of each, filled in, looked over, signed.

Nothing is kept before it was looked over: the form leads to a page that shows what it says and how the account would
stand then, and that page has the button which signs.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from broker.errors import InvalidLicence, NotFound, Problem, RuleBroken
from broker.licences import licensing
from broker.licences.licence import Angle
from broker.licences.licence_sheet import sheet as licence_sheet
from broker.licences.licence_words import WHY
from broker.licences.licensing import Shown
from broker.ports.approvals import OperatorRole
from web import papers
from web.safety import CSP
from web.watch import words
from web.watch.accounts import fields, look
from web.watch.accounts.pages import may_run
from web.watch.accounts.standing import day_of
from web.watch.desk import At, Desk, Form, posted
from web.watch.signing_in import HEADERS, NoPage

router = APIRouter()

FIRST_VERSION = 0  # of a form that was opened before anything was settled


@router.get("/watch/accounts/{name}/licence")
def licence(name: str, at: Desk) -> Response:
    """All that is settled about an account."""
    shown = look.shown(at, name)
    settled = {angle: fields.said(shown, angle) for angle in Angle}
    return at.page("accounts/licence", shown=shown, settled=settled, day_of=day_of, runs=may_run(at), why=WHY)


@router.get("/watch/accounts/{name}/licence/print")
def printed(name: str, at: Desk) -> Response:
    """The same as a sheet for the governors' file."""
    shown = look.shown(at, name)
    paper = papers.paper_about(at.ledger, f"The licence of {name}", at.zone, printed=False)
    return HTMLResponse(papers.blocks(paper, licence_sheet(shown)), headers={**HEADERS, CSP: papers.POLICY})


@router.get("/watch/accounts/{name}/licence/{angle}")
def ask(name: str, angle: str, at: Desk) -> Response:
    """The form of one angle, with what stands."""
    at.must(OperatorRole.ADMIN)
    which, shown = _angle(angle), look.shown(at, name)
    return _form(at, shown, which, fields.settled(shown, which))


@router.post("/watch/accounts/{name}/licence/{angle}")
async def settle(name: str, angle: str, request: Request) -> Response:
    """Look it over, sign it, or have another row."""
    return await posted(request, lambda at, form: _settle(at, form, name, angle))


def _settle(at: At, form: Form, name: str, angle: str) -> Response:
    at.must(OperatorRole.ADMIN)
    which, shown = _angle(angle), look.shown(at, name)
    told = fields.typed(form, which)
    if form["do"] in ("more", "back"):
        return _form(at, shown, which, told, form=form, more=int(form["do"] == "more"))
    version = _version(form)
    try:
        fields.must_say_something(told, which)
        if form["do"] != "sign":
            would = licensing.consider(
                at.ports, name, {angle: told}, actor=at.actor, changes_version=version or None
            )
            return _review(at, would, which, form)
        _must_be_first(shown, version)
        before = shown.row.version if shown.row else FIRST_VERSION
        after = licensing.save(at.ports, name, {angle: told}, actor=at.actor, changes_version=version or None)
    except NotFound:
        raise NoPage(404, "not_found") from None
    except RuleBroken as refused:
        problem = refused.problem
        if isinstance(refused, InvalidLicence):
            problem = fields.beside(refused, form, which)
        return _form(at, shown, which, told, 422, problem=problem, form=form)
    same = after.row is not None and after.row.version == before
    return at.done(_next(after, which), "angle_same" if same else "angle_signed")


def _next(after: Shown, which: Angle) -> str:
    """On to the next angle that does not hold, as somebody walks through them; else to what is settled."""
    base = f"watch/accounts/{after.account.name}/licence"
    open_ = [
        angle for angle, standing in after.standings.items() if not standing.holds and angle is not which
    ]
    return f"{base}/{open_[0].value}" if open_ else base


def _form(
    at: At,
    shown: Shown,
    angle: Angle,
    told: dict[str, Any],
    status: int = 200,
    *,
    problem: Problem | None = None,
    form: Form | None = None,
    more: int = 0,
) -> Response:
    version = form["version"] if form else str(shown.row.version if shown.row else FIRST_VERSION)
    return at.page(
        "accounts/angle",
        status,
        shown=shown,
        angle=angle,
        angles=list(Angle),
        sheet=fields.sheet(angle, told, more=more),
        asks={code: words.spoken(sentence) for code, sentence in shown.terms.asks.items()},
        why=WHY,
        version=version,
        problem=problem,
    )


def _review(at: At, would: Shown, angle: Angle, form: Form) -> Response:
    """What is about to be signed, and what comes of it."""
    said = fields.said(would, angle)
    kept = {name: form.values[name] for name in form.values if name not in ("token", "do")}
    return at.page("accounts/review", would=would, angle=angle, said=said, kept=kept, day_of=day_of)


def _angle(text: str) -> Angle:
    try:
        return Angle(text)
    except ValueError:
        raise NoPage(404, "not_found") from None


def _version(form: Form) -> int:
    """The version that the form was made from; 0 where nothing was settled then."""
    text = form["version"]
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else FIRST_VERSION


def _must_be_first(shown: Shown, version: int) -> None:
    """A form that was opened before anything was settled does not go over what somebody settled since."""
    if version == FIRST_VERSION and shown.row is not None:
        hint = "look at it once more, then decide"
        raise InvalidLicence(Problem("changed_since", "account", "somebody changed it meanwhile", hint))
