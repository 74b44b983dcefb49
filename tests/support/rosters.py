"""Small rosters for tests, written as files because files are what goes wrong."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from broker.rosters.roster import Roster
from sources.rosters import LIMITS, Limits, RosterRefused, read

TODAY = date(2026, 11, 22)
PEOPLE_HEADERS = "id,role,given_name,family_name,mobile,email,year,form,groups,guardian_of,blocked_from"

USERS = (
    "sourcedId,status,enabledUser,role,givenName,familyName,email,sms,phone,agentSourcedIds,grades,password"
)
CLASSES = "sourcedId,status,title,courseSourcedId,classCode,classType,schoolSourcedId,termSourcedIds"
ENROLMENTS = "sourcedId,status,classSourcedId,userSourcedId,role,beginDate,endDate"
MANIFEST = "propertyName,value\noneroster.version,1.1\n"


def reading(path: Path, *, region: str = "GB", today: date = TODAY, limits: Limits = LIMITS) -> Roster:
    return read(path, region=region, today=today, limits=limits)


def people_csv(folder: Path, *rows: str, headers: str = PEOPLE_HEADERS) -> Path:
    path = folder / "people.csv"
    path.write_text("\n".join([headers, *rows, ""]), encoding="utf-8")
    return path


def oneroster(folder: Path, manifest: str = MANIFEST, **files: list[str]) -> Path:
    """A OneRoster folder; each file is its lines, headers first, under its name without .csv."""
    (folder / "manifest.csv").write_text(manifest, encoding="utf-8")
    for name, lines in files.items():
        (folder / f"{name}.csv").write_text("\n".join([*lines, ""]), encoding="utf-8")
    return folder


def zipped(path: Path, entries: Mapping[str, str | bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def refused(path: Path, *, limits: Limits = LIMITS) -> tuple[str, str]:
    """Read a roster that must be refused whole; its code and where."""
    with pytest.raises(RosterRefused) as refusal:
        reading(path, limits=limits)
    problem = refusal.value.problem
    assert problem.message
    assert problem.hint
    return problem.code, problem.field


def told(roster: Roster) -> list[tuple[str, int, str, str]]:
    """The problems, without their words."""
    return [(problem.file, problem.row, problem.column, problem.code) for problem in roster.problems]
