"""What a mail server's answers mean, as data: stage, code and enhanced code (RFC 3463, RFC 5248) to our failures.

The first rule that fits counts. The server's own words are read for one thing, relaying, and never passed on: they
quote addresses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from broker.errors import (
    AccountRejected,
    AddressRejected,
    ContentRejected,
    DeliveryFailure,
    Permanent,
    RateLimited,
    Transient,
    Unreachable,
)


class Stage(Enum):
    """How far a try had come when the server answered."""

    OPEN = "open"  # greeting, EHLO, STARTTLS
    LOGIN = "login"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"  # the answer to the command
    DOT = "dot"  # the answer to the whole message


_ALL = frozenset(Stage)
_OPEN, _LOGIN, _MAIL, _RCPT = ({stage} for stage in (Stage.OPEN, Stage.LOGIN, Stage.MAIL, Stage.RCPT))
_TEXT = {Stage.DATA, Stage.DOT}


@dataclass(frozen=True, slots=True)
class Rule:
    """Codes, read as "550 5.1.1", at some stages: what they lead to, in words that are safe to show."""

    stages: frozenset[Stage] | set[Stage]
    codes: str
    failure: type[DeliveryFailure]
    why: str
    words: str = ""
    after: timedelta | None = None  # for a rate limit: how long to wait when the server does not say


_SOON, _LATER = timedelta(seconds=30), timedelta(minutes=5)

RULES: tuple[Rule, ...] = (
    # Not now.
    Rule(_LOGIN, r"4.*", Transient, "the mail server could not check the sign-in just now"),
    Rule(_OPEN, r"454.*", Unreachable, "the mail server cannot protect the connection just now"),
    Rule(
        _ALL,
        r"421.*",
        RateLimited,
        "the mail server closed the connection and asks us to come back",
        after=_SOON,
    ),
    Rule(_ALL, r"4\d\d 4\.7\..*", RateLimited, "the mail server asks us to come back later", after=_LATER),
    Rule(_ALL, r"4\d\d 4\.4\.5", RateLimited, "the mail server is overloaded", after=_SOON),
    Rule(_ALL, r"450 4\.2\.1", RateLimited, "this mailbox gets mail too quickly just now", after=_LATER),
    Rule(_ALL, r"452 4\.5\.3", RateLimited, "the mail server takes no more in one go", after=_SOON),
    Rule(_RCPT, r"4\d\d 4\.2\.2", Transient, "the mailbox is full"),
    Rule(_RCPT, r"4.*", Transient, "the mail server cannot take mail for this address just now"),
    Rule(_ALL, r"4.*", Transient, "the mail server could not take the mail just now"),
    # Not from us.
    Rule(_OPEN, r"5.*", AccountRejected, "the mail server refuses to talk to us"),
    Rule(_LOGIN, r"5.*", AccountRejected, "the mail server refused the sign-in"),
    Rule(
        _ALL, r"53[0458].*|5\d\d 5\.7\.([389]|1[0-4]|57)", AccountRejected, "the mail server wants a sign-in"
    ),
    Rule(
        _ALL,
        r"5\d\d 5\.7\.(2[0-79]|60)",
        AccountRejected,
        "the mail server does not believe that we may send as the sender",
    ),
    Rule(
        _MAIL,
        r"55[02] 5\.[36]\..*|552|55[02] 5\.2\.3",
        ContentRejected,
        "the mail is too big for the mail server",
    ),
    Rule(_MAIL, r"5.*", AccountRejected, "the mail server does not take mail from the sender"),
    Rule(_RCPT, r"5.*", AccountRejected, "the mail server does not pass on mail for us", words="relay"),
    # Not to them.
    Rule(_RCPT, r"5\d\d 5\.2\.2|552.*", AddressRejected, "the mailbox is full"),
    Rule(_RCPT, r"5\d\d 5\.2\.1", AddressRejected, "the mailbox is closed"),
    Rule(_RCPT, r"5\d\d 5\.1\.6|551.*", AddressRejected, "the mailbox has moved"),
    Rule(_RCPT, r"5\d\d 5\.1\.(2|10)|556.*", AddressRejected, "this domain takes no mail"),
    Rule(
        _RCPT,
        r"5\d\d 5\.7\..*",
        AddressRejected,
        "their mail server's rules refuse our mail for this address",
    ),
    Rule(_RCPT, r"5.*", AddressRejected, "the mail server knows no such mailbox"),
    # Not this. Some servers judge the recipient only after they have the text.
    Rule(_TEXT, r"5\d\d 5\.1\..*", AddressRejected, "the mail server knows no such mailbox"),
    Rule(_TEXT, r"5\d\d 5\.2\.[12]", AddressRejected, "the mailbox takes no mail"),
    Rule(_TEXT, r"5\d\d 5\.[23]\.[34]|552.*", ContentRejected, "the mail is too big for the mail server"),
    Rule(
        _TEXT,
        r"554.*|5\d\d 5\.[67]\..*",
        ContentRejected,
        "the mail server refused the mail for what it says or holds",
    ),
    Rule(_ALL, r"5.*", Permanent, "the mail server refused the mail"),
)

_ENHANCED = re.compile(rb"\s*([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_COMPILED = [(rule, re.compile(rule.codes), re.compile(rule.words, re.IGNORECASE)) for rule in RULES]


def judge(stage: Stage, code: int, text: bytes) -> DeliveryFailure | None:
    """The failure that a 4xx or 5xx answer stands for; None for any other code, which says nothing."""
    found = _ENHANCED.match(text)
    # A server that says 550 4.1.1 contradicts itself; the basic code decides (RFC 3463 §2).
    enhanced = (
        found[1].decode("ascii") if found is not None and found[1][:1] == str(code)[:1].encode() else ""
    )
    told = f"{code} {enhanced}".strip()
    words = text[:500].decode("ascii", "replace")
    for rule, codes, wanted in _COMPILED:
        if stage in rule.stages and codes.fullmatch(told) and wanted.search(words):
            if issubclass(rule.failure, RateLimited):
                return rule.failure(rule.why, code=told, retry_after=rule.after)
            return rule.failure(rule.why, code=told)
    return None
