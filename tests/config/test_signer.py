"""What the school signs holds for its one purpose alone, and the key is made once and kept from others."""

from __future__ import annotations

import re
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.address import AddressKind
from broker.errors import MissingSetting
from config.signer import HmacSigner, key_in

SIGNER = HmacSigner(b"x" * 40)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_what_was_signed_is_read_again(value: str) -> None:
    token = SIGNER.sign("attempt", value)
    assert re.fullmatch(r"[A-Za-z0-9_.-]+", token)
    assert SIGNER.verify("attempt", token) == value


@given(st.text(max_size=100))
def test_whatever_else_comes_is_no_token_and_no_error(token: str) -> None:
    assert SIGNER.verify("attempt", token) is None


@given(st.integers(0, 60), st.sampled_from("abcXYZ019-_.=+/ "))
def test_a_token_with_one_character_changed_does_not_hold(place: int, character: str) -> None:
    token = SIGNER.sign("attempt", "12345678901234567890")
    place %= len(token)
    changed = token[:place] + character + token[place + 1 :]
    assert changed == token or SIGNER.verify("attempt", changed) is None


@pytest.mark.parametrize("instead", ["+", "/", "-", "_"])
def test_a_signature_has_one_spelling(instead: str) -> None:
    tokens = [SIGNER.sign("attempt", str(number)) for number in range(200)]
    for token in tokens:
        body, _, mac = token.partition(".")
        for place in (place for place, one in enumerate(mac) if one in "-_"):
            spelt = f"{body}.{mac[:place]}{instead}{mac[place + 1 :]}"
            assert spelt == token or SIGNER.verify("attempt", spelt) is None


def test_a_token_serves_one_purpose_and_one_school() -> None:
    token = SIGNER.sign("attempt", "7")
    assert SIGNER.verify("unsubscribe", token) is None
    assert HmacSigner(b"y" * 40).verify("attempt", token) is None


def test_an_address_is_found_again_by_its_hash_and_kinds_are_apart() -> None:
    first = SIGNER.hash_address(AddressKind.MOBILE, "+447911123456")
    assert first == SIGNER.hash_address(AddressKind.MOBILE, "+447911123456")
    assert len(first) == 32
    assert first != SIGNER.hash_address(AddressKind.EMAIL, "+447911123456")


def test_the_key_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    folder = tmp_path / "var"
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: key_in(folder), range(32)))
    assert len(keys) == 1
    assert [path.name for path in folder.iterdir()] == ["secret.key"]
    assert stat.S_IMODE((folder / "secret.key").stat().st_mode) == 0o600


@pytest.mark.parametrize("trouble", ["open to others", "damaged", "a folder"])
def test_a_key_that_cannot_be_trusted_is_refused(tmp_path: Path, trouble: str) -> None:
    path = tmp_path / "secret.key"
    if trouble == "a folder":
        path.mkdir(mode=0o700)
    else:
        path.write_text("k" * (10 if trouble == "damaged" else 40))
        path.chmod(0o600 if trouble == "damaged" else 0o644)
    with pytest.raises(MissingSetting) as caught:
        key_in(tmp_path)
    assert caught.value.problems[0].field == "CARILLON_SECRET_KEY"
