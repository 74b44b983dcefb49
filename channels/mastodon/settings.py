"""One account's settings for Mastodon."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from broker.loopback import is_loopback
from channels.seconds import Seconds


class Settings(BaseModel):
    """What an account at a Mastodon server needs, and what the school declares of it.

    `notice_route` names the way, told in the letter to families, by which those who follow nothing there hear the same
    (R16).
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    server: str = Field(max_length=300, description="the account's server, as in https://mastodon.social")
    access_token: SecretStr = Field(
        min_length=1,
        max_length=400,
        description="of an application made by the account under Preferences, Development",
    )
    notice_route: str = Field(
        min_length=1,
        max_length=200,
        description="where those without Mastodon hear the same, as the letter says",
    )
    visibility: Literal["public", "unlisted"] = Field(
        default="public", description="unlisted: for everybody to see, and in no list of the server's"
    )
    longest: int = Field(
        default=500, ge=100, le=10_000, description="how long a post may be on this server; 500 on most"
    )
    grace: Seconds = Field(
        default=timedelta(seconds=60),
        ge=timedelta(seconds=1),
        le=timedelta(hours=1),
        description="seconds after a lost answer until the server is asked",
    )

    @field_validator("server")
    @classmethod
    def _an_address(cls, value: str) -> str:
        parts = urlsplit(value)
        host = parts.hostname or ""
        secured = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
        if not secured or not host or parts.username or parts.query or parts.fragment or "%" in value:
            raise ValueError("write it as https://mastodon.social")
        return value.rstrip("/")

    @field_validator("access_token")
    @classmethod
    def _one_word(cls, value: SecretStr) -> SecretStr:
        token = value.get_secret_value()
        # Mastodon.py would read a token that is the name of a file from that file.
        if not token.isascii() or not token.replace("-", "").replace("_", "").replace(".", "").isalnum():
            raise ValueError("copy the access token alone, without spaces")
        return value

    @field_validator("notice_route")
    @classmethod
    def _says_something(cls, value: str) -> str:
        if not value.strip() or not value.isprintable():
            raise ValueError("name the route in a few words, such as: the notice board at the gate")
        return value.strip()
