"""Texts by Sinch, each as a batch of one. It only translates; what its codes mean stands in `channels.sms.codes_sinch`.

Why Sinch: of the providers with a kept Python client it is the one whose texts can be listed by a reference of our own.
"""

from __future__ import annotations

import hmac
import json
import re
from base64 import b64encode
from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeGuard
from urllib.parse import quote, urlsplit

from broker.capabilities import Confirmation, Heard, PastAttempt, SignatureInvalid
from broker.channel import Item, Key, MayStart, Outcome, Receipt, Surroundings
from broker.delivery import Evidence
from broker.errors import AccountRejected, Problem, SetupError, Transient, Uncertain
from broker.hands import work_through
from broker.loopback import is_loopback
from channels.crew import Crew
from channels.sms import codes_sinch as codes
from channels.sms.line_sinch import Line
from channels.sms.settings_sinch import Settings

DIGEST_LETTERS = 12
CLOCKS_DIFFER = timedelta(minutes=10)  # Sinch's clock and ours, at the most
KEEPS = timedelta(days=13)  # it lists what was created in the last fourteen days
MAX_CALLBACK = 16 * 1024  # bytes; a text has at most some thousands of letters
LONGEST = 200
SIGNATURE = "x-sinch-webhook-signature"
_BATCH = re.compile(r"[A-Za-z0-9]{8,64}", re.ASCII)


class SinchGateway:
    """One service plan. Lives as long as the process, with threads for each loop that sends."""

    name = "sinch"

    def __init__(self, account: str, settings: Settings, around: Surroundings) -> None:
        base_url = settings.api_base_url or f"https://{settings.region}.sms.api.sinch.com"
        if around.sandbox and not is_loopback(urlsplit(base_url).hostname or ""):
            message = "in sandbox mode texts go to a stand-in on this machine and nowhere else"
            hint = "set api_base_url to the sandbox's address, or leave sandbox mode"
            raise SetupError(Problem("not_loopback", "api_base_url", message, hint))
        self._base_url = base_url
        self._hands = settings.in_flight
        self._secret = settings.callback_secret
        self._sender = settings.sender
        self._callback = ""
        if self._secret is not None and around.public_url is not None:
            self._callback = f"{around.public_url.rstrip('/')}/callbacks/{quote(account, safe='')}/"
        self._crew = Crew(
            partial(Line, settings, base_url, around.timeout), hands=settings.in_flight, name="sinch"
        )

    def __repr__(self) -> str:
        return f"<SinchGateway {self._base_url}>"

    def send(self, item: Item) -> Receipt:
        """Exactly one try: the same code and the same translation as for many."""
        return self._crew.wait_for(partial(self._create, item))

    async def send_many(
        self, items: AsyncIterable[Item], *, may_start: MayStart
    ) -> AsyncIterator[tuple[Key, Outcome]]:
        """Many tries at once beside the caller's loop."""

        async def send(item: Item) -> Receipt:
            return await self._crew.ask(partial(self._create, item))

        async with aclosing(work_through(items, send, hands=self._hands, may_start=may_start)) as outcomes:
            async for outcome in outcomes:
                yield outcome

    def find(self, attempt: PastAttempt) -> Receipt | None:
        """Ask by the attempt's reference; Uncertain where Sinch may not list it any more."""
        if not attempt.key.token or datetime.now(UTC) - attempt.started_at > KEEPS:
            raise Uncertain("Sinch may not list it any more")
        since = attempt.started_at - CLOCKS_DIFFER
        listed = self._crew.wait_for(lambda line: line.listed(_reference(attempt.key, attempt.digest), since))
        ours = [batch for batch in listed if batch.id not in attempt.known]
        if not ours:
            return None
        one = ours[-1]
        if [_digits(number) for number in one.to or ()] != [_digits(attempt.address)]:
            raise Uncertain("what Sinch has under this reference went to another number")
        return Receipt(one.id)

    def confirmations(self, url: str, body: bytes, headers: Mapping[str, str]) -> Sequence[Confirmation]:
        """What became of a text. The token is the last part of the address that its create named, and in its words."""
        told = self._verified(url, body, headers)
        if told.get("type") != "recipient_delivery_report_sms":
            return ()
        reference, batch, status = told.get("client_reference"), told.get("batch_id"), told.get("status")
        if not (_is_short(reference) and _is_short(batch) and _is_short(status)):
            return ()
        token = str(reference).rpartition(".")[0]
        if urlsplit(url).path.rpartition("/")[2] != token:
            raise SignatureInvalid  # Sinch signs what it says and not where: a report belongs to one address alone
        state = str(status).upper()
        evidence = codes.STATUSES.get(state)
        if evidence is None:
            return ()
        code = told.get("code")
        code = code if isinstance(code, int) and 0 <= code < 100_000 else 0
        bounced = evidence is Evidence.BOUNCED
        why = codes.why(state, code) if bounced else ""
        shown = str(code or state.lower()) if bounced else ""
        return (Confirmation(evidence, token=token, provider_id=str(batch), code=shown, why=why),)

    def heard(self, url: str, body: bytes, headers: Mapping[str, str]) -> Sequence[Heard]:
        """A text that somebody sent to the account's number; empty for news about one of ours."""
        told = self._verified(url, body, headers)
        sender, text, name = told.get("from"), told.get("body"), told.get("id")
        if told.get("type") != "mo_text" or not (
            _is_short(sender) and isinstance(text, str) and _is_short(name)
        ):
            return ()
        number = str(sender)
        whole = number.isascii() and number.isdigit() and len(number) > 9 and not number.startswith("0")
        return (Heard(f"+{number}" if whole else number, text, str(name)),)

    def redact(self, receipt: Receipt) -> None:
        """See that it has been forgotten: Sinch deletes nothing that was sent, and lets go of it after some weeks.

        Transient as long as Sinch has it.
        """
        batch = receipt.provider_id
        if _BATCH.fullmatch(batch) and self._crew.wait_for(lambda line: line.keeps(batch)):
            raise Transient("Sinch forgets texts by their age, and still has this one")

    def examine(self) -> Sequence[Problem]:
        """Whether the token holds for the plan in its region."""
        try:
            self._crew.wait_for(lambda line: line.listed("examined", datetime.now(UTC)))
        except AccountRejected as failure:
            return (Problem("refused", "api_token", failure.why, "docs/channels/sinch.md"),)
        return ()

    def close(self) -> None:
        """Let go of every connection; safe to call twice."""
        self._crew.close()

    def _create(self, item: Item, line: Line) -> Receipt:
        fields: dict[str, Any] = {
            "to": [item.to.address],
            "from_": self._sender,
            "body": item.message.fields["body"],
            "client_reference": _reference(item.key, item.message.digest),
        }
        if self._callback:
            fields["delivery_report"] = "per_recipient_final"
            fields["event_destination_target"] = self._callback + item.key.token
        return Receipt(line.create(fields))

    def _verified(self, url: str, body: bytes, headers: Mapping[str, str]) -> Mapping[str, Any]:
        """After https://developers.sinch.com: HMAC-SHA256 of the body, a nonce and a time, joined by dots."""
        given = {name.lower(): value for name, value in headers.items()}
        signature, nonce, at = (given.get(f"{SIGNATURE}{part}", "") for part in ("", "-nonce", "-timestamp"))
        if self._secret is None or not (signature and nonce and at) or len(body) > MAX_CALLBACK:
            raise SignatureInvalid
        signed = b".".join((body, nonce.encode(errors="replace"), at.encode(errors="replace")))
        own = b64encode(hmac.digest(self._secret.get_secret_value().encode(), signed, "sha256"))
        if not hmac.compare_digest(own, signature.encode(errors="replace")):
            raise SignatureInvalid
        try:
            told = json.loads(body)
        except (ValueError, RecursionError):
            return {}
        return told if isinstance(told, Mapping) else {}


def _reference(key: Key, digest: str) -> str:
    """What a try's text is known by at Sinch: not unique there, the same twice makes two."""
    return f"{key.token}.{digest[:DIGEST_LETTERS]}"


def _digits(number: Any) -> str:
    return re.sub(r"\D", "", str(number))


def _is_short(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and 0 < len(value) <= LONGEST
