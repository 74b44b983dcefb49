"""Callbacks are kept together: whatever has come while the last commit was on its way goes into the next one.

Each is answered after the commit that holds it. A commit each would be what limits the door: a school's families say
STOP within the same minute.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from starlette.concurrency import run_in_threadpool

from broker.errors import BrokerError
from broker.ports import Ports
from config.logs import told
from ledger.trouble import is_away

log = logging.getLogger(__name__)

MOST = 200  # callbacks a transaction
MOST_WAITING = 2_000
PATIENCE = timedelta(seconds=10)  # a provider hangs up soon after


class NotNow(BrokerError):
    """Raised when the ledger cannot keep a callback just now; whoever sent it should send it again."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One callback whose signature held."""

    account: str
    url: str = field(repr=False)  # its last part is an attempt's token
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Inbox:
    """Where the door puts callbacks; one for an application, used on its loop alone."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._accounts: dict[str, int] = {}  # by name; an account never changes its number
        self._waiting: list[tuple[Kept, asyncio.Future[bool]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._away = False

    async def keep(self, callback: Kept) -> bool:
        """Return once it is committed; False for an account that the ledger does not know. Raises NotNow.

        What was given up may be kept all the same, and is known when it comes again.
        """
        if len(self._waiting) >= MOST_WAITING:
            raise NotNow
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((callback, done))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())
        try:
            async with asyncio.timeout(PATIENCE.total_seconds()):
                return await done
        except TimeoutError:
            raise NotNow from None

    async def _write_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            await self._write(batch)

    async def _write(self, batch: Sequence[tuple[Kept, asyncio.Future[bool]]]) -> None:
        try:
            known = await run_in_threadpool(self._commit, [callback for callback, _ in batch])
        except Exception as error:  # noqa: BLE001 - whoever waits for it is told
            if is_away(error):
                self._tell(error)
                _fail(batch, NotNow())
            elif len(batch) > 1:  # one that no database takes must not keep the others out
                for one in batch:
                    await self._write([one])
            else:
                _fail(batch, error)
            return
        self._tell(None)
        for callback, done in batch:
            if not done.done():  # its caller may have hung up
                done.set_result(callback.account in known)

    def _tell(self, error: Exception | None) -> None:
        """Once when the ledger goes, and once when it is back: callbacks come by the hundred."""
        if error is not None and not self._away:
            log.error("callbacks cannot be kept, and providers are asked to send them again: %s", told(error))
        elif error is None and self._away:
            log.warning("callbacks are kept again")
        self._away = error is not None

    def _commit(self, callbacks: Sequence[Kept]) -> set[str]:
        with self._ports.ledger.begin() as tx:
            for name in {one.account for one in callbacks} - self._accounts.keys():
                if (row := tx.accounts.named(name)) is not None:
                    self._accounts[name] = row.id
            known = self._accounts
            tx.receipts.append_all(
                [
                    (known[one.account], one.url, one.headers, one.body)
                    for one in callbacks
                    if one.account in known
                ]
            )
        return set(known)


def _fail(batch: Sequence[tuple[Kept, asyncio.Future[bool]]], error: Exception) -> None:
    for _, done in batch:
        if not done.done():
            done.set_exception(error)
