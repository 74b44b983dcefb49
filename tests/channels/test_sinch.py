"""Sinch as a gateway: what is asked of it, what its codes mean, what it calls back with, what a look-up proves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from broker.capabilities import PastAttempt, SignatureInvalid
from broker.channel import Item, Key, Receipt, Recipient, Surroundings
from broker.delivery import Evidence
from broker.errors import (
    AccountRejected,
    AddressRejected,
    ContentRejected,
    DeliveryFailure,
    RateLimited,
    SetupError,
    Transient,
    Uncertain,
)
from broker.testing.channel_bench import key, plain
from channels import sms
from channels.sms import codes_sinch as codes
from channels.sms.settings_sinch import Settings
from config.doctor import at_the_provider
from config.findings import Health
from sandbox.client import RunningSandbox
from sandbox.stand_ins import sinch
from tests.channels.sinch_support import AROUND, PLACE, called, report

TO = Recipient("+447911123456")


@pytest.fixture
def box(stand_ins: RunningSandbox) -> Iterator[RunningSandbox]:
    stand_ins.control.account_at("sinch", forget=True)
    yield stand_ins
    stand_ins.control.clear()
    stand_ins.control.account_at("sinch", keeps_s=sinch.KEEPS)


def texts(box: RunningSandbox, **changed: Any) -> Any:
    return sms.kit.open("office", Settings(**{**sinch.settings(box.url("sinch")), **changed}), AROUND)


def one(channel: Any, number: int = 1, to: Recipient = TO) -> Item:
    return Item(key(number), channel.render(plain("Rehearsal at 15:30."), to), to)


def past(item: Item, **changed: Any) -> PastAttempt:
    told = PastAttempt(item.key, datetime.now(UTC), item.to.address, item.message.digest, frozenset())
    return replace(told, **changed)


# --- what it is asked for


def test_a_text_is_a_batch_of_one_that_names_where_its_report_goes(box: RunningSandbox) -> None:
    channel = texts(box)
    item = one(channel)
    channel.send(item.message, item.to, key=item.key)
    channel.close()
    entry = box.truth()[-1]
    assert (entry["channel"], entry["provider"], entry["from"]) == ("sms", "sinch", sinch.NUMBER)
    assert entry["callback"] == f"{PLACE}/{item.key.token}"
    assert entry["report"] == "per_recipient_final"
    assert entry["key"].startswith(f"{item.key.token}.")


def test_without_a_secret_no_report_is_asked_for_and_stop_is_not_heard(box: RunningSandbox) -> None:
    channel = texts(box, callback_secret=None)
    item = one(channel, to=replace(TO, links={"unsubscribe": "https://school.example/u/abc"}))
    channel.send(item.message, item.to, key=item.key)
    assert box.truth()[-1]["callback"] is None
    assert "https://school.example/u/abc" in box.truth()[-1]["body"]
    call = report("TOKEN", "01ABCDEF", "Delivered")
    with pytest.raises(SignatureInvalid):
        channel.confirmations(call.url, call.body, call.headers)
    channel.close()


def test_who_it_comes_from_says_whether_stop_is_heard() -> None:
    told = sinch.settings("http://127.0.0.1:1")
    number, name = Settings(**told), Settings(**{**told, "sender": "StBrides"})
    pool = Settings(**{**told, "sender": None, "pool": True})
    assert (number.hears, name.hears, pool.hears) == (True, False, True)
    assert (number.number, name.number, pool.number) == (sinch.NUMBER, "", "")


def test_a_pool_of_numbers_leaves_the_choice_to_sinch(box: RunningSandbox) -> None:
    channel = texts(box, sender=None, pool=True)
    item = one(channel)
    channel.send(item.message, item.to, key=item.key)
    assert box.truth()[-1]["from"] is None
    channel.close()


def test_a_rate_limit_is_told_at_once_and_not_slept_over(box: RunningSandbox) -> None:
    box.control.order("sinch:429:")
    channel = texts(box)
    item = one(channel)
    began = datetime.now(UTC)
    with pytest.raises(RateLimited) as caught:
        channel.send(item.message, item.to, key=item.key)
    channel.close()
    assert caught.value.retry_after == timedelta(seconds=1)
    assert datetime.now(UTC) - began < timedelta(seconds=1)
    assert box.control.counts()["struck"]["sinch:429:create"] >= 1


# --- its codes


@pytest.mark.parametrize(
    ("status", "code", "text", "failure"),
    [
        (400, "syntax_invalid_parameter_format", "The value of 'to[0]' is no MSISDN", AddressRejected),
        (400, "syntax_constraint_violation", "Invalid MSISDN", AddressRejected),
        (400, "syntax_constraint_violation", "The value of 'from' is no originator", AccountRejected),
        (400, "syntax_constraint_violation", "The size of 'body' is wrong", ContentRejected),
        (400, "syntax_invalid_json", "", ContentRejected),
        (403, "blocked_account", "", AccountRejected),
        (403, "illegal_number_type", "", AddressRejected),
        (403, "missing_callback_url", "", AccountRejected),
        (403, "something_new", "", AccountRejected),
        (401, "", "", AccountRejected),
        (402, "", "", AccountRejected),
        (404, "", "", AccountRejected),
        (418, "", "", ContentRejected),
        (429, "", "", RateLimited),
        (500, "internal_error", "", Uncertain),
        (503, "", "", Uncertain),
        (302, "", "", Uncertain),
    ],
)
def test_an_answer_leads_to_its_own_failure(
    status: int, code: str, text: str, failure: type[DeliveryFailure]
) -> None:
    assert type(codes.failure(status, code, text)) is failure


@given(st.integers(100, 599), st.text(max_size=60), st.text(max_size=80))
def test_whatever_it_answers_is_a_failure_that_quotes_nothing(status: int, code: str, text: str) -> None:
    told = codes.failure(status, code, text)
    assert told.why.isprintable()
    assert len(told.code) <= 40
    assert len(text) < 12 or text not in told.why


# --- what a look-up proves


def test_the_same_reference_twice_is_two_texts_and_the_one_that_is_bound_is_not_found(
    box: RunningSandbox,
) -> None:
    channel = texts(box)
    item = one(channel)
    ids = [channel.send(item.message, item.to, key=item.key).provider_id for _ in range(2)]
    assert channel.find(past(item, known=frozenset(ids[:1]))).provider_id == ids[1]
    assert channel.find(past(item, known=frozenset(ids))) is None
    channel.close()


def test_what_is_older_than_sinch_lists_is_never_said_to_be_absent(box: RunningSandbox) -> None:
    channel = texts(box)
    item = one(channel)
    assert channel.find(past(item)) is None
    with pytest.raises(Uncertain):
        channel.find(past(item, started_at=datetime.now(UTC) - timedelta(days=14)))
    with pytest.raises(Uncertain):
        channel.find(past(item, key=Key(1, 1, 1)))
    channel.close()


def test_a_text_of_some_days_ago_is_found_though_a_list_begins_a_day_ago(box: RunningSandbox) -> None:
    channel = texts(box)
    item = one(channel)
    sent = channel.send(item.message, item.to, key=item.key)
    ago = datetime.now(UTC) - timedelta(days=5)
    assert channel.find(past(item, started_at=ago)) == sent
    channel.close()


def test_what_went_to_another_number_under_our_reference_proves_nothing(box: RunningSandbox) -> None:
    channel = texts(box)
    item = one(channel)
    channel.send(item.message, item.to, key=item.key)
    with pytest.raises(Uncertain):
        channel.find(past(item, address="+447911999999"))
    channel.close()


def test_it_forgets_by_age_and_says_so_until_then(box: RunningSandbox) -> None:
    channel = texts(box)
    item = one(channel)
    sent = channel.send(item.message, item.to, key=item.key)
    with pytest.raises(Transient):
        channel.redact(sent)
    box.control.account_at("sinch", keeps_s=0)
    channel.redact(sent)
    channel.redact(Receipt("../../other/batches"))
    channel.close()


# --- what it calls back with


@pytest.mark.parametrize(
    ("status", "evidence"),
    [
        ("Queued", Evidence.ACCEPTED),
        ("Dispatched", Evidence.ACCEPTED),
        ("Delivered", Evidence.DELIVERED),
        ("Failed", Evidence.BOUNCED),
        ("Rejected", Evidence.BOUNCED),
        ("Expired", Evidence.BOUNCED),
        ("Deleted", Evidence.BOUNCED),
        ("Aborted", Evidence.BOUNCED),
    ],
)
def test_a_report_is_evidence(box: RunningSandbox, status: str, evidence: Evidence) -> None:
    call = report("TOKEN.MAC", "01ABCDEF0123", status, 402 if evidence is Evidence.BOUNCED else 0)
    (news,) = texts(box).confirmations(call.url, call.body, call.headers)
    assert (news.evidence, news.token, news.provider_id) == (evidence, "TOKEN.MAC", "01ABCDEF0123")
    assert bool(news.why) == (evidence is Evidence.BOUNCED)


@pytest.mark.parametrize("status", ["Unknown", "Something new"])
def test_a_status_that_tells_nothing_is_no_news(box: RunningSandbox, status: str) -> None:
    call = report("TOKEN", "01ABCDEF0123", status)
    assert not texts(box).confirmations(call.url, call.body, call.headers)


def test_a_report_is_believed_where_its_text_named_it_and_nowhere_else(box: RunningSandbox) -> None:
    """Sinch signs what it says and not where: a report of one text must not do for another."""
    channel = texts(box)
    call = report("TOKEN", "01ABCDEF0123", "Delivered")
    assert channel.confirmations(call.url, call.body, call.headers)
    for wrong in (
        replace(call, url=f"{PLACE}/ANOTHER"),
        called({"type": "recipient_delivery_report_sms"}, secret="another-secret"),
        replace(call, headers={}),
        replace(call, headers={**call.headers, "x-sinch-webhook-signature-nonce": "another"}),
        replace(call, body=call.body + b" " * 20_000),
    ):
        with pytest.raises(SignatureInvalid):
            channel.confirmations(wrong.url, wrong.body, wrong.headers)


def test_a_text_to_the_number_is_heard(box: RunningSandbox) -> None:
    told = {
        "type": "mo_text",
        "id": "01ABCDEF0123",
        "from": "447911123456",
        "to": "447400123456",
        "body": "STOP",
        "received_at": "2026-11-02T09:00:00.000Z",
    }
    call = called(told)
    channel = texts(box)
    assert not channel.confirmations(call.url, call.body, call.headers)
    (heard,) = channel.heard(call.url, call.body, call.headers)
    assert (heard.sender, heard.text, heard.provider_id) == ("+447911123456", "STOP", "01ABCDEF0123")
    for other in (
        called({**told, "type": "mo_binary"}),
        called({**told, "body": None}),
        called([]),
        called(7),
    ):
        assert not channel.heard(other.url, other.body, other.headers)


def test_a_doctor_sees_a_token_that_does_not_hold_and_sends_nothing(box: RunningSandbox) -> None:
    before = len(box.truth())
    good, bad, away = texts(box), texts(box, api_token="another"), texts(box, service_plan_id="another")
    assert not at_the_provider("account texts", "sinch", good)
    for channel in (bad, away):
        (finding,) = at_the_provider("account texts", "sinch", channel)
        assert finding.health is Health.WRONG
    assert len(box.truth()) == before
    for channel in (good, bad, away):
        channel.close()


# --- settings


def test_settings_are_refused_with_what_they_should_be() -> None:
    good = sinch.settings("http://127.0.0.1:1")
    Settings(**good)
    for wrong in (
        {"service_plan_id": "a/b"},
        {"region": "mars"},
        {"pool": True},
        {"sender": None},
        {"sender": "a name too long for it"},
        {"api_base_url": "http://sinch.example"},
        {"callback_secret": "short"},
        {"unknown": 1},
    ):
        with pytest.raises(ValidationError) as caught:
            Settings(**{**good, **wrong})
        assert sinch.TOKEN not in str(caught.value)


def test_the_sandbox_talks_to_this_machine_alone() -> None:
    told = Settings(**{**sinch.settings("http://127.0.0.1:1"), "api_base_url": None})
    with pytest.raises(SetupError):
        sms.kit.open("office", told, AROUND)
    channel = sms.kit.open("office", told, Surroundings("school", "GB", "https://school.example"))
    assert "https://eu.sms.api.sinch.com" in repr(channel._gateway)
    channel.close()


def test_no_log_has_a_number_a_word_or_the_token(
    box: RunningSandbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    channel = texts(box)
    failed: list[str] = []
    box.control.order("sinch:number:every=3", "sinch:changed:every=4", "sinch:500-after-accept:every=5")
    for number in range(1, 20):
        item = one(channel, number, Recipient(f"+4479117770{number:02d}"))
        try:
            channel.send(item.message, item.to, key=item.key)
        except DeliveryFailure as failure:
            failed.append(repr(failure) + str(failure))
    channel.close()
    told = "".join((caplog.text, repr(channel), repr(channel._gateway), *failed))
    for private in ("79117770", "Rehearsal", sinch.TOKEN, sinch.SECRET, key(3).token):
        assert private not in told
