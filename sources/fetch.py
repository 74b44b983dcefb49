"""A file fetched from an address that somebody typed: bounded in size, in time and in where it may lead.

A server that holds the school's people must not be made to ask the machines beside it. So every address is looked at
where the connection is made, after each redirect too, and not before: a name may mean another machine a moment later.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import NoReturn

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from broker.errors import Problem, RuleBroken

TIMEOUT = timedelta(seconds=30)  # of all of it, redirects and the last byte included
MOST_BYTES = 16 * 1024 * 1024
MOST_REDIRECTS = 3
CHUNK = 64 * 1024
LONGEST_URL = 2_000
REDIRECTS = frozenset({301, 302, 303, 307, 308})
OK, NOT_MODIFIED = 200, 304
LONGEST_WORD = 200  # of a server's, kept until the next time
TRANSLATED = (IPv6Network("64:ff9b::/96"), IPv6Network("::/96"))

Address = IPv4Address | IPv6Address


class FetchRefused(RuleBroken):
    """Raised when an address cannot be fetched, may not be, or holds more than anybody reads."""


def is_public(address: Address) -> bool:
    """Whether an address is out in the Internet: not this machine, not the school's own network."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or _translated(address)
        if inner is not None:
            return is_public(inner)
        if address.is_site_local:
            return False
    return address.is_global and not address.is_multicast


@dataclass(frozen=True, slots=True)
class Limits:
    """How much, how long, and which addresses; tests change them."""

    most: int = MOST_BYTES
    timeout: timedelta = TIMEOUT
    may_ask: Callable[[Address], bool] = is_public


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Seen:
    """By what a server knows that nothing changed since: its own words, given back to it. "" for none."""

    etag: str = ""
    modified: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What an address holds; and what to give back the next time."""

    data: bytes = field(repr=False)
    seen: Seen = Seen()


def fetch(url: str, limits: Limits = LIMITS) -> bytes:
    """What an address holds. Raises FetchRefused."""
    fetched = fetch_if_changed(url, Seen(), limits)
    if fetched is None:
        _refuse("bad_answer", "it answered 304", "try it in a browser")
    return fetched.data


def fetch_if_changed(url: str, seen: Seen, limits: Limits = LIMITS) -> Fetched | None:
    """What an address holds, or None where it is as when it was last `seen`. Raises FetchRefused."""
    try:
        return asyncio.run(asyncio.wait_for(_fetch(url, seen, limits), limits.timeout.total_seconds()))
    except TimeoutError:
        _refuse("too_slow", "it did not answer in time", "try it in a browser; it is tried again")
    except (aiohttp.ClientError, OSError, ValueError):
        _refuse("unreachable", "it cannot be reached", "try it in a browser; it is tried again")


class _Looked(AbstractResolver):
    """The system's resolver, without the addresses that may not be asked."""

    def __init__(self, may_ask: Callable[[Address], bool]) -> None:
        self._may_ask = may_ask
        self._plain = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._plain.resolve(host, port, family)
        if not all(self._may_ask(_address(each["host"])) for each in found):
            _refuse_private()
        return found

    async def close(self) -> None:
        await self._plain.close()


async def _fetch(url: str, seen: Seen, limits: Limits) -> Fetched | None:
    at = _checked(url, limits)
    connector = aiohttp.TCPConnector(resolver=_Looked(limits.may_ask), use_dns_cache=False, limit=1)
    headers = {"Accept-Encoding": "identity", "User-Agent": "Carillon"}
    if seen.etag:
        headers["If-None-Match"] = seen.etag
    elif seen.modified:
        headers["If-Modified-Since"] = seen.modified
    timeout = aiohttp.ClientTimeout(total=limits.timeout.total_seconds())
    async with aiohttp.ClientSession(
        connector=connector,
        headers=headers,
        timeout=timeout,
        auto_decompress=False,  # a few bytes would grow to a gigabyte
        trust_env=False,  # a proxy of the environment's would resolve names where nobody looks
    ) as session:
        for _ in range(MOST_REDIRECTS + 1):
            async with session.get(at, allow_redirects=False) as answer:
                if answer.status in REDIRECTS:
                    at = _checked(str(at.join(URL(answer.headers.get("Location", "")))), limits)
                    continue
                if answer.status == NOT_MODIFIED and seen != Seen():
                    return None
                if answer.status != OK:
                    _refuse("bad_answer", f"it answered {answer.status}", "try it in a browser")
                told = Seen(_word(answer, "ETag"), _word(answer, "Last-Modified"))
                return Fetched(await _body(answer, limits.most), told)
    return _refuse("too_many_redirects", "it leads on and on", "give the address where it ends")


def _word(answer: aiohttp.ClientResponse, header: str) -> str:
    """A header that is to be given back; none where it is nothing that anybody would mean."""
    word = answer.headers.get(header, "")
    return word if len(word) <= LONGEST_WORD and word.isascii() and word.isprintable() else ""


async def _body(answer: aiohttp.ClientResponse, most: int) -> bytes:
    found = bytearray()
    async for chunk in answer.content.iter_chunked(CHUNK):
        found += chunk
        if len(found) > most:
            _refuse("too_large", f"it is larger than {most:,} bytes", "check that it is the right address")
    return bytes(found)


def _checked(url: str, limits: Limits) -> URL:
    if len(url) > LONGEST_URL or not url.isprintable():
        _refuse("bad_url", "this is no address", "such as https://school.example/changes.ics")
    at = URL(url.replace("webcal://", "https://", 1) if url.startswith("webcal://") else url)
    if at.scheme not in {"https", "http"} or not at.host or at.user is not None:
        _refuse("bad_url", "this is no web address", "such as https://school.example/changes.ics")
    try:
        literal = ip_address(at.host)
    except ValueError:
        return at
    if not limits.may_ask(literal):
        _refuse_private()
    return at


def _translated(address: IPv6Address) -> IPv4Address | None:
    """What a translator (NAT64, RFC 6052), or what was meant as compatible once, makes an IPv4 address of."""
    within = any(address in network for network in TRANSLATED)
    return IPv4Address(int(address) & 0xFFFF_FFFF) if within else None


def _address(text: str) -> Address:
    return ip_address(text.partition("%")[0])


def _refuse_private() -> NoReturn:
    _refuse(
        "private_address",
        "it leads to this machine or to the school's own network, where Carillon does not ask",
        "put the file where Carillon can read it as a file",
    )


def _refuse(code: str, message: str, hint: str) -> NoReturn:
    raise FetchRefused(Problem(code, "url", message, hint)) from None
