"""How long a large timetable's difference takes: `python -m bench.timetable [--rows N] [--json]`.

A GPU014 of 20,000 rows, on both databases. Over a school year: read and kept for the first time, again with nothing
changed, and again with one row in a hundred changed, of which none is within the horizon. Then 20,000 for tomorrow
alone: what each class would be told is worked out, and held, for it is far more than usual. Wanted: 5 s each.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from zoneinfo import ZoneInfo

from broker.actor import SYSTEM
from broker.diary import timetables
from broker.diary.timetable_sources import TimetableSource
from broker.diary.timetables import Export
from broker.ports import Ports
from broker.rosters.imports import import_roster
from broker.testing.hints import PretendHints
from config.signer import HmacSigner
from ledger import migrate
from ledger.connect import Ledger, open_ledger
from ledger.setup import School, install
from sources.timetables import Reading, read
from tests.support.broker_world import PretendChannels
from tests.support.postgres import PostgresServer
from tests.support.school import SmallSchool

ROWS = 20_000
DAYS = 300
FIRST_DAY = 30  # from today on: beyond the horizon of ten school days
WANTED = timedelta(seconds=5)
ZONE = ZoneInfo("Europe/London")


@dataclass(frozen=True)
class Pushed:
    """What one push came to."""

    database: str
    what: str
    seconds: float
    cpu_seconds: float  # of this process; the database's own come on top
    rows: int
    changes: int


def gpu014(rows: int, *, changed: int = 0, begins: int = FIRST_DAY, days: int = DAYS) -> bytes:
    """A file of so many rows; of the first `changed` of them the room is another."""
    first = datetime.now(UTC).date() + timedelta(days=begins)
    lines = (
        f'{n},"{first + timedelta(days=n % days):%Y%m%d}",{n % 8 + 1},{n % 90},{n},"T{n % 70}","T{n % 69}","Ma",,,,'
        f'"R{n % 60}","{"Hall" if n < changed else f"R{n % 59}"}",,"{n % 7 + 5}A~{n % 7 + 5}B","Reason",,0,,S,,\n'
        for n in range(rows)
    )
    return "".join(lines).encode("iso-8859-1")


@contextmanager
def ledgers() -> Iterator[Sequence[tuple[str, Ledger]]]:
    """A fresh ledger on each database."""
    signer = HmacSigner(b"a secret of the bench and of nobody else")
    server = PostgresServer().start()
    opened: list[tuple[str, Ledger]] = []
    try:
        with tempfile.TemporaryDirectory() as made:
            urls = {"sqlite": f"sqlite:///{Path(made) / 'bench.db'}", "postgresql": server.fresh()}
            for name, url in urls.items():
                migrate.upgrade(url)
                ledger = open_ledger(url, signer)
                school = School("st-brides", "St Bride's", "Europe/London", "en-GB", "GB")
                install(ledger, school, {"office": "School office"}, [])
                opened.append((name, ledger))
            yield opened
    finally:
        for _, ledger in opened:
            ledger.close()
        server.stop()


def measure(rows: int = ROWS) -> Sequence[Pushed]:
    """Four pushes on each database."""
    steps = [
        ("first", gpu014(rows)),
        ("again, nothing changed", gpu014(rows)),
        ("again, one in a hundred changed", gpu014(rows, changed=rows // 100)),
        ("all for tomorrow, and held", gpu014(rows, begins=1, days=1)),
    ]
    found = []
    signer = HmacSigner(b"a secret of the bench and of nobody else")
    with ledgers() as opened:
        for name, ledger in opened:
            ports = Ports(ledger, PretendHints(), signer, PretendChannels())
            import_roster(ports, _school().roster(), actor=SYSTEM, expect_leaving=None)
            found += [_push(ports, name, what, data) for what, data in steps]
    return found


def _school() -> SmallSchool:
    """A pupil in each of the classes that the file names."""
    school = SmallSchool()
    for year, form in product(range(5, 12), "AB"):
        school.pupil(f"P{year}{form}", f"{year}{form}")
    return school


def _push(ports: Ports, database: str, what: str, data: bytes) -> Pushed:
    began, cpu = time.monotonic(), time.process_time()
    changes, rows = read(data, Reading(), ZONE)
    source = TimetableSource("untis", "office", "Timetable", days=10)
    pushed = timetables.push(ports, source, Export(changes, rows), actor=SYSTEM)
    took, used = time.monotonic() - began, time.process_time() - cpu
    return Pushed(database, what, round(took, 2), round(used, 2), pushed.rows, pushed.changes)


def main() -> int:
    """Measure and say; 1 when a push took longer than wanted."""
    parser = argparse.ArgumentParser(prog="python -m bench.timetable", description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = measure(asked.rows)
    for one in found:
        spent = f"{one.seconds:.2f} s ({one.cpu_seconds:.2f} s of CPU)"
        print(f"{one.database}, {one.what}: {spent}, {one.rows:,} rows, {one.changes:,} changes")
    if asked.json:
        print(json.dumps([asdict(one) for one in found]))
    return int(any(one.seconds > WANTED.total_seconds() for one in found))


if __name__ == "__main__":
    raise SystemExit(main())
