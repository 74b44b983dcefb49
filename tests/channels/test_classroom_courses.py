"""Where an announcement stands at Classroom, how it signs in, is found and deleted, what Google's answers come to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from broker.announcement import Content, Part
from broker.audience import parse
from broker.capabilities import PastAttempt
from broker.channel import Key, Receipt
from broker.errors import (
    AccountRejected,
    ContentRejected,
    DeliveryFailure,
    RateLimited,
    SetupError,
    Transient,
    Uncertain,
    Unreachable,
)
from channels.classroom import codes, kit
from channels.classroom.render import AS_A_DRAFT
from channels.classroom.settings import Settings
from sandbox.client import RunningSandbox
from sandbox.stand_ins.classroom import CLIENT_ID, CLIENT_SECRET, COURSES, REFRESH_TOKEN
from tests.channels.stand_in_bench import AROUND, closed_port, open_at, public

CONTENT = Content(
    1, "en", {Part.TITLE: "Winter  concert", Part.LONG: "Doors open at **six**.\n\n- bring\n- a score"}
)
GOOD: dict[str, Any] = {
    "client_id": CLIENT_ID,
    "client_secret": CLIENT_SECRET,
    "refresh_token": REFRESH_TOKEN,
    "course": COURSES["everybody"],
}


@pytest.fixture
def classroom(stand_ins: RunningSandbox) -> Iterator[RunningSandbox]:
    yield stand_ins
    stand_ins.control.clear()


def posted(
    sandbox: RunningSandbox,
    audience: str = "",
    content: Content = CONTENT,
    number: int = 51_001,
    **changed: Any,
) -> dict[str, Any]:
    """The truth of one announcement."""
    channel = open_at("classroom", kit, sandbox, **changed)
    to = public(number, audience)
    try:
        receipt = channel.send(channel.render(content, to), to, key=Key(1, 1, 1))
    finally:
        channel.close()
    entry = sandbox.truth("classroom")[-1]
    assert entry["id"] == receipt.provider_id
    return entry


def test_an_announcement_is_plain_text_with_its_title_and_its_page(classroom):
    entry = posted(classroom)
    assert entry["body"].startswith(
        "Winter concert\n\nDoors open at six.\n\n- bring\n- a score\n\nhttps://news."
    )
    assert entry["state"] == "PUBLISHED"


def test_a_draft_waits_for_a_teacher_and_the_preview_says_so(classroom):
    assert posted(classroom, state="draft")["state"] == "DRAFT"
    channel = open_at("classroom", kit, classroom, state="draft")
    assert channel.render(CONTENT, public(51_001)).notes == (AS_A_DRAFT,)
    channel.close()


@pytest.mark.parametrize(
    ("audience", "course"),
    [("7B", "7B"), ("7b", "7B"), ("everyone", "everybody"), ("Choir", "everybody"), ("", "everybody")],
)
def test_what_is_for_one_class_stands_in_its_course_and_the_rest_in_everybodys(
    classroom, audience: str, course: str
):
    assert posted(classroom, audience)["key"] == COURSES[course]


def test_without_a_course_for_everybody_a_class_is_told_and_nobody_else(classroom):
    channel = open_at("classroom", kit, classroom, course=None)
    assert not channel.suits(parse("7B"))
    assert [problem.code for problem in channel.suits(parse("Choir"))] == ["no_class"]
    to = public(51_002, "Choir")
    with pytest.raises(ContentRejected):
        channel.send(channel.render(CONTENT, to), to, key=Key(2, 1, 1))
    channel.close()


def test_a_draft_whose_answer_was_lost_is_found_and_deleted_and_is_gone(classroom):
    entry = posted(classroom, "7B", number=51_003, state="draft")
    channel = open_at("classroom", kit, classroom)
    to = public(51_003, "7B")
    past = PastAttempt(Key(1, 1, 1), datetime.now(UTC), "", channel.render(CONTENT, to).digest, frozenset())
    assert channel.find(past) == Receipt(entry["id"])
    for _ in range(2):
        channel.withdraw(Receipt(entry["id"]))
    assert channel.find(past) is None
    channel.close()


def test_one_sign_in_serves_many_announcements_and_one_that_ended_is_made_anew(classroom):
    channel = open_at("classroom", kit, classroom)
    before = classroom.control.counts()["classroom"]["token"]
    for number in (51_004, 51_005):
        to = public(number)
        channel.send(channel.render(CONTENT, to), to, key=Key(number, 1, 1))
    assert classroom.control.counts()["classroom"]["token"] == before + 1
    to = public(51_006)
    classroom.control.order("classroom:401:next=1")
    with pytest.raises(Transient) as ended:
        channel.send(channel.render(CONTENT, to), to, key=Key(3, 1, 1))
    assert not isinstance(ended.value, RateLimited)
    assert channel.send(channel.render(CONTENT, to), to, key=Key(3, 2, 2)).provider_id
    channel.close()


@pytest.mark.parametrize(
    ("kind", "failure", "word"),
    [
        ("revoked", AccountRejected, "refresh token"),
        ("client", AccountRejected, "client_id"),
        ("429", RateLimited, "slow down"),
        ("500-before-accept", Transient, "no token"),
        ("503", Transient, "no token"),
        ("html", Transient, "no token"),
        ("changed", Transient, "no token"),
        ("truncated", Transient, "sign-in"),
        ("reset-before-accept", Transient, "sign-in"),
    ],
)
def test_without_a_sign_in_nothing_was_posted_and_nothing_is_in_doubt(
    classroom, kind: str, failure: type[DeliveryFailure], word: str
):
    classroom.control.order(f"classroom:{kind}:stage=token")
    with pytest.raises(failure) as caught:
        posted(classroom)
    assert word in caught.value.why


@pytest.mark.parametrize(
    ("name", "wrong", "word"),
    [("client_secret", "another-secret", "client_id"), ("refresh_token", "1//another", "refresh token")],
)
def test_wrong_credentials_stop_the_account_and_say_which(classroom, name: str, wrong: str, word: str):
    changed: dict[str, Any] = {name: wrong}
    with pytest.raises(AccountRejected) as refused:
        posted(classroom, **changed)
    assert word in refused.value.why


def test_nobody_at_googles_door_is_unreachable():
    url = f"http://127.0.0.1:{closed_port()}/classroom"
    channel = kit.open("classes", Settings(**GOOD, api_base_url=url), AROUND)
    to = public(51_007)
    with pytest.raises(Unreachable):
        channel.send(channel.render(CONTENT, to), to, key=Key(4, 1, 1))
    channel.close()


@pytest.mark.parametrize(
    ("kind", "failure", "word"),
    [
        ("401", AccountRejected, "sign-in"),
        ("scope", AccountRejected, "scope"),
        ("disabled", AccountRejected, "turned off"),
        ("403", AccountRejected, "co-teacher"),
        ("404", AccountRejected, "course"),
        ("archived", AccountRejected, "archived"),
        ("400", ContentRejected, "as it is"),
        ("429", RateLimited, "slow down"),
        ("503", Uncertain, "neither"),
        ("html", Uncertain, "read"),
        ("changed", Uncertain, "read"),
    ],
)
def test_an_answer_comes_to_its_own_failure(classroom, kind: str, failure: type[DeliveryFailure], word: str):
    classroom.control.order(f"classroom:{kind}:stage=create")
    with pytest.raises(failure) as caught:
        posted(classroom)
    assert word in caught.value.why
    if isinstance(caught.value, RateLimited):
        assert caught.value.retry_after == timedelta(seconds=4)


@pytest.mark.parametrize("fault", ["html", "changed", "truncated", "bad-json", "500-before-accept"])
@pytest.mark.parametrize("stage", ["list", "delete"])
def test_an_answer_that_cannot_be_read_proves_neither_that_it_is_there_nor_that_it_is_gone(
    classroom, stage: str, fault: str
):
    entry = posted(classroom)
    channel = open_at("classroom", kit, classroom)
    classroom.control.order(f"classroom:{fault}:stage={stage}")
    past = PastAttempt(Key(1, 1, 1), datetime.now(UTC), "", "0" * 64, frozenset())
    asked = (
        partial(channel.find, past) if stage == "list" else partial(channel.withdraw, Receipt(entry["id"]))
    )
    with pytest.raises(DeliveryFailure):
        asked()
    channel.close()


NESTED = st.recursive(
    st.none() | st.text(max_size=20) | st.integers(),
    lambda inner: st.dictionaries(st.sampled_from(["error", "status", "message"]), inner),
)


@given(st.integers(300, 599), st.dictionaries(st.just("error"), NESTED))
def test_whatever_a_refusal_holds_it_is_some_failure(status: int, body: dict[str, Any]):
    assert isinstance(codes.failure(status, body, {}), DeliveryFailure)
    assert not isinstance(codes.no_token(status, body, {}), Uncertain)


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"course": None}, "name a course"),
        ({"course": "NzAwMDAwMDAwMDAz=="}, ""),
        ({"course": "../users"}, ""),
        ({"refresh_token": "1//with a space"}, "spaces"),
        ({"api_base_url": "https://classroom.evil.example"}, "left out"),
        ({"state": "deleted"}, ""),
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused(wrong: dict[str, Any], word: str):
    with pytest.raises(ValidationError) as refused:
        Settings(**{**GOOD, **wrong})
    assert word in str(refused.value)
    assert CLIENT_SECRET not in str(refused.value)


def test_in_the_sandbox_google_is_not_asked():
    with pytest.raises(SetupError) as refused:
        kit.open("classes", Settings(**GOOD), AROUND)
    assert [problem.code for problem in refused.value.problems] == ["not_loopback"]
