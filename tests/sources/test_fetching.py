"""What is fetched from an address is bounded in size and time, and leads nowhere private, after redirects either."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sources.fetch import FetchRefused, Limits, fetch
from sources.timetables.places import AnAddress

HERE = Limits(most=100_000, timeout=timedelta(seconds=1), may_ask=lambda address: str(address) == "127.0.0.1")
BOMB = gzip.compress(bytes(50_000_000))  # 50 kB


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, ThreadingHTTPServer)
        port = self.server.server_port
        leads = {
            "/private": f"http://127.0.0.2:{port}/file",
            "/near": f"http://near.example:{port}/file",
            "/inward": f"http://inward.example:{port}/file",
            "/on": "/file",
            "/twice": "/on",
            "/thrice": "/twice",
            "/four-times": "/thrice",
            "/round": "/round",
            "/ftp": "ftp://127.0.0.1/file",
        }
        if (to := leads.get(self.path)) is not None:
            self.send_response(302)
            self.send_header("Location", to)
            self.end_headers()
            return
        self.send_response(404 if self.path == "/gone" else 200)
        if self.path == "/packed":
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        with suppress(OSError):
            if self.path == "/file":
                self.wfile.write(b"changes")
            elif self.path == "/packed":
                self.wfile.write(BOMB)
            elif self.path == "/drip":
                while True:
                    self.wfile.write(b".")
                    time.sleep(0.05)
            elif self.path == "/large":
                while True:
                    self.wfile.write(b"x" * 65_536)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def at() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def refusal(url: str, limits: Limits = HERE) -> str:
    with pytest.raises(FetchRefused) as refused:
        fetch(url, limits)
    assert refused.value.problem.hint
    return refused.value.problem.code


def test_what_an_address_holds_is_fetched_and_three_redirects_are_followed(at: str):
    assert fetch(f"{at}/file", HERE) == b"changes"
    assert fetch(f"{at}/on", HERE) == b"changes"
    assert fetch(f"{at}/thrice", HERE) == b"changes"
    found = AnAddress(f"{at}/file", HERE).read(datetime.now(UTC))
    assert found is not None
    assert found.data == b"changes"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/private", "private_address"),
        ("/round", "too_many_redirects"),
        ("/four-times", "too_many_redirects"),
        ("/ftp", "bad_url"),
        ("/gone", "bad_answer"),
        ("/large", "too_large"),
        ("/drip", "too_slow"),
    ],
)
def test_what_leads_astray_hangs_or_never_ends_is_refused(at: str, path: str, code: str):
    assert refusal(f"{at}{path}") == code


def test_a_name_that_means_this_machine_is_refused_whatever_it_is_called(at: str):
    nowhere = Limits(timeout=timedelta(seconds=1))
    assert refusal(f"{at}/file", nowhere) == "private_address"
    assert refusal(at.replace("127.0.0.1", "localhost") + "/file", nowhere) == "private_address"
    only_two = Limits(timeout=timedelta(seconds=1), may_ask=lambda address: str(address) != "127.0.0.1")
    assert refusal(at.replace("127.0.0.1", "localhost") + "/file", only_two) == "private_address"


def test_a_name_that_means_another_machine_a_moment_later_is_looked_at_where_the_connection_is_made(
    at: str, monkeypatch: pytest.MonkeyPatch
):
    real, asked = socket.getaddrinfo, []

    def rebound(host: object, *more: object, **named: object) -> object:
        if host != "rebind.example":
            return real(host, *more, **named)  # type: ignore[arg-type]
        asked.append(host)
        return real("127.0.0.1" if len(asked) == 1 else "127.0.0.2", *more, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", rebound)
    url = at.replace("127.0.0.1", "rebind.example")
    assert fetch(f"{url}/file", HERE) == b"changes"
    assert refusal(f"{url}/file") == "private_address"
    assert len(asked) == 2  # once a connection, and that answer is where it goes


def test_a_name_that_a_redirect_leads_to_is_looked_at_as_the_first_one_was(
    at: str, monkeypatch: pytest.MonkeyPatch
):
    means = {"near.example": "127.0.0.1", "inward.example": "127.0.0.2"}
    real, asked = socket.getaddrinfo, []

    def told(host: object, *more: object, **named: object) -> object:
        asked.append(host)
        return real(means.get(str(host), host), *more, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", told)
    assert fetch(f"{at}/near", HERE) == b"changes"
    assert refusal(f"{at}/inward") == "private_address"
    assert [host for host in asked if host in means] == ["near.example", "inward.example"]  # once each


def test_no_proxy_of_the_environment_is_asked(at: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.2:9")
    assert fetch(f"{at}/file", HERE) == b"changes"


def test_a_few_bytes_that_would_grow_to_very_many_do_not(at: str):
    assert fetch(f"{at}/packed", HERE) == BOMB


@pytest.mark.parametrize(
    "url", ["", "x", "file:///etc/passwd", "http://", "https://u:p@school.example/", "http://\x00"]
)
def test_what_is_no_web_address_is_refused(url: str):
    assert refusal(url) == "bad_url"
