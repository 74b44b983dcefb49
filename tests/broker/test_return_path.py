"""A return path carries an attempt through mail servers, and nothing that is not one of ours is taken for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.incoming.return_path import LONGEST_LOCAL, return_path, token_in
from config.signer import HmacSigner

SIGNER = HmacSigner(b"a secret of the tests")
MAILBOX = "bounces@school.example"


def path(attempt: int, mailbox: str = MAILBOX) -> str:
    return return_path(mailbox, SIGNER.sign("attempt", str(attempt)))


@given(st.integers(0, 2**63 - 1), st.sampled_from(["b@s.example", MAILBOX, "mail-return@x.example"]))
def test_every_attempt_comes_back_whole_even_where_capitals_are_folded(attempt: int, mailbox: str) -> None:
    signed = path(attempt, mailbox)
    assert len(signed.partition("@")[0]) <= LONGEST_LOCAL
    for spelled in (signed, signed.upper(), f"<{signed}>", f" {signed} "):
        assert SIGNER.verify("attempt", token_in(spelled)) == str(attempt)


@given(st.text(max_size=200))
def test_nothing_else_is_taken_for_a_token(address: str) -> None:
    token = token_in(address)
    assert SIGNER.verify("attempt", token) is None


@pytest.mark.parametrize(
    "address",
    [
        MAILBOX,
        "bounces+@school.example",
        "bounces+7@school.example",
        "bounces+7-abc@school.example",
        "bounces+٧-" + "0" * 32 + "@school.example",
        "a+" * 5_000 + "7-" + "0" * 32 + "@school.example",
    ],
)
def test_what_is_no_return_path_holds_no_token(address: str) -> None:
    assert SIGNER.verify("attempt", token_in(address)) is None


def test_one_changed_character_breaks_the_signature() -> None:
    signed = path(7)
    at = signed.index("-") + 5
    other = "0" if signed[at] != "0" else "1"
    assert SIGNER.verify("attempt", token_in(signed[:at] + other + signed[at + 1 :])) is None
    assert SIGNER.verify("attempt", token_in(signed.replace("+7-", "+8-"))) is None


@pytest.mark.parametrize("token", ["", "x", "token-of-7", "é.é", "...", "Nw." + "A" * 400])
def test_without_a_token_it_is_the_mailbox_itself(token: str) -> None:
    assert return_path(MAILBOX, token) == MAILBOX
