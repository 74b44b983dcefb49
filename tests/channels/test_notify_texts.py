"""GOV.UK Notify as a gateway: what is asked of it, what it calls back with, and what a look-up proves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from broker.announcement import Attachment, Content, Part
from broker.capabilities import PastAttempt, SignatureInvalid
from broker.channel import Item, Key, Receipt, Recipient, Surroundings
from broker.delivery import Evidence
from broker.errors import AccountRejected, SetupError, Transient, Uncertain
from broker.testing.channel_bench import key, plain
from channels import email, sms
from channels.email import settings_notify as mail_settings
from channels.notify_news import reference_of
from channels.sms import settings_notify
from config.doctor import at_the_provider
from config.findings import Health
from sandbox.client import RunningSandbox
from sandbox.notify_shapes import MAILS, TEXTS
from sandbox.stand_ins import notify
from tests.channels.notify_support import AROUND, called

TO = Recipient("+447911123456")


@pytest.fixture
def box(stand_ins: RunningSandbox) -> Iterator[RunningSandbox]:
    stand_ins.control.account_at("notify", forget=True)
    yield stand_ins
    stand_ins.control.clear()


def texts(box: RunningSandbox, **changed: Any) -> Any:
    told = {**notify.settings(box.url("notify")), **changed}
    return sms.kit.open("office", settings_notify.Settings(**told), AROUND)


def mails(box: RunningSandbox, **changed: Any) -> Any:
    told = {**notify.mail_settings(box.url("notify")), **changed}
    return email.kit.open("mails", mail_settings.Settings(**told), AROUND)


def one(channel: Any, number: int = 1, to: Recipient = TO, text: str = "Rehearsal at 15:30.") -> Item:
    return Item(key(number), channel.render(plain(text), to), to)


def past(item: Item, **changed: Any) -> PastAttempt:
    told = PastAttempt(item.key, datetime.now(UTC), item.to.address, item.message.digest, frozenset())
    return replace(told, **changed)


# --- what it is asked for


def test_a_text_goes_by_the_template_under_our_reference(box: RunningSandbox) -> None:
    channel = texts(box)
    item = one(channel)
    channel.send(item.message, item.to, key=item.key)
    channel.close()
    entry = box.truth()[-1]
    assert (entry["channel"], entry["provider"], entry["template"]) == ("sms", "notify", TEXTS)
    assert entry["body"] == item.message.fields["body"]
    assert entry["reference"] == reference_of(item.key, item.message.digest)
    assert entry["reference"].startswith(f"{item.key.token}.")


def test_without_a_number_of_its_own_every_text_says_how_to_have_no_more(box: RunningSandbox) -> None:
    silent, answering = texts(box), texts(box, number="+447400123456")
    to = replace(TO, links={"unsubscribe": "https://school.example/u/abc"})
    assert "https://school.example/u/abc" in silent.render(plain(), to).fields["body"]
    assert "https://school.example/u/abc" not in answering.render(plain(), to).fields["body"]
    assert silent.sender() is None
    assert answering.sender() is not None
    away = replace(AROUND, public_url=None)
    with pytest.raises(SetupError):
        sms.kit.open("office", settings_notify.Settings(**notify.settings(box.url("notify"))), away)
    assert not settings_notify.Settings(
        **{**notify.settings("http://127.0.0.1"), "callback_token": None, "number": "+447400123456"}
    ).hears


def test_what_notify_puts_before_a_text_counts_in_its_length(box: RunningSandbox) -> None:
    to = replace(TO, links={"unsubscribe": "https://school.example/u/a"})
    bare = texts(box).render(plain("x" * 100), to)
    named = texts(box, prefix="St Bride's Primary School: ").render(plain("x" * 100), to)
    assert (bare.parts, named.parts) == (1, 2)
    assert bare.fields == named.fields


def test_a_mail_goes_with_its_subject_and_simple_markdown(box: RunningSandbox) -> None:
    channel = mails(box)
    words = "# Concert\n\nDear **all**,\n\n- bring *water*\n- see [the page](https://school.example/x)\n"
    file = Attachment("0" * 64, "plan.pdf", "application/pdf", b"%PDF-", "secret-link")
    content = Content(1, "en", {Part.TITLE: "Concert", Part.LONG: words}, attachments=(file,))
    to = Recipient(
        "parent@families.example",
        ("Amy", "B[e]n http://evil.example"),
        links={"unsubscribe": "https://school.example/u/abc"},
    )
    message = channel.render(content, to)
    channel.send(message, to, key=key())
    channel.close()
    entry = box.truth()[-1]
    assert (entry["channel"], entry["subject"], entry["to"]) == ("email", "Concert", to.address)
    body = entry["body"]
    assert body.startswith("For Amy and Ben evil.example:\n\n# Concert\n\nDear all,\n\n* bring water\n")
    assert "* see the page: https://school.example/x" in body
    assert "* plan.pdf: https://school.example/f/secret-link" in body
    assert body.endswith("To get no more of these emails: https://school.example/u/abc")
    assert entry["unsubscribe"] == "https://school.example/u/abc"


def test_a_link_that_is_not_https_is_in_the_mail_and_not_in_its_head(box: RunningSandbox) -> None:
    channel = mails(box)
    to = Recipient("parent@families.example", links={"unsubscribe": "http://127.0.0.1:8000/u/abc"})
    message = channel.render(plain(), to)
    channel.send(message, to, key=key())
    channel.close()
    assert box.truth()[-1]["unsubscribe"] is None
    assert "http://127.0.0.1:8000/u/abc" in box.truth()[-1]["body"]


@pytest.mark.parametrize("fault", ["team", "trial", "clock", "gone"])
def test_what_is_wrong_with_the_account_pauses_it_and_refuses_nobody(box: RunningSandbox, fault: str) -> None:
    box.control.order(f"notify:{fault}:next=1")
    channel = texts(box)
    item = one(channel)
    with pytest.raises(AccountRejected):
        channel.send(item.message, item.to, key=item.key)
    channel.close()


def test_connections_are_kept(box: RunningSandbox) -> None:
    channel = texts(box)
    for number in range(1, 20):
        item = one(channel, number)
        channel.send(item.message, item.to, key=item.key)
    clients = channel._gateway._post.crew._shifts[None]._clients
    (door,) = (adapter for client in clients for adapter in client._session.adapters.values())
    (pool,) = (door.poolmanager.pools[name] for name in list(door.poolmanager.pools.keys()))
    assert (pool.num_connections, pool.num_requests) == (1, 19)
    channel.close()


# --- what a look-up proves


def test_the_same_reference_twice_is_two_messages_and_the_one_that_is_bound_is_not_found(
    box: RunningSandbox,
) -> None:
    channel = texts(box)
    item = one(channel)
    ids = [channel.send(item.message, item.to, key=item.key).provider_id for _ in range(2)]
    assert len(set(ids)) == 2
    assert channel.find(past(item, known=frozenset(ids[:1]))).provider_id == ids[1]
    assert channel.find(past(item, known=frozenset(ids))) is None
    channel.close()


def test_what_is_found_tells_how_far_it_has_come(box: RunningSandbox) -> None:
    box.control.order("notify:permanent-failure:")
    channel = texts(box)
    item = one(channel)
    channel.send(item.message, item.to, key=item.key)
    until = time.monotonic() + 5
    while (found := channel.find(past(item))).evidence is Evidence.ACCEPTED and time.monotonic() < until:
        time.sleep(0.02)
    assert (found.evidence, found.detail) == (Evidence.BOUNCED, "permanent-failure")
    channel.close()


def test_what_is_older_than_notify_may_keep_is_never_said_to_be_absent(box: RunningSandbox) -> None:
    channel = texts(box)
    item = one(channel)
    assert channel.find(past(item)) is None
    with pytest.raises(Uncertain):
        channel.find(past(item, started_at=datetime.now(UTC) - timedelta(days=3)))
    with pytest.raises(Uncertain):
        channel.find(past(item, key=Key(1, 1, 1)))
    channel.close()


def test_what_went_to_another_number_under_our_reference_proves_nothing(box: RunningSandbox) -> None:
    channel = texts(box)
    item = one(channel)
    channel.send(item.message, item.to, key=item.key)
    with pytest.raises(Uncertain):
        channel.find(past(item, address="+447911999999"))
    assert channel.find(past(item, address="07911 123456")) is not None
    channel.close()


def test_a_mail_that_was_lost_is_found_by_its_reference_and_not_as_a_text(box: RunningSandbox) -> None:
    channel, other = mails(box), texts(box)
    to = Recipient("parent@families.example")
    item = Item(key(), channel.render(plain(), to), to)
    sent = channel.send(item.message, item.to, key=item.key)
    assert channel.find(past(item)) == replace(sent, evidence=channel.find(past(item)).evidence)
    assert other.find(past(item)) is None
    channel.close()
    other.close()


def test_it_forgets_by_age_and_says_so_until_then(box: RunningSandbox) -> None:
    channel = texts(box)
    item = one(channel)
    sent = channel.send(item.message, item.to, key=item.key)
    with pytest.raises(Transient):
        channel.redact(sent)
    box.control.account_at("notify", keeps_s=0)
    channel.redact(sent)
    box.control.account_at("notify", keeps_s=604_800)
    channel.redact(Receipt("../templates"))
    channel.close()


# --- what it calls back with


def receipt(**changed: Any) -> dict[str, Any]:
    told = {
        "id": "0" * 8 + "-0000-4000-8000-" + "0" * 12,
        "reference": "TOKEN.MAC.0123456789ab",
        "to": "+447911123456",
        "status": "delivered",
        "created_at": "2026-11-02T09:00:00.000000Z",
        "completed_at": "2026-11-02T09:00:01.000000Z",
        "sent_at": "2026-11-02T09:00:00.500000Z",
        "notification_type": "sms",
        "template_id": TEXTS,
        "template_version": 1,
    }
    return {**told, **changed}


def test_a_receipt_is_believed_under_its_bearer_token_at_its_own_address(box: RunningSandbox) -> None:
    channel = texts(box)
    call = called(receipt())
    (news,) = channel.confirmations(call.url, call.body, call.headers)
    assert (news.evidence, news.token) == (Evidence.DELIVERED, "TOKEN.MAC")
    assert not channel.heard(call.url, call.body, call.headers)
    for wrong in (
        called(receipt(), token="another-token"),
        called(receipt(), url="https://school.example/callbacks/office/elsewhere"),
        replace(call, headers={}),
        replace(call, headers={"Authorization": f"Bearer {notify.CALLBACK_TOKEN}"}),
        replace(call, body=call.body[:-9]),
        replace(call, body=b" " * 20_000),
    ):
        with pytest.raises(SignatureInvalid):
            channel.confirmations(wrong.url, wrong.body, wrong.headers)
    deaf = texts(box, callback_token=None)
    with pytest.raises(SignatureInvalid):
        deaf.confirmations(call.url, call.body, call.headers)


@pytest.mark.parametrize("status", ["permanent-failure", "temporary-failure", "technical-failure"])
def test_a_receipt_of_a_failure_says_why(box: RunningSandbox, status: str) -> None:
    call = called(receipt(status=status, notification_type="email"))
    (news,) = mails(box).confirmations(call.url, call.body, call.headers)
    assert (news.evidence, news.code) == (Evidence.BOUNCED, status)
    assert news.why


@pytest.mark.parametrize(
    "told",
    [
        receipt(status="carrier-pigeon"),
        receipt(reference=None),
        receipt(id=7),
        receipt(status=None),
        {},
        [],
        "delivered",
        7,
        None,
    ],
)
def test_what_is_no_receipt_is_no_news(box: RunningSandbox, told: Any) -> None:
    call = called(told)
    assert not channel_news(texts(box), call)


def channel_news(channel: Any, call: Any) -> list[Any]:
    return [
        *channel.confirmations(call.url, call.body, call.headers),
        *channel.heard(call.url, call.body, call.headers),
    ]


def test_a_text_to_the_services_number_is_heard(box: RunningSandbox) -> None:
    told = {
        "id": "5a4db0c5-0000-4000-8000-000000000009",
        "source_number": "447911123456",
        "destination_number": "07400123456",
        "message": "STOP",
        "date_received": "2026-11-02T09:00:00.000000Z",
    }
    call = called(told)
    channel = texts(box, number="+447400123456")
    assert not channel.confirmations(call.url, call.body, call.headers)
    (heard,) = channel.heard(call.url, call.body, call.headers)
    assert (heard.sender, heard.text, heard.provider_id) == ("+447911123456", "STOP", told["id"])
    assert "7911" not in repr(heard)
    short = called({**told, "source_number": "60777"})
    assert channel.heard(short.url, short.body, short.headers)[0].sender == "60777"


# --- what the doctor sees


def seen(channel: Any) -> list[tuple[Health, str]]:
    found = at_the_provider("account texts", "notify", channel)
    channel.close()
    return [(finding.health, finding.says) for finding in found]


def test_a_doctor_finds_nothing_where_key_and_template_are_right(box: RunningSandbox) -> None:
    assert seen(texts(box)) == seen(mails(box)) == []


def test_a_doctor_sees_a_wrong_key_a_wrong_template_and_words_around_ours(box: RunningSandbox) -> None:
    before = len(box.truth())
    stranger = notify.KEY[:-1] + ("0" if notify.KEY[-1] != "0" else "1")
    ((health, says),) = seen(texts(box, api_key=stranger))
    assert (health, "key" in says) == (Health.WRONG, True)
    ((_, says),) = seen(texts(box, template_id=MAILS))
    assert "kind" in says
    ((_, says),) = seen(texts(box, template_id=notify.SERVICE))
    assert "no such template" in says
    box.control.account_at("notify", words=" Sent by the school.")
    ((_, says),) = seen(mails(box))
    box.control.account_at("notify", words="")
    assert "((body)) alone" in says
    box.control.order("notify:503:stage=template")
    ((health, _),) = seen(texts(box))
    assert health is Health.DOUBTFUL
    assert len(box.truth()) == before


# --- settings, and what is never shown


def test_settings_are_refused_with_what_they_should_be() -> None:
    good = notify.settings("http://127.0.0.1:1")
    settings_notify.Settings(**good)
    for wrong in (
        {"api_key": "no key"},
        {"template_id": "texts"},
        {"api_base_url": "http://notify.example"},
        {"callback_token": "short"},
        {"max_segments": 9},
        {"number": "07400 123456"},
        {"unknown": 1},
    ):
        with pytest.raises(ValidationError) as caught:
            settings_notify.Settings(**{**good, **wrong})
        assert notify.SECRET not in str(caught.value)


def test_the_sandbox_talks_to_this_machine_alone() -> None:
    told = {**notify.settings("http://127.0.0.1:1"), "api_base_url": None}
    with pytest.raises(SetupError):
        sms.kit.open("office", settings_notify.Settings(**told), AROUND)
    world = Surroundings("school", "GB", "https://school.example")
    sms.kit.open("office", settings_notify.Settings(**told), world).close()


def test_no_log_has_a_number_a_word_or_the_key(box: RunningSandbox, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    channel = texts(box)

    async def items() -> AsyncIterator[Item]:
        for number in range(1, 12):
            yield one(channel, number, Recipient(f"+4479117770{number:02d}"))

    async def send() -> None:
        box.control.order("notify:number:rate=0.3", "notify:500-after-accept:rate=0.3")
        async for _ in channel.send_many(items(), may_start=lambda _: True):
            pass

    asyncio.run(send())
    channel.close()
    told = caplog.text + repr(channel) + repr(channel._gateway)
    for private in ("79117770", "Rehearsal", notify.SECRET, notify.CALLBACK_TOKEN, key(3).token):
        assert private not in told
