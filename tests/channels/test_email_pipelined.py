"""Mails one behind the other on a connection: whatever the server does, each outcome is the truth about its own."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Collection, Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from broker.channel import Item, Key, MayStart, NotStarted, Outcome, Receipt
from broker.errors import AddressRejected, ContentRejected, Transient, Uncertain
from channels.email import Email
from channels.email.replies import MOST, NONSENSE, Replies
from tests.channels.mail_support import account, letter, parent, wording
from tests.channels.moody_mail_server import MOODS, SLOW, MoodyMailServer, moody

LIVELY = [(stage, mood) for stage, moods in MOODS.items() for mood in ("well", *moods) if mood not in SLOW]
SLOW_ONES = [(stage, mood) for stage, moods in MOODS.items() for mood in moods if mood in SLOW]
SCRIPT = st.builds(  # at most one that is waited for in vain
    lambda lively, slow, at: [*lively[:at], *slow, *lively[at:]],
    st.lists(st.sampled_from(LIVELY), max_size=14),
    st.lists(st.sampled_from(SLOW_ONES), max_size=1),
    st.integers(0, 14),
)
CUTS = st.lists(st.sampled_from([1, 2, 5, 17, 40, 1000]), max_size=5)
TO = re.compile(rb"^To: (\S+)\r$", re.MULTILINE)


async def stream(items: Sequence[Item]) -> AsyncIterator[Item]:
    for item in items:
        yield item


async def send_all(
    channel: Email, items: Sequence[Item], may_start: MayStart = lambda _: True
) -> dict[Key, Outcome]:
    told = [pair async for pair in channel.send_many(stream(items), may_start=may_start)]
    assert len(told) == len(dict(told)) == len(items)
    return dict(told)


class Stops:
    """Some may never start; some only may not once they were allowed to."""

    def __init__(self, never: Collection[int], after_all: Collection[int]) -> None:
        self._never, self._after_all = never, after_all
        self._asked: Counter[int] = Counter()

    def may_start(self, key: Key) -> bool:
        self._asked[key.delivery] += 1
        place = key.delivery % 12
        return not (place in self._never or (place in self._after_all and self._asked[key.delivery] > 1))

    def stopped(self, key: Key) -> bool:
        return key.delivery % 12 in {*self._never, *self._after_all}


def is_true(server: MoodyMailServer, items: Sequence[Item], outcomes: dict[Key, Outcome]) -> None:
    """What is told of each mail is what the server knows of it."""
    assert not server.strange  # no text goes where commands are awaited
    took = Counter(taken.to for taken in server.truth)
    assert set(took.values()) <= {1}
    for taken in server.truth:
        assert TO.findall(taken.text) == [taken.to.encode()]
    for item in items:
        outcome, to = outcomes[item.key], item.to.address
        if isinstance(outcome, Receipt):
            assert took[to] == 1
        elif isinstance(outcome, Uncertain):
            assert to in server.begun
        else:
            assert took[to] == 0, outcome
    unsure = sum(isinstance(outcome, Uncertain) for outcome in outcomes.values())
    assert unsure <= sum(server.whims.values())


@pytest.mark.timeout(240)  # each slow mood is waited for, on a machine that may be busy
@settings(max_examples=50)
@given(
    script=SCRIPT,
    cuts=CUTS,
    pipelining=st.booleans(),
    connections=st.integers(1, 3),
    each=st.sampled_from([1, 3, 500]),
    never=st.sets(st.integers(0, 11), max_size=2),
    after_all=st.sets(st.integers(0, 11), max_size=2),
)
@example([(".", "take and reset")] * 3, [1], True, 1, 500, set(), set())
@example([("MAIL", "well"), ("MAIL", "hang up"), ("MAIL", "hang up")], [], True, 1, 500, set(), set())
@example([("RCPT", "550"), ("nobody", "eager")], [1000], True, 1, 500, set(), set())
@example([("MAIL", "twice"), ("RCPT", "550"), (".", "twice")], [1000], True, 2, 500, set(), set())
def test_every_outcome_is_the_truth_whatever_the_server_does(
    script: list[tuple[str, str]],
    cuts: list[int],
    pipelining: bool,
    connections: int,
    each: int,
    never: set[int],
    after_all: set[int],
) -> None:
    async def scenario() -> None:
        offers = ("PIPELINING", "SIZE 1000000") if pipelining else ("8BITMIME",)
        async with moody(script, cuts, offers) as server:
            channel = account(
                port=server.port, timeout=0.7, connections=connections, mails_per_connection=each
            )
            items = [letter(channel) for _ in range(12)]
            stops = Stops(never, after_all)
            outcomes = await asyncio.wait_for(send_all(channel, items, stops.may_start), 20)
            is_true(server, items, outcomes)
            for key, outcome in outcomes.items():
                assert not isinstance(outcome, NotStarted) or stops.stopped(key)
                assert isinstance(outcome, Receipt | NotStarted) or server.whims
            channel.close()

    asyncio.run(scenario())


async def test_the_next_envelope_leaves_with_the_text_before_it() -> None:
    async with moody() as server:
        channel = account(port=server.port, connections=1)
        outcomes = await send_all(channel, [letter(channel) for _ in range(10)])
        assert all(isinstance(outcome, Receipt) for outcome in outcomes.values())
        groups = [packet for packet in server.packets if b"\r\n.\r\nMAIL FROM:" in packet]
        assert len(groups) >= 8  # before the first, nobody knew that the server can
        assert all(packet.endswith(b"\r\nDATA\r\n") for packet in groups)  # DATA is the last of a group
        assert len(server.packets) <= 14  # EHLO, the first envelopes, then a packet a mail
        channel.close()


async def test_where_nothing_is_pipelined_each_command_waits_for_its_answer() -> None:
    async with moody(offers=("8BITMIME",)) as server:
        channel = account(port=server.port, connections=1)
        await send_all(channel, [letter(channel) for _ in range(3)])
        assert len(server.truth) == 3
        assert not any(b"MAIL FROM:" in packet and b"RCPT TO:" in packet for packet in server.packets)
        assert not any(b"\r\n.\r\nMAIL" in packet for packet in server.packets)
        channel.close()


async def test_what_is_stopped_after_its_envelope_is_no_empty_mail_and_no_other_suffers() -> None:
    async with moody() as server:
        channel = account(port=server.port, connections=1)
        items = [letter(channel) for _ in range(6)]
        asked: Counter[Key] = Counter()

        def may_start(key: Key) -> bool:
            asked[key] += 1
            return key != items[2].key or asked[key] == 1

        outcomes = await send_all(channel, items, may_start)
        assert isinstance(outcomes.pop(items[2].key), NotStarted)
        assert all(isinstance(outcome, Receipt) for outcome in outcomes.values())
        assert len(server.truth) == 5
        channel.close()


@pytest.mark.parametrize("mood", ["hang up", "421"])
async def test_a_server_that_wants_one_mail_a_connection_gets_it_and_nobody_fails(mood: str) -> None:
    script = [("MAIL", each) for _ in range(8) for each in ("well", mood)]
    async with moody(script) as server:
        channel = account(port=server.port, connections=1)
        outcomes = await send_all(channel, [letter(channel) for _ in range(8)])
        assert all(isinstance(outcome, Receipt) for outcome in outcomes.values())
        assert len(server.truth) == 8
        channel.close()


@pytest.mark.parametrize("mood", ["take and be silent", "drip"])
async def test_behind_a_mail_that_a_silent_server_holds_the_next_is_provably_not_sent(mood: str) -> None:
    async with moody([(".", "well"), (".", mood)]) as server:
        channel = account(port=server.port, timeout=0.3, connections=1)
        items = [letter(channel) for _ in range(3)]
        began = time.monotonic()
        outcomes = await send_all(channel, items)
        assert time.monotonic() - began < 1.5  # a server that drips its answer is silent too
        assert [type(outcomes[item.key]) for item in items] == [Receipt, Uncertain, Transient]
        is_true(server, items, outcomes)
        channel.close()


@pytest.mark.parametrize("mood", ["refuse", "hang up", "reset"])
async def test_a_long_text_that_is_cut_off_provably_never_left(mood: str) -> None:
    async with moody([("text", mood)]) as server:
        channel = account(port=server.port, connections=1)
        long = letter(channel, content=wording("Bring your instrument. " * 400_000))
        (outcome,) = (await send_all(channel, [long])).values()
        assert isinstance(outcome, ContentRejected | Transient)
        assert not server.truth
        channel.close()


async def test_a_connection_lost_in_the_middle_of_an_envelope_is_told_and_not_tried_again() -> None:
    async with moody([("RCPT", "well"), ("RCPT", "hang up")]) as server:
        channel = account(port=server.port, connections=1)
        items = [letter(channel) for _ in range(3)]
        outcomes = await send_all(channel, items)
        assert [type(outcomes[item.key]) for item in items] == [Receipt, Transient, Receipt]
        channel.close()


async def test_a_server_that_does_not_forget_an_envelope_loses_the_connection_and_nobody_fails() -> None:
    async with moody([("RCPT", "550"), ("RSET", "554")]) as server:
        channel = account(port=server.port, connections=1)
        items = [letter(channel) for _ in range(3)]
        outcomes = await send_all(channel, items)
        assert [type(outcomes[item.key]) for item in items] == [AddressRejected, Receipt, Receipt]
        assert sum(b"EHLO" in packet for packet in server.packets) == 2
        channel.close()


async def test_a_long_mail_and_short_ones_share_a_connection() -> None:
    async with moody() as server:
        channel = account(port=server.port, connections=1)
        long = wording("Bring your instrument. " * 50_000)
        items = [letter(channel, parent(f"pat{n}"), long if n == 2 else None) for n in range(5)]
        outcomes = await send_all(channel, items)
        assert all(isinstance(outcome, Receipt) for outcome in outcomes.values())
        is_true(server, items, outcomes)
        channel.close()


@given(st.data())
def test_replies_are_the_same_however_they_are_cut(data: st.DataObject) -> None:
    told = [
        (250, b"2.1.0 Ok"),
        (550, b"5.7.1 No\r5.7.1 not from you"),
        (354, b""),
        (250, b"queued as X"),
        (421, b"4.3.2 Bye"),
    ]
    text = (
        b"250 2.1.0 Ok\r\n550-5.7.1 No\r\n550 5.7.1 not from you\r\n354\r\n250 queued as X\n421 4.3.2 Bye\r\n"
    )
    replies, heard = Replies(), []
    while text:
        size = data.draw(st.integers(1, len(text)))
        heard += replies.take(text[:size])
        text = text[size:]
    assert [(code, words.strip()) for code, words in heard] == told


@given(
    st.binary(max_size=80).filter(lambda line: not re.match(rb"\d{3}([ \r-]|$)", line) and b"\n" not in line)
)
def test_what_is_no_reply_is_nonsense_and_ends_the_reading(line: bytes) -> None:
    assert Replies().take(b"250 Ok\r\n" + line + b"\n250 Ok\r\n") == [(250, b"Ok\r"), (NONSENSE, b"")]


def test_a_reply_without_an_end_is_not_kept_for_ever() -> None:
    replies = Replies()
    heard = [each for _ in range(MOST // 1000 + 2) for each in replies.take(b"x" * 1000)]
    assert heard[0] == (NONSENSE, b"")
    replies = Replies()
    heard = [each for _ in range(MOST // 500 + 2) for each in replies.take(b"250-" + b"x" * 500 + b"\r\n")]
    assert heard[0] == (NONSENSE, b"")
