"""Serving: uvicorn on a thread, so that the main thread is free to hear signals and to stop everything in order."""

from __future__ import annotations

import logging
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn

from broker.errors import Problem, SetupError
from web.prompt import Prompt

if TYPE_CHECKING:
    from fastapi import FastAPI

KEEP_ALIVE_SECONDS = 10
GRACE_SECONDS = 10
# With what the ledger and the files take, below the 1,024 that a process may usually have open.
MOST_AT_ONCE = 768
BACKLOG = 256


@contextmanager
def serving(app: FastAPI, host: str, port: int) -> Iterator[str]:
    """Serve while the block runs; gives the address. Port 0 takes a free one. Raises SetupError when it is taken.

    When the block ends, requests in hand are finished.
    """
    listener = _listen(host, port)
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # strangers' nonsense must not fill the log
    server = uvicorn.Server(_config(app))
    thread = threading.Thread(target=server.run, args=([listener],), name="carillon-web", daemon=True)
    thread.start()
    try:
        name, at = listener.getsockname()[:2]
        yield f"http://[{name}]:{at}" if ":" in name else f"http://{name}:{at}"
    finally:
        let_go = getattr(app.state, "let_go", None)
        if let_go is not None:
            let_go()  # streams would go on for as long as somebody watches
        server.should_exit = True
        thread.join()
        listener.close()


def serve(app: FastAPI, host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM. From the main thread."""
    with stopping() as stopped, serving(app, host, port):
        stopped.wait()


@contextmanager
def stopping() -> Iterator[threading.Event]:
    """An event that SIGINT or SIGTERM sets while the block runs, instead of ending the process at once."""
    stopped = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopped.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError:
        raise _cannot_listen(host, port) from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise _cannot_listen(host, port) from None
    return listener


def _cannot_listen(host: str, port: int) -> SetupError:
    hint = "is Carillon running already? Choose another port with CARILLON_WEB__PORT"
    return SetupError(
        Problem("cannot_listen", "CARILLON_WEB__PORT", f"cannot listen on {host} port {port}", hint)
    )


def _config(app: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=Prompt,
        log_config=None,
        access_log=False,  # it would write the tokens in addresses
        server_header=False,
        proxy_headers=False,  # nothing here believes what a caller says of itself
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        limit_concurrency=MOST_AT_ONCE,
        h11_max_incomplete_event_size=16 * 1024,
        ws="none",
        lifespan="off",
    )
