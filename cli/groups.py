"""`carillon groups`: which groups there are, those kept by hand, and which of them have a public feed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from broker import audience as audiences
from broker.moments import today_of
from broker.office import expressions, public_groups
from broker.office import groups as verbs
from broker.office.lists import ids_of
from cli import private_links, show
from cli.house import reading, writing
from cli.options import Json, Operator
from cli.reading import STDIN, bad, short_words, text_from
from ledger.reads.groups import groups, within

MOST_SHOWN = 1_000

app = typer.Typer(help="The groups, and which of them have a public feed.", invoke_without_command=True)

Name = Annotated[str, typer.Argument(help="The group, as `carillon groups` lists it.")]
People = Annotated[list[str], typer.Argument(metavar="WHO…", help="The school's own ids, or whole names.")]
Department = Annotated[str | None, typer.Option(help="Whose group it is.")]


@app.callback()
def list_(context: typer.Context, department: Department = None, json: Json = False) -> None:
    """List the groups with their size. Keep some by hand, make some of others; give one a public feed.

    Examples:

    * `carillon groups`
    * `carillon groups show "Orchestra + Year 7 - 7B"`
    * `carillon groups define "Band trip" "Orchestra + Year 7 - 7B" --department music`
    * `carillon groups publish Choir`
    """
    if context.invoked_subcommand is not None:
        return
    with reading() as house, house.ledger.look() as tx:
        today = today_of(tx)
        found = groups(tx.hand, today=today, department=department)
    if json:
        show.as_json({"groups": found})
        return
    show.table(
        ("group", "kind", "people", "department", "public feed", "made of"),
        [
            (
                one.name,
                one.kind,
                "" if one.people is None else one.people,
                one.department or "",
                one.slug if one.public else "no",
                one.expression or "",
            )
            for one in found
        ],
    )


@app.command("show")
def show_(
    expression: Annotated[
        str, typer.Argument(metavar="EXPR", help='A group, or an expression: "Choir & Year 7".')
    ],
    json: Json = False,
) -> None:
    """Show whom a group or an expression means today: how many, and who.

    Examples:

    * `carillon groups show Choir`
    * `carillon groups show "Orchestra + Year 7 - 7B"`
    """
    tree = audiences.parse(expression)
    with reading() as house, house.ledger.look() as tx:
        today = today_of(tx)
        found = within(tx.hand, expressions.resolve(tx, tree, field="expr"), today=today, most=MOST_SHOWN)
    if json:
        show.as_json(found)
        return
    show.say(f"{show.many(found.pupils, 'pupil')}, {found.staff:,} staff")
    show.table(("who", "id", "group"), [(one.name, one.id, one.group) for one in found.members])
    if found.pupils + found.staff > len(found.members):
        show.hint(f"the first {len(found.members):,} of them")


@app.command()
def keep(name: Name, department: Department = None, operator: Operator = None, json: Json = False) -> None:
    """Begin a group whose members you add yourself.

    Example: `carillon groups keep "Chamber Choir" --department music`
    """
    with writing(operator) as (house, actor):
        made = verbs.keep(house.ports, name, department=department, actor=actor)
    _done({"name": made.name, "department": made.department}, f"{made.name} is kept by hand now", json=json)


@app.command()
def define(
    name: Name,
    expression: Annotated[str, typer.Argument(metavar="EXPR", help='"Orchestra + Year 7 - 7B"')],
    department: Department = None,
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Make a group of others: `+` (and), `&` (both), `-` (without), brackets. Worked out whenever it is used.

    Groups made of others may be used in it; `pupils`, `staff` and `guardians` are roles. Again, it is changed.

    Example: `carillon groups define "Band trip" "Orchestra + (Year 7 & Choir) - 7B"`
    """
    with writing(operator) as (house, actor):
        made = verbs.define(house.ports, name, expression, department=department, actor=actor)
    told = {"name": made.name, "expression": made.expression, "department": made.department}
    _done(told, f"{made.name} is {made.expression}", json=json)


@app.command()
def add(name: Name, who: People, operator: Operator = None, json: Json = False) -> None:
    """Add people to a group kept by hand: all who are named, or nobody.

    Example: `carillon groups add "Chamber Choir" P0417 "Ben Lee"`
    """
    with writing(operator) as (house, actor):
        done = verbs.add_members(house.ports, name, who, actor=actor)
    _done(done, f"{done.name}: {done.added} added", json=json)


@app.command()
def remove(name: Name, who: People, operator: Operator = None, json: Json = False) -> None:
    """Take people out of a group kept by hand.

    Example: `carillon groups remove "Chamber Choir" P0417`
    """
    with writing(operator) as (house, actor):
        done = verbs.remove_members(house.ports, name, who, actor=actor)
    _done(done, f"{done.name}: {done.removed} taken out", json=json)


@app.command("import")
def import_(
    name: Name,
    path: Annotated[Path, typer.Argument(help="One of the school's own ids a line; - reads standard input.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Make a group's members equal to a list of ids: a line each, or the first column of a CSV.

    An id that nobody has is told with its row, and passed over.

    Example: `carillon groups import "Chamber Choir" choir.csv`
    """
    rows = ids_of(text_from(path))
    with writing(operator) as (house, actor):
        with house.ledger.look() as tx:
            listed = verbs.look_up(tx, [one for _, one in rows])
        problems = _problems(path, rows, listed)
        if not json:
            for problem in problems[:20]:
                show.hint(f"row {problem['row']}: {problem['message']}")
        if not yes:
            _confirm(len(listed.members), name, json=json or path == STDIN)
        done = verbs.set_members(house.ports, name, [one for _, one in rows], actor=actor)
    if json:
        show.as_json({"name": done.name, "added": done.added, "removed": done.removed, "problems": problems})
        return
    show.say(
        f"{done.name}: {done.added} added, {done.removed} taken out; {show.many(len(problems), 'problem')}"
    )


@app.command()
def retire(name: Name, operator: Operator = None, json: Json = False) -> None:
    """Give up a group kept by hand. What was announced to it stands.

    Example: `carillon groups retire "Chamber Choir"`
    """
    with writing(operator) as (house, actor):
        gone = verbs.retire(house.ports, name, actor=actor)
    _done({"name": gone.name, "number": gone.id}, f"{gone.name} is given up: number {gone.id}", json=json)


@app.command("bring-back")
def bring_back(
    number: Annotated[int, typer.Argument(min=1, help="Its number, as `carillon groups retire` said it.")],
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Bring a group back that was given up, with the members it had.

    Example: `carillon groups bring-back 17`
    """
    with writing(operator) as (house, actor):
        back = verbs.bring_back(house.ports, number, actor=actor)
    _done({"name": back.name}, f"{back.name} is there again", json=json)


@app.command()
def rename(
    name: Name,
    to: Annotated[str, typer.Argument(metavar="NEW", help="What it is called from now on.")],
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Call a group kept by hand otherwise. Not while something that is yet to come names it.

    Example: `carillon groups rename "Chamber Choir" "Cantorei"`
    """
    with writing(operator) as (house, actor):
        made = verbs.rename(house.ports, name, to, actor=actor)
    _done({"name": made.name}, f"it is called {made.name} now", json=json)


@app.command()
def give(name: Name, department: Department = None, operator: Operator = None, json: Json = False) -> None:
    """Give a group kept by hand to a department; without one, to the whole school.

    Example: `carillon groups give "Chamber Choir" --department music`
    """
    with writing(operator) as (house, actor):
        made = verbs.give_to(house.ports, name, department, actor=actor)
    told = made.department or "the whole school"
    _done({"name": made.name, "department": made.department}, f"{made.name} is {told}'s now", json=json)


@app.command()
def publish(name: Name, operator: Operator = None, json: Json = False) -> None:
    """Give a group a public feed: everybody can read what is announced to exactly this group by rss.

    Example: `carillon groups publish Choir`
    """
    _set(name, operator, public=True, json=json)


@app.command()
def hide(name: Name, operator: Operator = None, json: Json = False) -> None:
    """Take a group's public feed away. What stood in it stays in its department's.

    Example: `carillon groups hide Choir`
    """
    _set(name, operator, public=False, json=json)


app.command()(private_links.link)
app.command()(private_links.links)
app.command()(private_links.unlink)


def _set(name: str, operator: str | None, *, public: bool, json: bool) -> None:
    named = short_words(name, "name")
    with writing(operator) as (house, actor):
        made = public_groups.set_public(house.ports, named, public=public, actor=actor)
    told = (
        f"{made.name} has a public feed: /feeds/groups/{made.slug}.rss"
        if public
        else f"{made.name} has no public feed"
    )
    _done(made, told, json=json)


def _problems(path: Path, rows: Sequence[tuple[int, str]], listed: verbs.Listed) -> list[dict[str, object]]:
    said = dict.fromkeys(listed.unknown, ("unknown_person", "nobody at the school has this id"))
    lone = ("guardian_in_a_group", "a guardian is reached through the child, and is in no group")
    said |= dict.fromkeys(listed.not_members, lone)
    found = ((row, said[one]) for row, one in rows if one in said)
    file = "" if path == STDIN else path.name
    return [
        {"file": file, "row": row, "column": "id", "code": code, "message": message}
        for row, (code, message) in found
    ]


def _confirm(members: int, name: str, *, json: bool) -> None:
    if json or not sys.stdin.isatty():
        raise bad("not_confirmed", "yes", "nobody is there to confirm it", "look at it first, then add --yes")
    typer.confirm(f"Make {name} these {members} people?", abort=True)


def _done(told: object, sentence: str, *, json: bool) -> None:
    show.as_json(told) if json else show.say(sentence)
