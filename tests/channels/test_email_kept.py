"""Connections are kept, renewed when old, shared by a crew, and nobody's failure when the server drops them."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace

import pytest

from broker.announcement import Attachment
from broker.channel import Item, NotStarted, Outcome, Receipt
from broker.errors import AccountRejected, RateLimited, Transient, Uncertain, Unreachable
from channels.email import Email
from sandbox.client import RunningSandbox
from tests.channels.mail_support import PASSWORD, account, body, closed_port, letter, parent, read, wording
from tests.channels.odd_mail_server import odd


def send(channel: Email) -> Receipt:
    one = letter(channel)
    return channel.send(one.message, one.to, key=one.key)


def connections(server: RunningSandbox) -> int:
    return int(server.control.counts()["smtp"].get("connections", 0))


async def stream(items: Iterable[Item]) -> AsyncIterator[Item]:
    for item in items:
        yield item


async def send_all(channel: Email, items: Iterable[Item]) -> list[Outcome]:
    return [outcome async for _, outcome in channel.send_many(stream(items), may_start=lambda key: True)]


def test_one_connection_carries_many_mails_until_it_is_old() -> None:
    with odd({}) as server:
        channel = account(port=server.port, mails_per_connection=3)
        for _ in range(7):
            send(channel)
        channel.close()
        assert (server.seen["EHLO"], server.seen["QUIT"], len(server.mails)) == (3, 3, 7)


@pytest.mark.parametrize("offers", [(), (b"PIPELINING",)])
@pytest.mark.parametrize("farewell", [b"421 4.4.2 Idle for too long", b""])
def test_a_kept_connection_that_the_server_gave_up_is_nobodys_failure(
    offers: tuple[bytes, ...], farewell: bytes
) -> None:
    with odd({"MAIL": [b"250 Ok", farewell, b"250 Ok"]}, offers) as server:
        channel = account(port=server.port)
        send(channel)
        send(channel)
        channel.close()
        assert (server.seen["EHLO"], len(server.mails)) == (2, 2)


def test_a_fresh_connection_that_is_given_up_at_once_is_not_tried_again() -> None:
    with odd({"MAIL": b"421 4.3.2 Closing"}) as server:
        channel = account(port=server.port)
        with pytest.raises(RateLimited):
            send(channel)
        channel.close()
        assert server.seen["EHLO"] == 1


def test_after_a_refusal_the_connection_is_cleared_and_kept() -> None:
    with odd({"RCPT": [b"550 5.1.1 No such user", b"250 Ok"]}) as server:
        channel = account(port=server.port)
        with pytest.raises(Exception, match="no such mailbox"):
            send(channel)
        send(channel)
        channel.close()
        assert (server.seen["EHLO"], server.seen["RSET"], len(server.mails)) == (1, 1, 1)


async def test_a_server_that_grants_two_connections_of_eight_gets_two_and_no_mail_fails() -> None:
    with odd({}, [b"PIPELINING"], most_connections=2) as server:
        channel = account(port=server.port, connections=8)
        outcomes = await send_all(channel, [letter(channel) for _ in range(60)])
        channel.close()
        assert all(isinstance(outcome, Receipt) for outcome in outcomes)
        assert len(server.mails) == len(outcomes) == 60


async def test_a_server_that_is_away_is_asked_once_and_not_for_every_mail(
    caplog: pytest.LogCaptureFixture,
) -> None:
    channel = account(port=closed_port())
    began = time.monotonic()
    outcomes = await send_all(channel, [letter(channel) for _ in range(200)])
    channel.close()
    assert time.monotonic() - began < 2
    assert {type(outcome) for outcome in outcomes} == {Unreachable}
    assert len(outcomes) == 200
    assert len(caplog.records) < 20


async def test_a_wrong_password_is_not_tried_for_every_mail(mail_server: RunningSandbox) -> None:
    before = connections(mail_server)
    channel = account(mail_server, username="office", password="wrong")
    outcomes = await send_all(channel, [letter(channel) for _ in range(100)])
    channel.close()
    assert {type(outcome) for outcome in outcomes} == {AccountRejected}
    assert connections(mail_server) - before < 10


async def test_two_streams_share_the_connections(mail_server: RunningSandbox) -> None:
    before = connections(mail_server)
    channel = account(mail_server, username="office", password=PASSWORD, connections=3)
    routine, urgent = await asyncio.gather(
        send_all(channel, [letter(channel) for _ in range(40)]),
        send_all(channel, [letter(channel) for _ in range(5)]),
    )
    again = await send_all(channel, [letter(channel) for _ in range(10)])
    channel.close()
    assert all(isinstance(outcome, Receipt) for outcome in [*routine, *urgent, *again])
    assert connections(mail_server) - before <= 3


async def test_what_nobody_foresaw_is_uncertain_and_names_nobody(
    mail_server: RunningSandbox, caplog: pytest.LogCaptureFixture
) -> None:
    channel = account(mail_server, username="office", password=PASSWORD)
    one = letter(channel, parent("pat", ("Amelia",)))
    broken = replace(one, message=replace(one.message, fields={"subject": "Amelia"}))
    (outcome,) = await send_all(channel, [broken])
    (fit,) = await send_all(channel, [one])
    channel.close()
    assert type(outcome) is Uncertain
    assert isinstance(fit, Receipt)
    assert "Amelia" not in caplog.text
    assert "pat@" not in caplog.text


async def test_a_closed_channel_starts_nothing() -> None:
    channel = account(port=closed_port())
    channel.close()
    assert await send_all(channel, [letter(channel)]) == [NotStarted()]


async def test_leaving_early_starts_nothing_more() -> None:
    with odd({}) as server:
        channel = account(port=server.port, connections=2)
        async for _ in channel.send_many(
            stream([letter(channel) for _ in range(500)]), may_start=lambda key: True
        ):
            break
        await asyncio.sleep(0.1)
        begun = len(server.mails)
        await asyncio.sleep(0.1)
        channel.close()
        assert len(server.mails) == begun < 500


async def test_a_message_made_by_hand_is_sent_as_well(mail_server: RunningSandbox) -> None:
    channel = account(mail_server, username="office", password=PASSWORD)
    one = letter(channel)
    fields = {"subject": "A test", "text": "Good day,\n.\nthe end\n", "html": "<p>Good day</p>\n"}
    (outcome,) = await send_all(channel, [replace(one, message=replace(one.message, fields=fields))])
    channel.close()
    assert isinstance(outcome, Receipt)
    assert mail_server.truth()[-1]["subject"] == "A test"


def test_the_try_of_a_mail_has_the_servers_own_name_for_it_and_none_of_its_words() -> None:
    with odd({".": b"250 2.0.0 Ok pat@families.example: queued as 4XyZ.1-2; more"}) as server:
        channel = account(port=server.port)
        assert send(channel).detail == "queued as 4XyZ.1-2"
        channel.close()


def test_the_message_id_is_the_same_for_every_try_of_one_text_and_another_for_another() -> None:
    with odd({".": [b"451 4.3.0 Busy", b"250 Ok"]}) as server:
        channel = account(port=server.port)
        one = letter(channel)
        with pytest.raises(Transient):
            channel.send(one.message, one.to, key=one.key)
        first = channel.send(one.message, one.to, key=replace(one.key, attempt=99, fence=2))
        other = channel.render(wording("Another."), one.to)
        second = channel.send(other, one.to, key=replace(one.key, attempt=100, fence=3))
        channel.close()
        ids = [
            line for mail in server.mails for line in mail.split(b"\r\n") if line.startswith(b"Message-ID:")
        ]
        assert ids[0] == ids[1] != ids[2]
        assert [first.provider_id, second.provider_id] == [line[13:-1].decode() for line in ids[1:]]
        assert first.provider_id.endswith("@school.example")


def test_nothing_private_is_logged_at_any_level(
    mail_server: RunningSandbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    channel = account(mail_server, username="office", password=PASSWORD)
    one = letter(channel, parent("pat", ("Amelia", "Ben")), wording("Secret words"))
    channel.send(one.message, one.to, key=one.key)
    mail_server.control.order("smtp:reply:stage=rcpt,code=550,text=5.1.1 pat@families.example unknown")
    with pytest.raises(Exception, match="no such mailbox") as caught:
        channel.send(one.message, one.to, key=one.key)
    mail_server.control.clear()
    channel.close()
    told = caplog.text + str(caught.value) + repr(caught.value) + repr(one) + repr(channel)
    for private in ("pat@", "Amelia", "Secret words", PASSWORD, "token-of"):
        assert private not in told


def test_files_arrive_as_they_were_sent(mail_server: RunningSandbox) -> None:
    plan = Attachment("1" * 64, "Cynllun y neuadd – Ŵyl.pdf", "application/pdf", os.urandom(400_000))
    note = Attachment("2" * 64, "note.txt", "text/plain", b".\r\n.\nBring a stand\n")
    channel = account(mail_server, username="office", password=PASSWORD)
    one = letter(channel, content=wording(attachments=(plan, note)))
    assert one.message.fields["attachments"] == (plan.name, note.name)
    channel.send(one.message, one.to, key=one.key)
    channel.close()
    arrived = read(mail_server.truth()[-1]["content"])
    assert arrived.get_content_type() == "multipart/mixed"
    assert [(part.get_filename(), part.get_content_type()) for part in arrived.iter_attachments()] == [
        (plan.name, "application/pdf"),
        (note.name, "text/plain"),
    ]
    assert [part.get_payload(decode=True) for part in arrived.iter_attachments()] == [plan.data, note.data]


async def test_what_arrives_in_a_stream_is_each_familys_own(mail_server: RunningSandbox) -> None:
    before = len(mail_server.truth())
    channel = account(mail_server, username="office", password=PASSWORD)
    families = {f"family{number}": (f"Ann{number}", f"Bob{number}") for number in range(30)}
    content = wording("See you at six.\n.\n..dots\n", "About {pupil}")
    items = [
        letter(channel, parent(local, names, {"unsubscribe": f"https://school.example/u/{local}"}), content)
        for local, names in families.items()
    ]
    await send_all(channel, items)
    channel.close()
    arrived = {entry["to"]: read(entry["content"]) for entry in mail_server.truth()[before:]}
    assert len(arrived) == len(families)
    for local, (ann, bob) in families.items():
        mail = arrived[f"{local}@families.example"]
        assert mail["To"] == f"{local}@families.example"
        assert mail["Subject"] == f"About {ann} and {bob}"
        assert body(mail, "plain").startswith(f"For {ann} and {bob}:\n\nSee you at six.\n.\n..dots\n")
        assert body(mail, "plain").rstrip().endswith(f"https://school.example/u/{local}")
        assert f"https://school.example/u/{local}" in body(mail, "html")
