"""Celery's side of a worker: one consumer of some queues, on threads, in this process."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from celery import Celery
from celery.worker import WorkController
from celery.worker import state as celery_state
from celery.worker.consumer import Consumer as CeleryConsumer

from config.queue import make_app, queues
from workers.tasks import Work, register

RUN = 0x1  # celery.bootsteps.RUN, which its types leave out
LISTEN = timedelta(milliseconds=500)  # how long one wait for a hint lasts, and so how soon a stop is seen


class Consumer:
    """Hears hints of some queues and lets `work` do them. `run()` until Celery is told to stop.

    A bare WorkController: the worker of Celery's command line would take over signals, logging and the terminal.
    """

    def __init__(
        self,
        queue_url: str,
        channels: Sequence[str],
        work: Work,
        *,
        names: Sequence[str],
        threads: int,
        heard: Callable[[str], None] = lambda _: None,
    ) -> None:
        extra = [name for name in names if name not in queues(channels)]
        self._app = make_app(queue_url, channels, own=extra)
        register(self._app, work, heard)
        self._app.finalize()
        # Pool threads look tasks up in Celery's default application; every one of ours has the same tasks.
        self._app.set_default()
        self._controller = _controller(self._app, names, threads)

    def run(self) -> None:
        """Hear hints until `stop_all`, then finish what is in hand. From one thread."""
        try:
            self._controller.start()
        finally:
            self._app.close()


def stop_all() -> None:
    """Tell every consumer of this process to stop warmly: Celery keeps that wish once a process."""
    celery_state.should_stop = os.EX_OK  # type: ignore[assignment] # annotated by its first value alone


def forget_stop() -> None:
    """Let consumers start again in this process."""
    celery_state.should_stop = None


def _hear(
    consumer: Any, connection: Any, tasks: Any, blueprint: Any, _hub: Any, qos: Any, *_: Any, **__: Any
) -> None:
    """The plain loop: wait for a hint, hand it to a thread, look whether to stop."""
    tasks.on_message = consumer.create_task_handler()
    tasks.consume()
    consumer.on_ready()
    while blueprint.state == RUN and consumer.connection:
        celery_state.maybe_shutdown()
        if qos.prev != qos.value:
            qos.update()
        try:
            connection.drain_events(timeout=LISTEN.total_seconds())
        except TimeoutError:
            pass
        except OSError:
            if blueprint.state == RUN:
                raise


class _HintConsumer(CeleryConsumer):
    """Celery's consumer for hints, which are popped and gone: nothing is ever acknowledged.

    Celery acknowledges from its loop. On a thread pool nothing wakes the event loop for it, so that a worker stalls
    up to ten seconds once its prefetch is full; and acknowledging over a connection that is gone ends the worker.
    """

    loop = staticmethod(_hear)

    def call_soon(self, p: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Celery calls this to acknowledge, and for nothing else that concerns hints."""


def _controller(app: Celery, names: Sequence[str], threads: int) -> WorkController:
    return WorkController(
        app=app,
        hostname=f"{'+'.join(names)}.{os.getpid()}@{socket.gethostname()}",
        queues=list(names),
        pool_cls="threads",
        consumer_cls=_HintConsumer,
        use_eventloop=False,
        concurrency=threads,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        loglevel="WARNING",
    )
