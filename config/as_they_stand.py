"""The settings of this process as they may be looked at: every value in words, and of a secret only that it is set.

What is not known to be harmless is treated as a secret: a plug-in may call its password whatever it likes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel

from broker.address import AddressKind, mask
from config.faults import name_of
from config.settings import Settings

SET = "set"
LONGEST = 200  # signs of a value that is shown
MOST_LISTED = 50
_SECRET = re.compile(r"pass|secret|token|key|credential|_sid|auth|private", re.IGNORECASE)
_MOBILE = re.compile(r"\+?\d[\d ()-]{6,}\d")
_WORD = re.compile(r"[A-Za-z0-9+/_=-]{24,}")  # longer than any word or name: it may be a key


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its name, what it is, how it stands; `own` where somebody set it."""

    name: str
    about: str
    value: str
    own: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Settings that belong together."""

    title: str
    settings: Sequence[Setting]


def as_they_stand(settings: Settings) -> Sequence[Group]:
    """Every setting of this process. Nothing in it opens anything."""
    found = [Group("Carillon", tuple(_plain(settings, ())))]
    for title, field in (
        ("School", "school"),
        ("Answers", "answers"),
        ("Signing in", "sign_in"),
        ("Web", "web"),
        ("Worker", "worker"),
    ):
        found.append(Group(title, tuple(_all(getattr(settings, field), (field,)))))
    for name, account in settings.accounts.items():
        path = ("accounts", name)
        lines = list(_all(account, path))
        lines += [
            one for way in account.ways if isinstance(way.own, BaseModel) for one in _all(way.own, way.path)
        ]
        found.append(Group(f"Account {name}", tuple({one.name: one for one in lines}.values())))
    for field, what in (("mailboxes", "Mailbox"), ("timetables", "Timetable")):
        for name, each in getattr(settings, field).items():
            found.append(Group(f"{what} {name}", tuple(_all(each, (field, name)))))
    return found


def shown(name: str, value: object) -> str:
    """A value as it may be looked at."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g} seconds"
    if isinstance(value, int | float):
        return f"{value:g}"
    return SET if _SECRET.search(name) else _words(name, value)


def _words(name: str, value: object) -> str:
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, Path):
        return str(value)[:LONGEST]
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {shown(name, each)}" for key, each in [*value.items()][:MOST_LISTED])
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(shown(name, each) for each in [*value][:MOST_LISTED])
    return SET


def _text(value: str) -> str:
    """An address of a server without what opens it; of people's addresses enough to recognise them."""
    if "://" in value:
        parts = urlsplit(value)
        try:
            where = parts.hostname or ""
        except ValueError:
            return SET
        at = " in a file" if parts.path else " within this process"
        return f"{parts.scheme}://{where}" if where else f"{parts.scheme}{at}"
    if "@" in value:
        return mask(AddressKind.EMAIL, value)
    if _MOBILE.fullmatch(value):
        return mask(AddressKind.MOBILE, value)
    return SET if _WORD.fullmatch(value) else value[:LONGEST]


def _all(model: BaseModel, path: tuple[str, ...]) -> Iterator[Setting]:
    """Every field of a model, and of the models within it."""
    for field, told in type(model).model_fields.items():
        value = getattr(model, field)
        if field in ("own", "ways") and path[0] == "accounts":
            continue
        if isinstance(value, BaseModel):
            yield from _all(value, (*path, field))
        elif isinstance(value, Mapping) and any(isinstance(each, BaseModel) for each in value.values()):
            for name, each in value.items():
                yield from _all(each, (*path, field, str(name)))
        else:
            about, own = told.description or "", field in model.model_fields_set
            yield Setting(name_of((*path, field)), about, shown(field, value), own)


def _plain(settings: Settings, path: tuple[str, ...]) -> Iterator[Setting]:
    """The settings that stand in no group."""
    for field, told in Settings.model_fields.items():
        value = getattr(settings, field)
        if isinstance(value, BaseModel) or field in ("accounts", "mailboxes", "timetables"):
            continue
        yield Setting(
            name_of((*path, field)),
            told.description or "",
            shown(field, value),
            field in settings.model_fields_set,
        )
