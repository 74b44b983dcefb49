"""The queue: Celery configured to carry hints and nothing else, and the publisher of hints.

A hint holds ids and says "there may be work". It is popped and gone, has no result, no eta and no retry: losing one
loses nothing, for the sweep finds due work in the ledger.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, cast

import redis
from celery import Celery
from celery.result import AsyncResult
from kombu import Connection, Exchange, Queue
from kombu.exceptions import OperationalError

from broker.values import FanOutHint, Hint, Lane

log = logging.getLogger(__name__)

CORE, URGENT, BEAT_QUEUES = "core", "urgent", "beat"
FAN_OUT, DELIVER, SWEEP, BEAT = "carillon.fan_out", "carillon.deliver", "carillon.sweep", "carillon.beat"

SOCKET_TIMEOUT = timedelta(seconds=10)  # well over kombu's blocking read of one second
CONNECT_TIMEOUT = timedelta(seconds=3)
PUBLISH_TIMEOUT = timedelta(seconds=1)
UNHEARD = timedelta(hours=2)  # longer than any worker is deaf before it is replaced
# After a failure nothing is published for so long: a sweep's hints must not each wait.
QUIET = timedelta(seconds=1)
POLLING = timedelta(milliseconds=50)
IN_PROCESS = "memory://localhost/"  # kombu warns of a missing host, which its memory has no use for


def queues(channels: Iterable[str]) -> Sequence[str]:
    """Every queue that hints may go to: one for fan-out and sweep, one for what is urgent, one a channel."""
    return (URGENT, CORE, *sorted(channels))


def route(hint: Hint) -> str:
    """The queue of a hint: urgent work has one of its own, so that no bulk send stands before it."""
    if isinstance(hint, FanOutHint):
        return CORE
    return URGENT if hint.lane is Lane.URGENT else hint.channel


def beat_queue(worker: str) -> str:
    """The queue of one worker process's own, through which its supervisor tries whether it hears."""
    return f"{BEAT_QUEUES}.{worker}"


def make_app(
    queue_url: str, channels: Iterable[str], *, own: Iterable[str] = (), timeout: timedelta = SOCKET_TIMEOUT
) -> Celery:
    """A Celery application for hints; `timeout` bounds every wait for an answer of the queue.

    `own` are queues that this process alone hears.
    Each worker in a process needs one of its own: Celery keeps the choice of queues in the application.
    """
    app = Celery("carillon", set_as_current=False, fixups=[])
    app.conf.update(
        broker_url=IN_PROCESS if is_in_process(queue_url) else queue_url,
        broker_transport_options=_transport(queue_url, timeout),
        broker_connection_timeout=min(timeout, CONNECT_TIMEOUT).total_seconds(),
        broker_heartbeat=0,  # our loop sends none: keepalive and the supervisor's beats find what is dead
        broker_connection_retry=True,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_channel_error_retry=True,
        accept_content=["json"],
        task_serializer="json",
        event_serializer="json",
        task_queues=[_queue(name) for name in (*queues(channels), *own)],
        task_default_queue=CORE,
        task_create_missing_queues=False,
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        result_backend=None,
        task_acks_late=False,
        task_publish_retry=False,
        task_send_sent_event=False,
        worker_send_task_events=False,
        worker_enable_remote_control=False,  # no broadcast queue: one part less that a lost Redis can leave deaf
        worker_prefetch_multiplier=1,
        worker_enable_prefetch_count_reduction=False,  # it may never grow back after a loss
        # Ours are never acknowledged late, so nothing is ever cancelled; unset, Celery warns on every loss.
        worker_cancel_long_running_tasks_on_connection_loss=True,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_proc_alive_timeout=10,
        enable_utc=True,
    )
    return app


def _transport(queue_url: str, timeout: timedelta) -> Mapping[str, Any]:
    if is_in_process(queue_url):
        return {"polling_interval": POLLING.total_seconds()}
    if not is_redis(queue_url):
        # Confirmed, or a RabbitMQ that hangs would seem to take every hint.
        seconds = timeout.total_seconds()
        return {"read_timeout": seconds, "write_timeout": seconds, "confirm_publish": True}
    return {
        "socket_timeout": timeout.total_seconds(),
        "socket_connect_timeout": min(timeout, CONNECT_TIMEOUT).total_seconds(),
        "socket_keepalive": True,
        "health_check_interval": 10,
        "retry_on_timeout": False,
        "max_retries": 0,  # of kombu's own hidden reconnecting inside a call; Celery and the sweep do it in the open
    }


def _queue(name: str) -> Queue:
    # A worker's own queue goes some time after it: RabbitMQ does that by itself, and of Redis see `forget`.
    expires = UNHEARD.total_seconds() if name.startswith(f"{BEAT_QUEUES}.") else None
    # A hint is popped and gone; workers/app.py tells what acknowledging did.
    return Queue(name, Exchange(name, type="direct"), routing_key=name, no_ack=True, expires=expires)


class _Unasked:
    """In place of Celery's result: for that one every new thread looks through all that is installed (6 ms)."""

    def __init__(self, task: str) -> None:
        self.task, self.ignored = task, True


class Publisher:
    """Publishes hints; never raises and never waits long. Implements broker.ports.Hints; threads may share it."""

    def __init__(
        self,
        queue_url: str,
        channels: Iterable[str],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = queue_url
        self._channels = tuple(channels)
        self._app: Celery | None = None
        self._lock = threading.Lock()
        seconds = PUBLISH_TIMEOUT.total_seconds()
        within = {"timeout": seconds, "confirm_timeout": seconds}
        self._within: dict[str, Any] = within if is_amqp(queue_url) else {}
        self._otherwise: Callable[[Hint], None] | None = None
        self._clock = clock
        self._away_since: float | None = None
        self._quiet_until = float("-inf")

    def fall_back(self, otherwise: Callable[[Hint], None]) -> None:
        """What a worker does with a hint that the queue did not take: its work, by itself."""
        self._otherwise = otherwise

    def publish(self, hint: Hint) -> None:
        """Send one hint, or let the sweep find the work."""
        if isinstance(hint, FanOutHint):
            sent = self.send(FAN_OUT, str(hint.announcement), queue=CORE)
        else:
            sent = self.send(DELIVER, hint.account, hint.lane.value, queue=route(hint))
        if not sent and self._otherwise is not None:
            self._otherwise(hint)

    def send(self, task: str, *args: str, queue: str) -> bool:
        """Send one task by name; whether it was sent."""
        if self._clock() < self._quiet_until:
            return False
        try:
            self._connected().send_task(
                task,
                args=args,
                # The queue itself, which Celery takes too: a beat's queue is known to its worker alone.
                queue=cast("str", _queue(queue)),
                routing_key=queue,
                ignore_result=True,
                result_cls=cast("type[AsyncResult[Any]]", _Unasked),
                retry=False,
                **self._within,
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, the hint is lost and the ledger is not
            self._lost(error)
            return False
        if self._away_since is not None:
            log.warning("the queue is back after %.0f s", self._clock() - self._away_since)
            self._away_since = None
        return True

    def close(self) -> None:
        """Let go of the connection; safe to call twice."""
        with self._lock:
            app, self._app = self._app, None
        if app is not None:
            app.close()

    def _connected(self) -> Celery:
        with self._lock:
            if self._app is None:
                self._app = make_app(self._url, self._channels, timeout=PUBLISH_TIMEOUT)
                # A direct exchange's binding is a write to Redis; once a connection is enough.
                self._app.conf.broker_pool_limit = 2
            return self._app

    def _lost(self, error: Exception) -> None:
        self._quiet_until = self._clock() + QUIET.total_seconds()
        if self._away_since is None:
            self._away_since = self._clock()
            log.warning("the queue is away (%s): the sweep finds what is due", type(error).__name__)


class Silent:
    """Hints of a process beside an embedded worker: nobody could hear them, and its sweep looks each second."""

    def publish(self, hint: Hint) -> None:
        """Say nothing."""

    def fall_back(self, otherwise: Callable[[Hint], None]) -> None:
        """Nothing fails here."""

    def close(self) -> None:
        """Nothing to let go of."""


# --- what redis-py is for: a look at the queue from outside -----------------------------------------------------------


def is_in_process(queue_url: str) -> bool:
    """Whether hints stay in one process."""
    return queue_url.startswith("memory:")


def is_redis(queue_url: str) -> bool:
    """Whether the queue is a Redis, which can be asked."""
    return queue_url.startswith(("redis://", "rediss://"))


def is_amqp(queue_url: str) -> bool:
    """Whether the queue is a RabbitMQ."""
    return queue_url.startswith(("amqp://", "amqps://"))


def answers(queue_url: str, *, timeout: timedelta = PUBLISH_TIMEOUT) -> timedelta | None:
    """How long a RabbitMQ takes to let us in, None when it does not."""
    start = time.perf_counter()
    seconds = timeout.total_seconds()
    limits = {"read_timeout": seconds, "write_timeout": seconds}
    with Connection(queue_url, connect_timeout=seconds, transport_options=limits) as connection:
        theirs = (*connection.connection_errors, *connection.channel_errors, OperationalError)
        refusals = cast("tuple[type[Exception], ...]", theirs)
        try:
            connection.connect()
        except refusals:
            return None
    return timedelta(seconds=time.perf_counter() - start)


def connect(queue_url: str, *, timeout: timedelta = PUBLISH_TIMEOUT) -> redis.Redis:
    """A client that gives up after `timeout` rather than hang; the caller closes it."""
    seconds = timeout.total_seconds()
    return redis.Redis.from_url(queue_url, socket_timeout=seconds, socket_connect_timeout=seconds)


def ping(client: redis.Redis) -> timedelta | None:
    """How long Redis takes to answer, None when it does not."""
    start = time.perf_counter()
    try:
        client.ping()
    except redis.RedisError:
        return None
    return timedelta(seconds=time.perf_counter() - start)


def depths(client: redis.Redis, names: Iterable[str]) -> Mapping[str, int]:
    """How many hints wait in each queue. Raises redis.RedisError when Redis does not answer."""
    wanted = tuple(names)
    with client.pipeline(transaction=False) as pipeline:
        for name in wanted:
            pipeline.llen(name)
        return dict(zip(wanted, (int(n) for n in pipeline.execute()), strict=True))


def forget(client: redis.Redis, queue: str) -> None:
    """Remove a queue that nobody will hear again, and its binding. Raises redis.RedisError."""
    client.delete(queue, f"_kombu.binding.{queue}")


def keeping(client: redis.Redis) -> Mapping[str, str]:
    """How this Redis keeps what it holds: `maxmemory-policy` and `appendonly`; empty where it may not be asked."""
    try:
        policy = cast("dict[object, object]", client.config_get("maxmemory-policy"))
        policy |= cast("dict[object, object]", client.config_get("appendonly"))
    except redis.ResponseError:
        return {}  # a hosted Redis forbids CONFIG
    return {_str(name): _str(value) for name, value in policy.items()}


def _str(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
