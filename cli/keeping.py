"""`carillon keeping`: how long what is kept, and what the night took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import typer

from broker.privacy import keeping
from broker.rules.keeping import PARAMETERS
from cli import show
from cli.house import reading, writing
from cli.options import Json, Operator
from config.epochs import prune_record

app = typer.Typer(help="How long what is kept, and what has gone.", no_args_is_help=True)


@app.command("show")
def show_(json: Json = False) -> None:
    """How long each kind of data is kept, and what the last night took. Change it with `carillon rules set`.

    Example: `carillon keeping show`
    """
    with reading() as house, house.ledger.look() as tx:
        rules, last = tx.rules.current(), tx.prunings.last_night()
    rows = [(p.key.rpartition(".")[2], p.written(rules.values[p.key]), p.words) for p in PARAMETERS]
    day, ended, went = last or (None, None, {})
    if json:
        kept = {name: length for name, length, _ in rows}
        show.as_json({"kept": kept, "night": day, "ended_at": ended, "went": went})
        return
    show.table(("what", "how long", ""), rows)
    if day is None:
        show.say("", "no night has passed yet")
        return
    show.say("", f"the night of {day}: {_in_words(went)}{'' if ended else ', and it is not done yet'}")


@app.command("run")
def run_(operator: Operator = None, json: Json = False) -> None:
    """Take away now what has had its time, as each night does; what is held for the law stays.

    Example: `carillon keeping run`
    """
    with writing(operator) as (house, actor):
        went: Counter[str] = Counter()
        while chunk := keeping.tonight(house.ports, actor=actor, anyway=True):
            went.update(chunk)
    if json:
        show.as_json({"went": dict(went)})
        return
    show.say(_in_words(went))


@app.command("prune-record")
def prune_record_(operator: Operator = None, json: Json = False) -> None:
    """Take away those entries of the sealed record that have had their time, whole seals at once; the seals stay.

    On PostgreSQL by a role of its own (CARILLON_RETENTION_DATABASE_URL), for the application's may not. On SQLite
    whoever has the file can do this and more: nothing but a head that somebody else keeps shows it.

    Example: `carillon keeping prune-record`
    """
    with writing(operator) as (house, actor):
        done = prune_record(house, actor=actor)
    if json:
        show.as_json({"entries": done.entries, "said": done.said})
        return
    show.say(f"{done.entries:,} entries of the record have gone")
    if done.said:
        show.hint(done.said)


def _in_words(went: Mapping[str, int]) -> str:
    return ", ".join(f"{n:,} {what}" for what, n in went.items()) or "nothing had had its time"
