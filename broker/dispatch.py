"""Dispatch: send what is due on an account and a lane, by a run that claims, starts, talks and writes back.

The ledger decides, the channel only talks; the stages are in `broker/run.py`. An account with several gateways goes by
a run for each of them in turn (`broker.failover`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

from broker import failover
from broker.failover import Failover, Watch, Way
from broker.licences import posture
from broker.ports import Ports
from broker.run import Run
from broker.tempo import TEMPO, Process, Tempo
from broker.values import AccountRow, Lane

__all__ = ["Process", "Tempo", "deliver"]


async def deliver(
    ports: Ports,
    account: str,
    lane: Lane,
    *,
    process: Process,
    budget: timedelta,
    stopping: Callable[[], bool] = lambda: False,
    tempo: Tempo = TEMPO,
) -> int:
    """Send what is due on one account and lane until nothing is, the budget is used or `stopping` says so.

    Runs on the process's one long-lived loop. Returns how many deliveries were started. What was claimed and
    not started is given back; what was started is always written back, however long the ledger is away.
    """
    row = await asyncio.to_thread(_account, ports, account)
    if row is None:
        return 0
    # Of what cannot be opened whoever watches is told; the sweep sees when it opens.
    ways = await asyncio.to_thread(failover.ways_of, ports, row)
    if not ways:
        return 0
    first = next(iter(ways.values()))
    await asyncio.to_thread(posture.look_if_old, ports, row, first.channel, actor=process.actor)
    until = time.monotonic() + budget.total_seconds()

    def over() -> bool:
        return stopping() or time.monotonic() >= until

    def run(way: Way, several: tuple[Failover, Watch] | None) -> Coroutine[Any, Any, int]:
        made = Run(ports, way, lane, process=process, tempo=tempo, over=over, several=several)
        return made.through()

    if not first.account.gateway:
        return await run(first, None)
    return await Failover(
        ports,
        ways,
        lane,
        breaker=tempo.breaker,
        database_now=process.brake.database_now,
        actor=process.actor,
        over=over,
        start=lambda all_of_it, way, watch: run(way, (all_of_it, watch)),
    ).through()


def _account(ports: Ports, name: str) -> AccountRow | None:
    with ports.ledger.look() as tx:
        return tx.accounts.named(name)
