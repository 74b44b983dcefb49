"""`carillon people`: who is in the school."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from broker.actor import Actor
from broker.errors import Problem, RuleBroken
from broker.rosters import imports, mappings
from broker.rosters.difference import ImportDifference
from broker.rosters.roster import EVERYBODY, Role, Roster, in_words, speaking_for
from cli import doubtful, families, privacy, show
from cli import mappings as mapping_commands
from cli.house import reading, writing
from cli.options import Json, Operator, asking
from cli.whole_school import show_problems, today_and_region
from config.assembly import House
from sources import rosters

MOST_GROUPS = 20

app = typer.Typer(help="Who is in the school.", no_args_is_help=True)
app.add_typer(mapping_commands.app, name="mapping")
app.command("doubtful")(doubtful.doubtful_)
app.command("confirm")(doubtful.confirm_)
app.command("twice")(doubtful.twice_)
app.command("terms")(doubtful.terms_)
app.command("show")(families.show_)
app.command("block")(families.block_)
app.command("unblock")(families.unblock_)
app.command("reveal")(privacy.reveal_)
app.command("export")(privacy.export_)
app.command("erase")(privacy.erase_)
app.command("readmit")(privacy.readmit_)


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """An import as it was asked for."""

    path: Annotated[
        list[Path],
        typer.Argument(
            help="A OneRoster folder or zip, or a people.csv; with --mapping, reports as CSV files."
        ),
    ]
    mapping: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="How a report is read; once for each report, in their order."),
    ] = None
    only: Annotated[
        list[Role] | None,
        typer.Option(
            metavar="ROLE", help="It has pupil, guardian or staff alone; the others stay. May be repeated."
        ),
    ] = None
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False
    expect_leaving: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="How many leave: asked for when it is a tenth of the school."),
    ] = None
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the difference and change nothing.")] = (
        False
    )
    operator: Operator = None
    json: Json = False


@app.command("import")
@asking(Import)
def import_(asked: Import) -> None:
    """Make the people, groups and families equal to a roster, all at once or not at all.

    Shows what would change and asks. A fault of the file refuses it whole; a fault of a value drops that value,
    keeps the person and is listed with row and column. Who is not in the roster leaves: kept, no longer written to.
    A report of the staff speaks for the staff alone, one of the pupils for them and their guardians; the others stay.

    Examples:

    * `carillon people import oneroster.zip`
    * `carillon people import people.csv --yes --operator "Mrs Bell"`
    * `carillon people import export/ --yes --expect-leaving 131`
    * `carillon people import contacts.csv --mapping sims-contacts`
    * `carillon people import contacts.csv staff.csv --mapping sims-contacts --mapping sims-staff`
    * `carillon people import teachers.csv --only staff`
    """
    today, region = today_and_region()
    read = _reader(asked.path, asked.mapping or [], today=today, region=region)
    with show.busy("reading the roster", quiet=asked.json) as tell:
        roster = read(tell)
    if asked.only:
        roster = speaking_for(roster, asked.only)
    # A dry run keeps nothing that a name would have to stand under.
    with writing("a dry run" if asked.dry_run else asked.operator, creates=True) as (house, actor):
        _compare_and_swap(house, roster, asked, actor=actor)


def _compare_and_swap(house: House, roster: Roster, asked: Import, *, actor: Actor) -> None:
    told = _quiet if asked.json else _show
    expected = asked.expect_leaving
    if asked.dry_run or not asked.yes:
        with show.busy("comparing", quiet=asked.json):
            difference = imports.look(house.ports, roster)
        told(difference)
        told = _quiet  # it has been seen
        if asked.dry_run or not difference.any:
            _end(difference, applied=False, json=asked.json)
            return
        expected = _confirmed(difference, asked.expect_leaving, json=asked.json)
    with show.busy("swapping it in", quiet=asked.json):
        done = imports.import_roster(house.ports, roster, actor=actor, expect_leaving=expected, told=told)
    _end(done, applied=done.any, json=asked.json)


def _quiet(difference: ImportDifference) -> None:
    """Tell nothing: a program gets it all at the end."""


def _reader(
    paths: Sequence[Path], named: Sequence[str], *, today: date, region: str
) -> Callable[[Callable[[float], None]], Roster]:
    """How these paths are read: as what they hold, or each through its mapping."""
    if not named:
        if len(paths) > 1:
            hint = "give the folder or zip that holds it; several reports want a --mapping each"
            raise RuleBroken(Problem("several_rosters", "path", "a roster is the whole school at once", hint))
        return lambda tell: rosters.read(paths[0], region=region, today=today, tell=tell)
    if len(named) != len(paths):
        hint = "the first --mapping is for the first report, and so on"
        raise RuleBroken(
            Problem("mappings_and_reports", "mapping", "each report wants one mapping of its own", hint)
        )
    with reading() as house:
        found = [mappings.named(house.ports, name) for name in named]
    reports = [rosters.Report(path, one) for path, one in zip(paths, found, strict=True)]
    return lambda tell: rosters.read_reports(reports, region=region, today=today, tell=tell)


def _confirmed(difference: ImportDifference, expected: int | None, *, json: bool) -> int | None:
    """Ask at the terminal; what leaves is typed as a number when it is much."""
    if json or not sys.stdin.isatty():
        hint = "look at the difference with --dry-run, then add --yes"
        raise RuleBroken(Problem("not_confirmed", "yes", "nobody is there to confirm the import", hint))
    leaving = difference.people.leaving
    if expected is None and imports.must_confirm(leaving, difference.before):
        asked = "people would leave. Type how many leave to go on"
        return int(typer.prompt(f"{leaving} of {difference.before} {asked}", type=int))
    typer.confirm("Import it?", abort=True)
    return leaving if expected is None else expected


def _show(difference: ImportDifference) -> None:
    if difference.speaks_for != EVERYBODY:
        others = in_words(EVERYBODY - difference.speaks_for)
        show.say(f"It speaks for {in_words(difference.speaks_for)}; {others} stay as they are.")
    show.table(
        (difference.source, "new", "changed", "leaving", "returning", "as before"),
        [
            (what, c.new or "", c.changed or "", c.leaving or "", c.returning or "", c.unchanged or "")
            for what, c in difference.counts().items()
        ],
    )
    _show_groups(difference)
    show_problems(difference.problems)


def _show_groups(difference: ImportDifference) -> None:
    """Those whose members change, the most changed first."""
    moved = sorted(
        difference.by_group.items(), key=lambda one: -(one[1].new + one[1].changed + one[1].leaving)
    )
    if not moved or not difference.before:  # of a first import everything is new
        return
    show.say("")
    show.table(
        ("group", "joining", "changed", "leaving", "as before"),
        [
            (name, c.new or "", c.changed or "", c.leaving or "", c.unchanged or "")
            for name, c in moved[:MOST_GROUPS]
        ],
    )
    if len(moved) > MOST_GROUPS:
        show.say(f"and {len(moved) - MOST_GROUPS} more groups; --json lists them all")


def _end(difference: ImportDifference, *, applied: bool, json: bool) -> None:
    if json:
        show.as_json(_as_told(difference, applied=applied))
        return
    people = difference.people
    who = "people" if difference.speaks_for == EVERYBODY else in_words(difference.speaks_for)
    if applied:
        now = difference.before + people.new + people.returning - people.leaving
        told = f"imported: {people.new} new, {people.changed} changed, {people.leaving} left; {now} {who} now"
    else:
        told = (
            "nothing was changed" if difference.any else "nothing to change: the school is as the roster says"
        )
    show.say(f"{told}; {show.many(len(difference.problems), 'problem')}")


def _as_told(difference: ImportDifference, *, applied: bool) -> dict[str, Any]:
    return {
        "applied": applied,
        "source": difference.source,
        "speaks_for": [role.value for role in Role if role in difference.speaks_for],
        "before": difference.before,
        **difference.counts(),
        "groups": {**asdict(difference.groups), "by_name": difference.by_group},
        "problems": difference.problems,
    }
