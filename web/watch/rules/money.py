"""Budgets: what each department has spent in a month, by which account, beside what it may; and setting one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from fastapi import APIRouter, Request, Response

from broker.authority import spending
from broker.authority.spending import Spending
from broker.errors import Problem, RuleBroken
from broker.money import month_of, read_amount, read_month, written
from broker.ports.approvals import OperatorRole
from ledger.reads.departments import departments
from web.watch.desk import At, Desk, Form, posted
from web.watch.forms import status_of
from web.watch.signing_in import NoPage

router = APIRouter()
EVERY, THIS = "every", "this"


@router.get("/watch/budgets")
def overview(at: Desk) -> Response:
    """What every department has spent in a month; of whoever is of one, that one."""
    month = _month(at)
    with at.ledger.look() as tx:
        names = departments(tx.hand)
        present = month_of(tx.now, tx.school.zone)
        found = spending.spending_in(tx, month or present, _theirs(at, names))
    rows = [one for one in found if at.department in {None, one.department}]
    return at.page(
        "rules/budgets",
        rows=rows,
        names=names,
        month=month or present,
        present=present,
        changes=at.may(OperatorRole.ADMIN),
        **_words(at, month or present),
    )


@router.get("/watch/budgets/{department}")
def one(department: str, at: Desk) -> Response:
    """A department's budget, to be changed."""
    return _page(at, department)


@router.post("/watch/budgets/{department}")
async def change(department: str, request: Request) -> Response:
    """Show what would change, or keep it."""
    return await posted(request, lambda at, form: _change(at, form, department))


def _change(at: At, form: Form, department: str) -> Response:
    at.must(OperatorRole.ADMIN)
    its, name, month = _its(at, department)
    about = month if form["for"] == THIS else ""
    try:
        amount = None if form["do"] == "none" else _amount(form)
        if form["sure"] != "yes":
            budget = None if amount is None else _said(at, amount)
            with at.ledger.look() as tx:
                was = spending.as_set(tx, department, about)
            more = {"its": its, "name": name, "month": month, "about": about, "amount": amount, "seen": was}
            return at.page("rules/budget_change", **{**_words(at, month), **more, "budget": budget})
        seen = form["seen"] or None
        spending.set_budget(at.ports, department, amount, month=about, actor=at.actor, seen=seen)
    except RuleBroken as refused:
        return _page(at, department, status_of(refused), problem=refused.problem, form=form)
    return at.done(f"watch/budgets?month={month}", "budget_gone" if amount is None else "budget_set")


def _amount(form: Form) -> Decimal:
    if not form["amount"]:
        raise RuleBroken(Problem("no_amount", "amount", "say how much", "write it as 120 or 120.50"))
    return read_amount(form["amount"][:40].replace(",", ""))


def _page(at: At, department: str, status: int = 200, **more: object) -> Response:
    its, name, month = _its(at, department)
    may = at.may(OperatorRole.ADMIN)
    known = {"its": its, "name": name, "month": month, "changes": may, **_words(at, month)}
    return at.page("rules/budget", status, **{**known, **more})


def _its(at: At, department: str) -> tuple[Spending, str, str]:
    """A department's money in the month that is asked for. Raises NoPage for one that is not there for them."""
    if at.department not in {None, department}:
        raise NoPage(404, "not_found")
    asked = _month(at)
    with at.ledger.look() as tx:
        names = departments(tx.hand)
        month = asked or month_of(tx.now, tx.school.zone)
        found = spending.spending_in(tx, month, [department]) if department in names else ()
    its = next((one for one in found if one.department == department), None)
    if its is None:
        raise NoPage(404, "not_found")
    return its, names[department], month


def _month(at: At) -> str:
    """The month of the address; "" for the present one. Raises NoPage for what is no month."""
    asked = at.query("month", most=10)
    try:
        return read_month(asked) if asked else ""
    except RuleBroken:
        raise NoPage(404, "not_found") from None


def _theirs(at: At, names: Mapping[str, str]) -> list[str]:
    return [name for name in names if at.department in {None, name}]


def _words(at: At, month: str) -> dict[str, object]:
    first = datetime.strptime(month, "%Y-%m")  # noqa: DTZ007 - a month of the calendar, not a moment
    year, number = first.year, first.month
    return {
        "money": lambda amount: _said(at, amount),
        "called": f"{first:%B %Y}",
        "earlier": f"{year - 1}-12" if number == 1 else f"{year}-{number - 1:02d}",
        "later": f"{year + 1}-01" if number == 12 else f"{year}-{number + 1:02d}",
    }


def _said(at: At, amount: Decimal) -> str:
    return written(amount, at.settings.school.currency)
