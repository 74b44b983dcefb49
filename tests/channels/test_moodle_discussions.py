"""Where a discussion stands, how it is found and deleted, what Moodle's answers come to, which settings are refused."""

from __future__ import annotations

import html
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
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
)
from channels.markup import to_html
from channels.moodle import codes, kit
from channels.moodle.render import digest_of, subject_of
from channels.moodle.settings import Settings
from sandbox.client import RunningSandbox
from sandbox.stand_ins.moodle import FORUMS, TOKEN
from tests.channels.stand_in_bench import AROUND, open_at, public

CONTENT = Content(
    1,
    "en",
    {Part.TITLE: "Winter  concert & <b>tea</b>", Part.LONG: "Doors open at **six**.\n\n- bring\n- a score"},
)
GOOD: dict[str, Any] = {"site": "https://moodle.school.example", "token": TOKEN, "forum": 3}


@pytest.fixture
def moodle(stand_ins: RunningSandbox) -> Iterator[RunningSandbox]:
    yield stand_ins
    stand_ins.control.clear()


def posted(
    sandbox: RunningSandbox,
    audience: str = "",
    content: Content = CONTENT,
    number: int = 91_001,
    **changed: Any,
) -> dict[str, Any]:
    """The truth of one discussion."""
    channel = open_at("moodle", kit, sandbox, **changed)
    to = public(number, audience)
    try:
        receipt = channel.send(channel.render(content, to), to, key=Key(1, 1, 1))
    finally:
        channel.close()
    entry = sandbox.truth("moodle")[-1]
    assert entry["id"] == receipt.provider_id
    return entry


def test_a_discussion_has_the_title_the_words_and_the_page(moodle):
    entry = posted(moodle)
    assert entry["subject"] == "Winter concert & ‹b›tea‹/b›"
    assert entry["body"].startswith("<p>Doors open at <strong>six</strong>.</p>")
    assert '<a href="https://news.stcecilias.org.uk/a/' in entry["body"]


@pytest.mark.parametrize(
    ("audience", "forum"),
    [("7B", "7B"), ("7b", "7B"), ("everyone", "everybody"), ("Choir", "everybody"), ("", "everybody")],
)
def test_what_is_for_one_class_stands_in_its_course_and_the_rest_on_the_site(
    moodle, audience: str, forum: str
):
    assert posted(moodle, audience)["key"] == FORUMS[forum]


def test_without_a_forum_for_everybody_a_class_is_told_and_nobody_else(moodle):
    channel = open_at("moodle", kit, moodle, forum=None)
    assert not channel.suits(parse("7B"))
    assert [problem.code for problem in channel.suits(parse("Choir"))] == ["no_class"]
    to = public(91_002, "Choir")
    with pytest.raises(ContentRejected):
        channel.send(channel.render(CONTENT, to), to, key=Key(2, 1, 1))
    channel.close()


def test_a_discussion_is_deleted_with_its_answers_and_deleted_again_it_is_gone(moodle):
    entry = posted(moodle, "7B", number=91_003)
    channel = open_at("moodle", kit, moodle)
    before = moodle.control.counts()["moodle"].get("delete", 0)
    for _ in range(2):
        channel.withdraw(Receipt(entry["id"]))
    to = public(91_003, "7B")
    past = PastAttempt(Key(1, 1, 1), datetime.now(UTC), "", channel.render(CONTENT, to).digest, frozenset())
    assert channel.find(past) is None
    channel.close()
    assert moodle.control.counts()["moodle"]["delete"] == before + 1


@pytest.mark.parametrize("fault", ["html", "changed", "truncated", "bad-json", "500-before-accept"])
@pytest.mark.parametrize("stage", ["list", "posts"])
def test_an_answer_that_cannot_be_read_proves_neither_that_it_is_there_nor_that_it_is_gone(
    moodle, stage: str, fault: str
):
    entry = posted(moodle)
    channel = open_at("moodle", kit, moodle)
    moodle.control.order(f"moodle:{fault}:stage={stage}")
    past = PastAttempt(Key(1, 1, 1), datetime.now(UTC), "", "0" * 64, frozenset())
    asked = (
        partial(channel.find, past) if stage == "list" else partial(channel.withdraw, Receipt(entry["id"]))
    )
    with pytest.raises(DeliveryFailure):
        asked()
    channel.close()


@pytest.mark.parametrize(
    ("told", "gone"),
    [
        ({"exception": "Error", "message": "Call to a member function get_forum_id() on null"}, True),
        ({"exception": "Error", "message": "Call to a member function get_id() on null"}, False),
        ({"exception": "moodle_exception", "errorcode": "invalidpostid"}, True),
        ({"exception": "moodle_exception", "errorcode": "invalidtoken"}, False),
        ({}, False),
    ],
)
def test_gone_is_what_moodle_says_of_a_discussion_and_not_any_stumble(told: dict[str, Any], gone: bool):
    assert codes.is_gone(told) is gone


def test_a_deletion_that_moodle_does_not_confirm_is_not_believed(moodle):
    entry = posted(moodle)
    moodle.control.order("moodle:changed:stage=delete")
    channel = open_at("moodle", kit, moodle)
    with pytest.raises(Uncertain):
        channel.withdraw(Receipt(entry["id"]))
    channel.close()


@pytest.mark.parametrize(
    ("kind", "failure", "word"),
    [
        ("401", AccountRejected, "new one"),
        ("expired", AccountRejected, "new one"),
        ("function", AccountRejected, "function"),
        ("forum", AccountRejected, "forum"),
        ("role", AccountRejected, "role"),
        ("404", AccountRejected, "site"),
        ("303", AccountRejected, "moved"),
        ("maintenance", Transient, "maintenance"),
        ("blocked", RateLimited, "too much"),
        ("429", RateLimited, "slow down"),
        ("added", Uncertain, "neither"),
        ("html", Uncertain, "read"),
        ("changed", Uncertain, "number"),
    ],
)
def test_an_answer_comes_to_its_own_failure(moodle, kind: str, failure: type[DeliveryFailure], word: str):
    moodle.control.order(f"moodle:{kind}")
    with pytest.raises(failure) as caught:
        posted(moodle)
    assert word in caught.value.why


@given(
    st.dictionaries(
        st.sampled_from(["exception", "errorcode", "message"]), st.none() | st.text() | st.integers()
    )
)
def test_whatever_a_refusal_holds_it_is_some_failure_and_its_code_is_harmless(body: dict[str, Any]):
    code = codes.code_of(body)
    assert bool(code) == ("exception" in body)
    if code:
        failure = codes.failure(code)
        assert failure.code.isascii()
        assert failure.code.isalnum()


@given(st.text(max_size=300), st.text(max_size=100))
def test_what_moodle_does_to_tags_and_entities_does_not_change_the_digest(text: str, title: str):
    content = Content(1, "", {Part.TITLE: title, Part.LONG: text})
    subject, body = subject_of(content), to_html(text)
    kept = digest_of(html.escape(subject, quote=False), f'<div class="no-overflow">{body}</div>\n')
    assert kept == digest_of(subject, body)


def test_a_title_is_as_long_as_moodles_column_and_no_longer(moodle):
    channel = open_at("moodle", kit, moodle)
    long = Content(1, "", {Part.TITLE: "é" * 255, Part.LONG: "x"})
    longer = Content(1, "", {Part.TITLE: "é" * 256, Part.LONG: "x"})
    assert not channel.check(long, ())
    assert [problem.field for problem in channel.check(longer, ())] == ["title"]
    channel.close()
    assert posted(moodle, content=long)["subject"] == "é" * 255


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"site": "moodle.school.example"}, "whole address"),
        ({"site": "https://moodle.school.example/login/index.php"}, "without a page"),
        ({"site": "http://moodle.school.example"}, "own_network"),
        ({"site": "https://10.0.0.9"}, "own_network"),
        ({"token": "short"}, "32 letters"),
        ({"forum": None}, "name a forum"),
        ({"forum": 0}, ""),
        ({"classes": {"7B": -1}}, ""),
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused_with_what_to_write(wrong: dict[str, Any], word: str):
    with pytest.raises(ValidationError) as refused:
        Settings(**{**GOOD, **wrong})
    assert word in str(refused.value)
    assert TOKEN not in str(refused.value)


def test_a_moodle_in_a_folder_of_the_schools_own_network_may_be_used():
    settings = Settings(**{**GOOD, "site": "http://10.20.0.9/moodle/", "own_network": "10.20.0.9"})
    assert settings.site == "http://10.20.0.9/moodle"
    assert not settings.reach(sandbox=False).out


def test_in_the_sandbox_no_real_moodle_is_asked(tmp_path: Path):
    with pytest.raises(SetupError) as refused:
        kit.open("moodle", Settings(**GOOD, ca_file=tmp_path / "none.pem"), AROUND)
    assert [problem.code for problem in refused.value.problems] == ["not_loopback", "bad_ca_file"]


def test_a_channels_grace_is_what_its_settings_say(moodle):
    channel = open_at("moodle", kit, moodle, grace=90)
    assert channel.traits.grace == timedelta(seconds=90)
    channel.close()
