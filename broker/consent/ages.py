"""How old a pupil is: by the birth date, else no older than the youngest of the year group, else nobody knows.

Where there is a limit, who might be under it is taken to be.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

ANY = "*"
_WRITTEN = re.compile(r"(?:([a-z0-9_-]{1,63}) )?(\d{1,2}) from (\d{4}-\d{2}-\d{2})", re.ASCII)
_YEAR = re.compile(r"\d{1,2}", re.ASCII)
RECEPTION = "R"


@dataclass(frozen=True, slots=True)
class Limit:
    """An age that counts from a day on, for one channel or for any."""

    channel: str
    age: int
    valid_from: date


@lru_cache(maxsize=64)
def limits_of(written: Sequence[str]) -> tuple[Limit, ...]:
    """Limits as a school writes them: `whatsapp 13 from 2024-04-11`, or without a channel. Raises ValueError."""
    found = []
    for one in written:
        told = _WRITTEN.fullmatch(" ".join(one.split()))
        if told is None:
            raise ValueError(f"cannot read {one[:40]}")
        found.append(Limit(told[1] or ANY, int(told[2]), date.fromisoformat(told[3])))
    if len({(each.channel, each.valid_from) for each in found}) < len(found):
        raise ValueError("gives one channel two ages from the same day")
    return tuple(found)


def limit_on(limits: Sequence[Limit], channel: str, day: date) -> int | None:
    """The age that counts on a day; None where there is no limit yet."""
    valid = [each for each in limits if each.channel in (channel, ANY) and each.valid_from <= day]
    return max(valid, key=lambda each: each.valid_from).age if valid else None


def is_under(age: int, born: date | None, year: str, day: date) -> bool:
    """Whether a pupil is younger than this, or may be."""
    latest = born or latest_birth(year, day)
    return latest is None or age_on(latest, day) < age


def age_on(born: date, day: date) -> int:
    """Whole years; who was born on 29 February has a birthday on 1 March in other years."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def latest_birth(year: str, day: date) -> date | None:
    """The birthday of the youngest who may be in a year group of England's; None where the group says nothing.

    Year 7 are those who turn 12 in the school year that begins in September.
    """
    if year != RECEPTION and not _YEAR.fullmatch(year):
        return None
    number = 0 if year == RECEPTION else int(year)
    september = day.year if day.month >= 9 else day.year - 1
    return date(september - number - 4, 8, 31)
