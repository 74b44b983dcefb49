"""What a mail server's trouble means depends on its stage: each stage, each code, each way of hanging up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from broker.announcement import Attachment
from broker.errors import (
    AccountRejected,
    AddressRejected,
    ContentRejected,
    DeliveryFailure,
    Permanent,
    RateLimited,
    Transient,
    Uncertain,
    Unreachable,
)
from channels.email import Email
from sandbox.client import RunningSandbox
from tests.channels.mail_support import PASSWORD, account, closed_port, letter, parent, wording
from tests.channels.odd_mail_server import odd

REPLIES: list[tuple[str, int, str, type[DeliveryFailure]]] = [
    ("connect", 421, "4.3.2 Not now", RateLimited),
    ("connect", 554, "5.7.1 No mail from your network", AccountRejected),
    ("ehlo", 451, "4.3.0 Later", Transient),
    ("auth", 454, "4.7.0 Temporary failure", Transient),
    ("auth", 535, "5.7.8 Credentials not valid", AccountRejected),
    ("mail", 421, "4.3.2 Closing", RateLimited),
    ("mail", 451, "4.3.0 Local error", Transient),
    ("mail", 450, "4.7.1 Too fast", RateLimited),
    ("mail", 530, "5.7.0 Sign in first", AccountRejected),
    ("mail", 550, "5.7.60 May not send as this sender", AccountRejected),
    ("mail", 553, "5.1.8 Sender unknown", AccountRejected),
    ("mail", 552, "5.3.4 Message too big", ContentRejected),
    ("rcpt", 450, "4.2.0 Mailbox busy", Transient),
    ("rcpt", 450, "4.7.1 Greylisted", RateLimited),
    ("rcpt", 450, "4.2.1 Receiving mail too quickly", RateLimited),
    ("rcpt", 452, "4.2.2 Mailbox full", Transient),
    ("rcpt", 451, "4.3.0 Local error", Transient),
    ("rcpt", 550, "5.1.1 No such user", AddressRejected),
    ("rcpt", 550, "No such user here", AddressRejected),
    ("rcpt", 551, "User not local", AddressRejected),
    ("rcpt", 553, "5.1.3 Bad address", AddressRejected),
    ("rcpt", 556, "5.1.10 Takes no mail", AddressRejected),
    ("rcpt", 554, "5.7.1 Relay access denied", AccountRejected),
    ("rcpt", 550, "5.7.1 Not wanted by this user", AddressRejected),
    ("rcpt", 530, "5.7.57 Client not authenticated", AccountRejected),
    ("data", 451, "4.3.0 Local error", Transient),
    ("data", 554, "5.7.1 Refused", ContentRejected),
    ("dot", 421, "4.3.2 Closing", RateLimited),
    ("dot", 451, "4.3.0 Local error", Transient),
    ("dot", 452, "4.3.1 Out of storage", Transient),
    ("dot", 552, "5.3.4 Too big", ContentRejected),
    ("dot", 554, "5.6.0 It holds a virus", ContentRejected),
    ("dot", 550, "5.7.1 Spam", ContentRejected),
    ("dot", 550, "5.7.26 Not authenticated by SPF or DKIM", AccountRejected),
    ("dot", 550, "5.1.1 No such user after all", AddressRejected),
    ("dot", 550, "No", Permanent),
]


@pytest.fixture
def server(mail_server: RunningSandbox) -> Iterator[RunningSandbox]:
    yield mail_server
    mail_server.control.clear()


@pytest.fixture
def channel(server: RunningSandbox) -> Iterator[Email]:
    channel = account(server, username="office", password=PASSWORD)
    yield channel
    channel.close()


def fail(channel: Email) -> DeliveryFailure:
    one = letter(channel)
    with pytest.raises(DeliveryFailure) as caught:
        channel.send(one.message, one.to, key=one.key)
    return caught.value


@pytest.mark.parametrize(("stage", "code", "text", "kind"), REPLIES)
def test_a_reply_means_what_its_stage_and_code_say(
    server: RunningSandbox, channel: Email, stage: str, code: int, text: str, kind: type[DeliveryFailure]
) -> None:
    before = len(server.truth())
    server.control.order({"service": "smtp", "kind": "reply", "stage": stage, "code": code, "text": text})
    failure = fail(channel)
    assert isinstance(failure, kind)
    assert kind in {Transient, Permanent} or type(failure) is kind
    assert isinstance(failure, RateLimited) == (kind is RateLimited)
    assert failure.code.startswith(str(code))
    assert len(server.truth()) == before


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
@pytest.mark.parametrize("kind", ["lost", "hang"])
def test_a_connection_lost_before_the_text_left_nothing(
    server: RunningSandbox, channel: Email, stage: str, kind: str
) -> None:
    waiting = {"ms": 4000} if kind == "hang" else {}
    server.control.order({"service": "smtp", "kind": kind, "stage": stage, **waiting})
    assert type(fail(channel)) is Transient


@pytest.mark.parametrize("stage", ["connect", "ehlo", "auth"])
@pytest.mark.parametrize("kind", ["lost", "hang"])
def test_a_connection_that_never_came_about_is_unreachable(
    server: RunningSandbox, channel: Email, stage: str, kind: str
) -> None:
    waiting = {"ms": 4000} if kind == "hang" else {}
    server.control.order({"service": "smtp", "kind": kind, "stage": stage, **waiting})
    assert type(fail(channel)) is Unreachable


@pytest.mark.parametrize(
    ("kind", "accepted"), [("lost", 0), ("hang", 0), ("lost-after-dot", 1), ("hang-after-dot", 1)]
)
def test_after_the_final_dot_silence_is_uncertain(
    server: RunningSandbox, channel: Email, kind: str, accepted: int
) -> None:
    before = len(server.truth())
    server.control.order(
        {"service": "smtp", "kind": kind, "stage": "dot", **({"ms": 4000} if "hang" in kind else {})}
    )
    assert type(fail(channel)) is Uncertain
    assert len(server.truth()) == before + accepted


@pytest.mark.parametrize("garbled", [b"+OK", b"299", b"", b"550" + b"x" * 10_000, b"354 Once more"])
def test_after_the_final_dot_an_answer_that_cannot_be_read_is_uncertain(garbled: bytes) -> None:
    with odd({".": garbled}) as server:
        channel = account(port=server.port)
        one = letter(channel)
        if garbled == b"299":  # an unknown yes is a yes (RFC 5321 §4.2: the first digit decides)
            channel.send(one.message, one.to, key=one.key)
        else:
            with pytest.raises(Uncertain):
                channel.send(one.message, one.to, key=one.key)
        channel.close()
        assert len(server.mails) == 1


@pytest.mark.parametrize("offers", [(), (b"PIPELINING",)])
@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        ({"MAIL": b"550 5.1.8 Sender unknown"}, AccountRejected),
        ({"RCPT": b"550 5.1.1 No such user"}, AddressRejected),
        ({"RCPT": b"450 4.2.0 Busy"}, Transient),
        ({"DATA": b"554 5.5.1 No"}, ContentRejected),
        ({"MAIL": b"garbage"}, Transient),
        ({"RCPT": b"290 Perhaps"}, Transient),
    ],
)
def test_a_refusal_before_the_text_is_the_same_with_and_without_pipelining(
    offers: tuple[bytes, ...], answers: dict[str, bytes], kind: type[DeliveryFailure]
) -> None:
    with odd(answers, offers) as server:
        channel = account(port=server.port)
        assert isinstance(fail(channel), kind)
        server.answers.update(
            {
                verb: [reply]
                for verb, reply in {"MAIL": b"250 Ok", "RCPT": b"250 Ok", "DATA": b"354 Go"}.items()
            }
        )
        one = letter(channel)
        assert channel.send(one.message, one.to, key=one.key).detail == "queued as ODD1"
        channel.close()
        assert len(server.mails) == 1


def test_a_refused_recipient_never_becomes_an_empty_mail() -> None:
    with odd({"RCPT": [b"550 5.1.1 No such user", b"250 Ok"]}, [b"PIPELINING"]) as server:  # and yet says 354
        channel = account(port=server.port)
        assert type(fail(channel)) is AddressRejected
        channel.close()
        assert server.mails == []


def test_a_mail_cut_off_in_the_middle_provably_never_left() -> None:
    # More than both sides' buffers hold: what fits into them is written before anybody can know that it was in vain.
    plan = Attachment("1" * 64, "plan.pdf", "application/pdf", bytes(8_000_000))
    with odd({}, hang_up_in_text=True) as server:
        channel = account(port=server.port)
        one = letter(channel, content=wording(attachments=(plan,)))
        with pytest.raises(Transient):
            channel.send(one.message, one.to, key=one.key)
        channel.close()
        assert server.mails == []


def test_a_mail_too_big_for_the_server_is_not_begun() -> None:
    with odd({}, [b"SIZE 1000"]) as server:
        channel = account(port=server.port)
        failure = fail(channel)
        channel.close()
        assert type(failure) is ContentRejected
        assert server.seen["MAIL"] == 0


def test_letters_beyond_ascii_before_the_at_need_a_server_that_says_it_can() -> None:
    with odd({}) as server:
        channel = account(port=server.port)
        one = letter(channel, parent("zoë"))
        with pytest.raises(AddressRejected, match="letters"):
            channel.send(one.message, one.to, key=one.key)
        channel.close()
    with odd({}, [b"SMTPUTF8", b"SIZE"]) as server:
        channel = account(port=server.port)
        one = letter(channel, parent("zoë"))
        channel.send(one.message, one.to, key=one.key)
        plain = letter(channel)
        channel.send(plain.message, plain.to, key=plain.key)
        channel.close()
        assert [
            command.endswith("SMTPUTF8") for command in server.commands if command.startswith("MAIL")
        ] == [True, False]
        assert "To: zoë@families.example".encode() in server.mails[0]


def test_nobody_there_is_unreachable() -> None:
    channel = account(port=closed_port())
    assert type(fail(channel)) is Unreachable
    channel.close()


@pytest.mark.parametrize(
    "address",
    ["a@b.example, c@d.example", "a@b.example c@d.example", "a@b.example\r\nBcc: c@d.example", "<a@b.example>", "a",
     "a@b.example\n", "a@b@c.example", '"a b"@c.example', "@b.example", "a;b@c.example"],
)  # fmt: skip
def test_one_address_means_one(server: RunningSandbox, channel: Email, address: str) -> None:
    before = len(server.truth())
    one = letter(channel)
    to = type(one.to)(address)
    with pytest.raises(AddressRejected) as caught:
        channel.send(one.message, to, key=one.key)
    assert "example" not in str(caught.value)
    assert len(server.truth()) == before
