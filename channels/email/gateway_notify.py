"""Mails by GOV.UK Notify: a channel of its own, for what SMTP cannot do, Notify can, and the other way about.

It can be asked for a mail whose answer was lost, and tells what became of it; it carries no files (up to 2 MB each can
be left with it for links, to be handed over anew for every recipient: ours are one link for all), no HTML, and no
return path.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import cache, partial
from hashlib import sha256
from importlib.resources import files
from string import Template
from typing import Any

from broker import naming
from broker.address import AddressKind
from broker.announcement import Attachment, Content
from broker.capabilities import Confirmation, PastAttempt
from broker.channel import Item, Key, MayStart, Message, Outcome, Receipt, Recipient, Surroundings, Traits
from broker.errors import Problem
from broker.hands import work_through
from broker.retry import RetryPolicy
from channels.email import policies
from channels.email.letter import one_line
from channels.email.render import body_of, subject_of
from channels.email.settings_notify import Settings
from channels.markup import to_simple
from channels.notify_line import Line, Post
from channels.notify_news import Door

TRAITS = Traits(address_kind=AddressKind.EMAIL, can_reconcile=True, confirms_delivery=True, links_files=True)
RETRY = RetryPolicy()
LONGEST_FILE_NAME = 80
ANY_TOKEN = "x" * 22  # as long as a real one, for what is looked at before there is one
_LINK = re.compile(r"https?://[!-~]{1,800}")
_MARKS = re.compile(r"[\[\]<>*#^`_|]|https?://")  # what Notify would make more of than a name


class NotifyMails:
    """Mails from one service."""

    name = "email"
    policies = policies.POLICIES
    retry = RETRY

    def __init__(self, account: str, settings: Settings, around: Surroundings) -> None:
        self.traits = replace(TRAITS, grace=settings.grace, links_files=around.public_url is not None)
        self._account = account
        self._settings = settings
        self._school = around.school
        self._public_url = (around.public_url or "").rstrip("/")
        self._post = Post("email", settings, around)
        self._door = Door(settings.callback_token)
        self._fields: dict[str, Any] = {"template_id": settings.template_id}
        if settings.reply_to_id:
            self._fields["email_reply_to_id"] = settings.reply_to_id

    def __repr__(self) -> str:
        return f"<email account {self._account} by {self._post!r}>"

    def check(self, content: Content, attachments: Sequence[Attachment]) -> Sequence[Problem]:
        """What is wrong with this wording as a mail."""
        return policies.check(content, attachments)

    def render(self, content: Content, to: Recipient) -> Message:
        """The mail for one recipient. Fields: subject, text (simple Markdown), unsubscribe (a link or "")."""
        names = tuple(map(_tame, to.names))
        words = tuple(map(_tame, to.guardians)), tuple(map(_tame, to.classes))
        subject = one_line(_filled(subject_of(content), names, *words))
        body = to_simple(body_of(content))
        lead = "" if naming.names_pupils(body) else naming.lead(names).strip()
        linked = "\n".join(f"* {self._link_to(file)}" for file in content.attachments if self._public_url)
        told = (lead, _filled(body, names, *words), linked)
        link = to.links.get("unsubscribe", "")
        link = link if _LINK.fullmatch(link) else ""
        stop = (
            f"To get no more of these emails: {link}"
            if link
            else (f"To get no more of these emails, write so to {self._settings.reply_to}.")
        )
        text = _frame().substitute(
            body="\n\n".join(filter(None, told)),
            school=self._school,
            reply_to=self._settings.reply_to,
            stop=stop,
        )
        text = text.strip()
        digest = sha256(f"{subject}\0{text}".encode(errors="replace")).hexdigest()
        return Message({"subject": subject, "text": text, "unsubscribe": link}, digest)

    def send(self, message: Message, to: Recipient, *, key: Key) -> Receipt:
        """Exactly one try. Raises a DeliveryFailure."""
        return self._post.crew.wait_for(partial(self._send, Item(key, message, to)))

    async def send_many(
        self, items: AsyncIterable[Item], *, may_start: MayStart
    ) -> AsyncIterator[tuple[Key, Outcome]]:
        """Send a stream of mails beside the running loop."""

        async def send(item: Item) -> Receipt:
            return await self._post.crew.ask(partial(self._send, item))

        hands = self._settings.in_flight
        async with aclosing(work_through(items, send, hands=hands, may_start=may_start)) as outcomes:
            async for outcome in outcomes:
                yield outcome

    def find(self, attempt: PastAttempt) -> Receipt | None:
        """Ask Notify by the attempt's reference."""
        return self._post.find(attempt)

    def confirmations(self, url: str, body: bytes, headers: Mapping[str, str]) -> Sequence[Confirmation]:
        """What became of a mail; of a text, too, for a service has one address for all its receipts."""
        return self._door.confirmations(url, body, headers)

    def redact(self, receipt: Receipt) -> None:
        """See that it has been forgotten, which Notify does by age. Transient as long as Notify has it."""
        self._post.see_forgotten(receipt)

    def examine(self) -> Sequence[Problem]:
        """Whether the key holds, and the template is as it should be."""
        wanted = {"subject": "((subject))", "body": "((body))"}
        return self._post.examine(self._settings.template_id, wanted)

    def sender(self) -> tuple[AddressKind, str] | None:
        """The email that answers go to: the one that it comes from is nobody's."""
        return AddressKind.EMAIL, self._settings.reply_to

    def close(self) -> None:
        """Let go of the connections; safe to call twice."""
        self._post.crew.close()

    def _send(self, item: Item, line: Line) -> Receipt:
        told = item.message.fields
        fields = {
            **self._fields,
            "email_address": item.to.address,
            "personalisation": {"subject": told["subject"], "body": told["text"]},
        }
        if str(told.get("unsubscribe", "")).startswith(
            "https:"
        ):  # RFC 8058 §3.1 wants no less, and Notify too
            fields["one_click_unsubscribe_url"] = told["unsubscribe"]
        return self._post.put(line, item, fields)

    def _link_to(self, file: Attachment) -> str:
        return f"{_tame(file.name[:LONGEST_FILE_NAME])}: {self._public_url}/f/{file.token or ANY_TOKEN}"


def _filled(text: str, names: Sequence[str], guardians: Sequence[str], classes: Sequence[str]) -> str:
    """The personal parts filled, without a lead: that has a line of its own."""
    if not naming.has_placeholder(text):
        return text
    joined = (naming.join_names(names), naming.join_words(guardians), naming.join_words(classes))
    return naming.fill(text, *((words,) if words else () for words in joined))


def _tame(word: str) -> str:
    return one_line(_MARKS.sub("", word))


@cache
def _frame() -> Template:
    return Template((files("channels.email") / "templates" / "notify.md").read_text("utf-8"))
