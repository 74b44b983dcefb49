"""`carillon people mapping`: how the school's own reports are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from broker.errors import BadMapping, Problem
from broker.rosters import mappings
from broker.rosters.mapping import (
    MOST_HEADER_ROWS,
    NO_HEADERS,
    Encoding,
    ReportMapping,
    Rows,
    letter,
    make,
    said,
)
from broker.rosters.roster import Role, Roster
from cli import show
from cli.house import reading, writing
from cli.options import Json, Operator
from cli.whole_school import show_problems, today_and_region
from sources import rosters
from sources.rosters import Report, Shown

PREVIEWED = 3  # rows: as many as fit beside each other

app = typer.Typer(help="How the school's own reports are read.", invoke_without_command=True)

Name = Annotated[str, typer.Argument(help="The mapping's name, such as sims-contacts.")]
ReportFile = Annotated[Path, typer.Argument(metavar="REPORT", help="The report, as a CSV file.")]
HeaderRow = Annotated[
    int,
    typer.Option(
        "--header-row",
        min=NO_HEADERS,
        max=MOST_HEADER_ROWS,
        help="The row that holds the headers; 0: there is none.",
    ),
]
Letters = Annotated[Encoding, typer.Option("--encoding", help="How the report's letters are saved.")]


@app.callback()
def list_(context: typer.Context, json: Json = False) -> None:
    """List the mappings. A mapping says which column of a school's own report holds what.

    Examples:

    * `carillon people mapping columns contacts.csv`
    * `carillon people mapping make sims-contacts contacts.csv --column id=Adno --column name=Name`
    * `carillon people import contacts.csv --mapping sims-contacts`
    """
    if context.invoked_subcommand is not None:
        return
    with reading() as house, house.ledger.look() as tx:
        found = tx.mappings.all()
    if json:
        show.as_json({"mappings": found})
        return
    rows = [(one.name, one.rows.value, len(one.columns), one.encoding.value) for one in found]
    show.table(("mapping", "a row for", "columns", "letters"), rows, none="There is no mapping yet.")


@app.command()
def columns(
    report: ReportFile,
    header_row: HeaderRow = 1,
    encoding: Letters = Encoding.UTF_8,
    json: Json = False,
) -> None:
    """Show the columns of a report, and how each can be named.

    Examples:

    * `carillon people mapping columns contacts.csv`
    * `carillon people mapping columns contacts.csv --header-row 0`
    """
    headers = rosters.headers(report, header_row=header_row, encoding=encoding)
    named = said(headers)
    if header_row == NO_HEADERS and not json:
        begins = rosters.first_row(report, encoding=encoding)
        show.table(("column", "the first row", "say"), list(zip(named, begins, named, strict=True)))
        return
    if json:
        found = [{"column": f"@{letter(at)}", "header": h, "name": named[at]} for at, h in enumerate(headers)]
        show.as_json({"columns": found})
        return
    rows = [(f"@{letter(at)}", header, named[at]) for at, header in enumerate(headers)]
    show.table(("column", "header", "say"), rows)


@app.command("make")
def make_(
    name: Name,
    report: ReportFile,
    column: Annotated[
        list[str],
        typer.Option(metavar="FIELD=COLUMN", help="Which column holds what; once for each field."),
    ],
    rows: Annotated[Rows, typer.Option(help="Who a row is about.")] = Rows.PUPILS,
    header_row: HeaderRow = 1,
    encoding: Letters = Encoding.UTF_8,
    replace: Annotated[bool, typer.Option("--replace", help="Take the place of one of this name.")] = False,
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Make a mapping on a report, and keep it under a name.

    FIELD is one of id, name, given_name, family_name, preferred_name, mobile, phone, email, year, form, classes,
    groups, born, language; for guardians guardian1.name, guardian1.mobile, guardian1.blocked and so on. COLUMN is a
    header, one of several of one header (Mobile#2), or a position (@G, or @7), as it must be without headers.

    Examples:

    * `carillon people mapping make sims contacts.csv --column id=Adno --column given_name=Forename
      --column family_name=Surname --column form=Reg --column "guardian1.name=Contact#1"
      --column "guardian1.mobile=Mobile#1"`
    * `carillon people mapping make staff staff.csv --rows staff --column id=Code --column name=@B --column email=@D`
    """
    headers = rosters.headers(report, header_row=header_row, encoding=encoding)
    made = make(name, headers, _wanted(column), rows=rows, header_row=header_row, encoding=encoding)
    with writing(operator, creates=True) as (house, actor):
        mappings.keep(house.ports, made, actor=actor, replace=replace)
    _told(made, json=json)


@app.command("show")
def show_(name: Name, json: Json = False) -> None:
    """Show a mapping: each field and the column that holds it.

    Example: `carillon people mapping show sims-contacts`
    """
    with reading() as house:
        found = mappings.named(house.ports, name)
    _told(found, json=json)


@app.command("try")
def try_(name: Name, report: ReportFile, json: Json = False) -> None:
    """Read a report through a mapping and change nothing: the first rows field by field, and what it all comes to.

    Example: `carillon people mapping try sims-contacts contacts.csv`
    """
    with reading() as house:
        tried = Report(report, mappings.named(house.ports, name))
    today, region = today_and_region()
    first = rosters.preview(tried, region=region, today=today, most=PREVIEWED)
    with show.busy("reading the report", quiet=json):
        roster = rosters.read_reports([tried], region=region, today=today)
    if json:
        show.as_json({"rows": [row._asdict() for row in first], **_sums(roster), "problems": roster.problems})
        return
    _show_rows(tried.mapping, first)
    sums = ", ".join(f"{count:,} {what}" for what, count in _sums(roster).items())
    show.say("", f"the whole report: {sums}")
    show_problems(roster.problems)


@app.command()
def forget(name: Name, operator: Operator = None, json: Json = False) -> None:
    """Forget a mapping. What was imported with it stays.

    Example: `carillon people mapping forget sims-contacts`
    """
    with writing(operator) as (house, actor):
        mappings.forget(house.ports, name, actor=actor)
    show.as_json({"forgotten": name}) if json else show.say(f"{name} is forgotten")


def _wanted(told: Sequence[str]) -> dict[str, str]:
    wanted: dict[str, str] = {}
    for one in told:
        field, equals, column = (part.strip() for part in one.partition("="))
        if not (field and equals and column):
            hint = "such as --column id=Adno, or --column guardian1.mobile=@G"
            raise BadMapping(Problem("bad_column", "column", "this is not FIELD=COLUMN", hint))
        if field in wanted:
            hint = "a second guardian's fields begin with guardian2."
            raise BadMapping(Problem("field_twice", field, "this field is given twice", hint))
        wanted[field] = column
    return wanted


def _told(mapping: ReportMapping, *, json: bool) -> None:
    if json:
        told = {field: column.told for field, column in mapping.columns.items()}
        show.as_json({"name": mapping.name, "rows": mapping.rows, "columns": told})
        return
    headed = (
        f"headers in row {mapping.header_row}"
        if mapping.header_row
        else f"no headers, {mapping.width} columns"
    )
    title = f"{mapping.name}: a row for each of the {mapping.rows.value}; {headed}"
    show.table(
        ("field", "column"),
        [(field, column.told) for field, column in mapping.columns.items()],
        title=f"{title}, {mapping.encoding.value}",
    )


def _show_rows(mapping: ReportMapping, first: Sequence[Shown]) -> None:
    def cell(row: Shown, field: str) -> str:
        value = row.cells[field]
        return "cannot be used" if value is None else value

    show.table(
        ("field", "column", *(f"row {row.number}" for row in first)),
        [
            (field, column.told, *(cell(row, field) for row in first))
            for field, column in mapping.columns.items()
        ],
    )


def _sums(roster: Roster) -> dict[str, int]:
    roles = Counter(role for person in roster.people for role in person.roles)
    told = {"pupils": roles[Role.PUPIL], "guardians": roles[Role.GUARDIAN], "staff": roles[Role.STAFF]}
    return {**told, "groups": len(roster.groups)}
