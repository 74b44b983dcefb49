"""What the doctor finds: one thing looked at, and how it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """How a finding is to be taken."""

    WELL = "well"
    DOUBTFUL = "doubtful"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: what, how it is, what was seen, and what to do about it."""

    subject: str
    health: Health
    says: str
    hint: str = ""
