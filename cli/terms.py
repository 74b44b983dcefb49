"""`carillon terms`: the term calendar, and what kind of day a date is."""

from __future__ import annotations

from typing import Annotated

import typer

from broker.diary import terms as verbs
from broker.diary.calendar import DayKind
from broker.diary.typed import day_from
from cli import show
from cli.calendar_files import calendar_bytes, tell_problems
from cli.house import reading, writing
from cli.options import Json, Operator
from sources.calendars import looks_like_ics, spans_of_csv, spans_of_ics

MOST_DAYS = 400

app = typer.Typer(help="Terms, half-terms, INSET days and bank holidays.", invoke_without_command=True)

SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Take the rest where some of it cannot be read.")]


@app.callback()
def list_(context: typer.Context, json: Json = False) -> None:
    """List the term calendar, as the office and the roster told it.

    Examples:

    * `carillon terms`
    * `carillon terms import terms.csv`
    * `carillon terms day 2026-12-25`
    """
    if context.invoked_subcommand is not None:
        return
    with reading() as house, house.ledger.look() as tx:
        calendar = verbs.calendar_now(tx)
        own = bool(tx.calendars.spans())
    spans = [
        {"kind": s.kind.value, "name": s.name, "begins_on": s.begins_on, "ends_on": s.ends_on}
        for s in calendar.spans
    ]
    if json:
        show.as_json({"spans": spans, "known_until": calendar.known_until})
        return
    show.table(
        ("what", "name", "from", "to"),
        [(s["kind"], s["name"], s["begins_on"], s["ends_on"]) for s in spans],
        none="no term is known; bring them with: carillon terms import FILE",
    )
    if spans and not own:
        show.hint("these are the roster's; a file of your own adds INSET days and half-terms")


@app.command("import")
def import_(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="iCalendar or CSV (kind,name,begins,ends), or an address.")
    ],
    skip_bad: SkipBad = False,
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Bring the school's terms, half-terms, INSET days and closures, in the place of those brought before.

    Examples:

    * `carillon terms import terms.csv`
    * `carillon terms import school-calendar.ics --skip-bad`
    """
    data = calendar_bytes(file)
    spans, problems = spans_of_ics(data) if looks_like_ics(data) else spans_of_csv(data)
    tell_problems(problems, skip=skip_bad)
    with writing(operator) as (house, actor):
        new, gone = verbs.bring(house.ports, spans, actor=actor)
    told = {"spans": len(spans), "new": new, "gone": gone, "problems": len(problems)}
    show.as_json(told) if json else show.say(
        f"{show.many(len(spans), 'stretch', 'stretches')}: {new} new, {gone} gone"
    )


@app.command()
def day(
    on: Annotated[str, typer.Argument(metavar="DAY", help="Such as 2026-12-25.")],
    days: Annotated[int, typer.Option(min=1, max=MOST_DAYS, help="How many, from that one on.")] = 1,
    json: Json = False,
) -> None:
    """Say what kind of day a date is: in term, half-term, INSET, closed, bank holiday, or unknown.

    Example: `carillon terms day 2026-10-26 --days 7`
    """
    begins = day_from(on, "on")
    with reading() as house, house.ledger.look() as tx:
        found = verbs.days_from(tx, begins, days)
    if json:
        show.as_json({"days": [{"on": one.on, "kind": one.kind.value, "name": one.name} for one in found]})
        return
    show.table(("day", "", "what"), [(one.on, f"{one.on:%a}", one.why) for one in found])
    if any(one.kind is DayKind.UNKNOWN for one in found):
        show.hint("bring the terms that are missing with: carillon terms import FILE")
