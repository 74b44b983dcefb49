"""`carillon budget`: what a department may spend in a month, what it has spent, and what is to be expected."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

import typer

from broker.authority import spending
from broker.errors import InvalidAnnouncement, Problem
from broker.money import Forecast, month_of, read_amount, read_month, written
from cli import show
from cli.house import reading, writing
from cli.options import Json, Operator
from cli.reading import bad, short_words
from config.assembly import House

app = typer.Typer(help="What departments may spend, and have spent.", no_args_is_help=True)

Department = Annotated[str, typer.Argument(metavar="DEPARTMENT", help="Its short name, such as office.")]
Month = Annotated[
    str | None,
    typer.Option(
        "--month", metavar="MONTH", help="For this month alone, as 2026-11; else for every month without one."
    ),
]


@app.command("set")
def set_(
    department: Department,
    amount: Annotated[
        str | None, typer.Argument(metavar="AMOUNT", help="In the school's currency, such as 120.")
    ] = None,
    month: Month = None,
    none: Annotated[bool, typer.Option("--none", help="No budget any more.")] = False,
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Say what a department may spend in a month; what waited for money is judged anew at once.

    A budget of 0 lets nothing go that costs anything. Urgent announcements go beyond one unless the rules say otherwise
    (`carillon rules explain money.urgent_beyond`).

    Examples:

    * `carillon budget set office 120`
    * `carillon budget set music 200 --month 2026-12`
    * `carillon budget set music --none`
    """
    if (amount is None) is not none:
        raise bad("no_amount", "amount", "say how much, or --none", "such as: carillon budget set office 120")
    given = None if amount is None else read_amount(amount)
    slug = short_words(department, "department")
    about = "" if month is None else read_month(month)
    with writing(operator) as (house, actor):
        spending.set_budget(house.ports, slug, given, month=about, actor=actor)
        told = "no budget" if given is None else _written(house, given)
    if json:
        show.as_json({"department": slug, "month": about or None, "amount": given})
    else:
        show.say(f"{slug}: {told} {'in ' + about if about else 'a month'}")


@app.command("show")
def show_(
    month: Annotated[
        str | None,
        typer.Option("--month", metavar="MONTH", help="Of this month, as 2026-11; else of the present one."),
    ] = None,
    json: Json = False,
) -> None:
    """Show what each department has spent in a month, by account, beside its budget.

    What is in hand counts; what did not leave does not.

    Example: `carillon budget show --month 2026-11 --json`
    """
    with reading() as house:
        with house.ledger.look() as tx:
            about = month_of(tx.now, tx.school.zone) if month is None else read_month(month)
            found = spending.spending_in(tx, about)
        told = [
            {
                "department": one.department,
                "budget": one.budget,
                "spent": one.spent,
                "accounts": dict(one.accounts),
            }
            for one in found
        ]
        if json:
            show.as_json({"month": about, "currency": _currency(house), "departments": told})
            return
        show.table(
            ("department", "spent", "budget", "by"),
            [_row(house, one) for one in told],
            title=about,
            none=f"nothing was spent in {about}, and no budget is set",
        )


@app.command("forecast")
def forecast_(department: Department, json: Json = False) -> None:
    """Show what this month is expected to come to: what is spent, what waits, and the rate of its days so far.

    Example: `carillon budget forecast office`
    """
    slug = short_words(department, "department")
    with reading() as house:
        with house.ledger.look() as tx:
            if not tx.announcements.department_exists(slug):
                raise InvalidAnnouncement(
                    Problem(
                        "unknown_department",
                        "department",
                        "this department is not known",
                        "see `carillon doctor`",
                    )
                )
            found = spending.forecast_of(tx, slug)
        if json:
            show.as_json({"department": slug, "currency": _currency(house), **_as_told(found)})
            return
        show.say(f"{slug} has spent {_written(house, found.spent)} this month")
        show.say(f"what waits would cost {_written(house, found.waiting)}")
        if found.at_this_rate is not None:
            show.say(f"at this rate the month comes to {_written(house, found.at_this_rate)}")
        if found.budget is not None:
            verdict = "more than" if found.beyond else "within"
            show.say(f"that is {verdict} its budget of {_written(house, found.budget)}")


def _row(house: House, one: dict[str, Any]) -> tuple[str, str, str, str]:
    by = ", ".join(f"{name} {_written(house, cost)}" for name, cost in one["accounts"].items())
    budget = "none" if one["budget"] is None else _written(house, one["budget"])
    return one["department"], _written(house, one["spent"]), budget, by


def _as_told(found: Forecast) -> dict[str, Any]:
    return {
        "spent": found.spent,
        "waiting": found.waiting,
        "at_this_rate": found.at_this_rate,
        "expected": found.expected,
        "budget": found.budget,
        "beyond": found.beyond,
    }


def _written(house: House, amount: Decimal) -> str:
    return written(amount, _currency(house))


def _currency(house: House) -> str:
    return house.settings.school.currency
