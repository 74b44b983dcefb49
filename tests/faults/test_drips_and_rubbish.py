"""Providers that drip, babble and never end: one bounded try, an honest outcome, and rubbish that proves nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import socketserver
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from broker.announcement import Content, Part
from broker.capabilities import PastAttempt, Reconciles, SendsMany, Withdraws
from broker.channel import PUBLIC, Channel, Item, Key, Kit, Receipt, Recipient, Surroundings
from broker.errors import DeliveryFailure, Transient, Uncertain, Unreachable
from channels import (
    apprise,
    bluesky,
    classroom,
    email,
    facebook,
    mastodon,
    moodle,
    sms,
    teams,
    twitter,
    webhook,
)
from channels.bluesky.line import Session
from sandbox.settings import XCredentials
from sandbox.stand_ins import notify, sinch
from sandbox.stand_ins.facebook import PAGE
from tests.channels.stand_in_bench import settings_at
from tests.support.installed import wait_until

TIMEOUT = timedelta(seconds=0.4)
WORDS = "The coach leaves at eight."
NETWORKS: dict[str, Kit] = {"mastodon": mastodon.kit, "bluesky": bluesky.kit, "facebook": facebook.kit}
CLASSES: dict[str, Kit] = {"moodle": moodle.kit, "classroom": classroom.kit}
# Gateways under an account: the channel, the settings of one at a stand-in.
GATEWAYS: dict[str, tuple[Kit, Callable[[str], Any]]] = {
    "notify": (sms.kit, lambda url: sms.settings_notify.Settings(**notify.settings(url))),
    "notify mails": (
        email.kit,
        lambda url: email.settings_notify.Settings(**notify.mail_settings(url)),
    ),
    "sinch": (sms.kit, lambda url: sms.settings_sinch.Settings(**sinch.settings(url))),
}
HTTP = ("sms", "twitter", *GATEWAYS, *NETWORKS, *CLASSES)
# Their providers cannot be asked; and of a receiver's answer the status alone counts.
UNASKED: dict[str, Kit] = {"teams": teams.kit, "webhook": webhook.kit, "apprise": apprise.kit}
# Where a post can be taken back, and the name of one there.
POSTED = {
    "twitter": "17",
    "mastodon": "17",
    "bluesky": "at://did:plc:somebody/app.bsky.feed.post/3lbk2",
    "facebook": f"{PAGE}_17",
    "moodle": "17",
    "classroom": "700000000041/17",
}
KITS = {**NETWORKS, **CLASSES, **UNASKED}


class Babbler(socketserver.ThreadingTCPServer):
    """Says `greeting`, and to everything it hears the next of `answers` (its last for good), a byte each `pause`."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(
        self, answers: list[bytes], *, greeting: bytes = b"", pause: float = 0.0, times: int = 1
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.answers, self.greeting, self.pause, self.times = answers, greeting, pause, times
        self.heard = 0
        self.over = threading.Event()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def heard_once(self) -> bool:
        """Whether one request came. On a busy machine it may be read when nobody waits for its answer any more."""
        wait_until(lambda: self.heard > 0, within=timedelta(seconds=20), what="a request is read")
        return self.heard == 1

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what is wanted."""


class _Session(socketserver.BaseRequestHandler):
    server: Babbler
    request: socket.socket

    def handle(self) -> None:
        self.request.settimeout(10)
        self.say(self.server.greeting)
        place = 0
        while not self.server.over.is_set() and (said := self.request.recv(65_536)):
            self.server.heard += said.startswith((b"POST", b"GET"))
            for _ in range(self.server.times):
                self.say(self.server.answers[min(place, len(self.server.answers) - 1)])
            place += 1

    def say(self, answer: bytes) -> None:
        if not self.server.pause or len(answer) < 100:
            self.request.sendall(answer)
            return
        for at in range(len(answer)):
            self.request.sendall(answer[at : at + 1])
            if self.server.over.wait(self.server.pause):
                raise ConnectionAbortedError


@contextlib.contextmanager
def babbler(*answers: bytes, **more: Any) -> Iterator[Babbler]:
    with Babbler(list(answers), **more) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()
            thread.join()


@dataclass
class Try:
    """One channel at one such provider."""

    channel: Channel
    to: Recipient

    @property
    def item(self) -> Item:
        content = Content(1, "", {Part.TITLE: "Concert", Part.SHORT: WORDS, Part.LONG: WORDS})
        return Item(Key(1, 1, 1, "dG9rZW4tb2YtYS10ZXN0"), self.channel.render(content, self.to), self.to)

    def send(self) -> None:
        one = self.item
        if hasattr(self.channel, "send"):
            self.channel.send(one.message, one.to, key=one.key)

    def find(self) -> Any:
        assert isinstance(self.channel, Reconciles)
        one = self.item
        return self.channel.find(
            PastAttempt(one.key, datetime.now(UTC), one.to.address, one.message.digest, frozenset())
        )


@contextlib.contextmanager
def at(name: str, port: int) -> Iterator[Try]:
    around = Surroundings("St Bride's", "GB", "https://school.example", sandbox=True, timeout=TIMEOUT)
    url = f"http://127.0.0.1:{port}"
    if name == "sms":
        told: dict[str, Any] = {
            "account_sid": "AC" + "0" * 32,
            "auth_token": "0" * 32,
            "sender": "+447400123456",
        }
        channel: Channel = sms.kit.open("texts", sms.kit.settings(**told, api_base_url=url), around)
    elif name == "twitter":
        x = XCredentials()
        keys = {
            key: getattr(x, key)
            for key in ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
        }
        channel = twitter.kit.open(
            "posts", twitter.kit.settings(**keys, notice_route="the gate", api_base_url=url), around
        )
    elif name in GATEWAYS:
        kit, settings_at_url = GATEWAYS[name]
        channel = kit.open("messages", settings_at_url(url), around)
    elif name in KITS:
        channel = KITS[name].open("posts", settings_at(name, KITS[name], url), around)
        if isinstance(channel, bluesky.Bluesky):  # what befalls the beginning of a session befalls no post
            later = datetime.now(UTC) + timedelta(hours=1)
            channel._gateway._line._session = Session("did:plc:somebody", "a", "b", later)
        if isinstance(channel, classroom.Classroom):  # nor does what befalls a sign-in
            line = channel._gateway._line
            line._token, line._good_until = "a", time.monotonic() + 3_600
    else:
        told = {"host": "127.0.0.1", "port": port, "security": "none", "sender": "office@school.example"}
        channel = email.kit.open(
            "mails", email.kit.settings(**told, reply_to="office@school.example"), around
        )
    to = {"sms": Recipient("+447911123456"), "email": Recipient("pat@families.example")}.get(
        channel.name,
        Recipient(PUBLIC.address, links={"announcement": "00000000-0000-0000-0000-000000000001"}),
    )
    try:
        yield Try(channel, to)
    finally:
        channel.close()


@contextlib.contextmanager
def soon(longest: timedelta = 2 * TIMEOUT + timedelta(seconds=1)) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < longest.total_seconds()


# --- drips: a byte comes long before any single wait is over, and the whole would take minutes

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
DRIPS = {
    "status": b"HTTP/1.1 200 " + b"O" * 1000,
    "head": HEAD + b"X-Long: " + b"x" * 1000,
    "body": HEAD + b"Content-Length: 1000\r\n\r\n" + b" " * 1000,
    "pieces": HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * 200,
}


@pytest.mark.parametrize("name", [*HTTP, *UNASKED])
@pytest.mark.parametrize("where", DRIPS)
def test_an_answer_that_drips_is_given_up_in_time_and_uncertain(name: str, where: str) -> None:
    whole = DRIPS[where]
    quick, drip = whole[:20], whole[20:]
    with babbler(quick + drip, pause=0.02) as server, at(name, server.port) as one:
        with soon(), pytest.raises(Uncertain):
            one.send()
        assert server.heard_once(), "and never tried again behind our back"


@pytest.mark.parametrize("name", HTTP)
@pytest.mark.parametrize("where", DRIPS)
def test_a_look_up_that_drips_proves_nothing(name: str, where: str) -> None:
    with (
        babbler(DRIPS[where], pause=0.02) as server,
        at(name, server.port) as one,
        soon(),
        pytest.raises(DeliveryFailure),
    ):
        one.find()


GREETING = b"220 mail.example ESMTP\r\n"
OK = b"250 Ok\r\n"
LONG = b"x" * 1000


@pytest.mark.parametrize(
    ("greeting", "answers", "failure"),
    [
        (b"220 " + LONG, [OK], Unreachable),
        (GREETING, [b"250-" + LONG], Unreachable),
        (GREETING, [OK, b"250 " + LONG], Transient),
        (GREETING, [OK, OK, b"250 " + LONG], Transient),
        (GREETING, [OK, OK, OK, b"354 " + LONG], Transient),
        (GREETING, [OK, OK, OK, b"354 Go on\r\n", b"250 " + LONG], Uncertain),
    ],
    ids=["greeting", "hello", "sender", "recipient", "data", "dot"],
)
def test_a_mail_server_that_drips_is_given_up_in_time(
    greeting: bytes, answers: list[bytes], failure: type[DeliveryFailure]
) -> None:
    """What drips before the dot left nothing; after it nobody knows."""
    with babbler(*answers, greeting=greeting, pause=0.004) as server, at("email", server.port) as one:
        with soon(), pytest.raises(failure) as caught:
            one.send()
        assert type(caught.value) is failure


def test_a_mail_server_that_babbles_without_end_is_given_up() -> None:
    line = b"250-" + b"x" * 4000 + b"\r\n"
    with (
        babbler(line, greeting=GREETING, times=2000) as server,
        at("email", server.port) as one,
        soon(),
        pytest.raises(DeliveryFailure),
    ):
        one.send()


@pytest.mark.parametrize("name", [*HTTP, *UNASKED])
@pytest.mark.parametrize("head", [HEAD + b"\r\n", HEAD + b"Content-Length: 99999999\r\n\r\n"])
def test_an_answer_without_end_is_not_read_to_its_end(name: str, head: bytes) -> None:
    endless = babbler(head + b"[" * 1_000_000, times=50)
    with endless as server, at(name, server.port) as one, soon(), pytest.raises(Uncertain):
        one.send()


def test_pages_without_end_prove_nothing() -> None:
    page = {"messages": [], "next_page_uri": "/2010-04-01/Accounts/AC/Messages.json?Page=2"}
    with (
        babbler(answer(json.dumps(page).encode())) as server,
        at("sms", server.port) as one,
        soon(),
        pytest.raises(DeliveryFailure),
    ):
        one.find()


@pytest.mark.parametrize("elsewhere", ["@evil.example/", "//evil.example/", "https://evil.example/", 7])
def test_a_next_page_somewhere_else_is_not_asked_for(elsewhere: Any) -> None:
    page = {"messages": [], "next_page_uri": elsewhere}
    with babbler(answer(json.dumps(page).encode())) as server, at("sms", server.port) as one, soon():
        with pytest.raises(Uncertain):
            one.find()
        assert server.heard_once()


# --- rubbish under a 200


def answer(body: bytes) -> bytes:
    return HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body


RUBBISH = [
    b"",
    b"OK",
    b"<html><body>Please sign in to the WiFi</body></html>",
    b"\x00\xff\xfe",
    b"null",
    b"17",
    b'"sid"',
    b"[]",
    b"{}",
    b'{"sid": null, "data": null}',
    b'{"sid": "", "data": {"id": ""}}',
    b'{"detail": [], "title": ""}',
    b'{"messages": null, "next_page_uri": null, "meta": null}',
    b'{"messages": {}, "next_page_uri": null, "meta": {}}',
    b'{"messages": [7], "next_page_uri": null, "data": [7], "meta": {"result_count": 1}}',
    b'{"messages": [{}], "next_page_uri": null, "data": [{}], "meta": {"result_count": 1}}',
    b'{"notifications": [], "links": null}',
    b'{"notifications": null, "links": {"current": "x"}, "batches": null, "count": 0, "page": 0}',
    b'{"notifications": [{}], "links": {"current": "x"}, "batches": [{}], "count": 1, "page": 0}',
    b'{"notifications": {}, "links": {"current": "x"}, "batches": {}, "count": 0, "page": 0}',
    b'{"batches": [], "count": 3, "page": 0, "page_size": 0}',
    b'{"batches": [], "count": 0, "page": 2, "page_size": 0}',
    b'{"messages": "", "next_page_uri": null, "data": "", "meta": {"result_count": null}}',
    b"[" * 20_000,
    b'{"sid": NaN' + b" " * 5_000,
]


@pytest.mark.parametrize("name", [*HTTP, "teams"])
@pytest.mark.parametrize("body", RUBBISH, ids=range(len(RUBBISH)))
def test_a_200_with_rubbish_leaves_it_uncertain(
    name: str, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with babbler(answer(body)) as server, at(name, server.port) as one:
        with pytest.raises(Uncertain) as caught:
            one.send()
        assert server.heard_once()
    assert WORDS not in caplog.text + repr(caught.value)
    assert "7911123456" not in caplog.text + repr(caught.value)


@pytest.mark.parametrize("name", HTTP)
@pytest.mark.parametrize("body", RUBBISH, ids=range(len(RUBBISH)))
def test_rubbish_is_no_proof_that_a_message_is_not_there(name: str, body: bytes) -> None:
    """Taken for an empty list, twice, it would send a text a second time."""
    if (name, body) == ("classroom", b"{}"):
        pytest.skip("so Google tells that there are none")
    with babbler(answer(body)) as server, at(name, server.port) as one, pytest.raises(DeliveryFailure):
        one.find()


NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\n"
UNDO = [(HEAD, body) for body in RUBBISH] + [(NOT_FOUND, body) for body in (*RUBBISH[:4], b"{}", b"[]")]


@pytest.mark.parametrize("name", POSTED)
@pytest.mark.parametrize(("head", "body"), UNDO, ids=range(len(UNDO)))
def test_rubbish_is_no_proof_that_a_post_is_gone(name: str, head: bytes, body: bytes) -> None:
    """A proxy's page that says “not found” would leave a post standing that everybody takes for deleted."""
    if (name, head, body) == ("classroom", HEAD, b"{}"):
        pytest.skip("so Google tells that it is deleted")
    said = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    with babbler(said) as server, at(name, server.port) as one:
        assert isinstance(one.channel, Withdraws)
        with pytest.raises(DeliveryFailure):
            one.channel.withdraw(Receipt(POSTED[name]))


@pytest.mark.parametrize("name", [*HTTP, *UNASKED])
@pytest.mark.parametrize("status", [b"302 Found", b"307 Temporary Redirect", b"308 Permanent Redirect"])
def test_nobody_is_followed_to_another_address(name: str, status: bytes) -> None:
    """A post that is led on is posted twice, or somewhere else, with the credentials in hand."""
    with babbler(answer(b"{}")) as elsewhere:
        there = b"Location: http://127.0.0.1:%d/\r\nContent-Length: 0\r\n\r\n" % elsewhere.port
        with babbler(b"HTTP/1.1 " + status + b"\r\n" + there) as server, at(name, server.port) as one:
            with pytest.raises(DeliveryFailure):
                one.send()
            assert server.heard_once()
        assert elsewhere.heard == 0


@pytest.mark.parametrize("name", KITS)
@pytest.mark.parametrize(
    "head",
    [
        HEAD,
        NOT_FOUND,
        b"HTTP/1.1 401 Unauthorized\r\n",
        b"HTTP/1.1 500 Broken\r\n",
        b"HTTP/1.1 302 Found\r\n",
    ],
    ids=["200", "404", "401", "500", "302"],
)
def test_nothing_secret_is_logged_or_told_whatever_comes_back(
    name: str, head: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with babbler(head + b"Content-Length: 0\r\n\r\n") as server, at(name, server.port) as one:
        found = secrets_in(settings_at(name, KITS[name], f"http://127.0.0.1:{server.port}"))
        assert found
        told = [repr(one.channel), repr(vars(one.channel))]
        try:
            one.send()
        except DeliveryFailure as failure:
            told += [repr(failure), *traceback.format_exception(failure)]
    assert not [secret for secret in found if secret in caplog.text + "".join(told)]


def secrets_in(settings: Any) -> list[str]:
    """What an account must not tell: of an address that is one, what it holds behind its host."""
    values = [
        value
        for held in vars(settings).values()
        for value in (held.values() if isinstance(held, dict) else [held])
    ]
    plain = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
    return [secret.rpartition("sig=")[2].rpartition("/")[2] for secret in plain]


@pytest.mark.parametrize("token", ["", "two words", "a\nb", "é", "x" * 5_000, 7, None, ["a"]])
@pytest.mark.parametrize("name", ["bluesky", "classroom"])
def test_a_sign_in_that_gives_rubbish_posts_nothing_and_is_tried_again(name: str, token: Any) -> None:
    told = {
        "did": "did:plc:x",
        "accessJwt": token,
        "refreshJwt": "r",
        "access_token": token,
        "expires_in": 3_599,
    }
    with babbler(answer(json.dumps(told).encode())) as server, at(name, server.port) as one:
        if isinstance(one.channel, bluesky.Bluesky):
            one.channel._gateway._line._session = None
        if isinstance(one.channel, classroom.Classroom):
            one.channel._gateway._line._token = ""
        with pytest.raises(Transient):
            one.send()
        assert server.heard_once()


def test_rubbish_headers_that_quote_the_text_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    odd = b"HTTP/1.1 200 OK\r\nno header at all: \x00\r\n" + WORDS.encode() + b"\r\n\r\n"
    for name in HTTP:
        with babbler(odd) as server, at(name, server.port) as one, pytest.raises(DeliveryFailure):
            one.send()
    assert WORDS not in caplog.text


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("sid", "id", "data", "messages", "meta", "result_count", "errors", "text", "body", "x"),
                    *("notifications", "links", "current", "reference", "batches", "count", "page"),
                ]
            ),
            inner,
        )
    ),
    max_leaves=6,
)


@pytest.mark.parametrize("name", HTTP)
def test_whatever_json_a_look_up_gets_it_finds_or_fails_or_was_truly_told_none(name: str) -> None:
    empty: dict[str, Callable[[Any], bool]] = {
        "sms": lambda told: told["messages"] == [],
        "twitter": lambda told: told["meta"]["result_count"] == 0,
        "mastodon": lambda told: told == [],
        "bluesky": lambda told: False,  # what is not there is told by an error
        "facebook": lambda told: told["data"] == [],
        "moodle": lambda told: told["discussions"] == [],
        "classroom": lambda told: told == {} or told["announcements"] == [],
        "notify": lambda told: told["notifications"] == [] and isinstance(told["links"]["current"], str),
        "notify mails": lambda told: (
            told["notifications"] == [] and isinstance(told["links"]["current"], str)
        ),
        "sinch": lambda told: told["batches"] == [] and told["count"] == 0 and told["page"] == 0,
    }
    with babbler(b"") as server, at(name, server.port) as one:
        if isinstance(one.channel, mastodon.Mastodon):
            one.channel._gateway._id = "1"

        @settings(max_examples=60)
        @given(told=values)
        def whatever(told: Any) -> None:
            server.answers[:] = [answer(json.dumps(told).encode())]
            with contextlib.suppress(DeliveryFailure):
                assert one.find() is not None or empty[name](told)

        whatever()


@settings(max_examples=60)
@given(said=st.lists(st.binary(max_size=40), min_size=1, max_size=6))
def test_whatever_a_mail_server_says_one_try_comes_to_an_end(said: list[bytes]) -> None:
    lines = [piece.replace(b"\n", b"") + b"\r\n" for piece in said]
    served = babbler(*lines, greeting=GREETING)
    with (
        served as server,
        at("email", server.port) as one,
        soon(4 * TIMEOUT),
        contextlib.suppress(DeliveryFailure),
    ):
        one.send()


def test_many_at_once_at_a_provider_that_drips_all_come_back() -> None:
    async def outcomes(one: Try, count: int) -> list[Any]:
        async def items() -> Any:
            for number in range(count):
                yield Item(Key(number, number, 1, "t"), one.item.message, one.to)

        assert isinstance(one.channel, SendsMany)
        return [came async for _, came in one.channel.send_many(items(), may_start=lambda _: True)]

    with babbler(DRIPS["head"], pause=0.05) as server, at("sms", server.port) as one, soon():
        came = asyncio.run(outcomes(one, 8))
    assert [type(each) for each in came] == [Uncertain] * 8
