"""One account's settings for Google Classroom: whom it signs in as, and the courses that announcements stand in."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from broker.loopback import is_loopback
from channels.classes import MOST, Classes
from channels.seconds import Seconds

TOKENS = "https://oauth2.googleapis.com"
API = "https://classroom.googleapis.com"


def _stand_in(value: str) -> str:
    """Google has one address, so any other is a stand-in's, on this machine."""
    parts = urlsplit(value)
    if parts.scheme != "http" or not is_loopback(parts.hostname or "") or parts.username or parts.query:
        raise ValueError(
            "it is left out, save for a stand-in on this machine: http://127.0.0.1:8010/classroom"
        )
    return value.rstrip("/")


def _printable(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("copy it as Google shows it, without spaces")
    return value


Secret = Annotated[SecretStr, AfterValidator(_printable)]
Course = Annotated[str, Field(pattern=r"^(?:[0-9]{1,20}|[dp]:[A-Za-z0-9_.-]{1,100})$")]


class Settings(BaseModel):
    """An account at Google Classroom: a co-teacher's that is nobody's, by a refresh token with one scope."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    client_id: str = Field(
        min_length=10,
        max_length=200,
        pattern=r"^[!-~]+$",
        description="of the school's OAuth client at Google",
    )
    client_secret: Secret = Field(min_length=10, max_length=200, description="belongs to it")
    refresh_token: Secret = Field(
        min_length=10,
        max_length=600,
        description="of the account that posts, for classroom.announcements alone",
    )
    course: Course | None = Field(default=None, description="number of the course that everybody reads")
    classes: dict[str, Course] = Field(
        default={},
        max_length=MOST,
        description='numbers of courses by group, as JSON: {"7B": "123456789012"}',
    )
    state: Literal["published", "draft"] = Field(
        default="published", description="draft: a teacher looks at it there and publishes it"
    )
    api_base_url: Annotated[str, AfterValidator(_stand_in)] | None = Field(
        default=None, description="a stand-in on this machine instead of Google"
    )
    grace: Seconds = Field(
        default=timedelta(seconds=60),
        ge=timedelta(seconds=1),
        le=timedelta(hours=1),
        description="seconds after a lost answer until Classroom is asked; longer than its lists lag",
    )

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Settings:
        if self.course is None and not self.classes:
            raise ValueError("course: name a course, or classes with one each")
        return self

    def places(self) -> Classes[str]:
        """The courses by class."""
        return Classes.of(self.course, self.classes)
