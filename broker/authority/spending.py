"""Spending: budgets set by people, and the alarms that say how far one is used."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from broker.actor import Actor
from broker.authority import operators
from broker.errors import InvalidAnnouncement, NotToBeChanged, Problem
from broker.money import Forecast, amount_of, forecast, micros, month_of
from broker.ports import Ports, Transaction
from broker.ports.approvals import OperatorRole
from broker.record import Entry

NEARLY, USED_UP = "budget_nearly_used", "budget_used_up"


@dataclass(frozen=True, slots=True)
class Spending:
    """What a department has spent in a month, by account, beside what it may spend.

    `own`: the month has a budget of its own. `forecast`: what the present month is expected to come to.
    """

    department: str
    budget: Decimal | None
    own: bool
    spent: Decimal
    accounts: Mapping[str, Decimal]
    forecast: Forecast | None = None


def as_set(tx: Transaction, department: str, month: str) -> str:
    """What is set for this very month ("": for every month that has none of its own), as a word to be compared."""
    found = (row for row in tx.money.budgets() if (row.department, row.month) == (department, month))
    row = next(found, None)
    return str(row.amount) if row is not None else "nothing"


def set_budget(
    ports: Ports,
    department: str,
    amount: Decimal | None,
    *,
    month: str = "",
    actor: Actor,
    seen: str | None = None,
) -> None:
    """What a department may spend in a month, or in every month that has none of its own; None for no limit.

    What waited for money is judged anew at once. `seen`: what was set when somebody looked (`as_set`).
    Raises NotAllowed; InvalidAnnouncement for a department that there is not; NotToBeChanged where it is another sum
    by now than they saw.
    """

    def work(tx: Transaction) -> None:
        operators.must(tx, actor, OperatorRole.ADMIN)
        if not tx.announcements.department_exists(department):
            hint = "see `carillon doctor`"
            raise InvalidAnnouncement(
                Problem("unknown_department", "department", "this department is not known", hint)
            )
        if seen not in {None, as_set(tx, department, month)}:
            message = "somebody has set another budget meanwhile"
            raise NotToBeChanged(Problem("changed_since", "amount", message, "look at it, then decide"))
        kept = None if amount is None else micros(amount)
        tx.money.set_budget(department, month, kept, by=actor.id)
        for kind in (NEARLY, USED_UP):
            for about in {month, month_of(tx.now, tx.school.zone)}:
                tx.sweeps.clear_alarm(kind, _subject(department, about))
        facts = {"department": department, "month": month, "amount": kept}
        tx.record.add([Entry("budget.set", actor, facts)])
        _warn(tx, [(department, month_of(tx.now, tx.school.zone))])

    ports.ledger.transact(work)


def budget_of(tx: Transaction, department: str, month: str) -> Decimal | None:
    """What a department may spend in a month: the month's own budget, else the standing one, else None."""
    found = {row.month: row.amount for row in tx.money.budgets() if row.department == department}
    kept = found.get(month, found.get(""))
    return None if kept is None else amount_of(kept)


def forecast_of(tx: Transaction, department: str) -> Forecast:
    """What this month is expected to come to."""
    month = month_of(tx.now, tx.school.zone)
    spent = sum(row.cost for row in tx.money.spent(month) if row.department == department)
    waiting = tx.money.waiting().get(department, 0)
    return forecast(
        amount_of(spent),
        amount_of(waiting),
        budget_of(tx, department, month),
        now=tx.now,
        zone=tx.school.zone,
    )


def spending_in(tx: Transaction, month: str, departments: Collection[str] = ()) -> Sequence[Spending]:
    """What was spent in a month: of these departments, and of whichever others spent something or have a budget."""
    rows, budgets = tx.money.spent(month), tx.money.budgets()
    zone, present = tx.school.zone, month == month_of(tx.now, tx.school.zone)
    waiting = tx.money.waiting() if present else {}
    found = []
    known = {*(row.department for row in rows), *(row.department for row in budgets)}
    for slug in sorted({*departments, *known}):
        accounts = {row.account: amount_of(row.cost) for row in rows if row.department == slug}
        its = {row.month: amount_of(row.amount) for row in budgets if row.department == slug}
        spent, budget = sum(accounts.values(), Decimal(0)), its.get(month, its.get(""))
        coming = None
        if present:
            coming = forecast(spent, amount_of(waiting.get(slug, 0)), budget, now=tx.now, zone=zone)
        found.append(Spending(slug, budget, month in its, spent, accounts, coming))
    return found


def warn_of_spend(ports: Ports) -> int:
    """Fold what was spent, and raise an alarm where a budget is nearly used or used up; returns how many it was about.

    For the sweep, which does it once a second, and mostly finds nothing: no writer waits for that.
    """
    with ports.ledger.look() as seen:
        if not seen.money.unfolded():
            return 0

    def work(tx: Transaction) -> int:
        if not tx.sweeps.may_sweep():
            return 0
        changed = tx.money.fold()
        _warn(tx, changed)
        return len(changed)

    return ports.ledger.transact(work)


def _warn(tx: Transaction, changed: Collection[tuple[str, str]]) -> None:
    limited = {row.department for row in tx.money.budgets()} if changed else set()
    for department, month in sorted(changed):
        budget = budget_of(tx, department, month) if department in limited else None
        if budget is None:
            continue
        kept = sum(row.cost for row in tx.money.spent(month) if row.department == department)
        spent, subject = amount_of(kept), _subject(department, month)
        told = f"{spent:,.2f} of {budget:,.2f} are spent"
        if spent >= budget:
            tx.sweeps.raise_alarm(USED_UP, subject, f"{told}: see carillon budget show")
            tx.sweeps.clear_alarm(NEARLY, subject)
        elif spent >= budget * tx.rules.current().ratio("money.warn_at"):
            tx.sweeps.raise_alarm(NEARLY, subject, f"{told}: see carillon budget forecast")


def _subject(department: str, month: str) -> str:
    return f"{department} {month}".strip()
