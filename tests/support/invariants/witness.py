"""What can only be seen while it happens: a start committed before bytes leave, and no transaction beside a call."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, event, select

from broker.channel import Key
from ledger import tables as t
from ledger.connect import Ledger


class Transactions:
    """How many transactions each thread of this process has open on an engine."""

    def __init__(self, engine: Engine) -> None:
        self._open = threading.local()
        event.listen(engine, "begin", self._began)
        event.listen(engine, "commit", self._ended)
        event.listen(engine, "rollback", self._ended)

    @property
    def here(self) -> int:
        """Of this thread."""
        return int(getattr(self._open, "n", 0))

    def _began(self, _: Any) -> None:
        self._open.n = self.here + 1

    def _ended(self, _: Any) -> None:
        self._open.n = max(0, self.here - 1)


class AtTheDoor:
    """Stands where `may_start` is asked: the last moment before a call. What it saw go wrong is in `broken`."""

    def __init__(self, ledger: Ledger) -> None:
        self.broken: list[str] = []
        self.seen = 0
        self._ledger = ledger
        self._transactions = Transactions(ledger.engine)

    def watch(self, may_start: Callable[[Key], bool]) -> Callable[[Key], bool]:
        """The same question, with a look at who asks it."""

        def asked(key: Key) -> bool:
            answer = may_start(key)
            if answer:
                self.look(key)
            return answer

        return asked

    def look(self, key: Key) -> None:
        """A start is committed before bytes leave; no provider is called inside a transaction."""
        self.seen += 1
        if self._transactions.here:
            self.broken.append(f"a provider is called inside a transaction: attempt {key.attempt}")
        with self._ledger.reading() as hand:
            started = select(t.attempt.c.id).where(
                t.attempt.c.id == key.attempt,
                t.attempt.c.delivery_id == key.delivery,
                t.attempt.c.fence == key.fence,
            )
            if hand.connection.execute(started).first() is None:
                self.broken.append(f"bytes leave before their start is committed: attempt {key.attempt}")
