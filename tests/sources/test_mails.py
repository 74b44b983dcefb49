"""Mails taken apart: reports, answers, machines and rubbish, each bounded, and none ever raising."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.incoming.bouncing import Failure
from broker.incoming.mails import Mail
from sources.mailbox import MOST_BYTES
from sources.mailbox.parts import mail_of

NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
POSTFIX = (Path(__file__).parent / "mails" / "postfix-unknown.eml").read_text("utf-8")
PATH = "bounces+7-" + "0a" * 16 + "@school.example"


def read(mail: str | bytes | EmailMessage, **more) -> Mail:
    raw = mail.as_bytes() if isinstance(mail, EmailMessage) else mail
    return mail_of(raw.encode() if isinstance(raw, str) else raw, received_at=NOW, now=NOW, **more)


def letter(text: str = "Thank you!", **headers: str) -> EmailMessage:
    mail = EmailMessage()
    plain = {"From": "Mum <mum@home.example>", "To": "office@school.example", "Subject": "Re: The coach"}
    for name, value in {**plain, **{k.replace("_", "-"): v for k, v in headers.items()}}.items():
        mail[name] = value
    mail.set_content(text)
    return mail


def report(status: str, action: str = "failed") -> str:
    return POSTFIX.replace("Status: 5.1.1", f"Status: {status}").replace(
        "Action: failed", f"Action: {action}"
    )


# --- reports


def test_the_report_of_a_real_postfix_says_that_nobody_is_there() -> None:
    mail = read(POSTFIX.replace("@RETURN-PATH@", PATH))
    assert mail.failures == (Failure("5.1.1"),)
    assert PATH in mail.to
    assert mail.automatic


@pytest.mark.parametrize(
    ("raw", "failures"),
    [
        (report("5.2.2"), (Failure("5.2.2"),)),
        (report("4.4.1", "delayed"), (Failure("4.4.1", delayed=True),)),
        (report("5.1.1", "Failed (permanently)"), (Failure("5.1.1"),)),
        (report("4.4.7"), (Failure("4.4.7"),)),
        (report("nonsense"), (Failure(""),)),
        (report("5.1.1" * 5_000), (Failure("5.1.15"),)),
        (report("2.0.0", "delivered"), ()),
        (report("2.0.0", "relayed"), ()),
    ],
)
def test_a_report_is_read_by_its_action_and_status(raw: str, failures: tuple[Failure, ...]) -> None:
    assert read(raw).failures == failures


def test_an_old_server_s_own_words_are_recognised() -> None:
    mail = letter(
        "Hi. This is the qmail-send program at mx.example.\nI'm afraid I wasn't able to deliver your message to the"
        " following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n"
        "<nobody@home.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n",
        Return_Path="<>",
        Subject="failure notice",
    )
    mail.replace_header("From", "MAILER-DAEMON@mx.example")
    assert read(mail).failures == (Failure(""),)


def test_a_person_who_quotes_a_report_has_sent_none() -> None:
    assert read(letter("Your mail to <nobody@home.example> failed:\n550 5.1.1 unknown user")).failures is None


# --- answers


def test_an_answer_is_its_plain_text_with_whom_it_answers() -> None:
    mail = read(letter(In_Reply_To="<carillon.1.abc@x>", References="<a@x> <b@x> <carillon.1.abc@x>"))
    assert (mail.sender, mail.subject, mail.text) == ("mum@home.example", "Re: The coach", "Thank you!")
    assert mail.answers[0] == "<carillon.1.abc@x>"
    assert (mail.failures, mail.automatic, mail.quiet, mail.stop) == (None, False, False, False)


def test_reply_to_is_not_believed_for_our_answer_would_go_there() -> None:
    assert read(letter(Reply_To="victim@elsewhere.example")).sender == "mum@home.example"


def test_an_answer_in_html_alone_is_read_as_text() -> None:
    mail = EmailMessage()
    mail["From"] = "mum@home.example"
    mail.set_content(
        "<style>p{}</style><script>alert(1)</script><p>Amy is ill &amp; stays<br>at home</p>", subtype="html"
    )
    text = read(mail).text
    assert "Amy is ill & stays" in text
    assert "alert" not in text
    assert "<" not in text


def test_files_are_counted_and_not_kept() -> None:
    mail = letter("See the note.")
    mail.add_attachment(b"PK" * 1000, maintype="application", subtype="pdf", filename="note.pdf")
    assert "1 attached: not kept here" in read(mail).text
    assert "note.pdf" not in read(mail).text


def test_encoded_headers_and_odd_charsets_are_read() -> None:
    mail = letter(Subject="Größe für später")
    raw = mail.as_bytes().replace(b'charset="utf-8"', b'charset="no-such-thing"')
    assert read(raw).subject == "Größe für später"
    assert read(raw).text == "Thank you!"


# --- machines


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Auto-Submitted", "auto-replied"),
        ("Auto-Submitted", "auto-generated; owner-email=x@y"),
        ("Precedence", "bulk"),
        ("Precedence", "auto_reply"),
        ("X-Autoreply", "yes"),
        ("Return-Path", "<>"),
    ],
)
def test_what_a_machine_wrote_is_known_by_its_headers(header: str, value: str) -> None:
    assert read(letter(**{header: value})).automatic


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("List-Id", "<parents.school.example>"),
        ("Precedence", "list"),
        ("X-Auto-Response-Suppress", "All"),
        ("List-Unsubscribe", "<mailto:x@y.example>"),
    ],
)
def test_what_wants_no_machine_s_answer_is_still_for_a_person_to_read(header: str, value: str) -> None:
    mail = read(letter(**{header: value}))
    assert (mail.automatic, mail.quiet) == (False, True)


@pytest.mark.parametrize("value", ["no", "No", "no; x=y"])
def test_not_automatic_is_said_in_several_ways(value: str) -> None:
    assert not read(letter(Auto_Submitted=value)).automatic


def test_what_has_lain_for_days_is_not_answered_by_a_machine() -> None:
    raw = letter().as_bytes()
    assert mail_of(raw, received_at=NOW - timedelta(days=3), now=NOW).quiet
    assert not mail_of(raw, received_at=NOW - timedelta(days=1), now=NOW).quiet


@pytest.mark.parametrize(
    ("subject", "text", "stop"),
    [
        ("unsubscribe", "", True),
        ("Unsubscribe", "> the announcement\n> in full", True),
        ("STOP", "stop", True),
        ("unsubscribe", "and please tell Mrs Bell that Amy is ill", False),
        ("Re: How to unsubscribe", "unsubscribe", False),
    ],
)
def test_asking_for_no_more_is_a_subject_that_says_nothing_else(subject: str, text: str, stop: bool) -> None:
    assert read(letter(text, Subject=subject)).stop is stop


# --- rubbish


def nested(depth: int) -> bytes:
    head = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(depth)
    )
    return b"From: mum@home.example\r\n" + head + b"Content-Type: text/plain\r\n\r\nhello\r\n"


def digest(depth: int) -> bytes:
    return b"From: mum@home.example\r\n" + b"Content-Type: message/rfc822\r\n\r\n" * depth


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00" * 1000,
        b"From: " + b"<" * 100_000,
        b"From: a@b\r\nSubject: =?utf-8?B?" + b"A" * 100_000 + b"?=\r\n\r\n",
        b"To: " + b"a@b.example," * 40_000 + b"\r\n\r\nx",
        b"References: " + b"<a@b> " * 60_000 + b"\r\n\r\nx",
        nested(20),
        nested(5_000),
        digest(20),
        digest(5_000),
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 40_000,
        b"Content-Type: multipart/digest; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 40_000,
        b"A: b\r\n" * 80_000,
        b"Content-Type: text/html\r\n\r\n" + b"<div>" * 100_000,
        b"Content-Type: text/html\r\n\r\n" + b"<!--" * 100_000,
        b"Content-Type: text/html\r\n\r\n" + b"<a b='" * 80_000,
        b"Content-Type: text/html\r\n\r\n" + b"<![" * 100_000,
        b"Content-Type: text/html\r\n\r\n" + b"&#x" * 100_000,
        b"Content-Type: text/html\r\n\r\n<script>" + b"</scrip" * 60_000,
        b"Content-Type: text/plain; charset=utf-7\r\n\r\n+" + b"A" * 400_000,
        b"x" * (3 * MOST_BYTES),
    ],
    ids=range(21),
)
def test_huge_and_malformed_mails_are_bounded_and_never_raise(raw: bytes) -> None:
    began = time.process_time()
    mail = read(raw)
    assert time.process_time() - began < 10  # without bounds several of these take minutes
    assert len(mail.to) <= 20
    assert len(mail.subject) <= 4_000


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.integers(0, len(POSTFIX) - 1))
def test_no_mail_raises_whatever_it_holds(noise: bytes, at: int) -> None:
    raw = POSTFIX.encode()
    assert read(raw[:at] + noise + raw[at:]).key
    assert read(noise).key
