"""Status callbacks, taken by a real receiver on loopback and judged by Twilio's own validator."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from sandbox.callbacks import loopback_url
from sandbox.client import RunningSandbox, start_sandbox
from sandbox.settings import BadSandbox
from tests.sandbox.conftest import STEP, client_of

FROM = "+447700900999"


@dataclass
class Receiver:
    """Keeps what was POSTed to it; fails the first `failing` requests."""

    url: str
    failing: int = 0
    taken: list[tuple[str, dict[str, str], str]] = field(default_factory=list)

    def wait(self, count: int) -> list[tuple[str, dict[str, str], str]]:
        until = time.monotonic() + 5
        while len(self.taken) < count and time.monotonic() < until:
            time.sleep(0.01)
        return self.taken

    def statuses(self, count: int) -> list[str]:
        return [fields["MessageStatus"] for _, fields, _ in self.wait(count)]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            if kept.failing > 0:
                kept.failing -= 1
                self.send_response(500)
                self.send_header("Content-Length", "0")
            else:
                fields = dict(parse_qsl(body, keep_blank_values=True))
                kept.taken.append((self.path, fields, self.headers["X-Twilio-Signature"]))
                self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    kept = Receiver(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield kept
    server.shutdown()
    thread.join()
    server.server_close()


def test_callbacks_come_in_order_and_signed(
    sandbox: RunningSandbox, twilio: Client, receiver: Receiver, to: str
) -> None:
    path = "/callbacks/sms/41?attempt=7&seal=a%2Fb"
    sid = twilio.messages.create(to=to, from_=FROM, body="Hello", status_callback=receiver.url + path).sid
    assert receiver.statuses(3) == ["queued", "sent", "delivered"]
    validator = RequestValidator(sandbox.auth_token)
    for taken_at, fields, signature in receiver.taken:
        assert taken_at == path
        assert (fields["MessageSid"], fields["To"], fields["From"]) == (sid, to, FROM)
        assert fields["AccountSid"] == sandbox.account_sid
        assert validator.validate(receiver.url + path, fields, signature)
        assert not validator.validate(receiver.url + path, {**fields, "MessageStatus": "failed"}, signature)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("undelivered:code=30005", ["queued", "sent", "undelivered"]),
        ("callback-disorder", ["delivered", "sent", "queued"]),
        ("callback-twice", ["queued", "queued", "sent", "sent", "delivered", "delivered"]),
    ],
)
def test_callbacks_go_wrong_as_ordered(
    sandbox: RunningSandbox, twilio: Client, receiver: Receiver, to: str, fault: str, expected: list[str]
) -> None:
    sandbox.control.order(f"twilio:{fault}")
    twilio.messages.create(to=to, from_=FROM, body="Hello", status_callback=receiver.url)
    assert receiver.statuses(len(expected)) == expected
    codes = [fields.get("ErrorCode") for _, fields, _ in receiver.taken]
    assert codes == [("30005" if status == "undelivered" else None) for status in expected]


def test_a_forged_callback_does_not_pass_the_validator(
    sandbox: RunningSandbox, twilio: Client, receiver: Receiver, to: str
) -> None:
    sandbox.control.order("twilio:callback-forged")
    twilio.messages.create(to=to, from_=FROM, body="Hello", status_callback=receiver.url)
    _, fields, signature = receiver.wait(1)[0]
    assert not RequestValidator(sandbox.auth_token).validate(receiver.url, fields, signature)


def test_lost_callbacks_never_come(
    sandbox: RunningSandbox, twilio: Client, receiver: Receiver, to: str
) -> None:
    sandbox.control.order("twilio:callback-lost:next=1")
    twilio.messages.create(to=to, from_=FROM, body="Hello", status_callback=receiver.url)
    last = twilio.messages.create(to=to, from_=FROM, body="Hello", status_callback=receiver.url).sid
    receiver.wait(3)
    assert {fields["MessageSid"] for _, fields, _ in receiver.taken} == {last}


def test_a_callback_tells_of_a_text_whose_answer_was_a_500(
    sandbox: RunningSandbox, twilio: Client, receiver: Receiver, to: str
) -> None:
    sandbox.control.order("twilio:500-after-accept")
    with pytest.raises(TwilioRestException):
        twilio.messages.create(to=to, from_=FROM, body="Hello", status_callback=receiver.url)
    assert receiver.statuses(3)[-1] == "delivered"


def test_a_callback_is_tried_again(
    sandbox: RunningSandbox, twilio: Client, receiver: Receiver, to: str
) -> None:
    receiver.failing = 1
    twilio.messages.create(to=to, from_=FROM, body="Hello", status_callback=receiver.url)
    assert receiver.statuses(3) == ["queued", "sent", "delivered"]


def test_nobody_beyond_loopback_is_called(sandbox: RunningSandbox, twilio: Client, to: str) -> None:
    before = sandbox.control.counts()["callbacks"].get("refused", 0)
    twilio.messages.create(to=to, from_=FROM, body="Hello", status_callback="http://school.example/sms")
    assert sandbox.control.counts()["callbacks"]["refused"] == before + 1


@pytest.mark.parametrize(
    "text",
    [
        "https://127.0.0.1/a",
        "http://127.0.0.1.school.example/",
        "http://user@127.0.0.1/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1/a b",
        "http://127.0.0.1/a\r\nHost: b",
        "http://[::1/",
        "http://10.0.0.1/",
    ],
)
def test_an_odd_callback_address_is_not_called(text: str) -> None:
    assert loopback_url(text) is None


def test_callbacks_can_be_final_only_or_off(truth_path: Path, receiver: Receiver, to: str) -> None:
    for mode, expected in (("final", ["delivered"]), ("off", [])):
        receiver.taken.clear()
        with start_sandbox(truth_path, callbacks=mode, step=STEP) as running:
            with client_of(running) as client:
                client.messages.create(to=to, from_=FROM, body="Hello", status_callback=receiver.url)
            time.sleep(5 * STEP.total_seconds())
            assert receiver.statuses(len(expected)) == expected


def test_a_text_from_outside_is_handed_in_signed(
    sandbox: RunningSandbox, receiver: Receiver, to: str
) -> None:
    url = receiver.url + "/callbacks/texts/inbound"
    sid = sandbox.control.text_from(to, "STOP", url=url, times=2)
    sandbox.control.text_from(to, "hello", url=url, forged=True, opt_out="HELP")
    taken = receiver.wait(3)
    validator = RequestValidator(sandbox.auth_token)
    good = [fields for path, fields, mac in taken if validator.validate(receiver.url + path, fields, mac)]
    assert [(f["From"], f["Body"], f["MessageSid"], f["SmsStatus"]) for f in good] == [
        (to, "STOP", sid, "received")
    ] * 2
    assert {fields.get("OptOutType") for _, fields, _ in taken} == {None, "HELP"}


def test_who_said_stop_is_sent_nothing_until_start(
    sandbox: RunningSandbox, twilio: Client, receiver: Receiver, to: str
) -> None:
    sandbox.control.text_from(to, "Stop", url=receiver.url)
    with pytest.raises(TwilioRestException) as refused:
        twilio.messages.create(to=to, from_=FROM, body="Hello")
    assert refused.value.code == 21610
    sandbox.control.text_from(to, "START", url=receiver.url)
    assert twilio.messages.create(to=to, from_=FROM, body="Hello").sid


@pytest.mark.parametrize(
    "asked",
    [
        {"url": "http://school.example/x"},
        {"url": "http://127.0.0.1:1/", "times": "3"},
        {"url": "http://127.0.0.1:1/", "colour": "blue"},
    ],
)
def test_an_odd_text_from_outside_is_refused(sandbox: RunningSandbox, asked: dict[str, str]) -> None:
    with pytest.raises(BadSandbox):
        sandbox.control.text_from("+447911123456", "hi", **asked)
