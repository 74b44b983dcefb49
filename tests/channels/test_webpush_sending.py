"""Web push beyond the contract: what a browser decrypts, for how long it is kept, whose fault an answer is."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from broker.announcement import Content, Part, Urgency
from broker.audience import parse, told_whole
from broker.channel import Item, Receipt, Recipient
from broker.errors import (
    AccountRejected,
    AddressRejected,
    ContentRejected,
    DeliveryFailure,
    RateLimited,
    Uncertain,
    Unreachable,
)
from broker.testing.channel_bench import key, plain
from channels.webpush import kit
from channels.webpush.codes import failure
from channels.webpush.gateway import Gateway, encrypted, topic_of
from channels.webpush.render import MOST_BYTES, render
from channels.webpush.settings import Settings
from channels.webpush.subscription import Subscription, of_address
from sandbox.client import RunningSandbox
from sandbox.stand_ins import webpush as stand_in
from tests.channels.stand_in_bench import closed_port, open_at

ABOUT = "01990000-0000-7000-8000-000000000001"
NOW = datetime.now(UTC)


def settings(**changed: Any) -> Settings:
    return Settings.model_validate({"key": stand_in.KEY, "contact": stand_in.CONTACT, **changed})


def to(url: str, browser: str = "a", **more: Any) -> Recipient:
    about = {"announcement": more.pop("about", ABOUT)}
    return Recipient(stand_in.address(url, browser), links=about, **more)


def sent(sandbox: RunningSandbox, **more: Any) -> dict[str, Any]:
    channel = open_at("webpush", kit, sandbox)
    recipient = to(sandbox.url("webpush"), **more)
    try:
        channel.send(channel.render(plain(), recipient), recipient, key=key())
    finally:
        channel.close()
    return sandbox.truth("webpush")[-1]


@given(st.text(max_size=6_000), st.text(max_size=900))
def test_whatever_is_written_fits_into_one_record_and_a_browser_reads_it(text: str, title: str) -> None:
    message = render(Content(1, "", {Part.TITLE: title, Part.SHORT: text}), to("http://127.0.0.1:9"))
    body = message.fields["body"].encode("utf-8", "replace")
    assert len(body) <= MOST_BYTES
    json.loads(body)


def test_the_longest_of_all_is_taken_by_a_push_service() -> None:
    longest = render(
        Content(1, "", {Part.TITLE: '"' * 9_000, Part.SHORT: '\\"' * 9_000}), to("http://127.0.0.1:9")
    )
    browser = of_address(stand_in.address("http://127.0.0.1:9", "a"))
    assert browser is not None
    sealed = encrypted(browser, longest.fields["body"].encode())
    assert len(sealed) <= stand_in.MOST_BYTES
    assert stand_in.opened("a", sealed).decode() == longest.fields["body"]
    assert longest.notes


def test_only_that_browser_can_read_it_and_no_two_are_alike() -> None:
    browser = of_address(stand_in.address("http://127.0.0.1:9", "a"))
    assert browser is not None
    first, second = encrypted(browser, b"At six."), encrypted(browser, b"At six.")
    assert first != second
    assert b"six" not in first
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever its library raises
        stand_in.opened("b", first)


@pytest.mark.parametrize(
    ("expires_in", "least", "most"),
    [
        (timedelta(hours=1), 3_500, 3_600),
        (timedelta(days=400), 28 * 86_400, 28 * 86_400),
        (timedelta(hours=-1), 0, 0),
        (None, 86_400, 86_400),
    ],
)
def test_it_is_kept_until_it_expires_and_no_longer_than_services_do(
    stand_ins: RunningSandbox, expires_in: timedelta | None, least: int, most: int
) -> None:
    expires_at = None if expires_in is None else datetime.now(UTC) + expires_in
    about = f"{ABOUT[:-4]}{least % 10_000:04d}{most % 7}"
    kept = sent(stand_ins, expires_at=expires_at, about=about)["headers"]
    assert least <= int(kept["ttl"]) <= most


def test_urgent_ones_are_urgent_and_every_try_has_one_topic(stand_ins: RunningSandbox) -> None:
    kept = sent(stand_ins, browser="urgent", urgency=Urgency.URGENT)["headers"]
    assert (kept["urgency"], kept["topic"]) == ("high", topic_of(ABOUT))
    assert len(topic_of(ABOUT)) == 32
    before = len(stand_ins.truth("webpush"))
    sent(stand_ins, browser="urgent")
    assert len(stand_ins.truth("webpush")) == before  # in place of the first


ANSWERS: list[tuple[int, dict[str, str], bytes, type[DeliveryFailure], bool]] = [
    (400, {}, b"", AddressRejected, False),
    (401, {}, b"", AccountRejected, False),
    (403, {}, b"the key is another", AddressRejected, True),
    (403, {}, b'{"reason":"BadJwtToken"}', AccountRejected, False),
    (403, {}, b'{"reason":"ExpiredJwtToken"}', AccountRejected, False),
    (404, {}, b"", AddressRejected, True),
    (410, {}, b"", AddressRejected, True),
    (307, {"Location": "https://elsewhere.example"}, b"", AddressRejected, True),
    (413, {}, b"", ContentRejected, False),
    (500, {}, b"", Uncertain, False),
    (503, {"Retry-After": "5"}, b"", Uncertain, False),
    (599, {}, b"\xff", Uncertain, False),
    (418, {}, b"", Uncertain, False),
]


@pytest.mark.parametrize(("status", "headers", "body", "meant", "ends"), ANSWERS)
def test_each_answer_has_its_meaning(
    status: int, headers: dict[str, str], body: bytes, meant: type[DeliveryFailure], ends: bool
) -> None:
    found = failure(status, headers, body)
    assert type(found) is meant
    assert getattr(found, "opt_out", False) is ends
    assert found.code == str(status)


@pytest.mark.parametrize(
    ("told", "pause"),
    [
        ("7", timedelta(seconds=7)),
        ("999999", timedelta(hours=1)),
        ("", None),
        ("soon", None),
        ("٣", None),
        ("-1", None),
    ],
)
def test_how_long_to_wait_is_read_and_bounded(told: str, pause: timedelta | None) -> None:
    found = failure(429, {"Retry-After": told})
    assert isinstance(found, RateLimited)
    assert found.retry_after == pause


def test_a_browser_that_subscribed_under_another_key_is_let_go_before_anything_is_sent(
    stand_ins: RunningSandbox,
) -> None:
    asked = stand_ins.control.counts().get("webpush", {}).get("push", 0)
    channel = open_at("webpush", kit, stand_ins, key=kit.new_key())
    recipient = to(stand_ins.url("webpush"))
    with pytest.raises(AddressRejected) as gone:
        channel.send(channel.render(plain(), recipient), recipient, key=key())
    channel.close()
    assert (gone.value.code, gone.value.opt_out) == ("old_key", True)
    assert stand_ins.control.counts().get("webpush", {}).get("push", 0) == asked


def gateway_out() -> Gateway:
    """As outside the sandbox."""
    return Gateway(settings(), timedelta(seconds=1), sandbox=False)


def send_to(gateway: Gateway, endpoint: str) -> Receipt:
    known = of_address(stand_in.address("http://127.0.0.1:9", "a"))
    assert known is not None
    there = Subscription(endpoint, known.p256dh, known.auth, gateway.public_key)
    recipient = Recipient(there.as_address(), links={"announcement": ABOUT})
    message = render(plain(), recipient)
    return gateway.send(Item(key(), message, recipient))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "10.0.0.1", "169.254.169.254"])
def test_a_service_that_leads_inward_is_that_browsers_fault_and_never_asked(host: str) -> None:
    gateway = gateway_out()
    with pytest.raises(AddressRejected) as refused:
        send_to(gateway, f"https://{host}:{closed_port()}/x")
    gateway.close()
    assert (refused.value.code, refused.value.opt_out) == ("private_address", True)


@contextmanager
def answering(*pieces: bytes, every: float = 0.0) -> Iterator[str]:
    """A server on loopback that says these pieces to whoever comes, and no more."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        over = threading.Event()

        def serve() -> None:
            listener.settimeout(10)
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(16_384)
                for piece in pieces:
                    if over.wait(every):
                        return
                    try:
                        connection.sendall(piece)
                    except OSError:
                        return

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            over.set()
            thread.join()


OK = b"HTTP/1.1 201 Created\r\n"
RUBBISH = [
    (b"\x00\xff" * 50,),
    (b"HTTP/1.1 999 \r\n\r\n",),
    (OK + b"Content-Length: 100\r\n\r\nhalf",),
    (OK + b"Content-Length: 30\r\n\r\n<!doctype html><html>hello</ht",),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n", *[b"x" * 65_536] * 40),
    (),
]


@pytest.mark.parametrize("pieces", RUBBISH)
def test_rubbish_is_uncertain_and_nothing_else(pieces: tuple[bytes, ...]) -> None:
    gateway = Gateway(settings(), timedelta(seconds=1), sandbox=True)
    with answering(*pieces) as url, pytest.raises(Uncertain):
        send_to(gateway, f"{url}/push/a")
    gateway.close()


def test_who_drips_is_given_up_when_the_time_is_over() -> None:
    gateway = Gateway(settings(), timedelta(seconds=1), sandbox=True)
    drips = [bytes([letter]) for letter in OK * 10]
    began = monotonic()
    with answering(*drips, every=0.1) as url, pytest.raises(Uncertain):
        send_to(gateway, f"{url}/push/a")
    gateway.close()
    assert monotonic() - began < 8


def test_who_is_away_is_unreachable() -> None:
    gateway = Gateway(settings(), timedelta(seconds=1), sandbox=True)
    with pytest.raises(Unreachable):
        send_to(gateway, f"http://127.0.0.1:{closed_port()}/push/a")
    gateway.close()


@pytest.mark.parametrize(
    "changed",
    [{"key": "short"}, {"key": "A" * 43}, {"key": "_" * 43}, {"key": stand_in.KEY + "="}, {"contact": "office"},
     {"contact": "mailto:a@b"}, {"contact": "https://x/\r\ny"}, {"services": "http://x"}, {"services": "localhost"}],
)  # fmt: skip
def test_settings_that_cannot_work_are_refused_and_never_repeated(changed: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as refused:
        settings(**changed)
    assert stand_in.KEY not in str(refused.value)


def test_a_made_key_works_and_is_another_each_time() -> None:
    first, second = kit.new_key(), kit.new_key()
    assert first != second
    assert Gateway(settings(key=first), timedelta(seconds=1), sandbox=True).public_key != first
    assert settings(services="push.a.example, B.example").services == ("push.a.example", "b.example")


@pytest.mark.parametrize(
    ("audience", "whole"),
    [
        ("Choir", (False, {"choir"})),
        ("Choir + (Band + everyone)", (True, {"choir", "band"})),
        ("Choir + (Band - 7B)", (False, {"choir"})),
        ("everyone - Choir", (False, set())),
        ("Choir & Band", (False, set())),
        ("pupils", (False, set())),
        ('"pupils"', (False, {"pupils"})),
    ],
)
def test_which_groups_are_told_whole(audience: str, whole: tuple[bool, set[str]]) -> None:
    everyone, groups = told_whole(parse(audience))
    assert (everyone, set(groups)) == whole
