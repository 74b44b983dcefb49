"""The ledger, opened: an engine, and transactions whose ports are the modules beside this one."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine, make_url
from sqlalchemy.exc import DBAPIError

from broker.ports import Signer
from broker.record import Entry
from broker.rosters.roster import Roster
from broker.values import AccountRow, Result, SchoolRow, Starts
from ledger.accounts import Accounts
from ledger.announcements import Announcements
from ledger.authority.approvals import Approvals, Operators
from ledger.authority.proofs import Proofs
from ledger.authority.sessions import Sessions
from ledger.authority.switches import Switches
from ledger.authority.tokens import Tokens
from ledger.cases import Cases
from ledger.consent.consents import Consents, OptOuts
from ledger.corrections.threads import Threads
from ledger.deliveries import Deliveries
from ledger.dialect import Dialect
from ledger.dialect.choose import dialect_of
from ledger.dialect.sqlite import AHEAD, READ_ONLY, Wall
from ledger.diary.events import Events
from ledger.diary.schedules import Schedules, TermCalendars
from ledger.diary.subscriptions import Subscriptions
from ledger.diary.timetables import Timetables
from ledger.exchange import exchange
from ledger.figures import Figures
from ledger.gateways import Gateways
from ledger.hand import Hand
from ledger.incoming.answers import Answers, Notes
from ledger.incoming.bounces import Bounces
from ledger.ladders.ladders import Ladders
from ledger.licences.licences import Licences
from ledger.licences.posts import Posts
from ledger.money import Money
from ledger.moves import Moves
from ledger.office.families import Families
from ledger.office.groups import Groups
from ledger.office.links import PrivateLinks
from ledger.office.reaches import Reaches
from ledger.office.subscribers import Subscribers
from ledger.office.templates import Templates
from ledger.pace import Pace
from ledger.plans import Plans
from ledger.privacy.erasure import Privacy
from ledger.privacy.pruning import Prunings
from ledger.privacy.redactions import Redactions
from ledger.receipts import Receipts
from ledger.record import Records
from ledger.retractions import Retractions
from ledger.rosters.imports import ErasedMeanwhile, Imports
from ledger.rosters.mappings import Mappings
from ledger.rosters.people import People
from ledger.rosters.staged import StagedImports
from ledger.rosters.staging import Staged, staged
from ledger.rules import RuleBook
from ledger.stops import Stops
from ledger.sweeps import Sweeps
from ledger.verdicts import Verdicts
from ledger.webhooks import Webhooks

T = TypeVar("T")
TRIES = 6  # of a transaction that lost to another one
_SCHOOL = (
    "SELECT school.slug, school.name, school.zone, school.locale, school.region, department.slug AS department,"
    " {now} AS now FROM school LEFT JOIN department ON true"
)
PATIENCE = timedelta(seconds=20)  # beyond it there is no other try: SQLite alone waits for half a minute


def _opened(port: Callable[[Hand], T]) -> cached_property[T]:
    """A port of a transaction, opened when it is first asked for: most transactions ask for a few of them."""
    return cached_property(lambda tx: port(tx.hand))


class Transaction:
    """One transaction; its ports share one connection."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    announcements = _opened(Announcements)
    people = _opened(People)
    consents = _opened(Consents)
    opt_outs = _opened(OptOuts)
    mappings = _opened(Mappings)
    staged_imports = _opened(StagedImports)
    groups = _opened(Groups)
    links = _opened(PrivateLinks)
    subscribers = _opened(Subscribers)
    families = _opened(Families)
    templates = _opened(Templates)
    reaches = _opened(Reaches)
    ladders = _opened(Ladders)
    plans = _opened(Plans)
    deliveries = _opened(Deliveries)
    moves = _opened(Moves)
    retractions = _opened(Retractions)
    receipts = _opened(Receipts)
    answers = _opened(Answers)
    notes = _opened(Notes)
    bounces = _opened(Bounces)
    accounts = _opened(Accounts)
    gateways = _opened(Gateways)
    licences = _opened(Licences)
    posts = _opened(Posts)
    pace = _opened(Pace)
    stops = _opened(Stops)
    rules = _opened(RuleBook)
    cases = _opened(Cases)
    verdicts = _opened(Verdicts)
    switches = _opened(Switches)
    record = _opened(Records)
    sweeps = _opened(Sweeps)
    sessions = _opened(Sessions)
    proofs = _opened(Proofs)
    tokens = _opened(Tokens)
    webhooks = _opened(Webhooks)
    figures = _opened(Figures)
    money = _opened(Money)
    operators = _opened(Operators)
    approvals = _opened(Approvals)
    privacy = _opened(Privacy)
    prunings = _opened(Prunings)
    redactions = _opened(Redactions)
    calendars = _opened(TermCalendars)
    schedules = _opened(Schedules)
    subscriptions = _opened(Subscriptions)
    events = _opened(Events)
    timetables = _opened(Timetables)
    threads = _opened(Threads)

    @property
    def now(self) -> datetime:
        """The transaction's time."""
        return self._hand.now

    @property
    def school(self) -> SchoolRow:
        """The one school of this ledger."""
        hand = self._hand
        rows = hand.run(_SCHOOL.format(now=hand.dialect.now)).all()
        row = rows[0]
        hand.dialect.saw_now(hand.connection, row.now)
        departments = frozenset(each.department for each in rows if each.department is not None)
        return SchoolRow(row.slug, row.name, row.zone, row.locale, row.region, departments)

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """A part of it that is taken back alone when it raises."""
        with self._hand.connection.begin_nested():
            yield

    @property
    def hand(self) -> Hand:
        """For the ledger's own reads and imports."""
        return self._hand


class ImportTransaction(Transaction):
    """A transaction beside which a roster lies staged."""

    def __init__(self, hand: Hand, staged: Staged) -> None:
        super().__init__(hand)
        self.imports = Imports(hand, staged)


class Ledger:
    """The only truth. Threads may share it; each transaction takes a connection of its own."""

    def __init__(self, engine: Engine, dialect: Dialect, signer: Signer) -> None:
        self.engine = engine
        self.dialect = dialect
        self._signer = signer

    @contextmanager
    def begin(self, *, ahead: bool = False) -> Iterator[Transaction]:
        """A writing transaction: committed when the block ends, rolled back when it raises."""
        with (self._ahead if ahead else self.engine).begin() as connection:
            yield Transaction(Hand(connection, self.dialect, self._signer))

    @contextmanager
    def begin_import(self, roster: Roster) -> Iterator[ImportTransaction]:
        """Stage a roster where nobody else sees it, then begin: imports wait for each other, nobody for staging.

        Staged again where somebody was erased in between, whom it would bring back.
        """
        for turn in range(TRIES):
            with self.engine.connect() as connection:
                connection.execution_options(**{READ_ONLY: True})
                with staged(connection, self.dialect, self._signer, roster) as staging:
                    connection.execution_options(**{READ_ONLY: False})
                    connection.info.pop("carillon_tx_now", None)
                    with connection.begin():
                        try:
                            tx = ImportTransaction(Hand(connection, self.dialect, self._signer), staging)
                        except ErasedMeanwhile:
                            if turn == TRIES - 1:
                                raise
                            continue
                        yield tx
                        return

    @contextmanager
    def look(self) -> Iterator[Transaction]:
        """A transaction that only reads: on SQLite it waits for no writer."""
        with self._reader.begin() as connection:
            yield Transaction(Hand(connection, self.dialect, self._signer))

    @contextmanager
    def reading(self) -> Iterator[Hand]:
        """A transaction that only reads: on SQLite it waits for no writer."""
        with self._reader.begin() as connection:
            yield Hand(connection, self.dialect, self._signer)

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Reads that all see one moment, however many statements. Short: old rows are not cleared away meanwhile."""
        with self._snapshots.begin() as connection:
            yield connection

    def transact(self, work: Callable[[Transaction], T], *, ahead: bool = False) -> T:
        """Run `work` in a transaction, again from the start when it lost to another one (deadlock, busy)."""
        began = time.monotonic()
        for turn in range(TRIES):
            try:
                with self.begin(ahead=ahead) as tx:
                    return work(tx)
            except DBAPIError as error:
                tired = turn == TRIES - 1 or time.monotonic() - began > PATIENCE.total_seconds()
                if tired or not self.dialect.is_conflict(error):
                    raise
                time.sleep(random.uniform(0, 0.05 * 2**turn))
        raise AssertionError("unreachable")

    def exchange(
        self,
        account: AccountRow,
        results: Sequence[Result],
        told: Sequence[Entry],
        starts: Starts,
        *,
        now: datetime,
    ) -> Mapping[int, int] | None:
        """One window for the next in one statement that is its own transaction; None where it cannot be."""
        if not self.dialect.changes_together:
            return None
        with self._at_once.connect() as connection:
            hand = Hand(connection, self.dialect, self._signer)
            return exchange(hand, account, results, told, starts, now=now)

    def forget(self) -> None:
        """Let the database's own files hold no more of what was erased, where that is ours to do."""
        with self.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT", **{READ_ONLY: True})
            self.dialect.forget(connection)

    def close(self) -> None:
        """Give every connection back."""
        self.engine.dispose()

    @cached_property
    def _at_once(self) -> Engine:
        return self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @cached_property
    def _snapshots(self) -> Engine:
        return self.engine.execution_options(**{READ_ONLY: True}, **self.dialect.one_moment)

    @cached_property
    def _ahead(self) -> Engine:
        return self.engine.execution_options(**{AHEAD: True})

    @cached_property
    def _reader(self) -> Engine:
        return self.engine.execution_options(**{READ_ONLY: True})


def open_ledger(
    database_url: str, signer: Signer, *, pool_size: int = 10, wall: Wall | None = None
) -> Ledger:
    """The ledger at a database address; its tables must be there already (`ledger.migrate`).

    `wall` tells SQLite the time in place of the machine: the demo plays a term in half a minute.
    """
    url = make_url(database_url)
    dialect = dialect_of(url, wall)
    if url.get_backend_name() == "sqlite" and url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    return Ledger(dialect.open(url, pool_size=pool_size), dialect, signer)


__all__ = ["Hand", "Ledger", "Transaction", "open_ledger"]
