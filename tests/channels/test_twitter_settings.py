"""An account's settings, and an account without its extra."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import ValidationError

from broker.errors import SetupError
from channels.twitter import kit
from tests.channels.twitter_support import AROUND, settings


def test_an_account_that_is_whole_is_taken() -> None:
    assert settings(None).user_id == "1500000000000000001"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("notice_route", None),
        ("notice_route", "  "),
        ("notice_route", "the gate\x00"),
        ("consumer_key", ""),
        ("consumer_secret", None),
        ("access_token", "no-account"),
        ("access_token", "１５-token"),
        ("access_token_secret", ""),
        ("plan", "free"),
        ("api_base_url", "https://api.example.org"),
        ("api_base_url", "http://192.0.2.7"),
        ("api_base_url", "http://user@127.0.0.1:1"),
        ("protectd", True),
    ],
)
def test_what_an_account_cannot_do_with_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(None, **{field: value})
    assert "sandbox-consumer-secret" not in str(caught.value)


def test_no_secret_can_be_read_in_settings() -> None:
    assert "sandbox-" not in repr(settings(None))


@pytest.mark.parametrize("sandbox", [True, False])
def test_the_sandbox_posts_to_this_machine_alone(sandbox: bool) -> None:
    around = replace(AROUND, sandbox=sandbox)
    if not sandbox:
        kit.open("music", settings(None), around).close()
        return
    with pytest.raises(SetupError) as caught:
        kit.open("music", settings(None), around)
    assert caught.value.problems[0].code == "not_loopback"
