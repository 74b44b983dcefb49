"""Importing a roster: the difference first, a typed count before a tenth of the school goes, then all at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from broker.actor import Actor
from broker.diary.schedule_times import look_again
from broker.diary.terms import calendar_now
from broker.errors import Problem, RuleBroken
from broker.ports import Ports, Transaction
from broker.record import Entry
from broker.rosters.difference import Brakes, ImportDifference, ImportNames
from broker.rosters.roster import Roster
from broker.values import StopKind

KIND = "people.imported"
TENTH = 10


class ManyLeaving(RuleBroken):
    """Raised when an import would take more than a tenth of the school away, and nobody has typed how many."""


def look(ports: Ports, roster: Roster) -> ImportDifference:
    """What importing the roster would change; nothing is written."""
    with ports.ledger.begin_import(roster) as tx:
        return tx.imports.difference()


def import_roster(
    ports: Ports,
    roster: Roster,
    *,
    actor: Actor,
    expect_leaving: int | None = None,
    told: Callable[[ImportDifference], None] = lambda _: None,
    also: Callable[[Transaction], None] = lambda _: None,
) -> ImportDifference:
    """Make the ledger equal to the roster in one short transaction. Safe to repeat: the second changes nothing.

    Who is not in the roster leaves: kept, no longer written to. `expect_leaving` is how many a person was shown
    and confirmed; `told` hears the difference before anything is changed, and may raise; `also` is done in the same
    transaction, last. Raises ManyLeaving.
    """
    with ports.ledger.begin_import(roster) as tx:
        difference = tx.imports.difference()
        told(difference)
        _confirmed(difference, expect_leaving)
        if not difference.any:
            also(tx)
            return difference
        brakes = tx.imports.apply(difference)
        for pupil in brakes.pupils:
            tx.stops.add(StopKind.PERSON, pupil)
        for address in brakes.addresses:
            tx.stops.add(StopKind.ADDRESS, address)
        if difference.terms.any:
            look_again(tx, calendar_now(tx))
        tx.record.add([_entry(difference, brakes, actor)])
        also(tx)
    return difference


def look_closely(ports: Ports, roster: Roster) -> tuple[ImportDifference, ImportNames]:
    """The same difference as `look` tells, and by name; nothing is written."""
    with ports.ledger.begin_import(roster) as tx:
        return tx.imports.difference(), tx.imports.named()


def must_confirm(leaving: int, before: int) -> bool:
    """Whether so many leave at once that half an export is likelier than half a school."""
    return leaving * TENTH > before


def _confirmed(difference: ImportDifference, expected: int | None) -> None:
    leaving = difference.people.leaving
    if expected == leaving or (expected is None and not must_confirm(leaving, difference.before)):
        return
    raise ManyLeaving(
        Problem(
            "many_leaving",
            "expect_leaving",
            f"{leaving} of {difference.before} people are not in this roster and would leave"
            + ("" if expected is None else f", not {expected}"),
            "check that it is the whole export; if they have left, confirm with that number",
        )
    )


def _entry(difference: ImportDifference, brakes: Brakes, actor: Actor) -> Entry:
    """Counts, and the ids of what was braked: that a court order took hold can be shown, and when."""
    facts = {name: asdict(counts) for name, counts in difference.counts().items()}
    return Entry(
        KIND,
        actor,
        {
            **facts,
            "source": difference.source,
            "problems": len(difference.problems),
            "stopped": {"pupils": brakes.pupils, "addresses": brakes.addresses},
        },
    )
