"""Facebook keeps the channel contract, over real sockets against the stand-in; and what is its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from broker.announcement import Content, Part, Purpose, Urgency
from broker.capabilities import PastAttempt
from broker.channel import Item, Key, Receipt, Surroundings
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
from channels.facebook import Facebook, codes, kit
from channels.facebook.policies import POLICIES
from channels.facebook.render import MOST, Style, check, length
from channels.facebook.settings import Settings
from channels.posts import digest_of
from sandbox.client import RunningSandbox
from sandbox.stand_ins.facebook import PAGE, SECRET, TOKEN
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


class TestFacebook(ChannelContract):
    @pytest.fixture
    def bench(self, stand_ins: RunningSandbox) -> Iterator[Bench]:
        # Facebook itself takes no text twice in a day; the suite asks what becomes of one that was.
        stand_ins.control.account_at("facebook", duplicates=True)
        yield StandInBench(
            "facebook",
            kit,
            stand_ins,
            FAULTS,
            [TOKEN, SECRET],
            NO_ADDRESS
            | {Fault.BUSY: "no answer but that of a limit proves that a post was not taken and may be later"},
            faulty=((plain(" "), ()), (plain("{pupil} may come."), ()), (plain("Ask @[12345:1:Head]."), ())),
            digest=lambda entry: digest_of(entry["body"]),
        )
        stand_ins.control.clear()
        stand_ins.control.account_at("facebook", duplicates=False)


@pytest.fixture
def there(stand_ins: RunningSandbox) -> Iterator[RunningSandbox]:
    yield stand_ins
    stand_ins.control.clear()
    stand_ins.control.account_at("facebook", published=True, messages="closed", duplicates=False)


@pytest.fixture
def channel(there: RunningSandbox) -> Iterator[Facebook]:
    channel = open_at("facebook", kit, there)
    yield channel
    channel.close()


def wording(text: str) -> Content:
    return Content(1, "", {Part.SHORT: text})


def item(channel: Facebook, text: str, number: int) -> Item:
    to = public(number)
    return Item(Key(number, number, 1), channel.render(wording(text), to), to)


def past(one: Item, known: frozenset[str] = frozenset()) -> PastAttempt:
    return PastAttempt(one.key, datetime.now(UTC), one.to.address, one.message.digest, known)


def sent(channel: Facebook, one: Item) -> str:
    return channel.send(one.message, one.to, key=one.key).provider_id


# --- one try


def test_what_is_a_duplicate_arrived_with_an_earlier_try_and_is_found(channel: Facebook) -> None:
    one = item(channel, "Concert tonight.", 71_001)
    first = sent(channel, one)
    with pytest.raises(Uncertain) as again:
        sent(channel, one)
    assert again.value.code == codes.DUPLICATE
    assert channel.find(past(one)) == Receipt(first)


def test_a_duplicate_that_no_page_tells_apart_is_rejected(there: RunningSandbox) -> None:
    nowhere = Surroundings("St Cecilia's", "GB", None, sandbox=True, timeout=timedelta(seconds=1))
    channel: Facebook = open_at("facebook", kit, there, nowhere)
    one = item(channel, "The same words once more.", 71_002)
    sent(channel, one)
    with pytest.raises(ContentRejected):
        sent(channel, one)
    channel.close()


@pytest.mark.parametrize("fault", ["bad-json", "html", "changed", "truncated", "500-before-accept"])
@pytest.mark.parametrize("stage", ["create", "posts", "me", "settings"])
def test_a_changed_answer_is_uncertain_and_no_crash(there: RunningSandbox, fault: str, stage: str) -> None:
    channel: Facebook = open_at("facebook", kit, there)
    one = item(channel, f"A changed answer, {fault} at {stage}.", 72_000)
    there.control.order(f"facebook:{fault}:stage={stage}")
    ask: dict[str, Callable[[], object]] = {
        "create": lambda: sent(channel, one),
        "posts": lambda: channel.find(past(one)),
        "me": channel.posture,
        "settings": channel.posture,
    }
    with pytest.raises(Uncertain):
        ask[stage]()
    channel.close()


@pytest.mark.parametrize("fault", ["500-before-accept", "hang-before-accept"])
def test_a_post_counts_as_deleted_only_when_it_is(there: RunningSandbox, fault: str) -> None:
    channel: Facebook = open_at("facebook", kit, there)
    one = item(channel, f"To be deleted, {fault}.", 71_003)
    receipt = Receipt(sent(channel, one))
    there.control.order(f"facebook:{fault}:stage=delete")
    with pytest.raises(Uncertain):
        channel.withdraw(receipt)
    there.control.clear()
    channel.withdraw(receipt)
    assert channel.find(past(one)) is None
    channel.close()


@pytest.mark.parametrize("fault", ["changed", "html", "bad-json"])
def test_where_the_answer_to_a_deletion_has_changed_it_is_asked_whether_it_stands(
    there: RunningSandbox, fault: str
) -> None:
    channel: Facebook = open_at("facebook", kit, there)
    one = item(channel, f"To be deleted, {fault}.", 71_004)
    receipt = Receipt(sent(channel, one))
    there.control.order(f"facebook:{fault}:stage=delete")
    channel.withdraw(receipt)
    assert channel.find(past(one)) is None
    there.control.order("facebook:html:stage=read")
    with pytest.raises(Uncertain):
        channel.withdraw(receipt)
    channel.close()


def test_a_token_that_sees_nothing_does_not_prove_that_a_post_is_gone(there: RunningSandbox) -> None:
    """Facebook has one word for what is not there and for what may not be seen."""
    channel: Facebook = open_at("facebook", kit, there)
    receipt = Receipt(sent(channel, item(channel, "It stands, unseen.", 71_009)))
    there.control.order("facebook:unseen:stage=any")
    with pytest.raises(AccountRejected, match="set page_id"):
        channel.withdraw(receipt)
    channel.close()


def test_another_pages_post_is_not_called_deleted(channel: Facebook) -> None:
    with pytest.raises(Uncertain, match="another page"):
        channel.withdraw(Receipt("100064000000002_17"))


@pytest.mark.parametrize("fault", ["401", "permission", "blocked", "version"])
def test_credentials_that_do_not_hold_stop_the_account_and_say_what_to_do(
    channel: Facebook, there: RunningSandbox, fault: str
) -> None:
    there.control.order(f"facebook:{fault}:stage=any")
    with pytest.raises(AccountRejected, match=":"):
        sent(channel, item(channel, "Nobody reads this.", 71_005))
    with pytest.raises(AccountRejected):
        channel.posture()


@pytest.mark.parametrize("wrong", [{"access_token": "another"}, {"app_secret": "another"}])
def test_a_wrong_token_or_secret_is_the_same(there: RunningSandbox, wrong: dict[str, Any]) -> None:
    channel = open_at("facebook", kit, there, **wrong)
    with pytest.raises(AccountRejected, match="make a new one"):
        sent(channel, item(channel, "Nobody reads this.", 71_006))
    channel.close()


def test_a_page_that_is_not_there_says_so(there: RunningSandbox) -> None:
    channel = open_at("facebook", kit, there, page_id="999999999")
    with pytest.raises(DeliveryFailure):
        sent(channel, item(channel, "Nobody reads this.", 71_007))
    with pytest.raises(AccountRejected, match="set page_id"):
        channel.posture()
    channel.close()


def test_a_limit_waits_until_facebook_says(channel: Facebook, there: RunningSandbox) -> None:
    there.control.order("facebook:429")
    with pytest.raises(RateLimited) as limited:
        sent(channel, item(channel, "Too many.", 71_008))
    assert limited.value.retry_after == timedelta(minutes=2)


@pytest.mark.parametrize(
    ("status", "error", "failure", "code"),
    [
        (401, {"code": 190, "error_subcode": 463}, AccountRejected, "190"),
        (400, {"code": 102}, AccountRejected, "102"),
        (403, {"code": 10}, AccountRejected, "10"),
        (403, {"code": 283}, AccountRejected, "283"),
        (400, {"code": 100, "error_subcode": 33}, AccountRejected, "100"),
        (400, {"code": 100}, ContentRejected, "100"),
        (400, {"code": 506}, ContentRejected, "506"),
        (400, {"code": 4}, RateLimited, "4"),
        (429, {}, RateLimited, "429"),
        (500, {"code": 1}, Uncertain, "1"),
        (400, {"code": 2, "is_transient": True}, Uncertain, "2"),
        (503, {}, Uncertain, "503"),
        (404, {}, Uncertain, "404"),
        (200, {"code": 190}, AccountRejected, "190"),
        (400, {"code": "190"}, Uncertain, "400"),
        (400, ["x"], Uncertain, "400"),
    ],
)
def test_every_refusal_has_its_meaning(
    status: int, error: Any, failure: type[DeliveryFailure], code: str
) -> None:
    found = codes.failure(status, {"error": error}, {})
    assert type(found) is failure
    assert found.code == code


REGAIN = '{"1": [{"estimated_time_to_regain_access": %s}]}'


@pytest.mark.parametrize(
    "told",
    ["", "soon", "[]", "{}", '{"1": 5}', "[" * 5_000, *(REGAIN % each for each in ('"x"', "9" * 12, "-3"))],
)
def test_any_pause_is_bounded(told: str) -> None:
    found = codes.failure(400, {"error": {"code": 32}}, {"X-Business-Use-Case-Usage": told})
    assert isinstance(found, RateLimited)
    assert found.retry_after is not None
    assert timedelta(0) < found.retry_after <= codes.LONGEST_PAUSE


# --- what stands there


def test_what_stands_there_is_read_with_its_words(channel: Facebook) -> None:
    since = datetime.now(UTC)
    one = item(channel, "Tea & cake at 3, “bring” a friend 🎵\n\nhttps://school.example/a?x=1&y=2", 71_009)
    made = sent(channel, one)
    post = next(post for post in channel.posts(since) if post.provider_id == made)
    assert one.message.digest in post.digests
    assert post.text == one.message.fields["text"]
    channel.withdraw(Receipt(made))
    assert made not in {post.provider_id for post in channel.posts(since)}


# --- the page


def test_a_page_that_is_hidden_or_can_be_messaged_is_seen(channel: Facebook, there: RunningSandbox) -> None:
    assert channel.posture().problems == ()
    there.control.account_at("facebook", published=False, messages="open")
    posture = channel.posture()
    assert dict(posture.facts) == {"published": "no", "messages": "open"}
    assert {problem.code for problem in posture.problems} == {"not_published", "messages_open"}


def test_where_facebook_does_not_tell_the_assurance_in_the_licence_counts(
    channel: Facebook, there: RunningSandbox
) -> None:
    there.control.account_at("facebook", messages="untold")
    facts = dict(channel.posture().facts)
    assert facts["messages"] == "untold"
    assert judged(facts) == []
    assert "messages_closed" in kit.traits.asks


def judged(posture: dict[str, str] | None) -> list[str]:
    age = None if posture is None else timedelta(minutes=1)
    case = Case(
        NOW, "facebook", "page", Purpose.SERVICE, Urgency.ROUTINE, NOW, NOW + timedelta(days=1),
        posture=posture, posture_age=age,
    )  # fmt: skip
    verdicts = [policy(case) for policy in POLICIES]
    assert all(isinstance(verdict, Allow | Hold) for verdict in verdicts)
    return [verdict.code for verdict in verdicts if isinstance(verdict, Hold)]


def test_nothing_is_posted_on_a_page_that_is_not_as_it_must_be() -> None:
    well = {"published": "yes", "messages": "closed"}
    assert judged(well) == []
    assert judged(None) == ["posture_unknown"]
    assert judged({**well, "published": "no"}) == ["not_published"]
    assert judged({**well, "messages": "open"}) == ["messages_open"]


# --- the wording


@pytest.mark.parametrize(("text", "counts"), [("", 0), ("Café", 4), ("🎵", 2), ("👩‍👧", 5)])
def test_letters_count_in_units_of_utf_16(text: str, counts: int) -> None:
    assert length(text) == counts


def test_the_page_counts_too() -> None:
    style = Style("https://news.stcecilias.org.uk")
    link = len("\nhttps://news.stcecilias.org.uk/a/") + 36
    assert not check(wording("x" * (MOST - link)), style)
    (problem,) = check(wording("x" * (MOST - link + 1)), style)
    assert (problem.code, problem.hint) == ("text_too_long", "shorten it by 1")


def test_an_at_that_mentions_nobody_may_stand() -> None:
    assert not check(wording("Lunch @ 12, ask @choir"), Style())
    assert [problem.code for problem in check(wording("Ask @[123:1:Head]"), Style())] == ["mention"]


# --- settings


@pytest.mark.parametrize(
    "wrong",
    [
        {"page_id": "stcecilias"},
        {"page_id": "1/../2"},
        {"access_token": "two words"},
        {"app_secret": "two words"},
        {"api_base_url": "https://graph.facebook.com"},
        {"api_base_url": "http://graph.example"},
        {"notice_route": " "},
        {"more": "1"},
    ],
)
def test_settings_that_cannot_be_are_refused_without_the_token(wrong: dict[str, Any]) -> None:
    right = {"page_id": PAGE, "access_token": TOKEN, "app_secret": SECRET, "notice_route": "the gate"}
    Settings(**right)
    with pytest.raises(ValidationError) as refused:
        Settings(**{**right, **wrong})
    assert TOKEN not in str(refused.value)
    assert SECRET not in str(refused.value)


def test_in_sandbox_mode_only_a_stand_in_is_posted_to() -> None:
    real = settings_at("facebook", kit, "http://127.0.0.1:1").model_copy(update={"api_base_url": None})
    with pytest.raises(SetupError) as refused:
        kit.open("page", real, AROUND)
    assert [problem.code for problem in refused.value.problems] == ["not_loopback"]
