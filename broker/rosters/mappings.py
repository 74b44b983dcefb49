"""Keeping a mapping under its name, and forgetting it."""

from __future__ import annotations

from broker.actor import Actor
from broker.authority import operators
from broker.errors import BadMapping, Problem
from broker.ports import Ports, Transaction
from broker.record import Entry
from broker.rosters.mapping import LONGEST_NAME, ReportMapping


def keep(ports: Ports, mapping: ReportMapping, *, actor: Actor, replace: bool = False) -> None:
    """Save a mapping under its name.

    Raises BadMapping when there is another of that name and none is replaced, NotAllowed.
    """

    def work(tx: Transaction) -> None:
        operators.must_have(tx, actor, operators.ACTS)
        known = tx.mappings.named(mapping.name)
        if known == mapping:
            return
        if known is not None and not replace:
            hint = "--replace puts this one in its place"
            raise BadMapping(
                Problem("mapping_taken", "name", "there is a mapping of this name already", hint)
            )
        tx.mappings.put(mapping)
        columns = {field: column.told for field, column in mapping.columns.items()}
        facts = {"name": mapping.name, "rows": mapping.rows.value, "columns": columns}
        tx.record.add([Entry("mapping.made", actor, facts)])

    ports.ledger.transact(work)


def forget(ports: Ports, name: str, *, actor: Actor) -> None:
    """Drop a mapping; what was imported with it stays. Raises BadMapping when there is none, NotAllowed."""

    def work(tx: Transaction) -> None:
        operators.must_have(tx, actor, operators.ACTS)
        tx.mappings.drop(_known(tx, name).name)
        tx.record.add([Entry("mapping.forgotten", actor, {"name": name})])

    ports.ledger.transact(work)


def named(ports: Ports, name: str) -> ReportMapping:
    """The mapping of this name. Raises BadMapping when there is none."""
    with ports.ledger.look() as tx:
        return _known(tx, name)


def _known(tx: Transaction, name: str) -> ReportMapping:
    mapping = tx.mappings.named(name) if len(name) <= LONGEST_NAME and name.isprintable() else None
    if mapping is None:
        names = ", ".join(one.name for one in tx.mappings.all()) or "none yet"
        hint = f"there are: {names}"
        raise BadMapping(Problem("unknown_mapping", "mapping", "there is no mapping of this name", hint))
    return mapping
