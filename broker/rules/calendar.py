"""The calendar: whose bank holidays are the school's, and until when what fell due while nothing ran still goes."""

from __future__ import annotations

from typing import Any

from broker.diary.calendar import CalendarRefused, check_region
from broker.rules.case import Family
from broker.rules.parameters import Kind, Parameter

BANK_HOLIDAYS = "calendar.bank_holidays"
_DEFAULT = "GB-ENG"


def _known(value: Any) -> str:
    if len(value) > 1:
        return "names more than one region"
    try:
        if value and value[0] != _DEFAULT:  # asking loads the whole world's holidays
            check_region(value[0])
    except CalendarRefused as refused:
        return f"names a region whose bank holidays are not known: {refused.problem.hint}"
    return ""


PARAMETERS = (
    Parameter(
        BANK_HOLIDAYS,
        Kind.WORDS,
        _DEFAULT,
        "Whose bank holidays count as no day of term: GB-ENG, GB-WLS, GB-SCT, GB-NIR, or any other country of the"
        " `holidays` package; empty for none.",
        "R2: reminders term after term, and none on a day when nobody comes",
        check=_known,
    ),
)

FAMILY = Family("calendar", PARAMETERS)
