"""Figures for Prometheus: how much waits, how much was sent, how the web is doing. Counts and names of accounts alone.

Whoever asks shows the token of the settings; without one, only this machine is answered, and only while the school
has no public address: behind a proxy everybody comes from this machine.
"""

from __future__ import annotations

import hmac
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from ipaddress import ip_address

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, Summary, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.types import Scope

from broker.gateways import Stand
from config.logs import told
from config.settings import Settings
from ledger.connect import Ledger
from ledger.reads.health import Health, Waiting, health
from ledger.reads.progress import deliveries
from web import safety
from web.health import Readiness

log = logging.getLogger(__name__)
router = APIRouter()

KEPT_FOR = timedelta(seconds=5)  # the ledger is counted once for all who ask meanwhile
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


class Figures:
    """The figures of one application; for any number of threads."""

    def __init__(self, ledger: Ledger, readiness: Readiness) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.registry.register(InTheLedger(ledger, readiness))
        self._answered = Summary(
            "carillon_http_request_seconds",
            "Answers of the web, and how long they took, by part of the house",
            ("part", "method", "status"),
            registry=self.registry,
        )
        self._labelled: dict[tuple[str, str, int], Summary] = {}

    def answered(self, path: str, method: str, status: int, seconds: float) -> None:
        """Count one answer. Never by its address, which may hold a token."""
        key = path, method, status // 100
        summary = self._labelled.get(key)
        if summary is None:
            summary = self._answered.labels(path or "other", method, f"{status // 100}xx")
            self._labelled[key] = summary
        summary.observe(seconds)

    def written(self) -> bytes:
        """All of them, as Prometheus reads it. Blocks."""
        return generate_latest(self.registry)


class InTheLedger(Collector):
    """What the ledger says of the house, asked when somebody reads the figures."""

    def __init__(self, ledger: Ledger, readiness: Readiness) -> None:
        self._ledger = ledger
        self._readiness = readiness
        self._asking = threading.Lock()
        self._kept: tuple[float, list[Metric]] | None = None

    def describe(self) -> Iterable[Metric]:
        """Nothing ahead of time: the ledger may be away."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Every figure; where the ledger is away, that alone."""
        with self._asking:
            if self._kept is None or time.monotonic() - self._kept[0] > KEPT_FOR.total_seconds():
                self._kept = time.monotonic(), self._read()
            yield from self._kept[1]

    def _read(self) -> list[Metric]:
        try:
            with self._ledger.reading() as hand:
                stands, counted = health(hand), deliveries(hand)
            ready = not self._readiness.stands()
        except Exception as error:  # noqa: BLE001 - whatever it is, that it is away is the figure
            log.warning("the ledger could not be counted: %s", told(error))
            return [_gauge("ledger_up", "Whether the ledger answers", 0)]
        by_state = GaugeMetricFamily(
            "carillon_deliveries", "Deliveries, by where they stand", labels=("channel", "state")
        )
        for (channel, state), n in sorted(counted.items()):
            by_state.add_metric((channel, state), n)
        return [
            _gauge("ledger_up", "Whether the ledger answers", 1),
            _gauge("ready", "Whether the ledger's work goes on", int(ready)),
            by_state,
            *_queues(stands),
            _gateways(stands),
            *_chores(stands),
        ]


def _queues(stands: Health) -> Iterator[Metric]:
    figures: Mapping[str, tuple[str, Callable[[Waiting], float]]] = {
        "due": ("Deliveries that are due now", lambda one: one.due),
        "sending": ("Deliveries in hand", lambda one: one.sending),
        "oldest_due_seconds": (
            "How long the oldest of them waits",
            lambda one: _since(stands, one.oldest_due),
        ),
        "account_paused": ("Whether the account is paused", lambda one: int(one.paused_why is not None)),
    }
    for name, (about, of) in figures.items():
        family = GaugeMetricFamily(f"carillon_{name}", about, labels=("account", "channel"))
        for one in stands.accounts:
            family.add_metric((one.account, one.channel), of(one))
        yield family


def _gateways(stands: Health) -> Metric:
    family = GaugeMetricFamily(
        "carillon_gateway_closed",
        "Whether a gateway is used in its turn; those of which nothing was ever noted are not listed",
        labels=("account", "gateway", "stand"),
    )
    for one in stands.gateways:
        labels = (one.account, one.gateway, one.stand.value)
        family.add_metric(labels, int(one.stand is Stand.CLOSED))
    return family


def _chores(stands: Health) -> Iterator[Metric]:
    yield _gauge("callbacks_waiting", "Callbacks that are not confirmed yet", stands.receipts)
    yield _gauge("unsealed_entries", "Entries of the record that are not sealed yet", stands.unsealed)
    yield _gauge("unsealed_seconds", "Since when", _since(stands, stands.unsealed_since))
    alarms = GaugeMetricFamily("carillon_alarms", "Open alarms", labels=("kind",))
    for kind in sorted({alarm.kind for alarm in stands.alarms}):
        alarms.add_metric((kind,), sum(alarm.kind == kind for alarm in stands.alarms))
    yield alarms


def _since(stands: Health, moment: datetime | None) -> float:
    return max(0.0, (stands.at - moment).total_seconds()) if moment is not None else 0.0


def _gauge(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(f"carillon_{name}", about, value=value)


def count(scope: Scope, status: int, seconds: float) -> None:
    """Count what was answered to one request."""
    figures: Figures | None = getattr(scope["app"].state, "figures", None)
    if figures is not None:
        method = scope["method"] if scope["method"] in METHODS else "other"
        figures.answered(safety.part_of(scope["path"]), method, status, seconds)


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """The figures, for whoever may read them; for everybody else there is nothing here."""
    _check(request)
    figures: Figures = request.app.state.figures
    return Response(await run_in_threadpool(figures.written), media_type=CONTENT_TYPE_PLAIN_0_0_4)


def _check(request: Request) -> None:
    settings: Settings = request.app.state.settings
    token = settings.web.metrics_token
    if token is not None:
        scheme, _, shown = request.headers.get("authorization", "").partition(" ")
        expected = token.get_secret_value().encode()
        if scheme.lower() != "bearer" or not hmac.compare_digest(shown.strip().encode(), expected):
            raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
        return
    if not _from_here(request) or not settings.alone:
        raise HTTPException(404)


def _from_here(request: Request) -> bool:
    """Whether the caller is on this machine, and speaks for nobody else."""
    if request.client is None or any(name in request.headers for name in FORWARDED):
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False
