"""Losing Redis changes no outcome: one week twice, with a queue that keeps hints and with one that loses them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from broker.announcement import Part, Step
from broker.values import FanOutHint
from config.signer import HmacSigner
from ledger.connect import open_ledger
from ledger.migrate import upgrade
from ledger.setup import ConfiguredAccount, School, install
from tests.support.broker_world import World
from tests.support.every_kind import ACCOUNTS, EveryKind, world_of_every_kind
from tests.support.invariants import Seen, check_in_the_end, pace_is_kept, the_same_outcome
from tests.support.postgres import PostgresServer
from tests.support.school import SmallSchool

SCHOOL = School("st-brides", "St Bride's", "Europe/London", "en-GB", "GB")


@pytest.fixture
def two_worlds(ledger_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[list[World]]:
    if ledger_url.startswith("sqlite"):
        other = tmp_path / "other.sqlite3"
        shutil.copy(request.getfixturevalue("sqlite_template"), other)
        urls = [ledger_url, f"sqlite:///{other}"]
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        urls = [ledger_url, server.fresh(server.template("ledger", upgrade))]
    signer = HmacSigner(b"a secret of the tests")
    ledgers = [open_ledger(url, signer) for url in urls]
    accounts = [ConfiguredAccount(account, channel) for channel, account in ACCOUNTS.items()]
    for ledger in ledgers:
        install(ledger, SCHOOL, {"office": "School office"}, accounts)
    yield [world_of_every_kind(ledger, signer) for ledger in ledgers]
    for ledger in ledgers:
        ledger.close()


def a_week(world: World, *, loses: bool) -> Seen:
    school = SmallSchool()
    for n in range(8):
        pupil = school.pupil(f"Pupil{n}")
        numbers = (f"+4479111234{n:02d}",) if n else ()
        school.guardian(f"Parent{n}", pupil, mobiles=numbers, emails=(f"p{n}@example.org",))
    world.bring(school)
    said = [
        world.announce(ways=(Step(tuple(ACCOUNTS)),), parts={Part.SHORT: f"Notice {n}."}) for n in range(3)
    ]
    for turn in range(6):
        if loses:
            world.hints.flush()
        world.sweep()
        if loses and turn % 2:
            world.hints.flush()
        while (hint := world.hints.take()) is not None:
            if isinstance(hint, FanOutHint):
                world.plan(next(one for one in said if one.public_id == hint.announcement))
            else:
                world.send(hint.account, hint.lane)
    assert isinstance(world.channels, EveryKind)
    return world.channels.seen(world.ledger, accepted=[one.public_id for one in said])


def test_who_was_reached_is_the_same_with_hints_and_without(two_worlds: list[World]) -> None:
    kept, lost = (a_week(world, loses=loses) for world, loses in zip(two_worlds, (False, True), strict=True))
    check_in_the_end(kept)
    check_in_the_end(lost)
    assert list(the_same_outcome(kept, lost)) == []
    assert kept.count() == {
        ("sms", "sent"): 21,
        ("email", "sent"): 24,
        ("rss", "sent"): 3,
        ("twitter", "sent"): 3,
    }


def test_a_pace_that_is_broken_for_a_moment_is_seen() -> None:
    noon = datetime(2026, 11, 2, 12, tzinfo=UTC)
    even = [noon + timedelta(seconds=n / 5) for n in range(200)]
    assert list(pace_is_kept(even, 5.0)) == []
    assert list(pace_is_kept([*even, *even[50:55]], 5.0)) != []
