"""Bluesky keeps the channel contract, over real sockets against the stand-in; and what is its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from broker.announcement import Content, Part, Purpose, Urgency
from broker.capabilities import PastAttempt
from broker.channel import Item, Key, Receipt
from broker.errors import (
    AccountRejected,
    ContentRejected,
    DeliveryFailure,
    RateLimited,
    SetupError,
    Transient,
    Uncertain,
)
from broker.policy import Allow, Case, Hold
from broker.testing.channel_bench import Bench, Fault, plain
from broker.testing.channel_contract import ChannelContract
from channels.bluesky import Bluesky, codes, kit
from channels.bluesky.gateway import name_of
from channels.bluesky.policies import POLICIES
from channels.bluesky.render import LINK, Style, check, cut, length, text_of
from channels.bluesky.settings import Settings
from channels.posts import digest_of
from sandbox.client import RunningSandbox
from sandbox.stand_ins.bluesky import HANDLE, PASSWORD
from tests.channels.stand_in_bench import (
    AROUND,
    NO_ADDRESS,
    USUAL,
    StandInBench,
    open_at,
    public,
    settings_at,
)

FAULTS = USUAL | {
    Fault.BUSY: "expired",
    Fault.RATE_LIMITED: "429",
    Fault.REJECTED_CONTENT: "invalid",
    Fault.REJECTED_ACCOUNT: "takedown",
}
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


class TestBluesky(ChannelContract):
    @pytest.fixture
    def bench(self, stand_ins: RunningSandbox) -> Iterator[Bench]:
        yield StandInBench(
            "bluesky",
            kit,
            stand_ins,
            FAULTS,
            [PASSWORD],
            NO_ADDRESS,
            faulty=((plain("x" * 301), ()), (plain(" "), ()), (plain("{pupil} may come."), ())),
            digest=lambda entry: digest_of(text_of(entry["record"])),
        )
        stand_ins.control.clear()


@pytest.fixture
def there(stand_ins: RunningSandbox) -> Iterator[RunningSandbox]:
    yield stand_ins
    stand_ins.control.clear()
    stand_ins.control.account_at("bluesky", following=0, messages="none")


@pytest.fixture
def channel(there: RunningSandbox) -> Iterator[Bluesky]:
    channel = open_at("bluesky", kit, there)
    yield channel
    channel.close()


def wording(text: str) -> Content:
    return Content(1, "", {Part.SHORT: text})


def item(channel: Bluesky, text: str, number: int) -> Item:
    to = public(number)
    return Item(Key(number, number, 1), channel.render(wording(text), to), to)


def past(one: Item, known: frozenset[str] = frozenset()) -> PastAttempt:
    return PastAttempt(one.key, datetime.now(UTC), one.to.address, one.message.digest, known)


def sent(channel: Bluesky, one: Item) -> str:
    return channel.send(one.message, one.to, key=one.key).provider_id


# --- one try


def test_a_delivery_that_is_tried_twice_is_one_post_and_is_found(
    channel: Bluesky, there: RunningSandbox
) -> None:
    one = item(channel, "Concert tonight.", 91_001)
    before = len(there.truth())
    first = sent(channel, one)
    with pytest.raises(Uncertain) as again:
        channel.send(one.message, one.to, key=Key(one.key.delivery, 7, 3))
    assert again.value.code == "there"
    assert channel.find(past(one)) == Receipt(first)
    assert len(there.truth()) == before + 1


def test_what_was_taken_back_by_hand_is_not_found(channel: Bluesky) -> None:
    one = item(channel, "Taken back.", 91_002)
    receipt = Receipt(sent(channel, one))
    channel.withdraw(receipt)
    assert channel.find(past(one)) is None


@pytest.mark.parametrize("fault", ["bad-json", "html", "changed", "truncated", "500-before-accept"])
@pytest.mark.parametrize("stage", ["create", "read", "feed", "me"])
def test_a_changed_answer_is_uncertain_and_no_crash(there: RunningSandbox, fault: str, stage: str) -> None:
    channel: Bluesky = open_at("bluesky", kit, there)
    one = item(channel, f"A changed answer, {fault} at {stage}.", 92_000)
    there.control.order(f"bluesky:{fault}:stage={stage}")
    ask: dict[str, Callable[[], object]] = {
        "create": lambda: sent(channel, one),
        "read": lambda: channel.find(past(one)),
        "feed": lambda: channel.posts(NOW),
        "me": channel.posture,
    }
    with pytest.raises(Uncertain):
        ask[stage]()
    channel.close()


@pytest.mark.parametrize(
    ("fault", "gone"), [("bad-json", False), ("html", False), ("500-before-accept", False), ("changed", True)]
)
def test_a_post_counts_as_deleted_only_when_it_is(there: RunningSandbox, fault: str, gone: bool) -> None:
    channel: Bluesky = open_at("bluesky", kit, there)
    one = item(channel, f"To be deleted, {fault}.", 91_003)
    receipt = Receipt(sent(channel, one))
    there.control.order(f"bluesky:{fault}:stage=delete")
    if gone:
        channel.withdraw(receipt)
    else:
        with pytest.raises(Uncertain):
            channel.withdraw(receipt)
    there.control.clear()
    channel.withdraw(receipt)
    assert channel.find(past(one)) is None
    channel.close()


# --- the session


def test_another_accounts_post_is_not_called_deleted(channel: Bluesky) -> None:
    """Its name is free on this account, which proves nothing of the other."""
    with pytest.raises(Uncertain, match="another account"):
        channel.withdraw(Receipt("at://did:plc:somebodyelse/app.bsky.feed.post/3lbk2"))


def test_a_session_is_begun_once_and_anew_when_it_is_over(there: RunningSandbox) -> None:
    channel: Bluesky = open_at("bluesky", kit, there)
    before = there.control.counts()["bluesky"].get("session", 0)
    sent(channel, item(channel, "One.", 91_004))
    sent(channel, item(channel, "Two.", 91_005))
    assert there.control.counts()["bluesky"]["session"] == before + 1
    there.control.order("bluesky:expired:next=1")
    three = item(channel, "Three.", 91_006)
    with pytest.raises(Transient) as over:
        sent(channel, three)
    assert over.value.code == "session"
    sent(channel, three)
    assert there.control.counts()["bluesky"]["session"] == before + 2
    channel.close()


@pytest.mark.parametrize(
    "fault", ["hang-before-accept", "reset-after-accept", "html", "changed", "500-before-accept"]
)
def test_what_goes_wrong_with_a_session_is_never_uncertain_for_a_post(
    there: RunningSandbox, fault: str
) -> None:
    channel: Bluesky = open_at("bluesky", kit, there)
    there.control.order(f"bluesky:{fault}:stage=session")
    with pytest.raises(Transient):
        sent(channel, item(channel, "Nobody reads this.", 91_007))
    channel.close()


def test_a_wrong_app_password_stops_the_account_and_says_what_to_do(there: RunningSandbox) -> None:
    channel: Bluesky = open_at("bluesky", kit, there, app_password="another-one")
    with pytest.raises(AccountRejected, match="make a new app password"):
        sent(channel, item(channel, "Nobody reads this.", 91_008))
    with pytest.raises(AccountRejected):
        channel.posture()
    channel.close()


def test_a_limit_waits_until_bluesky_says(channel: Bluesky, there: RunningSandbox) -> None:
    there.control.order("bluesky:429")
    with pytest.raises(RateLimited) as limited:
        sent(channel, item(channel, "Too many.", 91_009))
    assert limited.value.retry_after is not None
    assert timedelta(seconds=30) < limited.value.retry_after <= timedelta(seconds=61)


@pytest.mark.parametrize(
    ("status", "error", "message", "failure", "code"),
    [
        (401, "AuthenticationRequired", "Invalid identifier or password", AccountRejected, "401"),
        (401, "AuthFactorTokenRequired", "A sign in code has been sent", AccountRejected, "app_password"),
        (401, "AccountTakedown", "", AccountRejected, "taken_down"),
        (400, "AccountDeactivated", "", AccountRejected, "deactivated"),
        (403, "Forbidden", "", AccountRejected, "403"),
        (400, "ExpiredToken", "", Transient, "session"),
        (400, "InvalidSwap", "", Uncertain, "there"),
        (400, "InvalidRequest", "must not be longer than 300 graphemes", ContentRejected, "too_long"),
        (400, "InvalidRequest", "", ContentRejected, "400"),
        (502, "UpstreamFailure", "", Uncertain, "502"),
        (404, "", "", Uncertain, "404"),
        (302, "", "", Uncertain, "302"),
    ],
)
def test_every_refusal_has_its_meaning(
    status: int, error: str, message: str, failure: type[DeliveryFailure], code: str
) -> None:
    found = codes.failure(status, {"error": error, "message": message}, {}, now=NOW)
    assert type(found) is failure
    assert found.code == code


@pytest.mark.parametrize("reset", ["", "soon", "-5", "9" * 30, "999999999999", "12"])
def test_any_reset_is_a_bounded_pause(reset: str) -> None:
    found = codes.failure(429, {}, {"RateLimit-Reset": reset}, now=NOW)
    assert isinstance(found, RateLimited)
    assert found.retry_after is not None
    assert timedelta(0) <= found.retry_after <= codes.LONGEST_PAUSE


# --- what stands there


def test_what_stands_there_is_read_with_its_words(channel: Bluesky) -> None:
    since = datetime.now(UTC) - timedelta(seconds=5)
    text = "Tea & cake at 3, “bring” a friend: https://school.example/a/very/long/way?x=1&y=2 🎵 #choir"
    one = item(channel, text, 91_010)
    made = sent(channel, one)
    post = next(post for post in channel.posts(since) if post.provider_id == made)
    assert one.message.digest in post.digests
    assert "https://school.example/a/very/long/way?x=1&y=2 🎵" in post.text
    assert since <= post.posted_at <= datetime.now(UTC)
    channel.withdraw(Receipt(made))
    assert made not in {post.provider_id for post in channel.posts(since)}


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=120),
    st.sampled_from(["", "https://x.example/" + "y" * 40]),
)
def test_any_text_comes_back_as_it_was_meant(text: str, link: str) -> None:
    whole = f"{text} {link} {text}"
    shown, facets = cut(whole)
    assert text_of({"text": shown, "facets": facets}) == whole
    data = shown.encode()
    assert all(0 <= f["index"]["byteStart"] < f["index"]["byteEnd"] <= len(data) for f in facets)


@pytest.mark.parametrize(
    "facets",
    [
        None,
        5,
        "x",
        [5],
        [{}],
        [{"index": {"byteStart": -1, "byteEnd": 2}, "features": [{"$type": LINK, "uri": "u"}]}],
        [{"index": {"byteStart": 0, "byteEnd": 99}, "features": [{"$type": LINK, "uri": "u"}]}],
        [{"index": {"byteStart": 0, "byteEnd": 2}, "features": [{"$type": LINK, "uri": 7}]}],
        [{"index": {"byteStart": 1, "byteEnd": 2}, "features": []}],
    ],
)
def test_facets_that_somebody_else_made_of_anything_do_no_harm(facets: Any) -> None:
    assert text_of({"text": "words", "facets": facets}) == "words"


@given(st.integers(0, 2**256 - 1))
def test_a_name_has_the_shape_that_posts_must_have(number: int) -> None:
    assert re.fullmatch(
        r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}", name_of(f"{number:064x}")
    )


# --- the account


def test_an_account_that_follows_or_can_be_messaged_is_seen(channel: Bluesky, there: RunningSandbox) -> None:
    assert channel.posture().problems == ()
    there.control.account_at("bluesky", following=2, messages="all")
    posture = channel.posture()
    assert dict(posture.facts) == {"following": "2", "messages": "open"}
    assert {problem.code for problem in posture.problems} == {"follows", "messages_open"}


@pytest.mark.parametrize("said", ["none", "following", ""])
def test_a_chat_for_those_it_follows_is_closed_as_it_follows_nobody(
    channel: Bluesky, there: RunningSandbox, said: str
) -> None:
    there.control.account_at("bluesky", messages=said)
    assert channel.posture().facts["messages"] == "closed"


def judged(posture: dict[str, str] | None) -> list[str]:
    age = None if posture is None else timedelta(minutes=1)
    case = Case(
        NOW, "bluesky", "social", Purpose.SERVICE, Urgency.ROUTINE, NOW, NOW + timedelta(days=1),
        posture=posture, posture_age=age,
    )  # fmt: skip
    verdicts = [policy(case) for policy in POLICIES]
    assert all(isinstance(verdict, Allow | Hold) for verdict in verdicts)
    return [verdict.code for verdict in verdicts if isinstance(verdict, Hold)]


def test_nothing_is_posted_by_an_account_that_is_not_as_it_must_be() -> None:
    well = {"following": "0", "messages": "closed"}
    assert judged(well) == []
    assert judged(None) == ["posture_unknown"]
    assert judged({**well, "following": "1"}) == ["follows"]
    assert judged({**well, "messages": "open"}) == ["messages_open"]


# --- the wording


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("", 0),
        ("Concert", 7),
        ("Cafe\u0301", 4),
        ("👩‍👩‍👧‍👦 and 🏴󠁧󠁢󠁷󠁬󠁳󠁿", 7),
        ("https://school.example/a", len("school.example/a")),
        ("https://school.example/" + "a" * 300, len("school.example/") + 13 + 1),
        ("see https://school.example/a.", len("see school.example/a.")),
        ("👩‍👩‍👧‍👦" * 200, 500),  # 25 bytes each, of 3,000
    ],
)
def test_letters_count_as_people_see_them_and_links_as_they_are_shown(text: str, counts: int) -> None:
    assert length(text) == counts


def test_the_page_counts_too() -> None:
    style = Style("https://news.stcecilias.org.uk")
    shown = len("news.stcecilias.org.uk/") + 13 + 1
    assert not check(wording("x" * (299 - shown)), style)
    (problem,) = check(wording("x" * (300 - shown)), style)
    assert (problem.code, problem.hint) == ("text_too_long", "shorten it by 1")


def test_what_passes_here_passes_there(channel: Bluesky) -> None:
    shown = len("news.stcecilias.org.uk/") + 13 + 1
    text = ("é👩‍👩‍👧 " * 100)[: 299 - shown]
    assert not channel.check(wording(text), ())
    sent(channel, item(channel, text, 91_011))


# --- settings


@pytest.mark.parametrize(
    "wrong",
    [
        {"handle": "choir"},
        {"handle": "choir@school.example"},
        {"handle": "a b.example"},
        {"server": "http://bsky.social"},
        {"server": "https://me:secret@bsky.social"},
        {"notice_route": " "},
        {"app_password": ""},
        {"more": "1"},
    ],
)
def test_settings_that_cannot_be_are_refused_without_the_password(wrong: dict[str, Any]) -> None:
    right = {"handle": f"@{HANDLE.upper()}", "app_password": PASSWORD, "notice_route": "the gate"}
    assert Settings(**right).handle == HANDLE
    with pytest.raises(ValidationError) as refused:
        Settings(**{**right, **wrong})
    assert PASSWORD not in str(refused.value)


def test_in_sandbox_mode_only_a_stand_in_is_posted_to() -> None:
    real = settings_at("bluesky", kit, "https://bsky.social")
    with pytest.raises(SetupError) as refused:
        kit.open("social", real, AROUND)
    assert [problem.code for problem in refused.value.problems] == ["not_loopback"]
