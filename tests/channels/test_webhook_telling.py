"""What a receiver is told, how it is signed, what its answers come to, and which settings are refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from broker.announcement import Content, Part
from broker.channel import PUBLIC, Key, Receipt, Surroundings
from broker.errors import (
    AccountRejected,
    ContentRejected,
    DeliveryFailure,
    RateLimited,
    SetupError,
    Uncertain,
)
from broker.standard_webhooks import signed
from channels.webhook import codes, kit
from channels.webhook.settings import Settings
from sandbox.client import RunningSandbox
from sandbox.stand_ins.webhook import SECRET
from tests.channels.stand_in_bench import AROUND, open_at, public

OTHER = "whsec_" + base64.b64encode(b"another secret of thirty bytes").decode()
CONTENT = Content(
    1, "en", {Part.TITLE: "Winter  concert", Part.LONG: "Doors open at **six**. <script>x</script>"}
)


@pytest.fixture
def receiver(stand_ins: RunningSandbox) -> Iterator[RunningSandbox]:
    yield stand_ins
    stand_ins.control.clear()


def told(sandbox: RunningSandbox) -> list[dict[str, Any]]:
    return [json.loads(entry["body"]) for entry in sandbox.truth("webhook")]


def test_a_receiver_is_told_words_and_html_under_the_announcements_own_id(receiver):
    channel = open_at("webhook", kit, receiver)
    to = public(71_001)
    receipt = channel.send(channel.render(CONTENT, to), to, key=Key(1, 1, 1))
    channel.close()
    message = told(receiver)[-1]
    assert message["type"] == "announcement.published"
    data = message["data"]
    assert data["id"] == receipt.provider_id == f"urn:uuid:{to.links['announcement']}"
    assert (data["school"], data["language"], data["title"]) == ("St Cecilia's", "en", "Winter concert")
    assert data["summary"] == data["text"] == "Doors open at six. <script>x</script>"
    assert data["html"] == "<p>Doors open at <strong>six</strong>. &lt;script&gt;x&lt;/script&gt;</p>"
    assert data["url"] == f"https://news.stcecilias.org.uk/a/{to.links['announcement']}"


def test_told_twice_it_is_one_and_withdrawn_twice_it_is_gone(receiver):
    channel = open_at("webhook", kit, receiver)
    to = public(71_002)
    message = channel.render(CONTENT, to)
    before = len(receiver.truth("webhook"))
    receipts = {channel.send(message, to, key=Key(2, number, number)).provider_id for number in (1, 2)}
    assert len(receipts) == 1
    assert len(receiver.truth("webhook")) == before + 1
    for _ in range(2):
        channel.withdraw(Receipt(receipts.pop() if receipts else f"urn:uuid:{to.links['announcement']}"))
    channel.close()


def test_an_announcement_without_a_public_id_is_not_told(receiver):
    channel = open_at("webhook", kit, receiver)
    with pytest.raises(ContentRejected):
        channel.send(channel.render(CONTENT, PUBLIC), PUBLIC, key=Key(3, 1, 1))
    channel.close()


def test_while_a_secret_is_changed_either_one_is_accepted(receiver):
    for secret, old in ((OTHER, SECRET), (SECRET, OTHER)):
        channel = open_at("webhook", kit, receiver, secret=secret, old_secret=old)
        to = public(71_003)
        assert channel.send(channel.render(CONTENT, to), to, key=Key(4, 1, 1)).provider_id
        channel.close()


def test_a_wrong_secret_stops_the_account_and_says_what_to_do(receiver):
    channel = open_at("webhook", kit, receiver, secret=OTHER)
    to = public(71_004)
    with pytest.raises(AccountRejected) as refused:
        channel.send(channel.render(CONTENT, to), to, key=Key(5, 1, 1))
    channel.close()
    assert "secret" in refused.value.why


def test_the_signature_is_that_of_the_specification():
    """By hand, as https://www.standardwebhooks.com describes it."""
    key, body = b"k" * 24, b'{"type":"x"}'
    headers = signed("published_1", datetime(2026, 11, 2, 9, tzinfo=UTC), body, [key])
    right = hmac.new(key, b"published_1.1793610000." + body, hashlib.sha256).digest()
    assert headers["webhook-timestamp"] == "1793610000"
    assert headers["webhook-signature"] == "v1," + base64.b64encode(right).decode()


@pytest.mark.parametrize(
    ("kind", "failure", "word"),
    [
        ("404", AccountRejected, "address"),
        ("410", AccountRejected, "no more"),
        ("302", AccountRejected, "moved"),
        ("413", ContentRejected, "too long"),
        ("429", RateLimited, "slow down"),
        ("503", Uncertain, "neither"),
        ("html", Uncertain, "page for people"),
        ("truncated", Uncertain, ""),
    ],
)
def test_an_answer_comes_to_its_own_failure(receiver, kind: str, failure: type[DeliveryFailure], word: str):
    receiver.control.order(f"webhook:{kind}")
    channel = open_at("webhook", kit, receiver)
    to = public(71_005)
    with pytest.raises(failure) as caught:
        channel.send(channel.render(CONTENT, to), to, key=Key(6, 1, 1))
    channel.close()
    assert word in caught.value.why
    if isinstance(caught.value, RateLimited):
        assert caught.value.retry_after == timedelta(seconds=1)


@pytest.mark.parametrize(
    ("said", "wait"),
    [("30", 30), ("999999999", 3_600), ("", None), ("Wed, 21 Oct 2026", None), ("-1", None), ("²", None)],
)
def test_a_pause_is_bounded_and_read_only_in_seconds(said: str, wait: int | None):
    assert codes.pause({"Retry-After": said}) == (None if wait is None else timedelta(seconds=wait))


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"address": "signage"}, "whole address"),
        ({"address": "ftp://signage.example/"}, "https://"),
        ({"address": "https://user:pw@signage.example/"}, "whole address"),
        ({"address": "https://signage.example/#top"}, "#"),
        ({"address": "https://127.1/"}, "number"),
        ({"address": "https://0x7f000001/"}, "number"),
        ({"address": "https://10.0.0.7/"}, "own_network"),
        ({"address": "https://[::ffff:10.0.0.7]/"}, "own_network"),
        ({"address": "http://signage.example/"}, "own_network"),
        ({"address": "https://signage.example:70000/"}, "whole address"),
        ({"secret": "whsec_short"}, "base64"),
        ({"secret": base64.b64encode(b"k" * 24).decode()}, "whsec_"),
        ({"own_network": "10.0.0.7/8"}, "parted by commas"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused_with_what_to_write(wrong: dict[str, str], word: str):
    with pytest.raises(ValidationError) as refused:
        Settings(**{"address": "https://signage.example/hook", "secret": SECRET, **wrong})
    assert word in str(refused.value)
    assert SECRET not in str(refused.value)


def test_a_screen_in_the_schools_own_network_may_be_told_in_the_clear():
    settings = Settings(address="http://10.20.0.7:8080/hook", secret=SECRET, own_network="10.20.0.7")
    assert not settings.reach(sandbox=False).out


def test_in_the_sandbox_no_other_machine_is_told(tmp_path: Path):
    settings = Settings(address="https://signage.example/hook", secret=SECRET, ca_file=tmp_path / "none.pem")
    with pytest.raises(SetupError) as refused:
        kit.open("signage", settings, AROUND)
    assert [problem.code for problem in refused.value.problems] == ["not_loopback", "bad_ca_file"]


def test_outside_the_sandbox_this_machine_is_refused_unless_it_is_listed(receiver):
    outside = Surroundings("St Cecilia's", "GB", None, timeout=timedelta(seconds=1))
    to = public(71_006)
    closed = open_at("webhook", kit, receiver, outside)
    with pytest.raises(AccountRejected) as refused:
        closed.send(closed.render(CONTENT, to), to, key=Key(7, 1, 1))
    closed.close()
    assert refused.value.code == "private_address"
    listed = open_at("webhook", kit, receiver, outside, own_network="127.0.0.1")
    assert listed.send(listed.render(CONTENT, to), to, key=Key(7, 2, 2)).provider_id
    listed.close()
