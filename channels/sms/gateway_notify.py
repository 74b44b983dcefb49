"""Texts by GOV.UK Notify. It only translates; what Notify's errors mean stands in `channels.notify_codes`."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any

from broker.capabilities import Confirmation, Heard, PastAttempt
from broker.channel import Item, Key, MayStart, Outcome, Receipt, Surroundings
from broker.errors import Problem
from broker.hands import work_through
from channels.notify_line import Line, Post
from channels.notify_news import Door
from channels.sms.settings_notify import Settings


class NotifyGateway:
    """One key of one service. Lives as long as the process, with threads for each loop that sends."""

    name = "notify"

    def __init__(self, account: str, settings: Settings, around: Surroundings) -> None:
        self._post = Post("sms", settings, around)
        self._door = Door(settings.callback_token)
        self._hands = settings.in_flight
        self._fields: dict[str, Any] = {"template_id": settings.template_id}
        if settings.sender_id:
            self._fields["sms_sender_id"] = settings.sender_id

    def __repr__(self) -> str:
        return f"<NotifyGateway by {self._post!r}>"

    def send(self, item: Item) -> Receipt:
        """Exactly one try: the same code and the same translation as for many."""
        return self._post.crew.wait_for(partial(self._send, item))

    async def send_many(
        self, items: AsyncIterable[Item], *, may_start: MayStart
    ) -> AsyncIterator[tuple[Key, Outcome]]:
        """Many tries at once beside the caller's loop."""

        async def send(item: Item) -> Receipt:
            return await self._post.crew.ask(partial(self._send, item))

        async with aclosing(work_through(items, send, hands=self._hands, may_start=may_start)) as outcomes:
            async for outcome in outcomes:
                yield outcome

    def find(self, attempt: PastAttempt) -> Receipt | None:
        """Ask by the attempt's reference; Uncertain where Notify may have forgotten it by now."""
        return self._post.find(attempt)

    def confirmations(self, url: str, body: bytes, headers: Mapping[str, str]) -> Sequence[Confirmation]:
        """What became of a message; of a mail, too, for a service has one address for all its receipts."""
        return self._door.confirmations(url, body, headers)

    def heard(self, url: str, body: bytes, headers: Mapping[str, str]) -> Sequence[Heard]:
        """A text that somebody sent to the service's number."""
        return self._door.heard(url, body, headers)

    def redact(self, receipt: Receipt) -> None:
        """See that it has been forgotten: Notify does so by age, after a week or as the service is set, not by asking.

        Transient as long as Notify has it.
        """
        self._post.see_forgotten(receipt)

    def examine(self) -> Sequence[Problem]:
        """Whether the key holds, and the template is as it should be."""
        return self._post.examine(self._fields["template_id"], {"body": "((text))"})

    def close(self) -> None:
        """Let go of every connection; safe to call twice."""
        self._post.crew.close()

    def _send(self, item: Item, line: Line) -> Receipt:
        fields = {
            **self._fields,
            "phone_number": item.to.address,
            "personalisation": {"text": item.message.fields["body"]},
        }
        return self._post.put(line, item, fields)
