"""How a text can be stopped: what people send is heard, and a sender that cannot hear says where to stop instead."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.announcement import Content, Part
from broker.capabilities import Hears, SignatureInvalid
from broker.channel import Recipient, Surroundings
from broker.errors import SetupError
from broker.testing.channel_bench import plain
from channels.sms import Sms, kit
from channels.sms.render import ANY_STOP, Style, check, render
from tests.channels.twilio_support import settings, sign

URL = "https://school.example/callbacks/office/inbound"
SID = "SM" + "2" * 32
TEXT = {
    "MessageSid": SID,
    "SmsStatus": "received",
    "From": "+447911123456",
    "To": "+447400123456",
    "Body": "Stop",
}
LINK = "https://school.example/u/" + "k" * len(ANY_STOP)
STYLE = Style(public_url="https://school.example", stop_link=True)


@pytest.fixture(scope="module")
def channel() -> Sms:
    return kit.open("office", settings("http://127.0.0.1:9"), Surroundings("school", "GB", sandbox=True))


def heard(channel: Sms, **fields: str):
    call = sign(URL, {**TEXT, **fields})
    return list(channel.heard(call.url, call.body, call.headers))


def test_a_text_from_outside_is_heard_with_what_the_provider_took_it_for(channel):
    assert issubclass(Sms, Hears)
    (text,) = heard(channel, OptOutType="STOP")
    assert (text.sender, text.text, text.provider_id, text.asked) == ("+447911123456", "Stop", SID, "STOP")
    assert "447911123456" not in repr(text)


def test_news_of_our_own_texts_is_no_text_from_outside_and_the_other_way_round(channel):
    assert heard(channel, MessageStatus="sent") == []
    assert heard(channel, SmsStatus="delivered") == []
    call = sign(URL, TEXT)
    assert list(channel.confirmations(call.url, call.body, call.headers)) == []


@pytest.mark.parametrize("fields", [{"From": ""}, {"MessageSid": "", "SmsSid": ""}, {"MessageSid": "x" * 65}])
def test_a_text_without_a_sender_or_a_name_is_none(channel, fields):
    assert heard(channel, **fields) == []


def test_unsigned_or_signed_for_another_address_or_twice_the_same_field_it_is_refused(channel):
    call = sign(URL, TEXT)
    twice = sign(URL, call.body + b"&Body=START")
    for url, body, headers in (
        (URL, call.body, {}),
        (URL + "x", call.body, call.headers),
        (URL, call.body + b"x", call.headers),
        (URL, sign(URL, TEXT, token="another").body, sign(URL, TEXT, token="another").headers),
        (URL, twice.body, twice.headers),
        (URL, b"x" * 100_000, call.headers),
    ):
        with pytest.raises(SignatureInvalid):
            channel.heard(url, body, headers)


@given(st.binary(max_size=400))
def test_any_body_under_a_good_signature_is_heard_or_refused(channel, body):
    call = sign(URL, body)
    with suppress(SignatureInvalid):
        channel.heard(call.url, call.body, call.headers)


def test_a_name_as_sender_without_a_public_address_does_not_start():
    named = settings("http://127.0.0.1:9", messaging_service_sid=None, sender="Hill School")
    with pytest.raises(SetupError) as caught:
        kit.open("office", named, Surroundings("school", "GB", sandbox=True))
    (problem,) = caught.value.problems
    assert (problem.code, problem.field) == ("no_way_to_stop", "office.sender")
    assert "CARILLON_PUBLIC_URL" in problem.hint


def test_a_name_as_sender_says_in_each_text_where_to_stop():
    named = settings("http://127.0.0.1:9", messaging_service_sid=None, sender="Hill School")
    channel = kit.open("office", named, Surroundings("school", "GB", "https://school.example", sandbox=True))
    to = Recipient("+447911123456", ("Amy", "Ben"), links={"unsubscribe": LINK})
    message = channel.render(plain("School is closed."), to)
    assert message.fields["body"] == f"For Amy and Ben: School is closed.\nNo more texts: {LINK}"
    assert message.parts == 1
    channel.close()


def test_a_number_as_sender_needs_no_link(channel):
    to = Recipient("+447911123456", links={"unsubscribe": LINK})
    assert channel.render(plain("School is closed."), to).fields["body"] == "School is closed."


def test_the_link_counts_when_the_length_is_checked_and_stands_in_a_preview():
    long = Content(1, "", {Part.SHORT: "x" * 150})
    assert not check(long, Style(max_segments=1))
    assert [
        problem.code for problem in check(long, Style(True, 1, "https://school.example", stop_link=True))
    ] == ["text_too_long"]
    shown = render(plain("School is closed."), Recipient("+447911123456"), STYLE).fields["body"]
    assert shown.endswith(f"/u/{ANY_STOP}")
