"""What a card says and where it goes, what Teams' answers come to, and which settings are refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from broker.announcement import Content, Part
from broker.audience import parse
from broker.channel import Key
from broker.errors import (
    AccountRejected,
    ContentRejected,
    DeliveryFailure,
    RateLimited,
    SetupError,
    Uncertain,
)
from channels.teams import kit
from channels.teams.render import MOST_BYTES
from channels.teams.settings import Settings
from sandbox.client import RunningSandbox
from sandbox.stand_ins.teams import SIGNATURE
from tests.channels.stand_in_bench import AROUND, open_at, public

LONG = "Doors open at **six** <at>everyone</at>.\n\n- bring\n- a *score*"
CONTENT = Content(1, "en", {Part.TITLE: "Winter  concert", Part.LONG: LONG})
GOOD = f"https://prod-12.uksouth.logic.azure.com:443/workflows/1/triggers/manual/paths/invoke?sig={SIGNATURE}"


@pytest.fixture
def teams(stand_ins: RunningSandbox) -> Iterator[RunningSandbox]:
    yield stand_ins
    stand_ins.control.clear()


def posted(
    sandbox: RunningSandbox, content: Content = CONTENT, audience: str = "", **changed: Any
) -> dict[str, Any]:
    """The truth of one card."""
    channel = open_at("teams", kit, sandbox, **changed)
    to = public(81_001, audience)
    try:
        receipt = channel.send(channel.render(content, to), to, key=Key(1, 1, 1))
    finally:
        channel.close()
    entry = sandbox.truth("teams")[-1]
    assert entry["id"] == receipt.provider_id
    return entry


def test_a_card_says_the_words_as_they_are_and_leads_to_the_page(teams):
    entry = posted(teams)
    assert entry["text"] == "Winter concert\nDoors open at six <at>everyone</at>.\n- bring\n- a score"
    (attachment,) = json.loads(entry["body"])["attachments"]
    card = attachment["content"]
    (button,) = card["actions"]
    assert button["url"].startswith("https://news.stcecilias.org.uk/a/")
    assert {block["type"] for block in card["body"]} == {
        "RichTextBlock"
    }  # text runs know no Markdown, no mention
    assert card["lang"] == "en"


@pytest.mark.parametrize(
    ("audience", "workflow"),
    [
        ("7B", "7b"),
        ('"7b"', "7b"),
        ("everyone", "everybody"),
        ("Choir", "everybody"),
        ("7B + Choir", "everybody"),
        ("", "everybody"),
    ],
)
def test_what_is_for_one_class_goes_to_its_channel_and_the_rest_to_everybodys(
    teams, audience: str, workflow: str
):
    assert posted(teams, audience=audience)["key"] == workflow


def test_without_a_channel_for_everybody_a_class_is_told_and_nobody_else(teams):
    assert posted(teams, audience="7B", workflow=None)["key"] == "7b"
    channel = open_at("teams", kit, teams, workflow=None)
    assert not channel.suits(parse("7B"))
    for others in ("everyone", "Choir", "7B + Choir", "7B - Choir", "staff"):
        (problem,) = channel.suits(parse(others))
        assert (problem.code, problem.field) == ("no_class", "via")
    to = public(81_002, "Choir")
    with pytest.raises(ContentRejected):
        channel.send(channel.render(CONTENT, to), to, key=Key(2, 1, 1))
    channel.close()


def test_the_longest_wording_that_is_accepted_is_posted(teams):
    channel = open_at("teams", kit, teams)
    fits = next(n for n in range(MOST_BYTES, 0, -50) if not channel.check(wording("é" * (n // 2)), ()))
    (problem,) = channel.check(wording("é" * (fits // 2 + 50)), ())
    channel.close()
    assert problem.code == "text_too_long"
    assert posted(teams, wording("é" * (fits // 2)))["id"]


def wording(text: str) -> Content:
    return Content(1, "", {Part.TITLE: "Long", Part.LONG: text})


@pytest.mark.parametrize(
    ("kind", "failure", "word"),
    [
        ("401", AccountRejected, "address"),
        ("404", AccountRejected, "new one"),
        ("off", AccountRejected, "turn it on"),
        ("413", ContentRejected, "too long"),
        ("429", RateLimited, "slow down"),
        ("502", Uncertain, "neither"),
        ("html", Uncertain, "run"),
        ("changed", Uncertain, "run"),
        ("truncated", Uncertain, ""),
    ],
)
def test_an_answer_comes_to_its_own_failure(teams, kind: str, failure: type[DeliveryFailure], word: str):
    teams.control.order(f"teams:{kind}")
    with pytest.raises(failure) as caught:
        posted(teams)
    assert word in caught.value.why
    if isinstance(caught.value, RateLimited):
        assert caught.value.retry_after == timedelta(seconds=2)


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({}, "name a workflow"),
        ({"workflow": "https://school.webhook.office.com/webhookb2/x"}, "retired"),
        ({"workflow": GOOD.partition("?")[0]}, "no sig"),
        ({"workflow": GOOD.replace("logic.azure.com", "logic.azure.com.evil.example")}, "as Teams shows it"),
        ({"workflow": GOOD.replace("https", "http")}, "as Teams shows it"),
        ({"workflow": GOOD.replace("//", "//user@")}, "as Teams shows it"),
        ({"classes": {"7B": "https://127.0.0.1/?sig=x"}}, "as Teams shows it"),
    ],
)
def test_an_address_that_is_no_workflows_is_refused_with_what_to_do(wrong: dict[str, Any], word: str):
    with pytest.raises(ValidationError) as refused:
        Settings(**wrong)
    assert word in str(refused.value)
    assert SIGNATURE not in str(refused.value)


def test_in_the_sandbox_no_real_workflow_is_called():
    with pytest.raises(SetupError) as refused:
        kit.open("classes", Settings(workflow=GOOD), AROUND)
    assert [problem.code for problem in refused.value.problems] == ["not_loopback"]
