"""`carillon people`: who is in the school."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from broker import imports
from broker.difference import ImportDifference
from broker.errors import Problem, RuleBroken
from cli import show
from cli.house import writing
from cli.options import Json, Operator
from config.settings import load
from sources import rosters

MOST_PROBLEMS = 20

app = typer.Typer(help="Who is in the school.", no_args_is_help=True)


@app.command("import")
def import_(
    path: Annotated[Path, typer.Argument(help="A OneRoster folder or zip, or a people.csv.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    expect_leaving: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="How many leave: asked for when it is a tenth of the school."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the difference and change nothing.")
    ] = False,
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Make the people, groups and families equal to a roster, all at once or not at all.

    Shows what would change and asks. A fault of the file refuses it whole; a fault of a value drops that value,
    keeps the person and is listed with row and column. Who is not in the roster leaves: kept, no longer written to.

    Examples:

    * `carillon people import oneroster.zip`
    * `carillon people import people.csv --yes --operator "Mrs Bell"`
    * `carillon people import export/ --yes --expect-leaving 131`
    """
    with show.busy("reading the roster", quiet=json):
        school = load().school
        today = datetime.now(UTC).astimezone(ZoneInfo(school.zone)).date()
        roster = rosters.read(path, region=school.region, today=today)
    # A dry run keeps nothing that a name would have to stand under.
    with writing("a dry run" if dry_run else operator, creates=True) as (house, actor):
        with show.busy("comparing", quiet=json):
            difference = imports.look(house.ports, roster)
        if not json:
            _show(difference)
        if dry_run or not difference.any:
            _end(difference, applied=False, json=json)
            return
        expected = expect_leaving if yes else _confirmed(difference, expect_leaving, json=json)
        with show.busy("swapping it in", quiet=json):
            done = imports.import_roster(house.ports, roster, actor=actor, expect_leaving=expected)
        _end(done, applied=True, json=json)


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
    show.table(
        (difference.source, "new", "changed", "leaving", "returning", "as before"),
        [
            (what, c.new or "", c.changed or "", c.leaving or "", c.returning or "", c.unchanged or "")
            for what, c in difference.counts().items()
        ],
    )
    problems = difference.problems
    if problems:
        show.say("", f"{show.many(len(problems), 'value or link', 'values or links')} cannot be used:")
        show.table(
            ("file", "row", "column", "what is wrong"),
            [(p.file, p.row or "", p.column, p.message) for p in problems[:MOST_PROBLEMS]],
        )
        if len(problems) > MOST_PROBLEMS:
            show.say(f"and {len(problems) - MOST_PROBLEMS} more; --json lists them all")


def _end(difference: ImportDifference, *, applied: bool, json: bool) -> None:
    if json:
        show.as_json(_as_told(difference, applied=applied))
        return
    people = difference.people
    if applied:
        now = difference.before + people.new + people.returning - people.leaving
        told = (
            f"imported: {people.new} new, {people.changed} changed, {people.leaving} left; {now} people now"
        )
    else:
        told = (
            "nothing was changed" if difference.any else "nothing to change: the school is as the roster says"
        )
    show.say(f"{told}; {show.many(len(difference.problems), 'problem')}")


def _as_told(difference: ImportDifference, *, applied: bool) -> dict[str, Any]:
    return {
        "applied": applied,
        "source": difference.source,
        "before": difference.before,
        **difference.counts(),
        "problems": difference.problems,
    }
