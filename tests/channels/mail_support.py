"""What the tests of email share: an account at the stand-in, and mails read back as a mailbox would read them."""

from __future__ import annotations

import email
import email.policy
import itertools
import socket
from collections.abc import Mapping
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

from broker.announcement import Attachment, Content, Part
from broker.channel import Item, Key, Recipient, Surroundings
from channels.email import Email, kit
from channels.email.letter import House
from channels.email.settings import Settings
from sandbox.client import RunningSandbox

PASSWORD = "the-mail-password"
HOUSE = House(
    "Llanfair & District School", "office@school.example", "Llanfair School", "reply@school.example"
)
keys = itertools.count(1)


def settings(**more: Any) -> Settings:
    """An account's settings, told as a school's file would tell them."""
    told = {
        "host": "127.0.0.1",
        "port": 1,
        "security": "none",
        "sender": HOUSE.sender,
        "sender_name": HOUSE.sender_name,
    }
    return Settings.model_validate({**told, "reply_to": HOUSE.reply_to, **more})


def account(sandbox: RunningSandbox | None = None, *, timeout: float = 1.0, **more: Any) -> Email:
    """An account at the stand-in."""
    if sandbox is not None:
        more = {"port": sandbox.smtp_port, **more}
    around = Surroundings(HOUSE.school, "GB", "https://school.example", True, timedelta(seconds=timeout))
    opened = kit.open("office", settings(**more), around)
    assert isinstance(opened, Email)
    return opened


def wording(
    long: str = "The winter concert begins at 18:30.",
    title: str = "Winter concert",
    attachments: tuple[Attachment, ...] = (),
    language: str = "",
) -> Content:
    return Content(1, language, {Part.TITLE: title, Part.LONG: long}, attachments)


def parent(
    local: str = "pat", names: tuple[str, ...] = (), links: Mapping[str, str] | None = None
) -> Recipient:
    return Recipient(f"{local}@families.example", names, links=links or {})


def letter(channel: Email, to: Recipient | None = None, content: Content | None = None) -> Item:
    """One mail under a key of its own."""
    number = next(keys)
    to = to or parent(f"pat{number}")
    return Item(Key(number, number, 1, f"token-of-{number}"), channel.render(content or wording(), to), to)


def read(mail: bytes | str) -> EmailMessage:
    """The mail as a mailbox reads it, without a single defect."""
    as_bytes = mail if isinstance(mail, bytes) else mail.encode()
    message = email.message_from_bytes(as_bytes, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    for part in message.walk():
        assert not part.defects
        assert not [defect for value in part.values() for defect in value.defects]
    return message


def body(mail: EmailMessage, kind: str) -> str:
    """A body of the mail: "plain" or "html"."""
    part = mail.get_body((kind,))
    assert isinstance(part, EmailMessage)
    return str(part.get_content()).replace("\r\n", "\n")


def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
