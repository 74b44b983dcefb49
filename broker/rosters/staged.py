"""A staged import: files that somebody chose, what they would change, and that nobody has taken in yet.

It outlasts a page, a browser and a process: whoever answers for the school looks at it, types how many leave where it
is many, and takes it in or throws it away. Its files hold names and numbers, so it is gone within a day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

LASTS = timedelta(hours=24)  # from being chosen to being forgotten, taken in or not
# Whoever works on it says so every second, but for one long question to the database: silent for longer, it has died.
SILENT = timedelta(minutes=3)
MOST_WAITING = 20  # at once: each holds a file
MOST_FILES = 5  # reports that belong together
LONGEST_FILE_NAME = 200


class StagedKind(StrEnum):
    """What the files hold."""

    PEOPLE = "people"
    GROUP = "group"  # the members of one group kept by hand
    CONSENT = "consent"
    TERMS = "terms"


class StagedStage(StrEnum):
    """How far it is."""

    ASKING = "asking"  # how the school's own columns are to be read
    READING = "reading"
    READ = "read"  # the difference is known
    REFUSED = "refused"
    TAKING = "taking"
    TAKEN = "taken"
    THROWN_AWAY = "thrown_away"

    @property
    def over(self) -> bool:
        """Whether nothing can be done with it any more: its files are gone."""
        return self in {StagedStage.TAKEN, StagedStage.THROWN_AWAY}

    @property
    def busy(self) -> bool:
        """Whether somebody works on it."""
        return self in {StagedStage.READING, StagedStage.TAKING}


@dataclass(frozen=True, slots=True)
class StagedFile:
    """One file as it was chosen; `mapping` is the name of how its columns are read, "" where it says so itself."""

    name: str
    data: bytes = field(repr=False)
    mapping: str = ""


@dataclass(frozen=True, slots=True)
class StagedRow:
    """One staged import without its files' bytes.

    `asked` is what is to be done with the files; `told` the difference as it is shown, or why it was refused.
    """

    id: int
    public_id: UUID
    kind: StagedKind
    stage: StagedStage
    files: tuple[StagedFile, ...]
    asked: Mapping[str, Any]
    told: Mapping[str, Any] = field(repr=False)
    made_at: datetime
    made_by: str
    seen_at: datetime
    share: float
    ended_by: str

    def died(self, now: datetime) -> bool:
        """Whether whoever worked on it has not been heard of for too long."""
        return self.stage.busy and now - self.seen_at > SILENT
