"""The Twilio stand-in, through Twilio's own SDK."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from sandbox.client import RunningSandbox
from sandbox.truth import Entry
from tests.sandbox.conftest import STEP

FROM = "+447700900999"
SERVICE = "MG" + "0123456789abcdef" * 2
Accepted = Callable[[str], list[Entry]]


def test_a_created_text_is_queued_and_in_the_truth_log(twilio: Client, to: str, accepted: Accepted) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    message = twilio.messages.create(to=to, from_=FROM, body="Rehearsal at 4 – don’t be late")
    assert (message.status, message.to, message.from_, message.direction) == (
        "queued",
        to,
        FROM,
        "outbound-api",
    )
    assert message.sid is not None
    assert message.sid.startswith("SM")
    assert len(message.sid) == 34
    assert message.num_segments == "1"
    assert message.date_sent is None
    assert message.date_created is not None
    assert before <= message.date_created <= datetime.now(UTC)
    (entry,) = accepted(to)
    assert (entry["channel"], entry["id"], entry["from"]) == ("sms", message.sid, FROM)
    assert entry["body"] == "Rehearsal at 4 – don’t be late"


def test_a_text_by_a_messaging_service_is_accepted_before_it_has_a_sender(twilio: Client, to: str) -> None:
    message = twilio.messages.create(to=to, messaging_service_sid=SERVICE, body="Hello")
    assert (message.status, message.from_, message.num_segments) == ("accepted", None, "0")
    assert message.messaging_service_sid == SERVICE


def test_a_text_is_sent_and_then_delivered(twilio: Client, to: str) -> None:
    sid = twilio.messages.create(to=to, from_=FROM, body="Hello").sid
    time.sleep(0.1)
    message = twilio.messages(sid).fetch()
    assert message.status == "delivered"
    assert message.date_sent is not None


# twilio 9.13 on aiohttp 3.14: its own business, not ours.
@pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated:DeprecationWarning")
async def test_the_asynchronous_sdk_creates_and_lists(
    sandbox: RunningSandbox, to: str, accepted: Accepted
) -> None:
    http = AsyncTwilioHttpClient(timeout=2)
    client = Client(sandbox.account_sid, sandbox.auth_token, http_client=http)
    client.api.base_url = sandbox.twilio_url
    try:
        created = [await client.messages.create_async(to=to, from_=FROM, body=f"Text {n}") for n in range(5)]
        listed = await client.messages.list_async(to=to, page_size=2)
    finally:
        await http.close()
    assert [each.sid for each in listed] == [each.sid for each in reversed(created)]
    assert [each["id"] for each in accepted(to)] == [each.sid for each in created]


def test_a_list_has_pages_that_new_texts_do_not_shift(twilio: Client, to: str) -> None:
    sids = [twilio.messages.create(to=to, from_=FROM, body=f"Text {n}").sid for n in range(5)]
    page = twilio.messages.page(to=to, page_size=2)
    assert [each.sid for each in page] == [sids[4], sids[3]]
    twilio.messages.create(to=to, from_=FROM, body="One more")
    second = page.next_page()
    assert second is not None
    assert [each.sid for each in second] == [sids[2], sids[1]]
    third = second.next_page()
    assert third is not None
    assert [each.sid for each in third] == [sids[0]]
    assert third.next_page() is None


def test_a_list_can_be_narrowed_by_sender_and_by_time(twilio: Client, to: str) -> None:
    first = twilio.messages.create(to=to, from_=FROM, body="One").sid
    second = twilio.messages.create(to=to, from_="Hillview", body="Two").sid
    time.sleep(2 * STEP.total_seconds())  # what still queues has no date
    now, hour = datetime.now(UTC), timedelta(hours=1)

    def found(**narrow: object) -> list[str | None]:
        return [each.sid for each in twilio.messages.list(to=to, **narrow)]

    assert found() == [second, first]
    assert found(from_="Hillview") == [second]
    assert found(date_sent_after=now - hour) == [second, first]
    assert found(date_sent_after=now + hour) == []
    assert found(date_sent_before=now - hour) == []
    assert found(date_sent_after=now - hour, date_sent_before=now + hour) == [second, first]
    assert found(date_sent=now.date().isoformat()) == [second, first]
    assert found(date_sent="2020-02-02") == []


def test_the_second_in_which_a_text_was_accepted_belongs_to_both_sides(twilio: Client, to: str) -> None:
    message = twilio.messages.create(to=to, from_=FROM, body="One")
    time.sleep(2 * STEP.total_seconds())
    assert len(twilio.messages.list(to=to, date_sent_after=message.date_created)) == 1
    assert len(twilio.messages.list(to=to, date_sent_before=message.date_created)) == 1


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"to": ""}, 21604),
        ({"to": "07700 900123"}, 21211),
        ({"to": "+0123"}, 21211),
        ({"from_": ""}, 21603),
        ({"from_": "much too long a name"}, 21212),
        ({"body": ""}, 21602),
        ({"body": "x" * 1601}, 21617),
        ({"from_": None, "messaging_service_sid": "MG1"}, 21606),
        ({"status_callback": "nowhere"}, 21609),
    ],
)
def test_a_bad_create_is_refused_with_twilios_code(
    twilio: Client, sandbox: RunningSandbox, to: str, wrong: dict[str, str], code: int
) -> None:
    before = len(sandbox.truth())
    with pytest.raises(TwilioRestException) as refused:
        twilio.messages.create(**{"to": to, "from_": FROM, "body": "Hello", **wrong})
    assert (refused.value.status, refused.value.code) == (400, code)
    assert len(sandbox.truth()) == before


def test_sixteen_hundred_characters_are_taken(twilio: Client, to: str) -> None:
    assert twilio.messages.create(to=to, from_=FROM, body="ü" * 1600).num_segments == "11"


def test_wrong_credentials_are_refused(sandbox: RunningSandbox, to: str) -> None:
    http = TwilioHttpClient(timeout=2)
    stranger = Client(sandbox.account_sid, "wrong", http_client=http)
    stranger.api.base_url = sandbox.twilio_url
    with pytest.raises(TwilioRestException) as refused:
        stranger.messages.create(to=to, from_=FROM, body="Hello")
    http.session.close()
    assert (refused.value.status, refused.value.code) == (401, 20003)


def test_an_unknown_message_is_not_found(twilio: Client) -> None:
    with pytest.raises(TwilioRestException) as refused:
        twilio.messages("SM" + "0" * 32).fetch()
    assert (refused.value.status, refused.value.code) == (404, 20404)


def test_the_account_can_be_asked_after(twilio: Client, sandbox: RunningSandbox) -> None:
    assert twilio.api.accounts(sandbox.account_sid).fetch().status == "active"


def create_request(sandbox: RunningSandbox, to: str) -> bytes:
    form = {"To": to, "From": FROM, "Body": "Hello"}
    url = f"{sandbox.twilio_url}/2010-04-01/Accounts/{sandbox.account_sid}/Messages.json"
    asked = requests.Request("POST", url, data=form, auth=(sandbox.account_sid, sandbox.auth_token)).prepare()
    head = "".join(f"{name}: {value!s}\r\n" for name, value in asked.headers.items())
    assert isinstance(asked.body, str)
    return f"POST {asked.path_url} HTTP/1.1\r\n{head}\r\n{asked.body}".encode()


def talk(sandbox: RunningSandbox, data: bytes, pieces: int = 1) -> bytes:
    """Everything the sandbox answers until it hangs up or falls silent."""
    address = ("127.0.0.1", int(sandbox.twilio_url.rpartition(":")[2]))
    answer = b""
    with socket.create_connection(address, timeout=0.5) as connection:
        size = -(-len(data) // pieces)
        for start in range(0, len(data), size):
            connection.sendall(data[start : start + size])
            time.sleep(0.001 if pieces > 1 else 0)
        try:
            while more := connection.recv(65536):
                answer += more
        except (TimeoutError, ConnectionResetError):
            pass
    return answer


def test_pipelined_requests_are_answered_in_order(
    sandbox: RunningSandbox, to: str, accepted: Accepted
) -> None:
    answer = talk(sandbox, create_request(sandbox, to) * 50)
    assert answer.count(b"HTTP/1.1 201 Created") == 50
    places = [answer.index(entry["id"].encode()) for entry in accepted(to)]
    assert places == sorted(places)
    assert len(places) == 50


def test_a_request_in_fifty_pieces_is_one_request(
    sandbox: RunningSandbox, to: str, accepted: Accepted
) -> None:
    assert talk(sandbox, create_request(sandbox, to), pieces=50).startswith(b"HTTP/1.1 201 Created")
    assert len(accepted(to)) == 1


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nA: " + b"b" * 20_000, b"431"),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 100 + b"\r\n", b"431"),
        (b"POST / HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n", b"413"),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"411"),
    ],
)
def test_what_is_no_fit_request_is_refused(sandbox: RunningSandbox, data: bytes, status: bytes) -> None:
    assert talk(sandbox, data).startswith(b"HTTP/1.1 " + status)


def test_too_many_fields_and_bytes_that_are_no_text_are_refused(sandbox: RunningSandbox, to: str) -> None:
    for body in ("A=b&" * 100, "Body=%ff"):
        request = create_request(sandbox, to)
        head = request.partition(b"\r\n\r\n")[0].replace(
            b"Content-Length: ", b"Content-Length: 1\r\nX-Was: ", 1
        )
        head = head.replace(b"Content-Length: 1\r\n", f"Content-Length: {len(body)}\r\n".encode())
        assert talk(sandbox, head + b"\r\n\r\n" + body.encode()).startswith(b"HTTP/1.1 400")
