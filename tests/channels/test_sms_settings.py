"""An account's settings: every fault told in words, and no secret among them."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from broker.channel import Surroundings
from broker.errors import SetupError
from channels.sms import kit
from channels.sms.settings import Settings
from tests.channels.twilio_support import SERVICE, settings

SANDBOX = Surroundings("school", "GB", sandbox=True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"account_sid": "ACnonsense"},
        {"auth_token": ""},
        {"messaging_service_sid": "XX1"},
        {"messaging_service_sid": None},
        {"sender": "Hill School"},  # and a messaging service as well
        {"messaging_service_sid": None, "sender": "A name too long"},
        {"messaging_service_sid": None, "sender": "Hill & Co"},
        {"api_base_url": "http://api.twilio.com"},
        {"api_base_url": "https://user:secret@127.0.0.1"},
        {"api_base_url": "nonsense"},
        {"in_flight": 0},
        {"max_segments": 10},
        {"per_second": 0},
        {"colour": "blue"},
    ],
)
def test_wrong_settings_are_refused_and_not_repeated(wrong):
    with pytest.raises(ValidationError) as caught:
        settings("http://127.0.0.1:9", **wrong)
    assert "sandbox-auth-token" not in str(caught.value)
    assert "secret@" not in str(caught.value)


def test_a_name_a_number_or_a_pool_can_send():
    assert settings(None, messaging_service_sid=None, sender="Hill School").sender
    assert settings(None, messaging_service_sid=None, sender="+447911123456").sender
    assert settings(None).messaging_service_sid == SERVICE


def test_the_token_is_never_shown():
    assert "sandbox-auth-token" not in repr(settings(None))


@pytest.mark.parametrize(
    "url", [None, "https://api.twilio.com", "https://127.0.0.1.example.com", "https://10.0.0.1"]
)
def test_in_sandbox_mode_no_text_goes_further_than_this_machine(url):
    with pytest.raises(SetupError) as caught:
        kit.open("office", settings(url), SANDBOX)
    (problem,) = caught.value.problems
    assert (problem.code, problem.field) == ("not_loopback", "api_base_url")


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://localhost:9", "http://[::1]:9"])
def test_a_stand_in_on_this_machine_is_welcome(url):
    channel = kit.open("office", settings(url), SANDBOX)
    channel.close()


def test_the_kit_names_the_settings_it_wants():
    assert kit.settings is Settings
    assert kit.name == "sms"
