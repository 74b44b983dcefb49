"""What an account at GOV.UK Notify needs, be it for texts or for mails."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from channels.seconds import Seconds
from channels.web_address import SafeAddress

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_KEY = re.compile(rf"[A-Za-z0-9_-]{{0,200}}{_UUID}-{_UUID}", re.ASCII)

UuidText = Annotated[str, Field(pattern=f"^{_UUID}$")]


def _a_key(value: SecretStr) -> SecretStr:
    if not _KEY.fullmatch(value.get_secret_value()):
        raise ValueError("a key of Notify's is a name, the service's id and a secret, joined by hyphens")
    return value


class NotifySettings(BaseModel):
    """One key of one service. `callback_token` is what Notify was given beside the callback's address."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    api_key: Annotated[SecretStr, AfterValidator(_a_key)] = Field(
        description="a live key of the service: its name, the service's id, a secret"
    )
    template_id: UuidText = Field(description="the template that the words are put into")
    callback_token: SecretStr | None = Field(
        default=None,
        min_length=10,
        description="the bearer token that Notify calls back with; without it nothing that comes is believed",
    )
    api_base_url: SafeAddress | None = Field(
        default=None, description="where Notify is, when not at its own address"
    )
    in_flight: int = Field(
        default=16, ge=1, le=64, description="how many messages are being handed over at once, a thread each"
    )
    grace: Seconds = Field(
        default=timedelta(seconds=60),
        ge=timedelta(seconds=1),
        le=timedelta(hours=1),
        description="seconds after a lost answer until Notify is asked; longer than its slowest accept",
    )
