"""The tasks: ids in, a verb called. A task decides nothing, and what it is told is checked like any input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol
from uuid import UUID

from celery import Celery

from broker.values import Lane
from config.queue import BEAT, DELIVER, FAN_OUT, SWEEP


class Work(Protocol):
    """What tasks may ask for. Nothing here raises for work that fails: the sweep finds it again."""

    def fan_out(self, announcement: UUID) -> None:
        """Plan one announcement."""

    def deliver(self, account: str, lane: Lane) -> None:
        """Send what is due on one account."""

    def sweep(self) -> None:
        """Find what is due."""


def register(app: Celery, work: Work, heard: Callable[[str], None] = lambda _: None) -> None:
    """Give `app` the tasks, done by `work`; `heard` is told of the supervisor's beats."""

    @app.task(name=FAN_OUT, shared=False)
    def fan_out(public_id: str) -> None:
        work.fan_out(UUID(public_id))

    @app.task(name=DELIVER, shared=False)
    def deliver(account: str, lane: str) -> None:
        work.deliver(account, Lane(lane))

    @app.task(name=SWEEP, shared=False)
    def sweep() -> None:
        work.sweep()

    @app.task(name=BEAT, shared=False)
    def beat(number: str) -> None:
        heard(number)
