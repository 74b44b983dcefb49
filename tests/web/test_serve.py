"""Serving on a real socket: a free port, a taken one, an orderly end."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
from datetime import timedelta

import httpx2
import pytest
from fastapi import FastAPI

from broker.errors import SetupError
from web import prompt
from web.serve import serving, stopping


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()

    @app.get("/")
    async def hello() -> str:
        return "hello"

    return app


def test_an_application_is_served_while_the_block_runs(app: FastAPI) -> None:
    with serving(app, "127.0.0.1", 0) as address:
        answer = httpx2.get(address, timeout=5)
        assert answer.json() == "hello"
        assert "server" not in answer.headers
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(address, timeout=5)


def test_a_port_that_is_taken_is_one_clear_error(app: FastAPI) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SetupError) as caught, serving(app, "127.0.0.1", port):
            pass
    assert caught.value.problems[0].field == "CARILLON_WEB__PORT"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_asks_for_an_orderly_end(number: signal.Signals) -> None:
    with stopping() as stopped:
        os.kill(os.getpid(), number)
        assert stopped.wait(2)


def test_signals_are_as_they_were_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with stopping():
        pass
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_slow_request_is_finished_before_the_end(app: FastAPI) -> None:
    entered, answers = threading.Event(), []

    @app.get("/slow")
    def slow() -> str:
        entered.set()
        threading.Event().wait(0.5)
        return "slow"

    with serving(app, "127.0.0.1", 0) as address:
        asking = threading.Thread(
            target=lambda: answers.append(httpx2.get(f"{address}/slow", timeout=5).json())
        )
        asking.start()
        assert entered.wait(5)
    asking.join()
    assert answers == ["slow"]


def test_serving_leaves_no_token_in_the_log(app: FastAPI) -> None:
    program = (
        "import httpx2; from config import logs; from fastapi import FastAPI; from web.serve import serving\n"
        "logs.set_up('DEBUG')\n"
        "with serving(FastAPI(), '127.0.0.1', 0) as at: httpx2.get(at + '/callbacks/a/SECRET-TOKEN', timeout=5)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True
    )
    assert "SECRET-TOKEN" not in done.stderr


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "])
def test_a_caller_who_asks_nothing_is_hung_up_on(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    monkeypatch.setattr(prompt, "PATIENCE", timedelta(milliseconds=100))
    with serving(app, "127.0.0.1", 0) as address:
        port = int(address.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=5) as silent:
            silent.sendall(said)
            assert silent.recv(1) == b""


def test_a_caller_who_waits_for_a_long_answer_is_not_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompt, "PATIENCE", timedelta(milliseconds=50))
    app = FastAPI()

    @app.get("/")
    async def slowly() -> str:
        await asyncio.sleep(0.4)
        return "at last"

    with serving(app, "127.0.0.1", 0) as address:
        assert httpx2.get(address, timeout=5).json() == "at last"
