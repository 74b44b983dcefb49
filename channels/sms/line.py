"""Connections to Twilio: the SDK's asynchronous client made bounded and quiet, on the caller's loop or on its own."""

from __future__ import annotations

import asyncio
import json
import threading
from base64 import b64encode
from collections.abc import Callable, Coroutine, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import quote_plus, urlencode

import aiohttp
from twilio.base.exceptions import TwilioException
from twilio.base.version import Version
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client
from twilio.rest.api.v2010.account.message import MessageInstance

from broker.errors import DeliveryFailure, Uncertain, Unreachable
from channels.retry_after import retry_after
from channels.sms import codes
from channels.sms.settings import Settings

API = "/2010-04-01"
CONNECT_WITHIN = timedelta(seconds=10)
CLOSE_WITHIN = timedelta(seconds=5)
MOST_BYTES = 4 * 1024 * 1024  # of an answer; a list of two hundred texts has a tenth of that

T = TypeVar("T")


class Line:
    """A client of the SDK on one event loop, with its kept-alive connections. Made on that loop."""

    def __init__(self, settings: Settings, base_url: str, timeout: timedelta) -> None:
        self.loop = asyncio.get_running_loop()
        secret = settings.auth_token.get_secret_value()
        self._session = aiohttp.ClientSession(
            # Each lane's hands bound it. A limit here would be shared, and is not fair: a busy lane takes each
            # connection back before whoever waits wakes up, so that an urgent text starves behind routine ones.
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Authorization": _basic(settings.account_sid, secret)},
        )
        self._http = http = _QuietHttpClient(pool_connections=False)
        http.session = _BoundedSession(self._session, timeout)
        # An environment that is not the process's: TWILIO_REGION or TWILIO_EDGE there would send texts elsewhere.
        client = Client(settings.account_sid, secret, http_client=http, environment={"-": "-"})
        client.api.base_url = base_url
        self._client = client
        self._version, self._account = client.api.v2010, settings.account_sid
        self._base_url = base_url
        self._texts = f"{base_url}{API}/Accounts/{settings.account_sid}/Messages.json"
        self._headers = client.get_headers("POST", None)
        self._closing: asyncio.Future[None] | None = None

    async def create(self, fields: Mapping[str, str]) -> str:
        """Create one text; its sid. Raises whatever the SDK raises, and ValueError for an answer without one.

        Through the SDK's HTTP client, not its `messages.create_async`: that builds an object with parsed dates around
        every answer, a fifth of what a text costs, and of all this only the sid is wanted.
        """
        answer = await self._http.request("POST", self._texts, data=fields, headers=self._headers)
        if not 200 <= answer.status_code < 300:
            raise Version.exception("POST", self._texts, answer, "Unable to create record")
        sid = json.loads(answer.text)["sid"]
        if not sid:
            raise ValueError("no sid")
        return str(sid)

    async def texts_to(self, number: str, *, most: int) -> list[MessageInstance]:
        """The newest texts to a number. Raises whatever the SDK raises, and ValueError for what is no list of texts.

        Not by the SDK's own listing: it takes any one thing in an answer for the list, so that a rubbish answer
        would be an empty one, and prove that a text is not there.
        """
        url = f"{self._texts}?{urlencode({'To': number, 'PageSize': most})}"
        found: list[MessageInstance] = []
        while url and len(found) < most:
            answer = await self._http.request("GET", url, headers=self._headers)
            if not 200 <= answer.status_code < 300:
                raise Version.exception("GET", self._texts, answer, "Unable to fetch page")
            page = json.loads(answer.text)
            found += [self._text(told) for told in _listed(page)]
            following = page["next_page_uri"]
            if following and not str(following).startswith(f"{API}/"):
                raise ValueError("the next page is somewhere else")
            url = f"{self._base_url}{following}" if following else ""
        return found[:most]

    async def forget(self, sid: str) -> None:
        """Delete one text's record, its words and its number with it. Raises whatever the SDK raises."""
        await self._client.messages(sid).delete_async()

    def _text(self, told: Mapping[str, Any]) -> MessageInstance:
        if not told["sid"] or not isinstance(told["body"], str | None):
            raise ValueError("no text")
        return MessageInstance(self._version, told, account_sid=self._account)

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()

    def close_from_outside(self) -> None:
        """The same for whoever is not a coroutine, whatever has become of the loop."""
        if self.loop.is_running():
            if _running_loop() is self.loop:
                self._closing = self.loop.create_task(self.close())
            else:
                asyncio.run_coroutine_threadsafe(self.close(), self.loop).result(CLOSE_WITHIN.total_seconds())
        else:
            # In a thread, since a loop may be running in this one.
            thread = threading.Thread(target=self._close_on_a_resting_loop)
            thread.start()
            thread.join(CLOSE_WITHIN.total_seconds())

    def _close_on_a_resting_loop(self) -> None:
        if self.loop.is_closed():
            asyncio.run(self.close())
        else:
            self.loop.run_until_complete(self.close())


def _listed(page: Any) -> Iterable[Mapping[str, Any]]:
    listed = page["messages"]
    if not isinstance(listed, list):
        raise TypeError("no list of texts")
    return listed


class Room:
    """A loop and a line in a thread of their own, for callers that are no coroutines, whatever runs beside them."""

    def __init__(self, open_line: Callable[[], Line]) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="twilio", daemon=True)
        self._thread.start()
        self._line = asyncio.run_coroutine_threadsafe(_call(open_line), self._loop).result()

    def wait_for(self, ask: Callable[[Line], Coroutine[Any, Any, T]]) -> T:
        """What the coroutine gives or raises. The request's own timeout bounds the wait."""
        return asyncio.run_coroutine_threadsafe(ask(self._line), self._loop).result()

    def close(self) -> None:
        """Close the line, end the thread."""
        asyncio.run_coroutine_threadsafe(self._line.close(), self._loop).result(CLOSE_WITHIN.total_seconds())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CLOSE_WITHIN.total_seconds())
        self._loop.close()


class _QuietHttpClient(AsyncTwilioHttpClient):  # type: ignore[misc] # the SDK is untyped
    """The SDK's client without its logs, which carry numbers and texts at INFO, and without its way to sign in.

    That way is deprecated by aiohttp 3.14 and warns at each request; the session carries the header instead.
    """

    async def request(self, method: str, url: str, *, auth: object = None, **others: Any) -> Any:
        """One request."""
        return await super().request(method, url, **others)

    def log_request(self, kwargs: Mapping[str, Any]) -> None:
        """Nothing."""

    def log_response(self, status_code: int, response: object) -> None:
        """Nothing."""


class _BoundedSession:
    """Gives the SDK's requests the timeout it lacks, and tells a rate limit with its Retry-After, which it drops."""

    def __init__(self, session: aiohttp.ClientSession, timeout: timedelta) -> None:
        self._session = session
        self._timeout = aiohttp.ClientTimeout(
            total=timeout.total_seconds(), sock_connect=min(timeout, CONNECT_WITHIN).total_seconds()
        )

    async def request(self, **kwargs: Any) -> aiohttp.ClientResponse:
        """One bounded request."""
        kwargs["timeout"] = self._timeout
        if isinstance(fields := kwargs.get("data"), dict):
            # What aiohttp would make of them, without the multipart writer that it first sets up for every text.
            kwargs["data"] = urlencode(fields, quote_via=_quoted).encode()
        response = await self._session.request(**kwargs)
        if response.status == 429:
            response.release()
            raise codes.failure(
                429, None, retry_after(response.headers.get("Retry-After"), now=datetime.now(UTC))
            )
        told = response.content_length
        if told is None or told > MOST_BYTES or "Content-Encoding" in response.headers:
            await _read_bounded(response)
        return response


async def _read_bounded(response: aiohttp.ClientResponse) -> None:
    """Read an answer that does not say, or not truly, how long it is: the SDK would take as much as there is."""
    body = bytearray()
    while piece := await response.content.readany():
        body += piece
        if len(body) > MOST_BYTES:
            response.close()
            raise ValueError("an answer without end")
    response._body = bytes(body)


# Most of a text's fields are those of the text before.
_quoted = lru_cache(maxsize=256)(quote_plus)


def failure_of(reason: Exception) -> DeliveryFailure:
    """What the SDK or the network says, in our words. Their own words name numbers, so none of them is kept."""
    if isinstance(reason, DeliveryFailure):
        return reason
    if isinstance(reason, TwilioException):
        status, code = getattr(reason, "status", None), getattr(reason, "code", None)
        if isinstance(status, int):
            return codes.failure(status, code if isinstance(code, int) else None)
        return Uncertain("Twilio would not list its texts")  # the SDK keeps the status of a page to itself
    if isinstance(reason, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError | aiohttp.InvalidURL):
        return Unreachable("no connection to Twilio could be made")
    if isinstance(reason, TimeoutError):
        return Uncertain("Twilio did not answer in time")
    if isinstance(reason, aiohttp.ClientError | OSError):
        return Uncertain("the connection to Twilio broke while it had the text")
    if isinstance(reason, ValueError | KeyError | TypeError):
        return Uncertain("Twilio's answer could not be read")
    return Uncertain(f"the gateway failed in an unforeseen way ({type(reason).__name__})")


def _basic(user: str, secret: str) -> str:
    return "Basic " + b64encode(f"{user}:{secret}".encode()).decode()


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


async def _call(make: Callable[[], T]) -> T:
    return make()
