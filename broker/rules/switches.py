"""Kill switches: an account, a channel, a department or everything, off within a second and on again by a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class SwitchKind(StrEnum):
    """What a switch is about; an account's switch is its pause, so that there is one truth about it."""

    ACCOUNT = "account"
    CHANNEL = "channel"
    DEPARTMENT = "department"
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class Switch:
    """Something that is switched off: since when, by whom and why."""

    kind: SwitchKind
    subject: str
    why: str
    off_at: datetime
    off_by: str
