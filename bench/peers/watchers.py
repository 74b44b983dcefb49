"""So many browsers' worth of watchers in one process: they read what they are sent, and note when."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

SEATS = 10  # watchers a session


class Peer:
    """Opens streams, and keeps what came until it is asked."""

    def __init__(self, *, url: str, links: list[str]) -> None:
        self._place = urlsplit(url)
        self._cookies = [self._sign_in(url, link) for link in links]
        self._came: list[tuple[float, bytes]] = []
        self._events = 0
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._tasks: list[asyncio.Task[None]] = []

    def play(
        self, *, watch: list[str] | None = None, wait_for: str = "", leave: bool = False
    ) -> dict[str, Any]:
        """`watch`: open one stream for each query string. `leave`: close all.

        `wait_for`: wait until all of them were sent this, and say when it came to each.
        """
        if watch is not None:
            asyncio.run_coroutine_threadsafe(self._open(watch), self._loop).result(30)
        if leave:
            asyncio.run_coroutine_threadsafe(self._leave(), self._loop).result(30)
        events, self._events = self._events, 0
        return {"events": events, "at": self._seen(wait_for.encode()) if wait_for else []}

    async def _open(self, queries: list[str]) -> None:
        begun = []
        for n, query in enumerate(queries):
            ready = asyncio.Event()
            cookie = self._cookies[n // SEATS]
            self._tasks.append(asyncio.ensure_future(self._read(query, cookie, ready)))
            begun.append(ready.wait())
        await asyncio.gather(*begun)

    async def _leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        self._came.clear()

    async def _read(self, query: str, cookie: str, ready: asyncio.Event) -> None:
        reader, writer = await asyncio.open_connection(self._place.hostname, self._place.port, limit=2**22)
        host = self._place.netloc
        writer.write(
            f"GET /watch/events{query} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n".encode()
        )
        try:
            while event := await reader.readuntil(b"\n\n"):
                if b"event: parts" in event:
                    self._events += 1
                    self._came.append((time.monotonic(), event))
                    ready.set()
        finally:
            writer.close()

    def _seen(self, text: bytes) -> list[float]:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            times = [at for at, event in tuple(self._came) if text in event]
            if len(times) >= len(self._tasks):
                self._came.clear()
                return times
            time.sleep(0.01)
        raise TimeoutError("it was not shown to everybody")

    def _sign_in(self, url: str, link: str) -> str:
        form = Request(f"{url}/watch/sign-in", urlencode({"link": link}).encode(), {"Origin": url})
        with build_opener(_Stay()).open(form, timeout=10) as answer:
            return str(answer.headers["Set-Cookie"]).partition(";")[0]


class _Stay(HTTPRedirectHandler):
    def http_error_303(self, _request: Any, answer: Any, *_: Any) -> Any:
        return answer
