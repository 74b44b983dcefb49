"""`carillon people show | block | unblock`: a family, and a court order kept by hand."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from broker.office import families
from broker.rosters.roster import Role
from cli import show
from cli.house import reading, writing
from cli.options import Json, Operator
from cli.reading import short_words
from ledger.reads.family import Family, Held, Tie, family

Who = Annotated[str, typer.Argument(metavar="WHO", help="The school's own id, or a whole name.")]
Guardian = Annotated[str, typer.Argument(metavar="GUARDIAN", help="Who must hear nothing; id or whole name.")]
Pupil = Annotated[str, typer.Argument(metavar="PUPIL", help="About whom; id or whole name.")]
Why = Annotated[str, typer.Option(metavar="WORDS", help="The reason, for the record.")]
ORDER = (Role.PUPIL, Role.GUARDIAN, Role.STAFF)


def show_(who: Who, json: Json = False) -> None:
    """Show somebody with guardians, children, groups and addresses; addresses are masked.

    Examples:

    * `carillon people show P0417`
    * `carillon people show "Ann Lee" --json`
    """
    with reading() as house, house.ledger.look() as tx:
        found = family(tx.hand, families.the(tx, short_words(who, "who"), "who"))
    if json:
        show.as_json(_as_told(found))
        return
    one = found.person
    show.say(f"{one.name} ({one.source_id}), {_roles(found)}{', ' + one.form if one.form else ''}")
    show.say(f"  {_held(found.addresses)}", *(f"  {name}" for name in found.groups))
    for title, ties in (
        ("guardians, in the order to ask in", found.guardians),
        ("looks after", found.children),
    ):
        if ties:
            show.say("")
            show.table(
                (title, "id", "order", "what is known", "addresses"),
                [_row(tie) for tie in ties],
            )


def block_(guardian: Guardian, pupil: Pupil, why: Why, operator: Operator = None, json: Json = False) -> None:
    """Keep a guardian from hearing about one child from now on, urgent messages included; siblings stay as they are.

    No import lifts it. Nothing about the child goes to any address of the guardian's, whoever shares it.

    Example: `carillon people block G12 P0417 --why "order of the family court, 3 March"`
    """
    reason = short_words(why, "why")
    with writing(operator) as (house, actor):
        done = families.block(house.ports, guardian, pupil, why=reason, actor=actor)
    told = "hears nothing about" if done.changed else "heard nothing already about"
    _tell(done, told, json=json)


def unblock_(
    guardian: Guardian, pupil: Pupil, why: Why, operator: Operator = None, json: Json = False
) -> None:
    """Lift a block, whoever set it.

    Example: `carillon people unblock G12 P0417 --why "order lifted, 12 June"`
    """
    reason = short_words(why, "why")
    with writing(operator) as (house, actor):
        done = families.unblock(house.ports, guardian, pupil, why=reason, actor=actor)
    _tell(done, "is blocked no more from" if done.changed else "was not blocked from", json=json)


def _tell(done: families.Blocked, told: str, *, json: bool) -> None:
    if json:
        both = {"guardian": done.guardian.source_id, "pupil": done.pupil.source_id}
        show.as_json({**both, "blocked": done.blocked, "changed": done.changed})
        return
    show.say(f"{done.guardian.name} {told} {done.pupil.name}")


def _roles(found: Family) -> str:
    return " and ".join(role.value for role in ORDER if role in found.person.roles) or "no role"


def _held(addresses: tuple[Held, ...]) -> str:
    said = (f"{held.shown}{' (doubtful: gets no names)' if held.doubtful else ''}" for held in addresses)
    return ", ".join(said) or "no address"


def _row(tie: Tie) -> tuple[object, ...]:
    known = (
        ("BLOCKED by hand" if tie.by_hand else "BLOCKED") if tie.blocked else "",
        {True: "responsible", False: "not responsible", None: ""}[tie.parental_responsibility],
        {True: "lives with", False: "lives elsewhere", None: ""}[tie.lives_with],
    )
    said = ", ".join(word for word in known if word)
    return (tie.person.name, tie.person.source_id, tie.priority, said, _held(tie.addresses))


def _as_told(found: Family) -> dict[str, Any]:
    return {
        **_person(found),
        "groups": list(found.groups),
        "guardians": [_tie(tie) for tie in found.guardians],
        "children": [_tie(tie) for tie in found.children],
    }


def _person(one: Family | Tie) -> dict[str, Any]:
    person = one.person
    return {
        "id": person.source_id,
        "name": person.name,
        "roles": [role.value for role in ORDER if role in person.roles],
        "form": person.form,
        "addresses": list(one.addresses),
    }


def _tie(tie: Tie) -> dict[str, Any]:
    return {
        **_person(tie),
        "priority": tie.priority,
        "parental_responsibility": tie.parental_responsibility,
        "lives_with": tie.lives_with,
        "blocked": tie.blocked,
        "by_hand": tie.by_hand,
    }
