"""How fast a feed of a thousand items is given out: to readers who have it (304), packed, and in full.

`python -m bench.feeds [--json]`, or `measure()`. The web is a process of its own over a SQLite ledger, on loopback; who
asks is this process, on kept connections, so that two cores are shared as a small server's would be.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import select as selecting
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import insert
from uuid6 import uuid7

from broker.announcement import Part, People, Purpose, Urgency
from broker.delivery import State
from broker.values import Lane
from config.assembly import assemble
from config.settings import load
from ledger import tables as t
from web.app import create_app
from web.serve import serve

ITEMS = 1_000
CONNECTIONS = 16
LASTS = timedelta(seconds=5)
START_WITHIN = 30.0
LONG = "The concert of **all our ensembles** begins at six in the hall.\n\n" + "\n".join(
    f"* Piece {n}, played by the orchestra and sung by the choir" for n in range(8)
)


@dataclass(frozen=True)
class Served:
    """What one way of asking came to."""

    what: str
    per_second: float
    answers: int
    bytes_each: int
    slowest_ms: float


@contextmanager
def web_with_feed(items: int = ITEMS) -> Iterator[str]:
    """A school whose music department said so much, and its web; gives the address of the feed without its ending."""
    with tempfile.TemporaryDirectory(prefix="carillon-bench-feeds-") as folder:
        environ = _environ(Path(folder))
        settings = load(environ=environ, env_file=None)
        with assemble(settings, serves=True, upgrade=True) as house, house.ledger.begin() as tx:
            _publish(tx, items)
        web = subprocess.Popen(
            [sys.executable, "-m", "bench.feeds", "--serve"],
            env=os.environ | environ,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert web.stdout is not None
            if not selecting.select([web.stdout], [], [], START_WITHIN)[0] or not web.stdout.readline():
                raise TimeoutError("the web did not start")
            url = settings.public_url or ""
            _await(url)
            yield f"{url}/feeds/departments/music"
        finally:
            web.terminate()
            web.wait(20)


def measure(items: int = ITEMS, lasts: timedelta = LASTS) -> list[Served]:
    """Ask for the feed as RSS in three ways, each for a while."""
    with web_with_feed(items) as feed:
        url = f"{feed}.rss"
        head = asyncio.run(_ask(url, {}))
        tag = re.search(rb"etag: (\S+)\r\n", head)
        assert tag is not None
        ways: Mapping[str, dict[str, str]] = {
            "304": {"If-None-Match": tag[1].decode()},
            "gzip": {"Accept-Encoding": "gzip"},
            "full": {},
        }
        return [asyncio.run(_load(what, url, headers, lasts)) for what, headers in ways.items()]


# --- who asks --------------------------------------------------------------------------------------------------------


async def _load(what: str, url: str, headers: dict[str, str], lasts: timedelta) -> Served:
    until = time.perf_counter() + lasts.total_seconds()
    began = time.perf_counter()
    found = await asyncio.gather(*(_asker(url, headers, until) for _ in range(CONNECTIONS)))
    took = time.perf_counter() - began
    answers = sum(len(times) for times, _ in found)
    slowest = max(max(times) for times, _ in found)
    return Served(what, round(answers / took), answers, found[0][1], round(slowest * 1000, 1))


async def _asker(url: str, headers: dict[str, str], until: float) -> tuple[list[float], int]:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=2**22)
    request = _request(url, headers)
    times, size = [], 0
    while (start := time.perf_counter()) < until:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        size = int(length[1]) if length else 0
        await reader.readexactly(size)
        assert head.startswith((b"HTTP/1.1 304", b"HTTP/1.1 200")), head[:200]
        times.append(time.perf_counter() - start)
    writer.close()
    return times, size


async def _ask(url: str, headers: dict[str, str]) -> bytes:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=2**22)
    writer.write(_request(url, headers))
    head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    return head


def _request(url: str, headers: dict[str, str]) -> bytes:
    parts = urlsplit(url)
    lines = [
        f"GET {parts.path} HTTP/1.1",
        f"Host: {parts.netloc}",
        *(f"{n}: {v}" for n, v in headers.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


# --- what is asked ---------------------------------------------------------------------------------------------------


def _environ(folder: Path) -> dict[str, str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return {
        "CARILLON_DATA_DIR": str(folder),
        "CARILLON_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "CARILLON_WEB__PORT": str(port),
        "CARILLON_DEPARTMENTS": "music",
        "CARILLON_ACCOUNTS__FEEDS__CHANNEL": "rss",
        "CARILLON_ACCOUNTS__FEEDS__ITEMS": str(min(ITEMS, 1_000)),
    }


def _publish(tx: object, items: int) -> None:
    """So many sent announcements, written at once: how they got there is another bench's."""
    run = tx.hand.connection.execute  # type: ignore[attr-defined]
    now = datetime.now(UTC) - timedelta(days=1)
    for n in range(1, items + 1):
        at = now + timedelta(seconds=n)
        run(
            insert(t.announcement).values(
                id=n,
                public_id=UUID(int=uuid7().int),
                department_id=1,
                digest="0" * 64,
                actor_kind="person",
                actor_id="bench",
                purpose=Purpose.SERVICE.value,
                urgency=Urgency.ROUTINE.value,
                audience="everyone",
                people=People.GUARDIANS.value,
                ways='[["rss"]]',
                accepted_at=at,
                approved_at=at,
                due_at=at,
                expires_at=at + timedelta(days=30),
                fanned_out_at=at,
            )
        )
        for part, words in (
            (Part.TITLE, f"Concert number {n} of the school year"),
            (Part.SHORT, "It begins at six in the hall; families are welcome."),
            (Part.LONG, f"{LONG}\n\nNumber {n}."),
        ):
            run(
                insert(t.content).values(
                    announcement_id=n, version=1, language="", part=part.value, text=words
                )
            )
        run(
            insert(t.delivery).values(
                announcement_id=n,
                channel="rss",
                account_id=1,
                lane=Lane.ROUTINE.value,
                state=State.SENT.value,
                due_at=at,
                expires_at=at + timedelta(days=30),
                created_at=at,
                changed_at=at,
            )
        )


def _await(url: str) -> None:
    until = time.monotonic() + START_WITHIN
    while time.monotonic() < until:
        try:
            asyncio.run(_ask(f"{url}/healthz", {}))
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("the web does not answer")


def _serve() -> None:
    settings = load(env_file=None)
    with assemble(settings, serves=True) as house:
        print("ready", flush=True)
        serve(create_app(house.ports, settings), settings.web.host, settings.web.port)


def main() -> None:
    """Measure and tell; with --serve, be the web that is measured."""
    if "--serve" in sys.argv:
        _serve()
        return
    found = measure()
    if "--json" in sys.argv:
        print(json.dumps([asdict(one) for one in found]))
        return
    for one in found:
        print(
            f"{one.what:5} {one.per_second:8,.0f}/s  {one.bytes_each:>10,} bytes  slowest {one.slowest_ms} ms"
        )


if __name__ == "__main__":
    main()
