"""Wraps the seams of the crash points in this process, and kills it where it is told to.

Orders lie in a file, so that a process can be told while it runs. Whoever reaches the point for the turn that was asked
for writes its name to the file `hit`, which nobody else can make again, and is gone by SIGKILL: nothing is flushed,
closed or rolled back by its own hand.
"""

from __future__ import annotations

import functools
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import select
import signal
import socket
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from tests.support.crash_points import POINTS, Point, When

# What a call must have come to, to count: a claim that took nothing is none.
DID: Mapping[str, Callable[[Sequence[Any], Any], bool]] = {
    "Plans.add_partition": lambda args, result: result.deliveries > 0,
    "Plans.add_public": lambda args, result: result.deliveries > 0,
    "Deliveries.step": lambda args, result: any(step.state == "sending" for step in args[2]),
    "Deliveries.start": lambda args, result: bool(result),
    "Deliveries.write_back": lambda args, result: bool(args[2]),
    "Receipts.done": lambda args, result: bool(args[1]),
    "Publisher.send": lambda args, result: bool(result) and args[1] == "carillon.fan_out",
}
# A broadcast's fan-out has a method of its own.
ALSO = {"ledger.plans:Plans.add_partition": "ledger.plans:Plans.add_public"}
LEDGER = "ledger.connect"
DOT = b"\r\n.\r\n"  # nowhere else in a mail: a line's leading dot is written otherwise
PATIENCE = 30.0  # seconds, longer than any client's own


class Orders:
    """What this process was told, looked up at each pass."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._passes: Counter[int] = Counter()
        self._lock = threading.Lock()

    def now(self) -> dict[str, Any] | None:
        """The order in force."""
        try:
            with open(self._path, "rb") as file:
                order: dict[str, Any] | None = json.load(file)
        except (OSError, ValueError):
            return None
        return order

    def reach(
        self,
        name: str,
        channel: str | None,
        *,
        account: str | None = None,
        at_last: Callable[[], object] = int,
    ) -> None:
        """A pass through a point; the last one, if that was the order, after `at_last`."""
        order = self.now()
        if order is None or order["point"] != name or _role() not in order["roles"]:
            return
        if channel not in (None, order["channel"]) or account not in (None, order["account"]):
            return
        with self._lock:
            self._passes[order["id"]] += 1
            if self._passes[order["id"]] == order["turn"]:
                at_last()
                die(order)


def die(order: Mapping[str, Any]) -> None:
    """Once for each order, whoever comes first."""
    try:
        hit = os.open(order["hit"], os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return
    os.write(hit, json.dumps({"point": order["point"], "pid": os.getpid()}).encode())
    os.kill(os.getpid(), signal.SIGKILL)


def _role() -> str:
    """Which command this is; the supervisor's children have none."""
    return "child" if sys.argv[0].endswith("child.py") else sys.argv[1] if len(sys.argv) > 1 else ""


def arm(path: str) -> None:
    """Wrap every seam as its module is imported, and the sockets now."""
    orders = Orders(path)
    transactions = _Transactions(orders)
    seams: dict[str, dict[str, Callable[[Any], Any]]] = {}
    for point in POINTS:
        if point.seam == "socket":
            continue
        for seam in filter(None, (point.seam, ALSO.get(point.seam))):
            module, _, name = seam.partition(":")
            seams.setdefault(module, {})[name] = functools.partial(_wrapped, name, seam, orders, transactions)
    seams[LEDGER] = {
        "Ledger.begin": transactions.watched,
        "Ledger.exchange": functools.partial(_exchanged, orders),
    }
    sys.meta_path.insert(0, _Finder(seams))
    _Sockets(orders).wrap()


class _Transactions:
    """Which points the transaction of each thread has come by, passed before and after its commit."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._here = threading.local()

    def note(self, point: Point, channel: str | None) -> None:
        noted = getattr(self._here, "noted", None)
        if noted is not None:
            noted.append((point, channel))

    def watched(self, begin: Callable[..., Any]) -> Callable[..., Any]:
        @contextmanager
        def watched_begin(ledger: Any, **how: Any) -> Iterator[Any]:
            noted: list[tuple[Point, str | None]] = []
            try:
                with begin(ledger, **how) as transaction:
                    self._here.noted = noted
                    yield transaction
                    self._reach(noted, When.BEFORE_COMMIT)
            finally:
                self._here.noted = None
            self._reach(noted, When.AFTER_COMMIT)

        return watched_begin

    def _reach(self, noted: Sequence[tuple[Point, str | None]], when: When) -> None:
        for point, channel in noted:
            if point.when is when:
                self._orders.reach(point.name, channel)


def _wrapped(
    name: str, seam: str, orders: Orders, transactions: _Transactions, method: Callable[..., Any]
) -> Callable[..., Any]:
    origin = {also: first for first, also in ALSO.items()}.get(seam, seam)
    points = [point for point in POINTS if point.seam == origin]

    @functools.wraps(method)
    def passing(*args: Any, **kwargs: Any) -> Any:
        for point in points:
            if point.when is When.BEFORE:
                orders.reach(point.name, None, account=args[1])
        result = method(*args, **kwargs)
        if name not in DID or DID[name](args, result):
            for point in points:
                if point.when is When.AFTER:
                    orders.reach(point.name, None)
                elif point.when is not When.BEFORE:
                    transactions.note(point, _channel(name, args))
        return result

    return passing


def _exchanged(orders: Orders, exchange: Callable[..., Any]) -> Callable[..., Any]:
    """Outcomes and the next starts in one statement, which is its own transaction: before it, or after it."""

    @functools.wraps(exchange)
    def passing(ledger: Any, account: Any, results: Any, told: Any, starts: Any, **more: Any) -> Any:
        both = (("write-back", bool(results)), ("start", bool(starts.each)))
        for name, asked in both:
            if asked:
                orders.reach(name, account.channel)
        begun = exchange(ledger, account, results, told, starts, **more)
        if begun is not None:
            for name, done in (("write-back committed", bool(results)), ("start committed", bool(begun))):
                if done:
                    orders.reach(name, account.channel)
        return begun

    return passing


def _channel(name: str, args: Sequence[Any]) -> str | None:
    """Whose work it is, where that can be told."""
    if name.startswith("Plans."):
        return str(args[2])
    return str(args[1].channel) if name.startswith("Deliveries.") else None


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the modules with seams as anybody would, and wraps the seams when they have been run."""

    def __init__(self, seams: Mapping[str, Mapping[str, Callable[[Any], Any]]]) -> None:
        self._seams = seams

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name not in self._seams:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return None
        run = spec.loader.exec_module

        def run_and_wrap(module: ModuleType) -> None:
            run(module)
            for seam, wrap in self._seams[name].items():
                holder, _, method = seam.partition(".")
                kind = getattr(module, holder)
                setattr(kind, method, wrap(getattr(kind, method)))

        spec.loader.exec_module = run_and_wrap  # type: ignore[method-assign]
        return spec


class _Sockets:
    """Watches for whole messages on their way to a provider: a POST to Twilio or X, or a mail's final dot."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._out: WeakKeyDictionary[socket.socket, str] = WeakKeyDictionary()  # whole requests, by channel
        self._send: Callable[..., int] = socket.socket.send

    def wrap(self) -> None:
        kind: Any = socket.socket
        for name in ("send", "sendall"):
            setattr(kind, name, self._sending(getattr(kind, name)))
        for name in ("recv", "recv_into"):
            setattr(kind, name, self._receiving(getattr(kind, name)))

    def _sending(self, send: Callable[..., Any]) -> Callable[..., Any]:
        def sending(sock: socket.socket, data: Any, *flags: Any) -> Any:
            whole = bytes(data)
            channel = _bound_for(whole)
            if channel is not None:
                # A mail is whole with its dot; of a POST half the bytes leave.
                half = whole[: whole.find(DOT) + 2] if channel == "email" else whole[: len(whole) // 2]
                self._orders.reach("bytes out", channel, at_last=functools.partial(self._send, sock, half))
                self._out[sock] = channel
            return send(sock, data, *flags)

        return sending

    def _receiving(self, receive: Callable[..., Any]) -> Callable[..., Any]:
        def receiving(sock: socket.socket, *args: Any) -> Any:
            channel = self._out.get(sock)
            if channel is None:
                return receive(sock, *args)
            select.select([sock], [], [], PATIENCE)  # a blocking client reads before there is anything
            self._orders.reach("provider accept", channel)
            received = receive(sock, *args)
            self._out.pop(sock, None)
            self._orders.reach("response", channel)
            return received

        return receiving


def _bound_for(data: bytes) -> str | None:
    if data.startswith(b"POST /2010-04-01/"):
        return "sms"
    if data.startswith(b"POST /2/tweets"):
        return "twitter"
    return "email" if DOT in data or data == DOT[2:] else None
