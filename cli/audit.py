"""`carillon audit`: the record, checked, searched and handed out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from broker.address import AddressKind, mask
from broker.scrutiny import governors
from broker.scrutiny.heads import Head, Left, read_heads, written
from cli import show
from cli.house import reading, writing
from cli.options import Json, Operator, asking
from cli.reading import LARGEST_ID, bad, short_words, text_from
from cli.searching import search_
from config.assembly import House
from ledger.reads.record import head
from ledger.scrutiny.audit import Audit, audit
from ledger.scrutiny.bundle import Bundle, hand_out

MOST_HEADS = 10_000
NAME = 80  # characters of a governor's

app = typer.Typer(help="The record of what was done.", no_args_is_help=True)
app.command("search")(search_)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A verification as it was asked for."""

    head: Annotated[
        list[str] | None,
        typer.Option(
            "--head",
            metavar="HEAD",
            help="A head that was kept elsewhere: as hexadecimal, or a file that holds some.",
        ),
    ] = None
    seals_only: Annotated[
        bool, typer.Option("--seals-only", help="Leave out the ledger's rows: the chain and the heads alone.")
    ] = False
    json: Json = False


@app.command()
@asking(Check)
def verify(asked: Check) -> None:
    """Check that nobody changed the record: every seal, every row that the record tells of, and heads kept elsewhere.

    The chain shows a changed, lost or reordered entry. That its end was cut off, or all of it made anew, only a head
    shows that somebody else holds: give it with --head. Entries that no seal covers yet (the last second or two while a
    worker runs) are counted and not tamper-evident. Exit 1 when something does not agree.

    Examples:

    * `carillon audit verify`
    * `carillon audit verify --head heads.txt --json`
    """
    heads = _heads(asked.head or ())
    with reading() as house:
        found = audit(house.ledger, heads, rows=not asked.seals_only)
    if asked.json:
        show.as_json(_as_told(found))
    else:
        _say(found, given=len(heads))
    if not found.ok:
        raise typer.Exit(1)


@app.command("head")
def head_(json: Json = False) -> None:
    """Show the head of the record, a line to keep elsewhere: on paper, in a mail, on somebody else's disk.

    Examples:

    * `carillon audit head`
    * `carillon audit head >> /media/usb/heads.txt`
    """
    with reading() as house, house.ledger.look() as tx:
        newest, school, now = head(tx.hand.connection), tx.school.slug, tx.now
    if newest is None:
        raise bad("no_seal", "", "nothing is sealed yet", "begin with: carillon people import PATH")
    if json:
        show.as_json({"seal": newest.number, "head": newest.hash.hex(), "at": now})
    else:
        show.say(written(newest, school, now))


@app.command("export")
def export_(
    path: Annotated[Path, typer.Argument(help="The zip to write; it must not be there yet.")],
    first: Annotated[
        int, typer.Option("--from-seal", min=1, max=LARGEST_ID, metavar="N", help="Leave out what is before.")
    ] = 1,
    operator: Operator = None,
    json: Json = False,
) -> None:
    """Write the record as a bundle that anybody can check without Carillon; the method stands in its README.txt.

    It names everybody who acted, and no address: what went to whom stands in it as a commitment.

    Example: `carillon audit export record-2026.zip --operator "Mrs Bell"`
    """
    with writing(operator) as (house, actor):
        bundle = hand_out(house.ledger, path, first=first, actor=actor)
        _say_exported(house, path, bundle, json=json)


@app.command("governors")
def governors_(
    add: Annotated[
        tuple[str, str] | None, typer.Option("--add", metavar="NAME EMAIL", help="Mail heads to somebody.")
    ] = None,
    remove: Annotated[str | None, typer.Option("--remove", metavar="NAME", help="No more.")] = None,
    operator: Operator = None,
    json: Json = False,
) -> None:
    """List the governors to whom the head of the record is mailed; add or remove one.

    A head that somebody outside holds is what shows that the record's end was cut off, or all of it made anew. How
    often: `carillon rules explain record.mail_every`.

    Examples:

    * `carillon audit governors --add "Dr Okafor" okafor@example.org`
    * `carillon audit governors --remove "Dr Okafor"`
    """
    if add is not None and remove is not None:
        raise bad("one_thing", "add", "one thing at a time", "give --add or --remove")
    if add is not None or remove is not None:
        with writing(operator) as (house, actor):
            if add is not None:
                governors.add(house.ports, short_words(add[0][:NAME], "add"), add[1], actor=actor)
            else:
                governors.remove(house.ports, short_words(remove or "", "remove"), actor=actor)
    with reading() as house, house.ledger.look() as tx:
        found = {name: mask(AddressKind.EMAIL, email) for name, email in tx.record.holders().items()}
        last = tx.record.last_given(Left.MAILED)
    if json:
        show.as_json({"governors": found, "last_mailed": last})
        return
    show.table(
        ("governor", "email"), sorted(found.items()), none="nobody outside is mailed a head of the record"
    )


def _heads(given: Sequence[str]) -> Sequence[Head]:
    heads: list[Head] = []
    for one in given:
        text = one if read_heads(one) else text_from(Path(one))
        found = read_heads(text)
        if not found:
            hint = "a head is 64 hexadecimal digits, as `carillon audit head` shows them"
            raise bad("no_head", "head", "there is no head in this", hint)
        heads += found
    if len(heads) > MOST_HEADS:
        raise bad("too_many_heads", "head", f"these are more than {MOST_HEADS:,} heads", "give fewer")
    return heads


def _as_told(found: Audit) -> dict[str, Any]:
    seals, rows = found.seals, found.rows
    return {
        "ok": found.ok,
        "entries": seals.entries,
        "unsealed": seals.unsealed,
        "head": seals.head,
        "first_fault": seals.first_fault,
        "seals": seals.seals,
        "pruned": seals.pruned,
        "heads": found.heads,
        "transitions": rows.transitions,
        "deliveries": rows.deliveries,
        "fault_count": rows.fault_count + len(found.faults) - len(rows.faults),
        "faults": [{"where": fault.where, "what": fault.what} for fault in found.faults],
    }


def _say(found: Audit, *, given: int) -> None:
    seals, rows = found.seals, found.rows
    if found.ok:
        show.say(
            f"the record verifies: {seals.entries} entries under {seals.seals} seals, {seals.unsealed} not sealed yet,"
            f" head {seals.head}"
        )
        if seals.pruned:
            show.say(f"{show.many(seals.pruned, 'entry', 'entries')} had their time and were pruned")
        show.say(
            f"{show.many(rows.deliveries, 'delivery', 'deliveries')} of"
            f" {show.many(rows.announcements, 'announcement')} stand as the record says"
        )
        if not given:
            show.hint("give a head that somebody else holds with --head: only that shows an end cut off")
        return
    show.say("the record does not verify:")
    show.say(*(f"  {fault.where}: {show.plain(fault.what)}" for fault in found.faults))
    if rows.fault_count > len(rows.faults):
        show.hint(f"and {rows.fault_count - len(rows.faults):,} more rows")


def _say_exported(house: House, path: Path, bundle: Bundle, *, json: bool) -> None:
    if json:
        show.as_json(
            {
                "path": str(path),
                "sha256": bundle.sha256,
                "seals": bundle.seals,
                "entries": bundle.entries,
                "head": bundle.last.hash.hex(),
            }
        )
        return
    show.say(f"{path}: {bundle.entries} entries under {show.many(bundle.seals, 'seal')}")
    show.say(f"SHA-256 {bundle.sha256}")
    with house.ledger.look() as tx:
        show.say(written(bundle.last, tx.school.slug, tx.now))
