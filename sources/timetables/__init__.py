"""Timetable changes, as Untis, a table or a calendar tells them; one reader each, one noun for all.

`opened` knows where they lie: a file, the newest file of a folder, or an address.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from zoneinfo import ZoneInfo

from broker.diary.timetable import TimetableChange
from sources.timetables import calendar, gpu014, mapped


class Format(StrEnum):
    """How a timetable's file is written."""

    UNTIS = "untis"  # GPU014.TXT
    CSV = "csv"
    ICS = "ics"


@dataclass(frozen=True, slots=True)
class Reading:
    """How a source is read. Empty: found out by itself."""

    format: Format = Format.UNTIS
    encoding: str = ""
    delimiter: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)


def read(data: bytes, reading: Reading, zone: ZoneInfo) -> tuple[list[TimetableChange], int]:
    """The changes of a file, and how many rows it has. Raises TimetableRefused, with nothing half read."""
    encoding, delimiter = reading.encoding, reading.delimiter
    if reading.format is Format.ICS:
        return calendar.read(data, zone=zone, encoding=encoding)
    if reading.format is Format.CSV:
        return mapped.read(
            data, columns=reading.columns, kinds=reading.kinds, encoding=encoding, delimiter=delimiter
        )
    return gpu014.read(data, encoding=encoding, delimiter=delimiter)
