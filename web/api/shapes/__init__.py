"""The shapes that several resources share."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import (
    AwareDatetime,
    Field,
    GetCoreSchemaHandler,
    JsonValue,
    NaiveDatetime,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from broker.announcement import Attachment, Part, People, Step
from broker.drafts import MOST_BYTES
from broker.errors import Problem, RuleBroken
from broker.policy import Hold
from broker.ports.approvals import Decided
from broker.wording import LONGEST
from web.api.calling import Reason
from web.api.strict import Shape, Told, example

# No clock of anywhere goes out of the calendar between these.
EARLIEST, LATEST = 1970, 9000


@dataclass(frozen=True, slots=True)
class Written:
    """A time as one form writes it. Pydantic alone would take "1800000000" for one, too, which few would mean."""

    form: str
    such_as: str
    read: Callable[[str], date]

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The type's own, for a text of this form and a year that every clock can tell."""

        def check(value: object, inner: ValidatorFunctionWrapHandler) -> object:
            try:
                found = self.read(value) if isinstance(value, str) and form.fullmatch(value) else None
            except ValueError:
                found = None
            if found is None:
                hint = "write it like {such_as}"
                raise PydanticCustomError("not_so_written", hint, {"such_as": self.such_as})
            if not EARLIEST <= found.year <= LATEST:
                raise PydanticCustomError("no_such_year", "no school has this year")
            return inner(found)

        form = re.compile(self.form, re.ASCII)
        return core_schema.no_info_wrap_validator_function(check, handler(source))


MOST_ENCODED = 4 * (MOST_BYTES // 3 + 1)
MOST_WITH_FILES = MOST_ENCODED + 1024 * 1024
Groups = Annotated[
    str,
    Field(min_length=1, max_length=2_000, description="Groups, joined by + & -.", examples=["Year 7 - 7B"]),
]
Ways = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=63)]],
    Field(min_length=1, max_length=20, description="Channels, all at once.", examples=[["sms", "email"]]),
]
Slug = Annotated[str, Field(min_length=1, max_length=63, examples=["music"])]
Seen = Annotated[
    str,
    Field(
        min_length=4,
        max_length=64,
        pattern=r"^[0-9a-f]+$",
        description="The `seen` of what was looked at: refused if anything was changed since.",
    ),
]
Instant = Annotated[
    AwareDatetime,
    Written(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)",
        "2027-03-18T19:00:00+00:00",
        datetime.fromisoformat,
    ),
    Field(description="With its offset, as RFC 3339 writes it.", examples=["2027-03-18T19:00:00+00:00"]),
]
_WALL: dict[str, JsonValue] = {
    "type": "string",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}$",
    "description": "By the school's own clock: no offset.",
    "examples": ["2027-03-18T19:00:00"],
}
WallTold = Annotated[datetime, WithJsonSchema(_WALL)]
Wall = Annotated[
    NaiveDatetime,
    Written(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", "2027-03-18T19:00:00", datetime.fromisoformat),
    WithJsonSchema(_WALL),
]
Day = Annotated[
    date,
    Written(r"\d{4}-\d\d-\d\d", "2027-03-18", date.fromisoformat),
    Field(description="The day on which it falls.", examples=["2027-03-18"]),
]


class Words(Shape):
    """A wording. `short` is for texts and posts, `long` (Markdown) for mails; one of the two is enough."""

    title: Annotated[str, Field(max_length=LONGEST[Part.TITLE])] | None = None
    short: Annotated[str, Field(max_length=LONGEST[Part.SHORT])] | None = None
    long: Annotated[str, Field(max_length=LONGEST[Part.LONG])] | None = None
    quote: Annotated[str, Field(max_length=LONGEST[Part.QUOTE])] | None = None

    def parts(self) -> dict[Part, str]:
        """As the law has them."""
        return {part: words for part in Part if (words := getattr(self, part.value)) is not None}


class NewFile(Shape):
    """A file that goes with mails."""

    name: Annotated[str, Field(min_length=1, max_length=200, examples=["trip.pdf"])]
    media_type: Annotated[str, Field(max_length=120, pattern=r"^[a-z0-9.+-]+/[a-z0-9.+-]+$")] | None = None
    data: Annotated[
        str,
        Field(
            max_length=MOST_ENCODED, description="Base64.", json_schema_extra={"contentEncoding": "base64"}
        ),
    ]

    def attachment(self) -> Attachment:
        """As the law has it. Raises RuleBroken."""
        try:
            data = base64.b64decode(self.data, validate=True)
        except (binascii.Error, ValueError):
            raise RuleBroken(
                Problem("not_base64", "files", "a file's data is no Base64", "encode it")
            ) from None
        return Attachment.of(self.name, data, self.media_type)


class Why(Shape):
    """The reason, for the record and for whoever asks."""

    model_config = example({"why": "agreed with the office"})

    why: Reason


class DecidedTold(Told):
    """What a second person decided, or somebody in their place."""

    id: UUID
    decision: Decided
    by: str


class HeldTold(Told):
    """What keeps an announcement waiting, and until when at the latest."""

    until: datetime
    code: str
    why: str


def held(hold: Hold | None) -> HeldTold | None:
    """A hold, told."""
    return None if hold is None else HeldTold(until=hold.until, code=hold.code, why=hold.why)


def steps(ways: Sequence[str]) -> tuple[Step, ...]:
    """Ways, all at once."""
    return (Step(tuple(ways)),)


def parts_told(parts: Mapping[Part, str]) -> dict[str, str]:
    """A wording, told."""
    return {part.value: words for part, words in parts.items()}


__all__ = [
    "Day",
    "DecidedTold",
    "Groups",
    "HeldTold",
    "Instant",
    "NewFile",
    "People",
    "Seen",
    "Slug",
    "Wall",
    "WallTold",
    "Ways",
    "Why",
    "Words",
    "held",
    "parts_told",
    "steps",
]
