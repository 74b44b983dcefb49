"""Posts at the stand-in through real tweepy: found again, taken back, quoted, limited, looked at."""

from __future__ import annotations

import gzip
import http.server
import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from broker.channel import Item, Receipt
from broker.errors import (
    AccountRejected,
    ContentRejected,
    DeliveryFailure,
    RateLimited,
    Uncertain,
    Unreachable,
)
from channels.twitter import Twitter, kit
from sandbox.client import RunningSandbox
from tests.channels.twitter_support import AROUND, item, open_at, past, settings, wording

numbers = itertools.count(500_000)
PLAIN = {"following": 0, "protected": False, "suspended": False, "locked": False, "limit": 10_000}


@pytest.fixture
def at_x(x: RunningSandbox) -> Iterator[RunningSandbox]:
    """The stand-in, in good health before and after."""
    x.control.clear()
    yield x
    x.control.clear()
    x.control.account_at_x(**PLAIN)


@pytest.fixture
def channel(at_x: RunningSandbox) -> Iterator[Twitter]:
    opened = open_at(at_x)
    yield opened
    opened.close()


@pytest.fixture
def one(channel: Twitter) -> Item:
    return item(channel, wording("Tea & cake <3 for the Café at stcecilias.sch.uk/Music."), next(numbers))


def send(channel: Twitter, one: Item) -> Receipt:
    return channel.send(one.message, one.to, key=one.key)


def lost(channel: Twitter, sandbox: RunningSandbox, one: Item, fault: str = "reset-after-accept") -> datetime:
    """Post it, and lose the answer."""
    began = datetime.now(UTC)
    sandbox.control.order(f"x:{fault}:next=1,stage=create")
    with pytest.raises(Uncertain):
        send(channel, one)
    return began


@pytest.mark.parametrize(
    "fault",
    ["500-after-accept", "503-after-accept", "hang-after-accept", "truncated", "bad-json", "slow-accept"],
)
def test_whatever_loses_the_answer_the_post_is_found(
    channel: Twitter, at_x: RunningSandbox, one: Item, fault: str
) -> None:
    began = lost(channel, at_x, one, fault)
    if fault == "slow-accept":
        time.sleep(1.2)
    found = channel.find(past(one, began))
    assert found is not None
    assert found.provider_id == at_x.truth("twitter")[-1]["id"]


@pytest.mark.parametrize("fault", ["500-before-accept", "503", "reset-before-accept", "hang-before-accept"])
def test_what_x_never_took_is_not_found(
    channel: Twitter, at_x: RunningSandbox, one: Item, fault: str
) -> None:
    assert channel.find(past(one, lost(channel, at_x, one, fault))) is None


def test_a_duplicate_with_its_own_page_is_the_earlier_try_and_is_found(channel: Twitter, one: Item) -> None:
    receipt = send(channel, one)
    with pytest.raises(Uncertain) as caught:
        send(channel, one)
    assert caught.value.code == "duplicate"
    assert channel.find(past(one, datetime.now(UTC) + timedelta(hours=2))) == receipt


def test_a_fresh_duplicate_that_nothing_tells_apart_is_refused_for_its_text(at_x: RunningSandbox) -> None:
    bare = open_at(at_x, around=type(AROUND)("St Cecilia's", "GB", None, sandbox=True))
    said = wording(f"Rehearsal tonight, number {next(numbers)}.")
    send(bare, item(bare, said, next(numbers)))
    with pytest.raises(ContentRejected) as caught:
        send(bare, item(bare, said, next(numbers)))
    assert caught.value.code == "duplicate"
    bare.close()


def test_a_post_behind_a_page_of_others_is_found(channel: Twitter, at_x: RunningSandbox, one: Item) -> None:
    began = lost(channel, at_x, one)
    for _ in range(105):
        send(channel, item(channel, wording("Another."), next(numbers)))
    assert channel.find(past(one, began)) is not None


def test_a_post_taken_back_is_gone_and_taking_it_back_twice_does_no_harm(channel: Twitter, one: Item) -> None:
    began = datetime.now(UTC)
    receipt = send(channel, one)
    channel.withdraw(receipt)
    assert channel.find(past(one, began)) is None
    channel.withdraw(receipt)


def test_a_post_that_cannot_be_taken_back_now_says_so(
    channel: Twitter, at_x: RunningSandbox, one: Item
) -> None:
    receipt = send(channel, one)
    at_x.control.order("x:503:stage=delete")
    with pytest.raises(Uncertain):
        channel.withdraw(receipt)


def test_an_enterprise_plan_quotes_and_the_quote_is_found_again(at_x: RunningSandbox) -> None:
    quoting = open_at(at_x, plan="enterprise")
    one = item(quoting, wording("Well done!", quote="https://x.com/jack/status/20"), next(numbers))
    began = lost(quoting, at_x, one)
    assert at_x.truth("twitter")[-1]["quote"] == "20"
    assert quoting.find(past(one, began)) is not None
    quoting.close()


def test_an_unknown_quoted_post_is_refused_and_nothing_is_posted(at_x: RunningSandbox) -> None:
    quoting = open_at(at_x, plan="enterprise")
    before = len(at_x.truth())
    with pytest.raises(ContentRejected) as caught:
        send(quoting, item(quoting, wording("Well done!", quote="99"), next(numbers)))
    assert caught.value.code == "no_such_post"
    assert len(at_x.truth()) == before
    quoting.close()


def test_a_limit_tells_when_it_ends(channel: Twitter, at_x: RunningSandbox, one: Item) -> None:
    at_x.control.order("x:429:reset=120")
    with pytest.raises(RateLimited) as caught:
        send(channel, one)
    assert caught.value.retry_after is not None
    assert timedelta(seconds=110) < caught.value.retry_after <= timedelta(seconds=120)


@pytest.mark.parametrize("state", ["suspended", "locked"])
def test_an_account_that_x_has_shut_is_refused_as_an_account(
    channel: Twitter, at_x: RunningSandbox, one: Item, state: str
) -> None:
    at_x.control.account_at_x(**{state: True})
    with pytest.raises(AccountRejected) as caught:
        send(channel, one)
    assert caught.value.code == state


@pytest.mark.parametrize("field", ["consumer_key", "consumer_secret", "access_token_secret"])
def test_wrong_credentials_are_the_accounts_fault(at_x: RunningSandbox, field: str) -> None:
    wrong = open_at(at_x, AROUND, **{field: "wrong"})
    with pytest.raises(AccountRejected):
        send(wrong, item(wrong, wording("Hello."), next(numbers)))
    with pytest.raises(AccountRejected):
        wrong.posture()
    wrong.close()


# --- posture


def test_an_account_that_follows_nobody_has_nothing_wrong(channel: Twitter) -> None:
    seen = channel.posture()
    assert seen.facts == {"following": "0", "protected": "no", "as_declared": "yes"}
    assert not seen.problems


def test_whom_the_account_follows_is_counted_and_wrong(channel: Twitter, at_x: RunningSandbox) -> None:
    at_x.control.account_at_x(following=3)
    seen = channel.posture()
    assert seen.facts["following"] == "3"
    assert [problem.code for problem in seen.problems] == ["follows"]


def test_a_lock_is_held_against_what_the_school_declared(at_x: RunningSandbox) -> None:
    declared = open_at(at_x, protected=True)
    assert [problem.code for problem in declared.posture().problems] == ["not_as_declared"]
    at_x.control.account_at_x(protected=True)
    assert not declared.posture().problems
    declared.close()


@pytest.mark.parametrize("fault", ["bad-json", "truncated", "reset-before-accept", "429", "503"])
def test_an_account_that_cannot_be_seen_is_not_made_up(
    channel: Twitter, at_x: RunningSandbox, fault: str
) -> None:
    at_x.control.order(f"x:{fault}:stage=me")
    with pytest.raises(DeliveryFailure):
        channel.posture()


# --- the line


@contextmanager
def odd_x(answer: bytes, pause: float = 0.0, times: int = 1) -> Iterator[str]:
    """A server that gives the same bytes to everybody, in pieces; yields its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            try:
                for _ in range(times):
                    self.wfile.write(answer)
                    self.wfile.flush()
                    time.sleep(pause)
            except OSError:
                pass
            self.close_connection = True

        do_GET = do_POST  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def told_by(url: str) -> DeliveryFailure:
    channel = kit.open("music", settings(url), AROUND)
    one = item(channel, wording("Hello."), next(numbers))
    try:
        with pytest.raises(DeliveryFailure) as caught:
            send(channel, one)
        return caught.value
    finally:
        channel.close()


HEAD = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x00\xff",
        b"HTTP/1.1 302 Found\r\nLocation: https://elsewhere.example/2/tweets\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 307 Moved\r\nLocation: https://api.twitter.com/2/tweets\r\nContent-Length: 0\r\n\r\n",
        HEAD + b"Content-Length: 2\r\n\r\n[]",
        HEAD + b"Content-Length: 4\r\n\r\nnull",
        HEAD + b'Content-Length: 12\r\n\r\n{"data":{} }',
        HEAD + b'Content-Length: 21\r\n\r\n{"data":{"id":["1"]}}',
        b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\n[]",
        b"HTTP/1.1 429 Slow\r\nx-rate-limit-reset: never\r\nContent-Length: 2\r\n\r\n{}",
    ],
    ids=range(10),
)
def test_an_answer_that_says_nothing_leaves_it_uncertain(answer: bytes) -> None:
    with odd_x(answer) as url:
        assert isinstance(told_by(url), Uncertain)


def test_an_answer_that_drips_is_given_up_within_the_timeout() -> None:
    with odd_x(HEAD + b"Content-Length: 100000\r\n\r\n", pause=0.3, times=20) as url:
        began = time.monotonic()
        assert isinstance(told_by(url), Uncertain)
        assert time.monotonic() - began < 3


def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    with odd_x(HEAD + b"\r\n" + b"x" * 1_000_000, times=50) as url:
        assert isinstance(told_by(url), Uncertain)


def test_a_packed_answer_in_pieces_is_read() -> None:
    packed = gzip.compress(b'{"data": {"id": "17", "text": "Hello."}}')
    pieces = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (packed[:9], packed[9:]))
    head = HEAD + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
    with odd_x(head + pieces + b"0\r\n\r\n") as url:
        channel = kit.open("music", settings(url), AROUND)
        assert send(channel, item(channel, wording("Hello."), next(numbers))).provider_id == "17"
        channel.close()


def test_nobody_there_is_unreachable() -> None:
    assert isinstance(told_by("http://127.0.0.1:1"), Unreachable)
