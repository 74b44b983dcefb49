"""One account's settings for X."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from broker.loopback import is_loopback
from channels.seconds import Seconds


class Settings(BaseModel):
    """What an account of X's needs, and what the school declares of it.

    The four credentials are those of a developer app and of the one account it posts for (OAuth 1.0a, user context).
    `plan` is what the school has bought: only an enterprise plan may quote posts. `notice_route` names the way, told in
    the letter to families, by which those without an account hear the same (R16). `protected`, where it is said, is
    how the account is meant to be (R21); it is held against what the account truly is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    consumer_key: SecretStr = Field(min_length=1, max_length=200, description="the app's key at X")
    consumer_secret: SecretStr = Field(min_length=1, max_length=200, description="the app's secret")
    access_token: SecretStr = Field(
        min_length=1,
        max_length=200,
        description="of the account that the app posts for, begins with its number",
    )
    access_token_secret: SecretStr = Field(min_length=1, max_length=200, description="belongs to the token")
    notice_route: str = Field(
        min_length=1, max_length=200, description="where those without X hear the same, as the letter says"
    )
    plan: Literal["basic", "enterprise"] = Field(
        default="basic", description="what was bought from X; only enterprise may quote posts"
    )
    protected: bool | None = Field(
        default=None, description="how the account is meant to be: true for locked; left out, either"
    )
    price: Decimal = Field(
        default=Decimal(0),
        ge=0,
        le=10,
        max_digits=8,
        decimal_places=6,
        description="what a post costs, in the school's currency",
    )
    link_price: Decimal = Field(
        default=Decimal(0),
        ge=0,
        le=10,
        max_digits=8,
        decimal_places=6,
        description="what a post with a link costs, all in all; with a public address every post has one",
    )
    api_base_url: str | None = Field(default=None, description="a stand-in on this machine instead of X")
    grace: Seconds = Field(
        default=timedelta(seconds=90),
        ge=timedelta(seconds=1),
        le=timedelta(hours=1),
        description="seconds after a lost answer until X is asked; longer than its timeline lags",
    )

    @field_validator("access_token")
    @classmethod
    def _of_an_account(cls, value: SecretStr) -> SecretStr:
        number, dash, _ = value.get_secret_value().partition("-")
        if not (dash and number.isascii() and number.isdigit()):
            raise ValueError("an access token begins with the account's number and a hyphen")
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
        """X has one address, so any other is a stand-in's, on this machine."""
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme != "http" or not is_loopback(parts.hostname or "") or parts.username or parts.query:
            raise ValueError("it is left out, save for a stand-in on this machine: http://127.0.0.1:8010")
        return value.rstrip("/")

    @property
    def user_id(self) -> str:
        """The account's number at X, which its access token begins with."""
        return self.access_token.get_secret_value().partition("-")[0]
