"""`carillon operators`: who may announce, approve, change rules, or only look."""

from __future__ import annotations

from typing import Annotated

import typer

from broker.authority import identities, operators, passwords, signin
from broker.ports.approvals import OperatorRole
from cli import show
from cli.house import reading, writing, zone_of
from cli.options import Json
from cli.options import Operator as ByWhom
from cli.reading import short_words
from config.identity_links import account_elsewhere, link_address
from config.vault import vault_of
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
    _answer(called, role, json=json, department=department)


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
def move(
    name: Name,
    department: Annotated[
        str | None, typer.Argument(help="The one department they act for from now on; left out, all.")
    ] = None,
    operator: ByWhom = None,
    json: Json = False,
) -> None:
    """Let an operator act for another department, or for the whole school. It holds from their next request on.

    Example: `carillon operators move "Mrs Bell" music`
    """
    called = short_words(name, "name")
    with writing(operator) as (house, actor):
        operators.move(house.ports, called, department, actor=actor)
    if json:
        show.as_json({"operator": called, "department": department})
    else:
        show.say(f"{called} acts for {department or 'the whole school'}")


@app.command()
def remove(name: Name, operator: ByWhom = None, json: Json = False) -> None:
    """Take an operator away; what they did stays theirs.

    Example: `carillon operators remove "Mrs Bell"`
    """
    called = short_words(name, "name")
    with writing(operator) as (house, actor):
        operators.remove(house.ports, called, actor=actor)
    show.as_json({"operator": called, "removed": True}) if json else show.say(f"{called} acts no more")


@app.command()
def invite(name: Name, operator: ByWhom = None, json: Json = False) -> None:
    """Make a link by which somebody chooses a password, once, within a day. Only an admin may.

    Hand it to them yourself, or send it to an address that you know is theirs: whoever opens it is them.

    Example: `carillon operators invite "Mrs Bell"`
    """
    called = short_words(name, "name")
    with writing(operator) as (house, actor):
        where = link_address(house.settings, signin.invite(house.ports, called, actor=actor))
    show.as_json({"operator": called, "link": where}) if json else print(where, flush=True)
    show.hint("it works once, within a day, while `carillon up` or `carillon web` runs")


@app.command()
def link(
    name: Name,
    provider: Annotated[str, typer.Argument(help="A provider of CARILLON_SIGN_IN__PROVIDERS.")],
    account: Annotated[str, typer.Argument(help="The address that they sign in by there.")],
    operator: ByWhom = None,
    json: Json = False,
) -> None:
    """Say by which account of Google or Microsoft an operator signs in. Only an admin may.

    Example: `carillon operators link "Mrs Bell" google m.bell@school.example`
    """
    called = short_words(name, "name")
    with writing(operator) as (house, actor):
        who = account_elsewhere(house.settings, provider, account)
        identities.link(house.ports, vault_of(house.ports), called, provider, who, actor=actor)
    show.as_json({"operator": called, "provider": provider}) if json else show.say(
        f"{called} may sign in by {provider}"
    )


@app.command()
def reset(name: Name, operator: ByWhom = None, json: Json = False) -> None:
    """Take away everything that somebody signs in by, and sign them out: for a lost telephone or laptop.

    Only an admin may. Invite or link them anew afterwards.

    Example: `carillon operators reset "Mrs Bell"`
    """
    called = short_words(name, "name")
    with writing(operator) as (house, actor):
        ended = passwords.reset(house.ports, called, actor=actor)
    if json:
        show.as_json({"operator": called, "ended": ended})
    else:
        show.say(f"{called} signs in by nothing now; {ended} {'session' if ended == 1 else 'sessions'} ended")


@app.command()
def sessions(name: Name, json: Json = False) -> None:
    """List where somebody is signed in. To end it: `carillon sign-out --whose NAME`.

    Example: `carillon operators sessions "Mrs Bell"`
    """
    called = short_words(name, "name")
    with reading() as house:
        zone = zone_of(house)
        with house.ledger.look() as tx:
            found = tx.sessions.of_operator(called)
    told = [(one.about or "a browser", one.how, one.stage.value, one.began_at, one.seen_at) for one in found]
    if json:
        names = ("about", "how", "stage", "began_at", "seen_at")
        rows = [
            dict(zip(names, (*row[:3], *(moment.isoformat() for moment in row[3:])), strict=True))
            for row in told
        ]
        show.as_json({"sessions": rows})
        return
    show.table(
        ("browser", "by", "stage", "since", "used"),
        [(*row[:3], *(f"{moment.astimezone(zone):%a %d %b %H:%M}" for moment in row[3:])) for row in told],
    )


def _answer(name: str, roles: list[OperatorRole], *, json: bool, department: str | None = None) -> None:
    if json:
        show.as_json({"operator": name, "roles": sorted(set(roles))})
    else:
        show.say(f"{name} is {', '.join(sorted(set(roles)))}{f' for {department}' if department else ''}")
