"""Channels come from installed packages, ours and anyone's; two of one name are a fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker.errors import MissingExtra, SetupError, UnknownChannel
from config.registry import Registry
from tests.support.bell import install_plugin


def test_a_plug_in_is_found_beside_our_own(bell: Path) -> None:
    registry = Registry()
    assert {"bell", "email", "sms"} <= set(registry.names())
    assert registry.kit("bell").name == "bell"
    assert registry.kit("bell") is registry.kit("bell")


def test_an_unknown_channel_is_told_with_a_suggestion(bell: Path) -> None:
    with pytest.raises(UnknownChannel) as caught:
        Registry().kit("bel")
    assert caught.value.problems[0].hint == "did you mean bell?"


def test_a_name_that_two_packages_provide_is_a_fault_that_names_both(
    bell: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(
        install_plugin(tmp_path / "other", {"bell": "json:loads"}, package="carillon-gong")
    )
    with pytest.raises(SetupError) as caught:
        Registry().names()
    assert caught.value.problems[0].hint == "uninstall one of: carillon-bell, carillon-gong"


def test_a_word_of_our_own_is_no_name_for_a_channel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(install_plugin(tmp_path / "site", {"urgent": "tests.support.bell:kit"}))
    with pytest.raises(SetupError) as caught:
        Registry().names()
    assert caught.value.problems[0].code == "reserved_channel"


def test_a_missing_extra_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gong.py").write_text("import bronze_that_is_not_there\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.syspath_prepend(
        install_plugin(tmp_path / "site", {"gong": "gong:kit [bronze]"}, package="carillon-gong")
    )
    with pytest.raises(MissingExtra) as caught:
        Registry().kit("gong")
    assert caught.value.problems[0].hint == "pip install 'carillon-gong[bronze]'"
