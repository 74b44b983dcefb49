"""The guard before every address that somebody typed, to fetch from or to tell: it leads out, or nobody goes there.

What leads out is `broker.outward`'s to judge, where the connection is made and not before. A redirect is another
address, to be looked at anew or not followed.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import NoReturn

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from broker.errors import Problem, RuleBroken
from broker.outward import LeadsInward, MayAsk, is_odd_number, literal, looked_up

LONGEST_URL = 2_000


class FetchRefused(RuleBroken):
    """Raised when an address cannot be fetched, may not be, or holds more than anybody reads."""


def session(
    may_ask: MayAsk, headers: Mapping[str, str], timeout: timedelta
) -> AbstractAsyncContextManager[aiohttp.ClientSession]:
    """A client that reaches what may be asked, and nothing else."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(resolver=_Looked(may_ask), use_dns_cache=False, limit=1),
        headers=dict(headers),
        timeout=aiohttp.ClientTimeout(total=timeout.total_seconds()),
        auto_decompress=False,  # a few bytes would grow to a gigabyte
        trust_env=False,  # a proxy of the environment's would resolve names where nobody looks
    )


def checked(url: str, may_ask: MayAsk) -> URL:
    """An address as typed, if it is one of the web and no number that may not be asked. Raises FetchRefused."""
    if len(url) > LONGEST_URL or not url.isprintable():
        refuse("bad_url", "this is no address", "such as https://school.example/changes.ics")
    try:
        at = URL(url.replace("webcal://", "https://", 1) if url.startswith("webcal://") else url)
        host = at.raw_host
    except ValueError:  # what is no host, or no port
        refuse("bad_url", "this is no address", "such as https://school.example/changes.ics")
    if at.scheme not in {"https", "http"} or not host or at.user is not None:
        refuse("bad_url", "this is no web address", "such as https://school.example/changes.ics")
    if is_odd_number(host):
        refuse("bad_url", "this is a number written as no address is", "write it as 203.0.113.7, or a name")
    number = literal(host)
    if number is not None and not may_ask(number):
        refuse_private()
    return at


def refuse_private() -> NoReturn:
    """Say that it leads inwards."""
    refuse(
        "private_address",
        "it leads to this machine or to the school's own network, where Carillon does not ask",
        "put the file where Carillon can read it as a file",
    )


def refuse(code: str, message: str, hint: str) -> NoReturn:
    """Say no."""
    raise FetchRefused(Problem(code, "url", message, hint)) from None


class _Looked(AbstractResolver):
    """Gives what was judged, and nothing where any of it may not be asked."""

    def __init__(self, may_ask: MayAsk) -> None:
        self._may_ask = may_ask

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        try:
            places = await asyncio.to_thread(looked_up, host, port, self._may_ask)
        except LeadsInward:
            refuse_private()
        return [
            ResolveResult(
                hostname=host,
                host=str(where[0]),
                port=int(where[1]),
                family=found,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for found, where in places
            if family in {socket.AF_UNSPEC, found}
        ]

    async def close(self) -> None:
        """There is nothing to let go of."""
