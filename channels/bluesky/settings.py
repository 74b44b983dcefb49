"""One account's settings for Bluesky."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from broker.loopback import is_loopback
from channels.seconds import Seconds

_HANDLE = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,62}", re.ASCII
)


class Settings(BaseModel):
    """What an account at Bluesky needs, and what the school declares of it.

    `notice_route` names the way, told in the letter to families, by which those who follow nothing there hear the same
    (R16).
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    handle: str = Field(max_length=253, description="the account's name there, as in choir.school.example")
    app_password: SecretStr = Field(
        min_length=1,
        max_length=200,
        description="made for Carillon alone under Settings, Privacy and security, App passwords",
    )
    notice_route: str = Field(
        min_length=1,
        max_length=200,
        description="where those without Bluesky hear the same, as the letter says",
    )
    server: str = Field(
        default="https://bsky.social",
        max_length=300,
        description="where the account lives, if it is elsewhere",
    )
    grace: Seconds = Field(
        default=timedelta(seconds=30),
        ge=timedelta(seconds=1),
        le=timedelta(hours=1),
        description="seconds after a lost answer until Bluesky is asked",
    )

    @field_validator("handle")
    @classmethod
    def _a_handle(cls, value: str) -> str:
        value = value.strip().removeprefix("@").lower()
        if not _HANDLE.fullmatch(value):
            raise ValueError("write the whole name, as in choir.bsky.social")
        return value

    @field_validator("server")
    @classmethod
    def _an_address(cls, value: str) -> str:
        parts = urlsplit(value)
        host = parts.hostname or ""
        secured = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
        if not secured or not host or parts.username or parts.query or parts.fragment or "%" in value:
            raise ValueError("write it as https://bsky.social")
        return value.rstrip("/")

    @field_validator("notice_route")
    @classmethod
    def _says_something(cls, value: str) -> str:
        if not value.strip() or not value.isprintable():
            raise ValueError("name the route in a few words, such as: the notice board at the gate")
        return value.strip()
