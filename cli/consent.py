"""`carillon consent`: who said yes or no to what, with the proof of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from broker.announcement import Purpose
from broker.consent import consents
from broker.consent.consents import Told
from broker.consent.sheets import COLUMNS, day_of, rows_of
from broker.office.sheets import as_csv
from cli import show
from cli.house import reading, writing, zone_of
from cli.options import Json, Operator
from cli.reading import short_words, text_from

app = typer.Typer(
    help="Who consented to what: a history, of which the newest word stands.", no_args_is_help=True
)

Who = Annotated[str, typer.Argument(metavar="WHO", help="The school's own id, or a whole name.")]
Via = Annotated[str, typer.Option("--via", metavar="CHANNEL", help="For which channel: sms, email …")]
For = Annotated[Purpose, typer.Option("--purpose", help="For what; service messages need no consent.")]
Source = Annotated[str, typer.Option(metavar="WORDS", help="How it came: a form, a letter, a call.")]
Evidence = Annotated[str, typer.Option(metavar="WORDS", help="Where the proof of it is.")]
On = Annotated[str | None, typer.Option("--on", metavar="DATE", help="The day it was said; else now.")]
By = Annotated[
    str, typer.Option("--by", metavar="GUARDIAN", help="Who said it for a pupil; id or whole name.")
]


@app.command("show")
def show_(who: Who, json: Json = False) -> None:
    """Show what somebody said, the oldest first; what stands is marked.

    Example: `carillon consent show P0417`
    """
    with reading() as house, house.ledger.look() as tx:
        zone = zone_of(house)
        person, history = consents.history_of(tx, short_words(who, "who"))
    if json:
        show.as_json({"person": person.source_id, "history": history})
        return
    show.say(f"{person.name} ({person.source_id})")
    show.table(
        ("on", "said", "to", "by", "how it came", "kept by"),
        [
            (
                show.wall(row.said_at, zone, "%Y-%m-%d"),
                ("yes" if row.given else "no") + (", stands" if row.stands else ""),
                f"{row.purpose.value}, {row.channel}",
                row.guardian or "themselves",
                f"{row.source} ({row.evidence})" if row.evidence else row.source,
                row.kept_by,
            )
            for row in history
        ],
        none="Nothing is on record: promotional messages do not go to them.",
    )


@app.command("give")
def give(
    who: Who,
    via: Via,
    source: Source,
    purpose: For = Purpose.PROMOTIONAL,
    evidence: Evidence = "",
    on: On = None,
    by: By = "",
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Keep that somebody said yes.

    Examples:

    * `carillon consent give G12 --via email --source "paper form" --evidence "folder 7, no. 214" --on 2026-09-03`
    * `carillon consent give P0417 --via sms --by G12 --source "parents' evening"`
    """
    told = Told(who, via, True, source, purpose, day_of(on or ""), evidence, by)
    _keep(told, operator, json=json)


@app.command("take-back")
def take_back(
    who: Who,
    via: Via,
    source: Source,
    purpose: For = Purpose.PROMOTIONAL,
    evidence: Evidence = "",
    on: On = None,
    by: By = "",
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Keep that somebody said no: what is on its way to them by this channel stops within a second.

    Example: `carillon consent take-back G12 --via email --source "telephone call"`
    """
    told = Told(who, via, False, source, purpose, day_of(on or ""), evidence, by)
    _keep(told, operator, json=json)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A CSV file, or - for standard input.")],
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Keep many at once from a CSV file: all rows, or none while one of them is wrong.

    Columns: person, channel, given (yes or no) and source; purpose, on (2026-09-03), evidence and by (a guardian) where
    wanted. People by the school's own ids, or whole names.

    Example: `carillon consent import forms.csv`
    """
    told = rows_of(text_from(file))
    with writing(operator) as (house, actor):
        people = consents.keep(house.ports, told, actor=actor)
    if json:
        show.as_json({"kept": len(told), "people": people})
        return
    show.say(f"kept: {show.many(len(told), 'word')} of {show.many(people, 'person', 'people')}")


@app.command("export")
def export(
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Where to; else the screen.")
    ] = None,
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Write the whole history as CSV, or as JSON; that it left the house is recorded.

    Example: `carillon consent export --csv consent.csv`
    """
    with writing(operator) as (house, actor):
        zone = zone_of(house)
        rows = consents.everything(house.ports, actor=actor)
    if json:
        show.as_json({"history": rows})
        return
    told = as_csv(
        (*COLUMNS, "stands", "kept_at", "kept_by"),
        [
            (
                row.person,
                row.channel,
                row.purpose.value,
                "yes" if row.given else "no",
                show.wall(row.said_at, zone, "%Y-%m-%d"),
                row.source,
                row.evidence,
                row.guardian,
                "yes" if row.stands else "",
                show.wall(row.kept_at, zone, "%Y-%m-%d %H:%M"),
                row.kept_by,
            )
            for row in rows
        ],
    )
    if csv is None or str(csv) == "-":
        typer.echo(told, nl=False)
        return
    csv.write_text(told, encoding="utf-8", newline="")
    show.say(f"{csv}: {show.many(len(rows), 'entry', 'entries')}")


def _keep(told: Told, operator: str | None, *, json: bool) -> None:
    with writing(operator) as (house, actor):
        consents.keep(house.ports, [told], actor=actor)
    said = "yes" if told.given else "no"
    if json:
        show.as_json(
            {"person": told.person, "channel": told.channel, "purpose": told.purpose.value, "said": said}
        )
        return
    show.say(f"kept: {told.person} says {said} to {told.purpose.value} messages by {told.channel}")
