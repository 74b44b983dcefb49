"""An account for texts at Sinch."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

from channels.seconds import Seconds
from channels.sms.pool import Numbers, PerNumber, checked, pace
from channels.sms.settings import MOST_SEGMENTS, SENDER
from channels.web_address import SafeAddress


class Settings(BaseModel):
    """What a service plan of Sinch's needs, and the school's wishes for its texts.

    Exactly one of `pool` (Sinch chooses one of the plan's default originators) and `sender` (one number, or a name of
    up to 11 characters, which cannot receive STOP: each text then ends with a link, and the school needs a public
    address). Without a `callback_secret` no report is asked for and nothing that comes is believed: STOP is not heard.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    service_plan_id: str = Field(
        pattern=r"^[A-Za-z0-9_-]{1,64}$", description="the service plan, from Sinch's dashboard"
    )
    api_token: SecretStr = Field(min_length=1, description="the service plan's token")
    region: Literal["eu", "us", "au", "br", "ca"] = Field(
        default="eu", description="where the service plan lives, and what is sent is kept"
    )
    pool: bool = Field(
        default=False, description="let Sinch choose among the plan's numbers; this or a sender"
    )
    sender: str | None = Field(
        default=None,
        validate_default=True,
        description="a number like +447400123456, or a name of up to 11 letters",
    )
    numbers: Numbers = None
    per_number: PerNumber = None
    callback_secret: SecretStr | None = Field(
        default=None,
        min_length=10,
        description="what Sinch signs its callbacks with; without it nothing that comes is believed",
    )
    api_base_url: SafeAddress | None = Field(
        default=None, description="where Sinch is, when not at its region's address"
    )
    in_flight: int = Field(
        default=16, ge=1, le=64, description="how many texts are being handed over at once, a thread each"
    )
    transliterate: bool = Field(
        default=True, description="write curly quotes and the like in the short alphabet"
    )
    max_segments: int = Field(default=6, ge=1, le=MOST_SEGMENTS, description="the longest text, in segments")
    price: Decimal = Field(
        default=Decimal(0),
        ge=0,
        le=10,
        max_digits=8,
        decimal_places=6,
        description="what one segment costs, in the school's currency; budgets and dry runs reckon with it",
    )
    grace: Seconds = Field(
        default=timedelta(seconds=60),
        ge=timedelta(seconds=1),
        le=timedelta(hours=1),
        description="seconds after a lost answer until Sinch is asked; longer than its slowest accept",
    )

    @property
    def hears(self) -> bool:
        """Whether a reply to its texts arrives: not where a name is the sender, or nothing that comes is believed."""
        a_number = self.pool or (self.sender or "").removeprefix("+").isdigit()
        return a_number and self.callback_secret is not None

    @property
    def pace(self) -> float | None:
        """Texts a second that a pool allows; None where nothing is said of its numbers."""
        return pace(self.numbers, self.per_number)

    @property
    def number(self) -> str:
        """The number that people see; "" for a name or a pool."""
        return self.sender if self.sender and self.sender.startswith("+") else ""

    @property
    def prefix(self) -> str:
        """Sinch puts nothing before a text."""
        return ""

    @property
    def can_reconcile(self) -> bool:
        """Sinch can be asked by client reference."""
        return True

    @field_validator("sender")
    @classmethod
    def _one_origin(cls, value: str | None, info: ValidationInfo) -> str | None:
        if "pool" in info.data and info.data["pool"] == (value is not None):
            raise ValueError("give either pool or sender, not both and not neither")
        if value is not None and not SENDER.fullmatch(value):
            raise ValueError(
                "a sender is a number like +447911123456 or a name of up to 11 letters and digits"
            )
        return value

    @field_validator("per_number")
    @classmethod
    def _of_a_pool(cls, value: float | None, info: ValidationInfo) -> float | None:
        return checked(value, info, pool=bool(info.data.get("pool", True)))
