"""What a start brings into the ledger from the settings: the school, its departments, its accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Table, insert, select, update

from broker.actor import SYSTEM
from broker.record import Entry
from broker.rules.book import SANDBOX, rules_of
from broker.scrutiny.laid_down import rules_changed
from ledger.connect import Ledger, Transaction
from ledger.tables import account, department, school

IN_THE_SANDBOX = "a sandbox school: nothing real can leave"
OUT_OF_THE_SANDBOX = "no sandbox any more"
SANDBOX_WRITTEN = rules_of(SANDBOX).changed


@dataclass(frozen=True, slots=True)
class School:
    """One ledger, one school."""

    slug: str
    name: str
    zone: str
    locale: str
    region: str


@dataclass(frozen=True, slots=True)
class ConfiguredAccount:
    """An account as the settings name it, without its credentials."""

    name: str
    channel: str
    department: str | None = None
    per_second: float | None = None


def install(
    ledger: Ledger,
    whose: School,
    departments: Mapping[str, str],
    accounts: Sequence[ConfiguredAccount],
    *,
    sandbox: bool = False,
) -> None:
    """Make the ledger agree with the settings; safe to repeat. `departments` maps slug → name.

    An account that the settings no longer name is kept, for its deliveries point to it, and set inactive. `sandbox`:
    nothing real can leave, so the school's rules begin with what suits that; they end with it.
    """

    def work(tx: Transaction) -> None:
        connection = tx.hand.connection
        _upsert(connection, school, {"id": 1}, {f: getattr(whose, f) for f in School.__slots__})
        for slug, name in departments.items():
            _upsert(connection, department, {"slug": slug}, {"name": name})
        for one in accounts:
            _put(connection, one)
        gone = account.c.name.not_in([one.name for one in accounts])
        connection.execute(update(account).where(gone).values(active=False))
        rules_for(tx, sandbox=sandbox)

    ledger.transact(work)  # web and workers of a new school start at once, and each of them comes here


def add_unknown(
    ledger: Ledger, departments: Mapping[str, str], accounts: Sequence[ConfiguredAccount]
) -> Sequence[str]:
    """Add departments and accounts that the ledger has never heard of; returns the names of those accounts.

    What it knows stays as it is, and nothing is taken away: a command may be typed in a shell with other settings.
    """
    with ledger.reading() as hand:
        slugs = set(hand.connection.execute(select(department.c.slug)).scalars())
        names = set(hand.connection.execute(select(account.c.name)).scalars())
    new = [one for one in accounts if one.name not in names]
    strange = departments.keys() - slugs
    if not (new or strange):
        return ()

    def work(tx: Transaction) -> None:
        for slug in sorted(strange):
            _upsert(tx.hand.connection, department, {"slug": slug}, {"name": departments[slug]})
        for one in new:
            _put(tx.hand.connection, one)

    ledger.transact(work)
    return [one.name for one in new]


def _put(connection: Connection, one: ConfiguredAccount) -> None:
    owner = None
    if one.department:
        owner = connection.execute(
            select(department.c.id).where(department.c.slug == one.department)
        ).scalar_one()
    values = {"channel": one.channel, "department_id": owner, "per_second": one.per_second, "active": True}
    _upsert(connection, account, {"name": one.name}, values)


def rules_for(tx: Transaction, *, sandbox: bool) -> None:
    """A sandbox school that has no rules of its own yet begins with those of the sandbox; a real one never keeps them.

    They are a version like any other: shown, explained, changed, and taken back when the school goes live.
    """
    history = tx.rules.history()
    if sandbox and not history:
        _keep_rules(tx, {}, SANDBOX, IN_THE_SANDBOX)
    begun = next((each.why for each in history if each.why in (IN_THE_SANDBOX, OUT_OF_THE_SANDBOX)), None)
    if not sandbox and begun == IN_THE_SANDBOX:
        left = {key: value for key, value in history[0].changed.items() if SANDBOX_WRITTEN.get(key) != value}
        _keep_rules(tx, history[0].changed, left, OUT_OF_THE_SANDBOX)


def _keep_rules(tx: Transaction, before: Mapping[str, str], after: Mapping[str, str], why: str) -> None:
    made = tx.rules.add(after, by=SYSTEM, why=why)
    facts = rules_changed(before, made.version, made.changed, why)
    tx.record.add([Entry("rules.changed", SYSTEM, facts)])


def _upsert(connection: Connection, table: Table, key: dict[str, object], values: dict[str, object]) -> None:
    where = [table.c[name] == value for name, value in key.items()]
    if not connection.execute(update(table).where(*where).values(values)).rowcount:
        connection.execute(insert(table).values(**key, **values))
