"""The ledger, opened: an engine, and transactions whose ports are the modules beside this one."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Engine, make_url
from sqlalchemy.exc import DBAPIError

from broker.ports import Signer
from ledger.accounts import Accounts
from ledger.announcements import Announcements
from ledger.deliveries import Deliveries
from ledger.dialect import Dialect, dialect_of
from ledger.dialect.sqlite import READ_ONLY
from ledger.hand import Hand
from ledger.moves import Moves
from ledger.pace import Pace
from ledger.people import People
from ledger.plans import Plans
from ledger.receipts import Receipts
from ledger.record import Records
from ledger.stops import Stops
from ledger.sweeps import Sweeps

T = TypeVar("T")
TRIES = 6  # of a transaction that lost to another one


class Transaction:
    """One transaction; its ports share one connection."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand
        self.announcements = Announcements(hand)
        self.people = People(hand)
        self.plans = Plans(hand)
        self.deliveries = Deliveries(hand)
        self.moves = Moves(hand)
        self.receipts = Receipts(hand)
        self.accounts = Accounts(hand)
        self.pace = Pace(hand)
        self.stops = Stops(hand)
        self.record = Records(hand)
        self.sweeps = Sweeps(hand)

    @property
    def now(self) -> datetime:
        """The transaction's time."""
        return self._hand.now

    @property
    def hand(self) -> Hand:
        """For the ledger's own reads and imports."""
        return self._hand


class Ledger:
    """The only truth. Threads may share it; each transaction takes a connection of its own."""

    def __init__(self, engine: Engine, dialect: Dialect, signer: Signer) -> None:
        self.engine = engine
        self.dialect = dialect
        self._signer = signer

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        """A writing transaction: committed when the block ends, rolled back when it raises."""
        with self.engine.begin() as connection:
            yield Transaction(Hand(connection, self.dialect, self._signer))

    @contextmanager
    def reading(self) -> Iterator[Hand]:
        """A transaction that only reads: on SQLite it waits for no writer."""
        with self._reader.begin() as connection:
            yield Hand(connection, self.dialect, self._signer)

    def transact(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction, again from the start when it lost to another one (deadlock, busy)."""
        for turn in range(TRIES):
            try:
                with self.begin() as tx:
                    return work(tx)
            except DBAPIError as error:
                if turn == TRIES - 1 or not self.dialect.is_conflict(error):
                    raise
                time.sleep(random.uniform(0, 0.05 * 2**turn))  # noqa: S311 - spreads retries, guards nothing
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Give every connection back."""
        self.engine.dispose()

    @cached_property
    def _reader(self) -> Engine:
        return self.engine.execution_options(**{READ_ONLY: True})


def open_ledger(database_url: str, signer: Signer, *, pool_size: int = 10) -> Ledger:
    """The ledger at a database address; its tables must be there already (`ledger.migrate`)."""
    url = make_url(database_url)
    dialect = dialect_of(url)()
    if url.get_backend_name() == "sqlite" and url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    return Ledger(dialect.open(url, pool_size=pool_size), dialect, signer)


__all__ = ["Hand", "Ledger", "Transaction", "open_ledger"]
