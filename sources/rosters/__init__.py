"""Rosters: who is in the school, from a OneRoster export, a simple people.csv, or reports of the school's own.

`read` is the way in, and `read_reports` where a mapping says what a report's columns hold. A fault of the file
refuses it whole; a fault of a value drops that value or link, keeps the person and stands in the roster's problems.
Formats and columns: docs/rosters.md.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from broker.rosters.roster import Roster
from sources.rosters import oneroster, people_csv
from sources.rosters.archive import open_files
from sources.rosters.errors import RosterRefused, refuse
from sources.rosters.limits import LIMITS, Limits
from sources.rosters.mapped import Report, Shown, first_row, headers, preview, samples
from sources.rosters.mapped import read as read_reports
from sources.rosters.progress import Tell, nothing_to_collect, quiet

__all__ = [
    "LIMITS",
    "Limits",
    "Report",
    "RosterRefused",
    "Shown",
    "first_row",
    "headers",
    "preview",
    "read",
    "read_reports",
    "samples",
]


def read(path: Path, *, region: str, today: date, limits: Limits = LIMITS, tell: Tell = quiet) -> Roster:
    """The roster at `path`: a folder, a zip or a people.csv; what it holds decides how it is read.

    `region` (ISO 3166 alpha-2) reads numbers without a country code, `today` says which roles are held now;
    `tell` hears how far it has come, from 0 to 1.
    Nothing is written. Raises `RosterRefused` with one `Problem` when the file cannot be trusted as a whole.
    """
    with nothing_to_collect(), open_files(path, limits, tell) as files:
        if oneroster.MANIFEST in files:
            return oneroster.read(files, region=region, today=today)
        if people_csv.NAME not in files:
            refuse(
                "no_roster",
                path.name,
                "There is no roster here: neither a manifest.csv (OneRoster) nor a people.csv.",
                "Give the OneRoster zip or folder as your school's system exported it, or a people.csv.",
            )
        return people_csv.read(files, region=region, today=today)
