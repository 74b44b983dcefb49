"""Twilio, through its own asynchronous client. It only translates; what its codes mean stands in `channels.sms.codes`.

Known of twilio 9.13: no timeout by itself, INFO logs that carry parameters, no idempotency on create, errors whose text
names the request. So: every wait is bounded, nothing is logged, and whatever may have left is Uncertain.
"""

from __future__ import annotations

import asyncio
import hmac
import re
import threading
from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote, urlsplit

from twilio.request_validator import RequestValidator
from twilio.rest.api.v2010.account.message import MessageInstance

from broker.capabilities import Confirmation, Heard, PastAttempt, SignatureInvalid
from broker.channel import Item, Key, MayStart, Outcome, Receipt, Surroundings
from broker.delivery import Evidence
from broker.errors import DeliveryFailure, Problem, SetupError, Uncertain
from broker.hands import work_through
from broker.loopback import is_loopback
from channels.sms import codes
from channels.sms.line import Line, Room, failure_of
from channels.sms.settings import Settings

PUBLIC_API = "https://api.twilio.com"
CLOCKS_DIFFER = timedelta(minutes=2)  # Twilio's clock and ours, at the most
MOST_LISTED = 200  # texts to one number, the newest first
MAX_CALLBACK = 16 * 1024  # bytes; Twilio's are under one
MAX_URL = 2_000
MAX_FIELDS = 64
RECEIVED = "received"  # the status of what came in
LONGEST_ID = 64
_SID = re.compile(r"(?:SM|MM)[0-9a-f]{32}", re.ASCII)
TRIAL_PREFIX = "Sent from your Twilio trial account - "  # put before the text, and given back with it

T = TypeVar("T")


class TwilioGateway:
    """One Twilio account. Lives as long as the process, and keeps connections for each loop that sends."""

    name = "twilio"

    def __init__(self, account: str, settings: Settings, around: Surroundings) -> None:
        base_url = settings.api_base_url or PUBLIC_API
        _refuse_the_world_in_sandbox(base_url, around)
        self._settings = settings
        self._base_url = base_url
        self._timeout = around.timeout
        self._sender = _sender(settings)
        self._callback = _callback_address(account, settings, around)
        self._lines: dict[asyncio.AbstractEventLoop, Line] = {}
        self._room: Room | None = None
        self._door = threading.Lock()
        # The last callback that was: it is asked first for news, then for a text.
        self._genuine: tuple[tuple[str, bytes, str], Mapping[str, str]] | None = None

    def send(self, item: Item) -> Receipt:
        """Exactly one try: the same code and the same translation as for many."""
        return self._wait_for(lambda line: self._create(line, item))

    async def send_many(
        self, items: AsyncIterable[Item], *, may_start: MayStart
    ) -> AsyncIterator[tuple[Key, Outcome]]:
        """Many tries at once on the caller's loop."""
        create = partial(self._create, self._line_here())
        hands = self._settings.in_flight
        async with aclosing(work_through(items, create, hands=hands, may_start=may_start)) as outcomes:
            async for outcome in outcomes:
                yield outcome

    def find(self, attempt: PastAttempt) -> Receipt | None:
        """Look through the texts to that number since the attempt began; the core has tried the callbacks before.

        Raises Uncertain when there are more than can be looked through: then nothing is proven.
        """
        listed = self._wait_for(lambda line: self._list(line, attempt))
        began = attempt.started_at.replace(microsecond=0)  # Twilio's times are whole seconds
        since = began - CLOCKS_DIFFER
        recent = [message for message in listed if _made(message, began) >= since]
        ours = [
            message
            for message in recent
            if message.sid
            and message.sid not in attempt.known
            and _digest_matches(message.body, attempt.digest)
        ]
        if not ours:
            if len(recent) >= MOST_LISTED:
                raise Uncertain("too many texts went to this number to look through them all")
            return None
        return _receipt_of(min(ours, key=lambda message: _distance(message, began)))

    def confirmations(self, url: str, body: bytes, headers: Mapping[str, str]) -> Sequence[Confirmation]:
        """What became of a text. The token is the last part of the address that its create named."""
        fields = self._verified(url, body, headers)
        status = fields.get("MessageStatus") or fields.get("SmsStatus") or ""
        evidence = codes.STATUSES.get(status)
        if evidence is None:
            return ()
        code, why, meaning = "", "", None
        if evidence is Evidence.BOUNCED:
            code = fields.get("ErrorCode", "")[:6]
            meaning = codes.describe(code)
            why = meaning.why if meaning else f"Twilio says that the text was {status}"
        return (
            Confirmation(
                evidence,
                token=urlsplit(url).path.rpartition("/")[2],
                provider_id=fields.get("MessageSid") or fields.get("SmsSid") or "",
                code=code,
                why=why,
                opt_out=meaning is not None and meaning.opt_out,
            ),
        )

    def heard(self, url: str, body: bytes, headers: Mapping[str, str]) -> Sequence[Heard]:
        """A text that somebody sent to the account's number; empty for the status of one of ours."""
        fields = self._verified(url, body, headers)
        if "MessageStatus" in fields or fields.get("SmsStatus", RECEIVED) != RECEIVED or "Body" not in fields:
            return ()
        provider_id = fields.get("MessageSid") or fields.get("SmsSid") or ""
        sender = fields.get("From", "")
        if not provider_id or len(provider_id) > LONGEST_ID or not sender or len(sender) > LONGEST_ID:
            return ()
        return (Heard(sender, fields["Body"], provider_id, asked=fields.get("OptOutType", "")[:LONGEST_ID]),)

    def redact(self, receipt: Receipt) -> None:
        """Delete the text's record at Twilio; Transient while Twilio has not finished with it, up to 14 days."""
        try:
            self._wait_for(lambda line: self._forget(line, receipt.provider_id))
        except DeliveryFailure as failure:
            if failure.code not in codes.FORGOTTEN:
                raise

    def close(self) -> None:
        """Let go of every connection; safe to call twice."""
        with self._door:
            lines, self._lines = self._lines, {}
            room, self._room = self._room, None
        for line in lines.values():
            line.close_from_outside()
        if room is not None:
            room.close()

    def __repr__(self) -> str:
        return f"<TwilioGateway {self._base_url}>"

    # --- one request

    async def _create(self, line: Line, item: Item) -> Receipt:
        fields = {
            "To": item.to.address,
            "Body": item.message.fields["body"],
            # The text must come back as it went out: a look-up knows it by its digest.
            "SmartEncoded": "false",
            **self._sender,
        }
        if self._callback:
            fields["StatusCallback"] = self._callback + item.key.token
        try:
            return Receipt(await line.create(fields))
        except Exception as reason:  # noqa: BLE001 - every way it can fail is told apart there
            raise failure_of(reason) from None

    async def _forget(self, line: Line, sid: str) -> None:
        if not _SID.fullmatch(sid):
            return  # no text of Twilio's: there is nothing to forget, and the address would name something else
        try:
            async with asyncio.timeout(self._timeout.total_seconds()):
                await line.forget(sid)
        except Exception as reason:  # noqa: BLE001 - every way it can fail is told apart there
            raise failure_of(reason) from None

    async def _list(self, line: Line, attempt: PastAttempt) -> list[MessageInstance]:
        # Not by DateSent, which a text has only once it has left Twilio's queue: in a long one it would seem absent.
        try:
            async with asyncio.timeout(self._timeout.total_seconds()):  # over all pages together
                return await line.texts_to(attempt.address, most=MOST_LISTED)
        except Exception as reason:  # noqa: BLE001 - every way it can fail is told apart there
            raise failure_of(reason) from None

    # --- loops and lines

    def _line_here(self) -> Line:
        """The line of the running loop. The urgent lane's loop and the routine one's have a line each."""
        loop = asyncio.get_running_loop()
        with self._door:
            line = self._lines.get(loop)
            if line is None:
                for gone in [other for other in self._lines if other.is_closed()]:
                    self._lines.pop(gone).close_from_outside()
                line = self._lines[loop] = self._open()
            return line

    def _open(self) -> Line:
        return Line(self._settings, self._base_url, self._timeout)

    def _wait_for(self, ask: Callable[[Line], Coroutine[Any, Any, T]]) -> T:
        with self._door:
            if self._room is None:
                self._room = Room(self._open)
        return self._room.wait_for(ask)

    # --- callbacks

    def _verified(self, url: str, body: bytes, headers: Mapping[str, str]) -> Mapping[str, str]:
        signature = next(
            (value for name, value in headers.items() if name.lower() == "x-twilio-signature"), ""
        )
        if not signature or len(body) > MAX_CALLBACK or len(url) > MAX_URL or len(signature) > MAX_URL:
            raise SignatureInvalid
        told = (url, body, signature)
        last = self._genuine  # read once: the door and a worker ask from threads of their own
        if last is not None and last[0] == told:
            return last[1]
        validator = RequestValidator(self._settings.auth_token.get_secret_value())
        try:
            # The signature covers the form's names and values, so they are parted before they are believed.
            pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS)
            fields = dict(pairs)
            genuine = len(fields) == len(pairs) and _signed(validator, url, fields, signature)
        except Exception:  # noqa: BLE001 - it raises on odd input; what cannot be verified is not genuine
            raise SignatureInvalid from None
        if not genuine:
            raise SignatureInvalid
        self._genuine = (told, fields)
        return fields


def _signed(validator: RequestValidator, url: str, fields: Mapping[str, str], signature: str) -> bool:
    """The address as it is, first: `validate` reckons it twice, for a port may have been named or not."""
    own = validator.compute_signature(url, fields)
    return hmac.compare_digest(own.encode(), signature.encode()) or validator.validate(url, fields, signature)


def _refuse_the_world_in_sandbox(base_url: str, around: Surroundings) -> None:
    if around.sandbox and not is_loopback(urlsplit(base_url).hostname or ""):
        raise SetupError(
            Problem(
                "not_loopback",
                "api_base_url",
                "in sandbox mode texts go to a stand-in on this machine and nowhere else",
                "set api_base_url to the sandbox's address, or leave sandbox mode",
            )
        )


def _sender(settings: Settings) -> dict[str, str]:
    if settings.messaging_service_sid:
        return {"MessagingServiceSid": settings.messaging_service_sid}
    return {"From": settings.sender or ""}


def _callback_address(account: str, settings: Settings, around: Surroundings) -> str:
    if not settings.callbacks or around.public_url is None:
        return ""
    return f"{around.public_url.rstrip('/')}/callbacks/{quote(account, safe='')}/"


def _digest_matches(body: str | None, digest: str) -> bool:
    text = body or ""
    return any(
        sha256(each.encode(errors="replace")).hexdigest() == digest
        for each in (text, text.removeprefix(TRIAL_PREFIX))
    )


def _distance(message: MessageInstance, began: datetime) -> tuple[bool, timedelta]:
    """Texts made since the attempt began come first, the nearest of them before all."""
    made = _made(message, began)
    return made < began, abs(made - began)


def _made(message: MessageInstance, otherwise: datetime) -> datetime:
    """When Twilio made it."""
    made: datetime = message.date_created or otherwise
    return made if made.tzinfo else made.replace(tzinfo=UTC)


def _receipt_of(message: MessageInstance) -> Receipt:
    evidence = codes.STATUSES.get(str(message.status), Evidence.ACCEPTED)
    detail = str(message.error_code or "") if evidence is Evidence.BOUNCED else ""
    return Receipt(str(message.sid), evidence, detail)
