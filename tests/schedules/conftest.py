"""A choir with a term calendar; on SQLite time moves when the test says so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

from broker.diary.calendar import Span, SpanKind
from broker.testing.clock import PretendClock
from config.signer import HmacSigner
from ledger.connect import Ledger, open_ledger
from ledger.setup import ConfiguredAccount, School, install
from tests.support.broker_world import World
from tests.support.school import SmallSchool

SCHOOL = School("st-brides", "St Bride's", "Europe/London", "en-GB", "GB")
TERMS = [
    Span(SpanKind.TERM, "Autumn", date(2026, 9, 1), date(2026, 12, 18)),
    Span(SpanKind.HALF_TERM, "", date(2026, 10, 26), date(2026, 10, 30)),
    Span(SpanKind.INSET, "", date(2026, 11, 24), date(2026, 11, 24)),
    Span(SpanKind.TERM, "Spring", date(2027, 1, 5), date(2027, 3, 26)),
    Span(SpanKind.HALF_TERM, "", date(2027, 2, 15), date(2027, 2, 19)),
    Span(SpanKind.TERM, "Summer", date(2027, 4, 12), date(2027, 7, 21)),
    Span(SpanKind.HALF_TERM, "", date(2027, 5, 31), date(2027, 6, 4)),
]


@pytest.fixture
def world(ledger_url: str) -> Iterator[World]:
    signer = HmacSigner(b"a secret of the tests")
    ledger = open_ledger(ledger_url, signer)
    yield _choir(ledger, signer)
    ledger.close()


@pytest.fixture
def clock() -> PretendClock:
    return PretendClock(datetime(2026, 9, 1, 6, tzinfo=UTC))


@pytest.fixture
def clocked(tmp_path, sqlite_template, clock: PretendClock) -> Iterator[World]:
    """On SQLite, where the process's clock is the ledger's."""
    path = tmp_path / "clocked.sqlite3"
    path.write_bytes(sqlite_template.read_bytes())
    signer = HmacSigner(b"a secret of the tests")
    ledger = open_ledger(f"sqlite:///{path}", signer)
    ledger.dialect._clock = clock  # type: ignore[attr-defined]
    yield _choir(ledger, signer)
    ledger.close()


def choir() -> SmallSchool:
    school = SmallSchool()
    for n in range(3):
        pupil = school.pupil(f"Pupil{n}", "Choir")
        school.guardian(f"Parent{n}", pupil, mobiles=(f"+4479111234{n:02d}",), emails=(f"p{n}@example.org",))
    return school


def _choir(ledger: Ledger, signer: HmacSigner) -> World:
    accounts = [ConfiguredAccount("texts", "sms"), ConfiguredAccount("mails", "email")]
    install(ledger, SCHOOL, {"music": "Music", "office": "School office"}, accounts)
    world = World.over(ledger, signer)
    world.bring(choir())
    with ledger.begin() as tx:
        tx.calendars.replace(TERMS, by="test")
    return world
