"""`carillon operators`: who may announce, approve, change rules, or only look."""

from __future__ import annotations

from typing import Annotated

import typer

from broker.authority import operators
from broker.ports.approvals import OperatorRole
from cli import show
from cli.house import reading, writing
from cli.options import Json
from cli.options import Operator as ByWhom
from cli.reading import short_words
from ledger.reads.approvals import operators as listed

app = typer.Typer(help="Who may announce, approve, change rules, or look.", invoke_without_command=True)

Name = Annotated[str, typer.Argument(help="The operator, as `carillon operators` lists them.")]
Roles = Annotated[
    list[OperatorRole],
    typer.Option("--role", metavar="ROLE", help="author, approver, admin, auditor; repeat it."),
]


@app.callback()
def list_(context: typer.Context, json: Json = False) -> None:
    """List the operators with their roles. Name one, give one other roles, take one away.

    An author announces; an approver agrees to what others announced; an admin names operators, changes rules, budgets
    and licences, and lets go on what was stopped; an auditor looks. Nobody approves what they announced themselves,
    whatever their roles.

    Examples:

    * `carillon operators add "Mrs Bell" --role author --role approver --department music`
    * `carillon operators role "Mrs Bell" --role author`
    * `carillon operators remove "Mrs Bell"`
    """
    if context.invoked_subcommand is not None:
        return
    with reading() as house, house.ledger.reading() as hand:
        found = listed(hand)
    if json:
        told = [
            {"name": each.name, "roles": sorted(each.roles), "department": each.department} for each in found
        ]
        show.as_json({"operators": told})
        return
    show.table(
        ("operator", "roles", "department"),
        [(each.name, ", ".join(sorted(each.roles)), each.department or "the school") for each in found],
    )
    if not any(OperatorRole.APPROVER in each.roles for each in found):
        show.hint("nobody may approve yet: carillon operators add NAME --role approver")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="A name that people know them by.")],
    role: Roles,
    department: Annotated[str | None, typer.Option(help="The one department they act for; else all.")] = None,
    operator: ByWhom = None,
    json: Json = False,
) -> None:
    """Name somebody who may act. Once there is an admin, only an admin may.

    Example: `carillon operators add "Head teacher" --role approver --role admin`
    """
    called = short_words(name, "name")
    with writing(operator) as (house, actor):
        operators.add(house.ports, called, role, department, actor=actor)
    _answer(called, role, json=json)


@app.command("role")
def role_(name: Name, role: Roles, operator: ByWhom = None, json: Json = False) -> None:
    """Give an operator these roles in place of those before.

    Example: `carillon operators role "Mrs Bell" --role author`
    """
    called = short_words(name, "name")
    with writing(operator) as (house, actor):
        operators.give(house.ports, called, role, actor=actor)
    _answer(called, role, json=json)


@app.command()
def remove(name: Name, operator: ByWhom = None, json: Json = False) -> None:
    """Take an operator away; what they did stays theirs.

    Example: `carillon operators remove "Mrs Bell"`
    """
    called = short_words(name, "name")
    with writing(operator) as (house, actor):
        operators.remove(house.ports, called, actor=actor)
    show.as_json({"operator": called, "removed": True}) if json else show.say(f"{called} acts no more")


def _answer(name: str, roles: list[OperatorRole], *, json: bool) -> None:
    if json:
        show.as_json({"operator": name, "roles": sorted(set(roles))})
    else:
        show.say(f"{name} is {', '.join(sorted(set(roles)))}")
