"""A file fetched from an address that somebody typed: bounded in size, in time and in where it may lead.

Where it may lead, after each redirect too, is the guard's to say (`sources.guard`).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

import aiohttp
from yarl import URL

from broker.outward import MayAsk, is_public
from sources.guard import FetchRefused, checked, refuse, session

__all__ = ["LIMITS", "FetchRefused", "Fetched", "Limits", "Seen", "fetch", "fetch_if_changed"]

TIMEOUT = timedelta(seconds=30)  # of all of it, redirects and the last byte included
MOST_BYTES = 16 * 1024 * 1024
MOST_REDIRECTS = 3
CHUNK = 64 * 1024
REDIRECTS = frozenset({301, 302, 303, 307, 308})
OK, NOT_MODIFIED = 200, 304
LONGEST_WORD = 200  # of a server's, kept until the next time


@dataclass(frozen=True, slots=True)
class Limits:
    """How much, how long, and which addresses; tests change them."""

    most: int = MOST_BYTES
    timeout: timedelta = TIMEOUT
    may_ask: MayAsk = is_public


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
        refuse("bad_answer", "it answered 304", "try it in a browser")
    return fetched.data


def fetch_if_changed(url: str, seen: Seen, limits: Limits = LIMITS) -> Fetched | None:
    """What an address holds, or None where it is as when it was last `seen`. Raises FetchRefused."""
    try:
        return asyncio.run(asyncio.wait_for(_fetch(url, seen, limits), limits.timeout.total_seconds()))
    except TimeoutError:
        refuse("too_slow", "it did not answer in time", "try it in a browser; it is tried again")
    except (aiohttp.ClientError, OSError, ValueError):
        refuse("unreachable", "it cannot be reached", "try it in a browser; it is tried again")


async def _fetch(url: str, seen: Seen, limits: Limits) -> Fetched | None:
    at = checked(url, limits.may_ask)
    headers = {"Accept-Encoding": "identity", "User-Agent": "Carillon"}
    if seen.etag:
        headers["If-None-Match"] = seen.etag
    elif seen.modified:
        headers["If-Modified-Since"] = seen.modified
    async with session(limits.may_ask, headers, limits.timeout) as asking:
        for _ in range(MOST_REDIRECTS + 1):
            async with asking.get(at, allow_redirects=False) as answer:
                if answer.status in REDIRECTS:
                    at = checked(str(at.join(URL(answer.headers.get("Location", "")))), limits.may_ask)
                    continue
                if answer.status == NOT_MODIFIED and seen != Seen():
                    return None
                if answer.status != OK:
                    refuse("bad_answer", f"it answered {answer.status}", "try it in a browser")
                told = Seen(_word(answer, "ETag"), _word(answer, "Last-Modified"))
                return Fetched(await _body(answer, limits.most), told)
    return refuse("too_many_redirects", "it leads on and on", "give the address where it ends")


def _word(answer: aiohttp.ClientResponse, header: str) -> str:
    """A header that is to be given back; none where it is nothing that anybody would mean."""
    word = answer.headers.get(header, "")
    return word if len(word) <= LONGEST_WORD and word.isascii() and word.isprintable() else ""


async def _body(answer: aiohttp.ClientResponse, most: int) -> bytes:
    found = bytearray()
    async for chunk in answer.content.iter_chunked(CHUNK):
        found += chunk
        if len(found) > most:
            refuse("too_large", f"it is larger than {most:,} bytes", "check that it is the right address")
    return bytes(found)
