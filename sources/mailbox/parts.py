"""A mail taken apart: bounded in size, parts and depth before anything is parsed, and never raising for what it holds.

The standard library parses, flufl.bounce recognises what mail servers of all ages call undelivered, and the status
codes come from the report itself (RFC 3464).
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser, BytesParser
from email.policy import compat32
from email.utils import getaddresses, parseaddr

from flufl.bounce import all_failures

from broker.incoming.bouncing import Failure
from broker.incoming.mails import MOST_RECIPIENTS, Mail
from sources.mailbox import MOST_BYTES
from sources.mailbox.markup import words_of

MOST_NESTED = 40  # boundaries and mails inside mails that are named in it; a report has two
MOST_PARTS = 60
MOST_HEADER = 64 * 1024
LONGEST_VALUE = 4_000
LATE_AFTER = timedelta(days=2)
SENT_TO = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "to", "cc")
# A machine's: RFC 3834 §5, what was in use before it, and reports.
_MACHINE_HEADERS = ("x-autoreply", "x-autorespond", "x-autoresponder")
_PRECEDENCE = frozenset({"bulk", "junk", "auto_reply"})
# No machine should answer it: lists (RFC 2919, RFC 2369), what says so, and names behind which nobody sits.
_QUIET_HEADERS = ("list-id", "list-unsubscribe", "x-auto-response-suppress", "feedback-id")
_ROBOTS = re.compile(r"(?:no-?reply|do-?not-?reply|bounces?|listserv|majordomo)(?:[+-].*)?", re.IGNORECASE)
_STATUS = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})(?!\d)")
_STOP = re.compile(r"\s*(?:unsubscribe|stop|remove me|opt[ -]?out)\s*[.!]?\s*", re.IGNORECASE)
_MENTIONS = re.compile(rb"boundary|message/", re.IGNORECASE)
_QUOTED = re.compile(r"^\s*>.*$", re.MULTILINE)

logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)  # it tells of its own stumbles with what it read


def mail_of(raw: bytes, *, to: tuple[str, ...] = (), received_at: datetime, now: datetime) -> Mail:
    """What a mail says. `to` is what the mail server knows of whom it was for. Never raises for what it holds."""
    key, raw = key_of(raw), raw[:MOST_BYTES]
    late = received_at < now - LATE_AFTER
    try:
        return _mail_of(raw, key, to, late=late)
    except Exception:  # noqa: BLE001 - whatever the library stumbles over, somebody should still look at the mail
        text = "This mail cannot be read here; it lies in the mailbox as it came."
        return Mail(key, "", to, "", text, quiet=True)


def key_of(raw: bytes) -> str:
    """What names a mail, wherever it comes from and however often."""
    return hashlib.sha256(raw[:MOST_BYTES]).hexdigest()


def _mail_of(raw: bytes, key: str, to: tuple[str, ...], *, late: bool) -> Mail:
    message = _parsed(raw)
    automatic = _is_automatic(message)
    subject = _words(message.get("subject"))
    text = _text_of(message)
    unquoted = _QUOTED.sub("", text).strip()
    return Mail(
        key,
        _sender(message),
        (*to, *_recipients(message))[:MOST_RECIPIENTS],
        subject,
        text,
        answers=_message_ids(message),
        failures=_failures(message, automatic=automatic),
        automatic=automatic,
        quiet=late or _is_quiet(message),
        stop=_STOP.fullmatch(subject) is not None and (not unquoted or _STOP.fullmatch(unquoted) is not None),
    )


def _parsed(raw: bytes) -> Message:
    """The mail, or its headers alone where its parts are too many to be meant."""
    if len(_MENTIONS.findall(raw)) > MOST_NESTED:
        return BytesHeaderParser(policy=compat32).parsebytes(raw[:MOST_HEADER])
    return BytesParser(policy=compat32).parsebytes(raw)


def _words(value: object) -> str:
    """A header as one line of text, whatever its encoding."""
    if value is None:
        return ""
    line = " ".join(str(value)[:LONGEST_VALUE].split())
    try:
        return " ".join(str(make_header(decode_header(line))).split())
    except (ValueError, LookupError):
        return line


def _recipients(message: Message) -> Iterator[str]:
    values = [
        str(value)[:LONGEST_VALUE]
        for name in SENT_TO
        for value in message.get_all(name, [])[:MOST_RECIPIENTS]
    ]
    for _, address in getaddresses(values):
        if address:
            yield address


def _message_ids(message: Message) -> tuple[str, ...]:
    """The one it answers first, then the last of what it refers to."""
    answers = str(message.get("in-reply-to", ""))[:LONGEST_VALUE].split()
    refers = str(message.get("references", ""))[-LONGEST_VALUE:].split()
    return tuple(dict.fromkeys([*answers[:5], *reversed(refers[-5:])]))


def _is_automatic(message: Message) -> bool:
    submitted = str(message.get("auto-submitted", "no")).partition(";")[0].strip().casefold()
    return (
        submitted not in {"no", ""}
        or str(message.get("precedence", "")).strip().casefold() in _PRECEDENCE
        or any(name in message for name in _MACHINE_HEADERS)
        or str(message.get("return-path", "")).strip() == "<>"
        or message.get_content_type() == "multipart/report"
        or _sender(message).partition("@")[0].casefold() in {"mailer-daemon", "postmaster"}
    )


def _is_quiet(message: Message) -> bool:
    listed = str(message.get("precedence", "")).strip().casefold() == "list"
    robot = _ROBOTS.fullmatch(_sender(message).partition("@")[0]) is not None
    return listed or robot or any(name in message for name in _QUIET_HEADERS)


def _sender(message: Message) -> str:
    """From, and never Reply-To: whoever writes may name anybody there, and our answer would go to them."""
    return parseaddr(_words(message.get("from")))[1]


def _failures(message: Message, *, automatic: bool) -> tuple[Failure, ...] | None:
    """What a report says; None for what is no report. One in a person's name is none, whatever it looks like."""
    if not automatic:
        return None
    told = tuple(_told(message))
    if told:
        return told
    delayed, failed = all_failures(message)
    if failed:
        return (Failure(),)
    if delayed:
        return (Failure(delayed=True),)
    return () if message.get_content_type() == "multipart/report" else None


def _told(message: Message) -> Iterator[Failure]:
    """The lines of a report by RFC 3464, one for each recipient."""
    for number, part in enumerate(message.walk()):
        if number > MOST_PARTS:
            return
        if part.get_content_type() != "message/delivery-status" or not part.is_multipart():
            continue
        for block in part.get_payload()[:MOST_RECIPIENTS]:  # type: ignore[index]
            if not isinstance(block, Message):
                continue
            action = str(block.get("action", "")).strip().casefold()
            status = _STATUS.match(str(block.get("status", ""))[:LONGEST_VALUE])
            if action.startswith("delayed"):
                yield Failure(status[1] if status else "", delayed=True)
            elif action.startswith(("fail", "error")):
                yield Failure(status[1] if status else "")


def _text_of(message: Message) -> str:
    """What somebody wrote: the plain text, else what the HTML says; files are counted, not kept."""
    plain, rich, files = "", "", 0
    for number, part in enumerate(message.walk()):
        if number > MOST_PARTS:
            break
        if part.is_multipart():
            continue
        if part.get_filename() is not None or part.get_content_maintype() != "text":
            files += 1
        elif part.get_content_subtype() == "html":
            rich = rich or _decoded(part)
        else:
            plain = plain or _decoded(part)
    text = plain.strip() or words_of(rich)
    if files:
        text = f"{text}\n\n[{files} attached: not kept here, they lie in the mailbox]".strip()
    return text


def _decoded(part: Message) -> str:
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes):
        return ""
    try:
        return data.decode(part.get_content_charset("utf-8"), "replace")
    except LookupError:
        return data.decode("utf-8", "replace")
