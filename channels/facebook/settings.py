"""One page's settings for Facebook."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from broker.loopback import is_loopback
from channels.seconds import Seconds


class Settings(BaseModel):
    """What a page at Facebook needs, and what the school declares of it.

    `notice_route` names the way, told in the letter to families, by which those without Facebook hear the same (R16).
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    page_id: str = Field(
        pattern=r"^[0-9]{5,20}$", description="the page's number, under About, Page transparency"
    )
    access_token: SecretStr = Field(
        min_length=1,
        max_length=1_000,
        description="a page access token of a system user, which does not run out",
    )
    app_secret: SecretStr | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="the app's secret: with it a stolen token alone is worth nothing",
    )
    notice_route: str = Field(
        min_length=1,
        max_length=200,
        description="where those without Facebook hear the same, as the letter says",
    )
    api_base_url: str | None = Field(
        default=None, description="a stand-in on this machine instead of Facebook"
    )
    grace: Seconds = Field(
        default=timedelta(seconds=60),
        ge=timedelta(seconds=1),
        le=timedelta(hours=1),
        description="seconds after a lost answer until Facebook is asked",
    )

    @field_validator("access_token", "app_secret")
    @classmethod
    def _one_word(cls, value: SecretStr | None) -> SecretStr | None:
        told = value.get_secret_value() if value is not None else "-"
        if not told.isascii() or not told.isprintable() or " " in told:
            raise ValueError("copy it alone, without spaces")
        return value

    @field_validator("notice_route")
    @classmethod
    def _says_something(cls, value: str) -> str:
        if not value.strip() or not value.isprintable():
            raise ValueError("name the route in a few words, such as: the notice board at the gate")
        return value.strip()

    @field_validator("api_base_url")
    @classmethod
    def _stand_in(cls, value: str | None) -> str | None:
        """Facebook has one address, so any other is a stand-in's, on this machine."""
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme != "http" or not is_loopback(parts.hostname or "") or parts.username or parts.query:
            raise ValueError(
                "it is left out, save for a stand-in on this machine: http://127.0.0.1:8010/facebook"
            )
        return value.rstrip("/")
