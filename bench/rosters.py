"""How long a large school's roster takes, first and again, and how much memory: `python -m bench.rosters [--json]`.

OneRoster 1.1 as a folder of CSV: 50,000 people, half of them pupils, with 400,000 enrolments. The command itself is
run, as a process of its own, against a real PostgreSQL; its memory is the peak that the kernel tells of it.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.words import email, mobile
from tests.support.postgres import PostgresServer

PEOPLE = 50_000
ENROLMENTS = 400_000
STAFF_IN = 25  # one in so many
MEBIBYTE = 1024 * 1024
SETTINGS = {
    "CARILLON_OPERATOR": "bench",
    "CARILLON_SANDBOX": "true",
    "CARILLON_SECRET_KEY": "a-secret-of-the-bench-and-of-nobody-else",
}


@dataclass(frozen=True)
class Imported:
    """What one import came to."""

    what: str
    seconds: float
    cpu_seconds: float  # of the command; the database's own come on top
    peak_mib: int
    new: int
    unchanged: int


def write_roster(folder: Path, people: int = PEOPLE, enrolments: int = ENROLMENTS) -> None:
    """A school of so many: pupils, a guardian for each, and staff; classes of thirty."""
    staff = people // STAFF_IN
    pupils = (people - staff) // 2
    classes = max(enrolments // 30, 1)
    _write(
        folder,
        "manifest",
        ("propertyName", "value"),
        [("oneroster.version", "1.1"), ("manifest.version", "1.0")],
    )
    sessions = ("sourcedId", "title", "type", "startDate", "endDate")
    _write(folder, "academicSessions", sessions, [("y", "2026/27", "schoolYear", "2026-09-01", "2027-07-20")])
    headers: tuple[str, ...] = ("sourcedId", "enabledUser", "role", "givenName", "familyName", "email", "sms")
    headers += ("agentSourcedIds", "grades")
    _write(folder, "users", headers, _users(pupils, people - staff - pupils, staff))
    headers = ("sourcedId", "title", "classType", "termSourcedIds")
    _write(folder, "classes", headers, ((f"c{n}", f"Class {n}", "scheduled", "y") for n in range(classes)))
    headers = ("sourcedId", "classSourcedId", "userSourcedId", "role", "beginDate", "endDate")
    # Sixteen odd steps through the pupils: nobody is twice in one class.
    rows = (
        (
            f"e{n}",
            f"c{n % classes}",
            f"p{(n * 7 + n // classes) % pupils}",
            "student",
            "2026-09-01",
            "2027-07-20",
        )
        for n in range(enrolments)
    )
    _write(folder, "enrollments", headers, rows)


def _users(pupils: int, guardians: int, staff: int) -> Iterable[Sequence[str]]:
    for n in range(pupils):
        yield f"p{n}", "true", "student", f"Given{n}", f"Family{n // 2}", "", "", f"g{n}", str(7 + n % 7)
    for n in range(guardians):
        yield (
            f"g{n}",
            "true",
            "guardian",
            f"Guardian{n}",
            f"Family{n // 2}",
            email(n),
            mobile(n),
            f"p{n % pupils}",
            "",
        )
    for n in range(staff):
        yield f"t{n}", "true", "teacher", f"Teacher{n}", f"Name{n}", email(guardians + n), "", "", ""


def _write(folder: Path, name: str, headers: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(headers)
        writer.writerows(rows)


def measure(people: int = PEOPLE, enrolments: int = ENROLMENTS) -> Sequence[Imported]:
    """The first import, the same again, and one in which a tenth of a tenth has changed."""
    server = PostgresServer().start()
    try:
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made) / "roster"
            folder.mkdir()
            write_roster(folder, people, enrolments)
            environment = {**os.environ, **SETTINGS, "CARILLON_DATABASE_URL": server.fresh()}
            environment["CARILLON_DATA_DIR"] = made
            _run(environment, "db", "upgrade")
            first = _import("first", environment, folder)
            again = _import("again, nothing changed", environment, folder)
            _change(folder / "users.csv")
            return [first, again, _import("again, one family name in a hundred changed", environment, folder)]
    finally:
        server.stop()


def _change(users: Path) -> None:
    with users.open(encoding="utf-8", newline="") as file:
        headers, *rows = csv.reader(file)
    for row in rows[::100]:
        row[4] += "son"
    _write(users.parent, "users", headers, rows)


def _import(what: str, environment: dict[str, str], folder: Path) -> Imported:
    began = time.monotonic()
    told, cpu, peak = _run(environment, "people", "import", str(folder), "--yes", "--json")
    took = time.monotonic() - began
    people = told["people"]
    done = Imported(what, round(took, 1), cpu, peak, people["new"], people["unchanged"])
    spent = f"{done.seconds:.1f} s ({cpu:.1f} s of CPU), {peak} MiB"
    print(f"{what}: {spent}, {done.new:,} new, {done.unchanged:,} as before", flush=True)
    return done


def _run(environment: dict[str, str], *argv: str) -> tuple[dict[str, Any], float, int]:
    """One command in a process of its own: the last line of its answer, its seconds of CPU and its peak of memory."""
    program = "import resource, sys; from cli.app import main; code = main(sys.argv[1:])\n"
    program += "used = resource.getrusage(resource.RUSAGE_SELF)\n"
    program += "print(used.ru_utime + used.ru_stime, used.ru_maxrss); sys.exit(code)"
    command = [sys.executable, "-c", program, *argv]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        raise RuntimeError(f"{argv}: {done.stdout[-500:]} {done.stderr[-500:]}")
    *answer, used = done.stdout.splitlines()
    cpu, peak = used.split()
    unit = 1024 if sys.platform != "darwin" else 1
    told = json.loads(answer[-1]) if "--json" in argv else {}
    return told, round(float(cpu), 1), int(peak) * unit // MEBIBYTE


def main() -> int:
    """Measure, say, end. Sizes may be given: PEOPLE ENROLMENTS."""
    sizes = [int(one) for one in sys.argv[1:] if one.isdigit()]
    found = measure(*sizes)
    for one in found:
        print(
            f"{one.what}: {one.seconds:.1f} s, {one.peak_mib} MiB, {one.new:,} new, {one.unchanged:,} as before"
        )
    if "--json" in sys.argv:
        print(json.dumps([asdict(one) for one in found]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
