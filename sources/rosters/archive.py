"""The files of a roster, from a folder, a zip or one CSV, by their bare names and whatever their case.

A zip is judged by its table of contents before a byte of it is unpacked. Nothing is ever written to disk, so
a name with `../` could harm nobody here; it is refused all the same, because no honest export holds one.
"""

from __future__ import annotations

import os
import stat
import struct
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import IO, NoReturn

from sources.rosters.errors import refuse
from sources.rosters.limits import Limits
from sources.rosters.progress import Files, Sized, Tell, ToldFiles, quiet

_ROOTS = ("manifest.csv", "people.csv")  # the file that marks the folder inside a zip
_END = struct.Struct("<4s4H2LH")  # end of central directory record, APPNOTE §4.3.16
_LONGEST_COMMENT = 0xFFFF
_SPREADSHEETS = (b"\xd0\xcf\x11\xe0",)  # the compound file of .xls; .xlsx is a zip and is told by its entries
_PLAIN = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # bzip2 and lzma may ask for memory out of proportion


@contextmanager
def open_files(path: Path, limits: Limits, tell: Tell = quiet) -> Iterator[Files]:
    """The files at `path`, closed again on leaving. Raises `RosterRefused`."""
    with _open_files(path, limits) as files:
        yield files if tell is quiet else ToldFiles(files, tell)


@contextmanager
def _open_files(path: Path, limits: Limits) -> Iterator[Sized]:
    try:
        kind = path.stat().st_mode
    except (OSError, ValueError):
        refuse("not_found", path.name, "There is no such file or folder.", "Check the path.")
    if stat.S_ISDIR(kind):
        yield _Folder.of(path, limits)
        return
    if not stat.S_ISREG(kind):
        _refuse_irregular(path.name)
    with path.open("rb") as stream:
        head = stream.read(4)
        stream.seek(0)
        if head.startswith(_SPREADSHEETS):
            _refuse_spreadsheet(path.name)
        if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            with _open_zip(stream, path.name, limits) as archive:
                yield _Zip(archive, _checked_entries(archive, path.name, limits), limits)
        else:
            yield _One(path, limits)


@contextmanager
def open_one(path: Path, limits: Limits, tell: Tell = quiet) -> Iterator[IO[bytes]]:
    """The one CSV at `path`, closed again on leaving. Raises `RosterRefused`."""
    with _open_files(path, limits) as files:
        if not isinstance(files, _One):
            refuse("not_a_csv", path.name, "This is not one CSV file.", "Give the report itself, as CSV.")
        with ToldFiles(files, tell).open(path.name) as stream:
            yield stream


@dataclass(frozen=True, slots=True)
class _One:
    """A single CSV, whatever its name: it is a people.csv, or its headers will say that it is not."""

    path: Path
    limits: Limits

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    def __contains__(self, name: str) -> bool:
        return name == "people.csv"

    def open(self, name: str) -> IO[bytes]:
        return _open_plain(self.path, self.limits, follow=True)

    def called(self, name: str) -> str:
        return self.path.name


@dataclass(frozen=True)
class _Folder:
    paths: Mapping[str, Path]
    limits: Limits

    @cached_property
    def size(self) -> int:
        return sum(path.lstat().st_size for path in self.paths.values())

    @classmethod
    def of(cls, folder: Path, limits: Limits) -> _Folder:
        paths: dict[str, Path] = {}
        for path in folder.iterdir():
            name = path.name.casefold()
            if name.endswith(".csv"):
                if name in paths:
                    _refuse_twice(path.name)
                paths[name] = path
        return cls(paths, limits)

    def __contains__(self, name: str) -> bool:
        return name in self.paths

    def open(self, name: str) -> IO[bytes]:
        return _open_plain(self.paths[name], self.limits, follow=False)

    def called(self, name: str) -> str:
        return name


@dataclass(frozen=True)
class _Zip:
    archive: zipfile.ZipFile
    entries: Mapping[str, zipfile.ZipInfo]
    limits: Limits

    @cached_property
    def size(self) -> int:
        return sum(entry.file_size for entry in self.entries.values())

    def __contains__(self, name: str) -> bool:
        return name in self.entries

    def called(self, name: str) -> str:
        return name

    def open(self, name: str) -> IO[bytes]:
        # zipfile never hands out more than the size the entry declared, and that was checked.
        try:
            return self.archive.open(self.entries[name])
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError):
            refuse_damaged_zip(name)


def _open_plain(path: Path, limits: Limits, *, follow: bool) -> IO[bytes]:
    # A named pipe in a drop folder must not hang the import, nor a link lead out of it.
    flags = os.O_RDONLY | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW)
    try:
        descriptor = os.open(path, flags)
    except OSError:
        if path.is_symlink():
            _refuse_irregular(path.name)
        refuse("unreadable", path.name, "This file cannot be opened.", "Check its permissions.")
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        _refuse_irregular(path.name)
    if status.st_size > limits.file_bytes:
        os.close(descriptor)
        _refuse_too_big(path.name)
    return os.fdopen(descriptor, "rb")


def _open_zip(stream: IO[bytes], label: str, limits: Limits) -> zipfile.ZipFile:
    _check_directory(stream, label, limits)
    try:
        return zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, struct.error):
        refuse_damaged_zip(label)


def _check_directory(stream: IO[bytes], label: str, limits: Limits) -> None:
    """Bound the table of contents: zipfile reads all of it, however long, before it can be asked."""
    size = stream.seek(0, os.SEEK_END)
    if size > limits.file_bytes:
        _refuse_too_big(label)
    start = max(0, size - _LONGEST_COMMENT - _END.size - 20)  # 20: the ZIP64 locator before the record
    stream.seek(start)
    tail = stream.read()
    stream.seek(0)
    at = len(tail) - _END.size
    if tail[at : at + 4] != b"PK\x05\x06":
        at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END.size:
        refuse_damaged_zip(label)
    fields = _END.unpack_from(tail, at)
    zip64 = tail[max(0, at - 20) : at].startswith(b"PK\x06\x07")
    if zip64 or fields[4] > limits.entries or fields[5] > limits.directory_bytes:
        _refuse_too_many(label)


def _checked_entries(archive: zipfile.ZipFile, label: str, limits: Limits) -> dict[str, zipfile.ZipInfo]:
    entries = archive.infolist()
    if len(entries) > limits.entries:
        _refuse_too_many(label)
    total = 0
    for entry in entries:
        _check_name(entry, label)
        total += entry.file_size
        if total > limits.total_bytes or entry.file_size > limits.file_bytes:
            _refuse_bomb(label)
        if entry.file_size > limits.ratio_from_bytes and entry.file_size > limits.ratio * max(
            entry.compress_size, 1
        ):
            _refuse_bomb(label)
    return _beside_the_root(entries, label)


def _check_name(entry: zipfile.ZipInfo, label: str) -> None:
    name = entry.filename
    if not name:  # zipfile itself stumbles over an entry without a name
        refuse_damaged_zip(label)
    windows = "\\" in name or "\\" in entry.orig_filename or name[1:2] == ":"
    if windows or "\0" in entry.orig_filename or name.startswith("/") or ".." in PurePosixPath(name).parts:
        refuse(
            "unsafe_name",
            label,
            "An entry of this zip has a name that leads out of it.",
            "Export the roster again; do not use this file.",
        )
    if stat.S_ISLNK(entry.external_attr >> 16):
        _refuse_irregular(label)


def _beside_the_root(entries: list[zipfile.ZipInfo], label: str) -> dict[str, zipfile.ZipInfo]:
    """The CSV files of the folder with the roster: zips made by hand have one folder around all."""
    if any(entry.filename == "[Content_Types].xml" for entry in entries):
        _refuse_spreadsheet(label)
    # macOS adds a shadow folder whose files bear the same names.
    files = [
        (PurePosixPath(entry.filename), entry)
        for entry in entries
        if not entry.is_dir() and not entry.filename.startswith("__MACOSX/")
    ]
    for root in _ROOTS:
        homes = {path.parent for path, _ in files if path.name.casefold() == root}
        if len(homes) > 1:
            refuse(
                "two_rosters",
                label,
                f"This zip holds more than one {root}, so it is not clear which roster is meant.",
                "Give a zip with one roster in it.",
            )
        if homes:
            home = homes.pop()
            return _named((path.name, entry) for path, entry in files if path.parent == home)
    return {}


def _named(files: Iterable[tuple[str, zipfile.ZipInfo]]) -> dict[str, zipfile.ZipInfo]:
    named: dict[str, zipfile.ZipInfo] = {}
    for name, entry in files:
        key = name.casefold()
        if not key.endswith(".csv"):
            continue
        if key in named:
            _refuse_twice(name)
        if entry.flag_bits & 0x1:
            refuse(
                "encrypted_zip",
                name,
                "This zip is protected by a password.",
                "Give the zip without a password, or the folder it was made from.",
            )
        if entry.compress_type not in _PLAIN:
            refuse(
                "odd_compression",
                name,
                "This zip is packed in a way that is not read here.",
                "Make the zip again with ordinary (Deflate) compression.",
            )
        named[key] = entry
    return named


def refuse_damaged_zip(where: str) -> NoReturn:
    """Refuse a zip that breaks off or contradicts itself."""
    refuse("damaged_zip", where, "This zip is damaged.", "Fetch or export it again.")


def _refuse_irregular(where: str) -> NoReturn:
    refuse("not_a_file", where, "This is a link or a device, not a file.", "Give the file itself.")


def _refuse_twice(where: str) -> NoReturn:
    refuse("duplicate_file", where, "There are two files of this name.", "Keep the one that is meant.")


def _refuse_too_big(where: str) -> NoReturn:
    refuse(
        "too_big", where, "This file is larger than any school's roster.", "Check that it is the right file."
    )


def _refuse_too_many(where: str) -> NoReturn:
    refuse(
        "too_many_entries",
        where,
        "This zip holds far more files than a roster has.",
        "Check that it is the right file.",
    )


def _refuse_bomb(where: str) -> NoReturn:
    refuse(
        "zip_bomb", where, "This zip would unpack to far more than a roster holds.", "Do not use this file."
    )


def _refuse_spreadsheet(where: str) -> NoReturn:
    refuse(
        "spreadsheet",
        where,
        "This is a spreadsheet, not a CSV file.",
        "In the spreadsheet choose Save As, then “CSV UTF-8 (Comma delimited)”.",
    )
