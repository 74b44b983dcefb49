"""What Twilio tells later: from the stand-in's own callbacks, and from whoever pretends to be Twilio."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.capabilities import SignatureInvalid
from broker.channel import Recipient, Surroundings
from broker.delivery import Evidence
from broker.testing.channel_bench import Callback, key, plain
from channels.sms import Sms, kit
from sandbox.client import start_sandbox
from tests.channels.twilio_support import settings, sign

URL = "https://school.example/callbacks/office/000001-token"


@pytest.fixture(scope="module")
def channel() -> Sms:
    return kit.open("office", settings("http://127.0.0.1:9"), Surroundings("school", "GB", sandbox=True))


def told(channel: Sms, **fields: str):
    call = sign(URL, {"MessageSid": "SM" + "1" * 32, "To": "+447911123456", **fields})
    return list(channel.confirmations(call.url, call.body, call.headers))


@pytest.mark.parametrize(
    ("status", "evidence"),
    [
        ("queued", Evidence.ACCEPTED),
        ("sending", Evidence.ACCEPTED),
        ("sent", Evidence.ACCEPTED),
        ("delivered", Evidence.DELIVERED),
        ("undelivered", Evidence.BOUNCED),
        ("failed", Evidence.BOUNCED),
    ],
)
def test_each_status_is_evidence(channel, status, evidence):
    for name in ("MessageStatus", "SmsStatus"):
        (news,) = told(channel, **{name: status})
        assert news.evidence is evidence
        assert news.token == "000001-token"
        assert news.provider_id == "SM" + "1" * 32


def test_a_status_nobody_knows_is_no_news(channel):
    assert told(channel, MessageStatus="teleported") == []
    assert told(channel) == []


def test_a_bounce_says_why(channel):
    (news,) = told(channel, MessageStatus="undelivered", ErrorCode="30005")
    assert (news.code, news.opt_out) == ("30005", False)
    assert "no longer in use" in news.why


def test_an_unknown_code_is_kept_and_explained_by_the_status(channel):
    (news,) = told(channel, MessageStatus="failed", ErrorCode="39999")
    assert (news.code, news.why) == ("39999", "Twilio says that the text was failed")


def test_a_stop_is_an_opt_out(channel):
    (news,) = told(channel, MessageStatus="failed", ErrorCode="21610")
    assert news.opt_out


def test_the_port_in_the_address_may_be_signed_or_not(channel):
    call = sign("https://school.example:443/callbacks/office/t", {"MessageStatus": "sent"})
    assert channel.confirmations("https://school.example/callbacks/office/t", call.body, call.headers)


def test_header_names_have_no_case(channel):
    call = sign(URL, {"MessageStatus": "sent"})
    lower = {name.lower(): value for name, value in call.headers.items()}
    assert channel.confirmations(call.url, call.body, lower)


@given(st.binary(max_size=400) | st.text(max_size=200).map(lambda text: text.encode(errors="replace")))
def test_any_body_under_a_good_signature_is_read_or_refused(channel, body):
    call = sign(URL, body)
    with suppress(SignatureInvalid):
        channel.confirmations(call.url, call.body, call.headers)


@given(url=st.text(max_size=100), signature=st.text(max_size=100))
def test_no_address_and_no_signature_raises_anything_else(channel, url, signature):
    with pytest.raises(SignatureInvalid):
        channel.confirmations(url, b"MessageStatus=sent", {"X-Twilio-Signature": signature})


def test_the_callback_address_carries_the_attempt_and_the_stand_ins_calls_are_believed(tmp_path: Path):
    step = timedelta(milliseconds=5)
    with (
        _mailbox() as (public_url, calls),
        start_sandbox(tmp_path / "t", callbacks="all", step=step) as sandbox,
    ):
        around = Surroundings("school", "GB", public_url + "/", sandbox=True)
        channel = kit.open("the office", settings(sandbox.twilio_url), around)
        sandbox.control.order(
            "twilio:undelivered:code=30003,to=+447911123457",
            "twilio:callback-forged:each=1,to=+447911123458",
        )
        for number in (6, 7, 8):
            to = Recipient(f"+44791112345{number}")
            channel.send(channel.render(plain(), to), to, key=key(number))
        calls.wait_for(9)
        keys = {entry["key"] for entry in sandbox.truth()}
        channel.close()
    assert keys == {f"{public_url}/callbacks/the%20office/{key(number).token}" for number in (6, 7, 8)}
    last: dict[str, Evidence] = {}
    forged = 0
    for call in calls.taken:
        try:
            (news,) = channel.confirmations(call.url, call.body, call.headers)
        except SignatureInvalid:
            forged += 1
            continue
        last[news.token] = max(
            news.evidence, last.get(news.token, Evidence.ACCEPTED), key=list(Evidence).index
        )
    assert last == {key(6).token: Evidence.DELIVERED, key(7).token: Evidence.BOUNCED}
    assert forged == 3


def test_without_a_public_address_no_callback_is_asked_for(twilio):
    known = len(twilio.truth())
    for around, wanted in (
        (Surroundings("school", "GB", None, sandbox=True), {}),
        (Surroundings("school", "GB", "https://school.example", sandbox=True), {"callbacks": False}),
    ):
        channel = kit.open("office", settings(twilio.twilio_url, **wanted), around)
        to = Recipient("+447911123456")
        channel.send(channel.render(plain(), to), to, key=key())
        channel.close()
    assert [entry["key"] for entry in twilio.truth()[known:]] == [None, None]


class _Calls:
    def __init__(self) -> None:
        self.taken: list[Callback] = []
        self._more = threading.Condition()

    def take(self, call: Callback) -> None:
        with self._more:
            self.taken.append(call)
            self._more.notify_all()

    def wait_for(self, count: int) -> None:
        with self._more:
            assert self._more.wait_for(lambda: len(self.taken) >= count, timeout=10)


@contextmanager
def _mailbox() -> Iterator[tuple[str, _Calls]]:
    """A school's web door, as far as a provider can see it."""
    calls = _Calls()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            calls.take(Callback(base + self.path, body, dict(self.headers.items())))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Door)
    base = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield base, calls
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
