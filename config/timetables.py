"""Timetable sources, as settings, and read in turn by whichever process has the turn."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from broker.actor import Actor, ActorKind
from broker.announcement import People
from broker.diary import timetable_sources, timetables
from broker.diary.timetable import ChangeKind
from broker.diary.timetable_sources import TimetableSource
from broker.diary.timetables import Export, Pushed
from broker.errors import Problem, RuleBroken
from broker.ports import Ports
from channels.seconds import Seconds
from config.answering import Names
from config.faults import Faults
from sources.timetables import Format, Reading, read
from sources.timetables.mapped import FIELDS
from sources.timetables.places import AFile, AFolder, AnAddress, Place

if TYPE_CHECKING:
    from config.settings import Settings

log = logging.getLogger(__name__)


class TimetableAt(BaseModel):
    """One source of timetable changes: read from a file, a folder or an address, or only pushed."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    department: str = Field("office", description="who speaks")
    template: str = Field(
        "Timetable", description="the wording with {changes}, approved by the rule adults.notices"
    )
    via: Names = Field(("sms", "email"), min_length=1, description="the ways, with commas")
    people: People = Field(
        People.GUARDIANS, description="who is told: guardians, first, pupils, both or staff"
    )
    file: Path | None = Field(None, description="a file that is written anew each time, such as GPU014.TXT")
    folder: Path | None = Field(None, description="instead: a folder, of which the newest file counts")
    pattern: str = Field("*", pattern=r"^[^/\x00-\x1f]{1,100}$", description="which files of the folder")
    url: SecretStr | None = Field(None, description="instead: a public web address")
    format: Format = Field(Format.UNTIS, description="untis (GPU014), csv or ics")
    encoding: str = Field("", max_length=20, description="left out, UTF-8 or else Windows-1252")
    delimiter: str = Field("", max_length=1, description="left out, it is found out")
    columns: dict[str, str] = Field({}, description="of a csv, as JSON: our field to its header")
    kinds: dict[str, ChangeKind] = Field({}, description="of a csv, as JSON: its word to our kind of change")
    classes: dict[str, str] = Field({}, description="as JSON: what it calls a class to our group's name")
    starts: dict[str, time] = Field({}, description="as JSON: when the lesson of each period begins")
    days: int = Field(1, ge=0, le=10, description="so many school days ahead are told of")
    day_ends: time = Field(
        time(15), description="from then on today's changes are too late, unless STARTS says more"
    )
    most: int = Field(60, ge=1, le=10_000, description="so many changes at once are never too many")
    every: Seconds = Field(
        timedelta(minutes=5),
        ge=timedelta(seconds=1),
        le=timedelta(hours=24),
        description="seconds from one reading to the next",
    )
    silent_after: Seconds = Field(
        timedelta(hours=24),
        ge=timedelta(minutes=5),
        le=timedelta(days=60),
        description="seconds of school days without a new export or push until an alarm",
    )

    @field_validator("columns")
    @classmethod
    def _columns(cls, value: dict[str, str]) -> dict[str, str]:
        if strange := sorted(value.keys() - set(FIELDS)):
            hint = f"there are {', '.join(FIELDS)}"
            raise Faults(Problem("unknown_column", "", f"knows no field {strange[0][:40]}", hint))
        return value

    @model_validator(mode="after")
    def _one_place(self) -> TimetableAt:
        if sum(place is not None for place in (self.file, self.folder, self.url)) > 1:
            hint = "give a file, a folder or a url; none where it is only pushed"
            raise Faults(Problem("bad_timetable", "", "names more than one place", hint))
        return self

    def place(self) -> Place | None:
        """Where it lies; None where it is only pushed."""
        if self.file is not None:
            return AFile(self.file)
        if self.folder is not None:
            return AFolder(self.folder, self.pattern)
        return AnAddress(self.url.get_secret_value()) if self.url is not None else None

    def reading(self) -> Reading:
        """How it is read."""
        kinds = {theirs: kind.value for theirs, kind in self.kinds.items()}
        return Reading(self.format, self.encoding, self.delimiter, self.columns, kinds)

    def source(self, name: str) -> TimetableSource:
        """How what it tells is told."""
        return TimetableSource(
            name=name,
            department=self.department,
            template=self.template,
            ways=self.via,
            people=self.people,
            days=self.days,
            day_ends=self.day_ends,
            most=self.most,
            classes=self.classes,
            silent_after=self.silent_after,
            starts=self.starts,
            fetched=self.place() is not None,
        )


class TimetableRoom:
    """The timetable sources, read. Several processes may have one: the ledger gives each source one turn in a while."""

    def __init__(self, ports: Ports, settings: Settings, *, name: str = "timetables") -> None:
        self._ports = ports
        self._sources: Mapping[str, TimetableAt] = settings.timetables
        self._zone = ZoneInfo(settings.school.zone)
        self._actor = Actor(ActorKind.SYSTEM, name)
        self._began = datetime.now(UTC)

    def read_due(self) -> Mapping[str, Pushed]:
        """Read every source whose turn it is; what each came to. One that fails raises an alarm and stops no other."""
        return dict(self._read_due())

    def watch(self) -> int:
        """Raise an alarm for whichever has been silent."""
        watched = [at.source(name) for name, at in self._sources.items()]
        return timetable_sources.watch(self._ports, watched, began=self._began) if watched else 0

    def push(self, name: str, data: bytes, *, actor: Actor, seen_at: datetime | None = None) -> Pushed:
        """What one file tells of one source. Raises RuleBroken."""
        return self._tell(name, self._read(name, data, seen_at), actor=actor)

    def _read_due(self) -> Iterator[tuple[str, Pushed]]:
        for name, at in self._sources.items():
            place = at.place()
            if place is not None and self._is_our_turn(name, at.every):
                pushed = self._read_one(name, place)
                if pushed is not None:
                    yield name, pushed

    def _read_one(self, name: str, place: Place) -> Pushed | None:
        try:
            export = self._export(name, place)
            pushed = self._tell(name, export, actor=self._actor) if export is not None else None
        except RuleBroken as broken:
            timetable_sources.failed(self._ports, name, broken.problem)
            return None
        if pushed is not None:
            timetable_sources.failed(self._ports, name, None)
        return pushed

    def _export(self, name: str, place: Place) -> Export | None:
        """What lies there, read; None while it is being written. Raises RuleBroken, whatever a reader stumbles over."""
        try:
            found = place.read(datetime.now(UTC))
            return self._read(name, found.data, found.since) if found is not None else None
        except RuleBroken:
            raise
        except Exception as fault:  # noqa: BLE001 - one stranger's file stops no other source, and is told of
            log.error("timetable %s: a reader failed with %s", name, type(fault).__name__)
            message = f"it cannot be read ({type(fault).__name__})"
            raise RuleBroken(Problem("unreadable", "", message, "look at the file")) from None

    def _read(self, name: str, data: bytes, written_at: datetime | None) -> Export:
        changes, rows = read(data, self._sources[name].reading(), self._zone)
        return Export(changes, rows, written_at)

    def _tell(self, name: str, export: Export, *, actor: Actor) -> Pushed:
        return timetables.push(self._ports, self._sources[name].source(name), export, actor=actor)

    def _is_our_turn(self, name: str, every: timedelta) -> bool:
        return self._ports.ledger.transact(lambda tx: tx.timetables.take_turn(name, every=every))
