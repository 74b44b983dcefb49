"""The tasks: ids in, a verb called. A task decides nothing, and what it is told is checked like any input."""

from __future__ import annotations

import logging
from collections.abc import Callable
from uuid import UUID

from celery import Celery

from broker.ports import Lane
from config.queue import BEAT, DELIVER, FAN_OUT, SWEEP
from workers.workshop import Work

log = logging.getLogger(__name__)


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
