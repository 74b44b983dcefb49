"""Mastodon keeps the channel contract, real Mastodon.py against the stand-in; and what is its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
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
    Uncertain,
)
from broker.policy import Allow, Case, Hold
from broker.testing.channel_bench import Bench, Fault, plain
from broker.testing.channel_contract import ChannelContract
from channels.mastodon import Mastodon, codes, kit
from channels.mastodon.policies import POLICIES
from channels.mastodon.render import Style, check, length, text_of
from channels.mastodon.settings import Settings
from channels.posts import FRESH, digest_of
from sandbox.client import RunningSandbox
from sandbox.stand_ins.mastodon import TOKEN, _as_html
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
    Fault.RATE_LIMITED: "429",
    Fault.REJECTED_CONTENT: "invalid",
    Fault.REJECTED_ACCOUNT: "401",
}
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


class TestMastodon(ChannelContract):
    @pytest.fixture
    def bench(self, stand_ins: RunningSandbox) -> Iterator[Bench]:
        yield StandInBench(
            "mastodon",
            kit,
            stand_ins,
            FAULTS,
            [TOKEN],
            NO_ADDRESS | {Fault.BUSY: "no answer but 429 proves that a post was not taken and may be later"},
            faulty=(
                (plain("x" * 501), ()),
                (plain(" "), ()),
                (plain("{pupil} may come."), ()),
                (plain("Ask @head."), ()),
            ),
            digest=lambda entry: digest_of(entry["body"]),
        )
        stand_ins.control.clear()


@pytest.fixture
def there(stand_ins: RunningSandbox) -> Iterator[RunningSandbox]:
    yield stand_ins
    stand_ins.control.clear()
    stand_ins.control.account_at("mastodon", following=0, automated=True)


@pytest.fixture
def channel(there: RunningSandbox) -> Iterator[Mastodon]:
    channel = open_at("mastodon", kit, there)
    yield channel
    channel.close()


def wording(text: str) -> Content:
    return Content(1, "", {Part.SHORT: text})


def item(channel: Mastodon, text: str, number: int) -> Item:
    to = public(number)
    return Item(Key(number, number, 1), channel.render(wording(text), to), to)


def past(one: Item, known: frozenset[str] = frozenset()) -> PastAttempt:
    return PastAttempt(one.key, datetime.now(UTC), one.to.address, one.message.digest, known)


def sent(channel: Mastodon, one: Item) -> str:
    return channel.send(one.message, one.to, key=one.key).provider_id


# --- one try


def test_a_delivery_that_is_tried_twice_is_one_post(channel: Mastodon, there: RunningSandbox) -> None:
    one = item(channel, "Concert tonight.", 81_001)
    before = len(there.truth())
    first = sent(channel, one)
    again = channel.send(one.message, one.to, key=Key(one.key.delivery, 7, 3)).provider_id
    assert first == again
    assert len(there.truth()) == before + 1


@pytest.mark.parametrize("fault", ["bad-json", "html", "changed", "truncated", "500-before-accept"])
@pytest.mark.parametrize("stage", ["create", "delete", "posts", "me"])
def test_a_changed_answer_is_uncertain_and_no_crash(there: RunningSandbox, fault: str, stage: str) -> None:
    channel: Mastodon = open_at("mastodon", kit, there)
    one = item(channel, f"A changed answer, {fault} at {stage}.", 82_000)
    receipt = channel.send(one.message, one.to, key=one.key) if stage != "create" else None
    there.control.order(f"mastodon:{fault}:stage={stage}")
    ask: dict[str, Callable[[], object]] = {
        "create": lambda: sent(channel, one),
        "delete": lambda: channel.withdraw(receipt or Receipt("1")),
        "posts": lambda: channel.find(past(one)),
        "me": channel.posture,
    }
    with pytest.raises(Uncertain):
        ask[stage]()
    channel.close()


@pytest.mark.parametrize("fault", ["401", "scope", "disabled"])
def test_credentials_that_do_not_hold_stop_the_account_and_say_what_to_do(
    channel: Mastodon, there: RunningSandbox, fault: str
) -> None:
    there.control.order(f"mastodon:{fault}:stage=any")
    with pytest.raises(AccountRejected) as posting:
        sent(channel, item(channel, "Nobody reads this.", 81_002))
    with pytest.raises(AccountRejected):
        channel.posture()
    assert ":" in posting.value.why or fault == "disabled"


def test_a_wrong_token_is_the_same(there: RunningSandbox) -> None:
    channel = open_at("mastodon", kit, there, access_token="another-token")
    with pytest.raises(AccountRejected, match="make a new one"):
        sent(channel, item(channel, "Nobody reads this.", 81_003))
    channel.close()


def test_a_limit_waits_until_the_server_says(channel: Mastodon, there: RunningSandbox) -> None:
    there.control.order("mastodon:429")
    with pytest.raises(RateLimited) as limited:
        sent(channel, item(channel, "Too many.", 81_004))
    assert limited.value.retry_after is not None
    assert timedelta(seconds=30) < limited.value.retry_after <= timedelta(seconds=61)


@pytest.mark.parametrize(
    ("status", "told", "failure", "code"),
    [
        (401, "The access token is invalid", AccountRejected, "401"),
        (403, "This action is outside the authorized scopes", AccountRejected, "scope"),
        (403, "Whatever comes next", AccountRejected, "403"),
        (422, "Validation failed: Text character limit of 500 exceeded", ContentRejected, "too_long"),
        (422, "Validierung fehlgeschlagen", ContentRejected, "422"),
        (500, "", Uncertain, "500"),
        (503, "", Uncertain, "503"),
        (404, "", Uncertain, "404"),
        (302, "", Uncertain, "302"),
    ],
)
def test_every_refusal_has_its_meaning(
    status: int, told: str, failure: type[DeliveryFailure], code: str
) -> None:
    found = codes.failure(status, {"error": told}, {}, now=NOW)
    assert type(found) is failure
    assert found.code == code


@pytest.mark.parametrize(
    "reset", ["", "soon", "12345", "2026-11-23T09:02:00.000Z", "2026-13-45", "1999-01-01T00:00:00Z"]
)
def test_any_reset_is_a_bounded_pause(reset: str) -> None:
    found = codes.failure(429, {}, {"X-RateLimit-Reset": reset}, now=NOW)
    assert isinstance(found, RateLimited)
    assert found.retry_after is not None
    assert timedelta(0) <= found.retry_after <= codes.LONGEST_PAUSE


# --- what stands there


def test_what_was_posted_by_hand_is_read_with_its_words(channel: Mastodon) -> None:
    since = datetime.now(UTC) - timedelta(seconds=5)
    text = "Tea & <cake> at 3, “bring” a friend: https://school.example/a/very/long/way?x=1&y=2 #choir"
    one = item(channel, text, 81_005)
    made = sent(channel, one)
    post = next(post for post in channel.posts(since) if post.provider_id == made)
    assert one.message.digest in post.digests
    assert post.text.split() == one.message.fields["text"].split()
    channel.withdraw(channel.send(one.message, one.to, key=one.key))
    assert made not in {post.provider_id for post in channel.posts(since)}


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=200))
def test_any_text_comes_back_to_the_same_digest(text: str) -> None:
    status = {"content": _as_html(text)}
    assert digest_of(text_of(status)) == digest_of(text)


def test_what_was_said_to_some_alone_is_not_read(channel: Mastodon, there: RunningSandbox) -> None:
    since = datetime.now(UTC) - timedelta(seconds=5)
    made = channel._gateway._client.status_post("For you alone.", visibility="direct")
    assert str(made["id"]) not in {post.provider_id for post in channel.posts(since)}


# --- the account


def test_an_account_that_follows_or_hides_what_it_is_is_seen(
    channel: Mastodon, there: RunningSandbox
) -> None:
    assert channel.posture().problems == ()
    there.control.account_at("mastodon", following=2, automated=False)
    posture = channel.posture()
    assert dict(posture.facts) == {"following": "2", "automated": "no"}
    assert {problem.code for problem in posture.problems} == {"follows", "not_automated"}


def judged(posture: dict[str, str] | None, age: timedelta | None) -> list[str]:
    case = Case(
        NOW, "mastodon", "social", Purpose.SERVICE, Urgency.ROUTINE, NOW, NOW + timedelta(days=1),
        posture=posture, posture_age=age,
    )  # fmt: skip
    verdicts = [policy(case) for policy in POLICIES]
    assert all(isinstance(verdict, Allow | Hold) for verdict in verdicts)
    return [verdict.code for verdict in verdicts if isinstance(verdict, Hold)]


def test_nothing_is_posted_by_an_account_that_is_not_as_it_must_be() -> None:
    well = {"following": "0", "automated": "yes"}
    assert judged(well, timedelta(minutes=1)) == []
    assert judged(None, None) == ["posture_unknown"]
    assert judged(well, FRESH + timedelta(seconds=1)) == ["posture_unknown"]
    assert judged({**well, "following": "1"}, timedelta(0)) == ["follows"]
    assert judged({**well, "automated": "no"}, timedelta(0)) == ["not_automated"]
    assert judged({}, timedelta(0)) == ["follows", "not_automated"]


# --- the wording


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("", 0),
        ("Concert", 7),
        ("Café", 4),
        ("Cafe\u0301", 4),
        ("👩‍👩‍👧‍👦 and 🏴󠁧󠁢󠁷󠁬󠁳󠁿", 7),
        ("https://school.example/" + "a" * 300, 23),
        ("see https://school.example/a.", 4 + 23 + 1),
        ("(https://school.example)", 1 + 23 + 1),
        ("http://localhost/abcdefghijklmnopqrstuvwxyz", 43),
    ],
)
def test_letters_count_as_people_see_them_and_a_link_23(text: str, counts: int) -> None:
    assert length(text) == counts


def test_the_page_counts_too_and_a_server_may_allow_more() -> None:
    style = Style("https://news.stcecilias.org.uk")
    assert not check(wording("x" * 476), style)
    (problem,) = check(wording("x" * 477), style)
    assert (problem.code, problem.hint) == ("text_too_long", "shorten it by 1")
    assert not check(wording("x" * 900), Style(style.public_url, 1_000))


@pytest.mark.parametrize("text", ["Thanks to @choir", "@head@social.example said", "(@staff)"])
def test_nobody_is_mentioned(text: str) -> None:
    assert [problem.code for problem in check(wording(text), Style())] == ["mention"]


@pytest.mark.parametrize("text", ["Lunch @ 12", "a@ b", "5@£2"])
def test_an_at_that_mentions_nobody_may_stand(text: str) -> None:
    assert not check(wording(text), Style())


# --- settings


@pytest.mark.parametrize(
    "wrong",
    [
        {"server": "mastodon.social"},
        {"server": "http://mastodon.social"},
        {"server": "https://me:secret@mastodon.social"},
        {"server": "https://mastodon.social?x=1"},
        {"access_token": "two words"},
        {"access_token": "../token"},
        {"notice_route": " "},
        {"visibility": "direct"},
        {"longest": 5},
        {"more": "1"},
    ],
)
def test_settings_that_cannot_be_are_refused_without_the_token(wrong: dict[str, Any]) -> None:
    right = {"server": "https://mastodon.social", "access_token": TOKEN, "notice_route": "the gate"}
    Settings(**right)
    with pytest.raises(ValidationError) as refused:
        Settings(**{**right, **wrong})
    assert TOKEN not in str(refused.value)


def test_in_sandbox_mode_only_a_stand_in_is_posted_to() -> None:
    real = settings_at("mastodon", kit, "https://mastodon.social")
    with pytest.raises(SetupError) as refused:
        kit.open("social", real, AROUND)
    assert [problem.code for problem in refused.value.problems] == ["not_loopback"]


def test_without_its_extra_everything_else_runs_and_an_account_says_what_to_install() -> None:
    code = """
import sys
class Barred:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "mastodon":
            raise ModuleNotFoundError(name, name="mastodon")
sys.meta_path.insert(0, Barred())
import cli.app, web.app, workers.app, sandbox.server, carillon
from broker.channel import Surroundings
from broker.errors import MissingExtra
from channels.mastodon import kit
settings = kit.settings(server="https://mastodon.social", access_token="t", notice_route="the gate")
try:
    kit.open("social", settings, Surroundings("St Cecilia's", "GB"))
except MissingExtra as missing:
    print(missing.problems[0].hint)
"""
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "carillon[mastodon]" in ended.stdout, ended.stderr
