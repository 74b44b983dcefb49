"""The one guard before every address that somebody typed: it leads out into the Internet, or nobody goes there.

A server that holds the school's people must not be made to ask the machines beside it. So an address is looked at where
the connection is made and not before: a name may mean another machine a moment later. What the resolver gave and the
guard let through is what is connected to, and a redirect is another address, to be looked at anew or not followed.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import NoReturn

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from broker.errors import Problem, RuleBroken

LONGEST_URL = 2_000
TRANSLATED = (IPv6Network("64:ff9b::/96"), IPv6Network("::/96"))
# Read as inward by hand: a network's own translator, tunnels, and what a cloud answers its own machines at.
INWARD = (
    IPv6Network("64:ff9b:1::/48"),
    IPv6Network("2001::/32"),
    IPv4Network("192.88.99.0/24"),
    IPv4Network("168.63.129.16/32"),
)
_A_NUMBER = re.compile(r"[0-9.]+|0x.*", re.IGNORECASE)  # "127.1" is 127.0.0.1 to whoever connects

Address = IPv4Address | IPv6Address
MayAsk = Callable[[Address], bool]


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
    if any(address in network for network in INWARD if network.version == address.version):
        return False
    return address.is_global and not address.is_multicast


def is_here(address: Address) -> bool:
    """Whether it is this machine: in the sandbox nothing else may be asked."""
    return address.is_loopback


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
    try:
        literal = ip_address(host)
    except ValueError:
        if _A_NUMBER.fullmatch(host):
            refuse(
                "bad_url", "this is a number written as no address is", "write it as 203.0.113.7, or a name"
            )
        return at
    if not may_ask(literal):
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
    """The system's resolver, without the addresses that may not be asked."""

    def __init__(self, may_ask: MayAsk) -> None:
        self._may_ask = may_ask
        self._plain = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._plain.resolve(host, port, family)
        if not all(self._may_ask(_address(each["host"])) for each in found):
            refuse_private()
        return found

    async def close(self) -> None:
        await self._plain.close()


def _translated(address: IPv6Address) -> IPv4Address | None:
    """What a translator (NAT64, RFC 6052), or what was meant as compatible once, makes an IPv4 address of."""
    within = any(address in network for network in TRANSLATED)
    return IPv4Address(int(address) & 0xFFFF_FFFF) if within else None


def _address(text: str) -> Address:
    return ip_address(text.partition("%")[0])
