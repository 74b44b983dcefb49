"""Erasing beside an import in hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import select

from broker.privacy import erasure
from broker.privacy.erasure import Ground
from ledger import tables as t
from ledger.rosters import staging
from tests.support.planted import GUARDIAN, OFFICE, Planted


def erase(planted: Planted, who: str = GUARDIAN) -> None:
    erasure.erase(planted.world.ports, who, confirmed=who, ground=Ground.REQUEST, actor=OFFICE)


def test_an_import_in_hand_does_not_bring_back_who_is_erased_meanwhile(
    planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = staging.staged
    turns: list[int] = []

    @contextmanager
    def beside(*given: Any) -> Iterator[Any]:
        with real(*given) as staged:
            if not turns:
                erase(planted)
            turns.append(1)
            yield staged

    monkeypatch.setattr("ledger.connect.staged", beside)
    planted.world.bring(planted.school)
    named = planted.world.rows(select(t.person.c.id).where(t.person.c.given_name == "Zephyrine"))
    assert (named, len(turns)) == ([], 2)
