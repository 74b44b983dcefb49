"""One account's settings for text messages."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

from channels.seconds import Seconds
from channels.sms.pool import Numbers, PerNumber, checked, pace
from channels.web_address import SafeAddress

# Twilio takes 1,600 characters. Nine segments are 1,377, which leaves room for a family's names before the text.
MOST_SEGMENTS = 9
MOST_IN_FLIGHT = 128

SENDER = re.compile(r"\+[1-9][0-9]{6,14}|[0-9]{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}", re.ASCII)


class Settings(BaseModel):
    """What a Twilio account needs, and the school's wishes for its texts.

    Exactly one of `messaging_service_sid` (a pool of numbers) and `sender` (one number, or a name of up to 11
    characters, which cannot receive STOP: each text then ends with a link, and the school needs a public address).
    `per_second` is the pace agreed with Twilio, None for no limit of ours; that of a pool is `numbers` times
    `per_number`. `in_flight` is how many texts are being
    handed over at once. `callbacks`: ask to be told what became of each text (needs a public address of the
    school's). `grace` is how long after a lost answer Twilio is asked whether it has the text: it must be longer than
    Twilio's slowest accept, or a text may go twice.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    account_sid: str = Field(pattern=r"^AC[0-9a-f]{32}$", description="the account at Twilio: AC and 32 more")
    auth_token: SecretStr = Field(min_length=1, description="its secret; it checks callbacks too")
    messaging_service_sid: str | None = Field(
        default=None, pattern=r"^MG[0-9a-f]{32}$", description="a pool of numbers; this or a sender"
    )
    sender: str | None = Field(
        default=None,
        validate_default=True,
        description="a number like +447400123456, or a name of up to 11 letters",
    )
    numbers: Numbers = None
    per_number: PerNumber = None
    api_base_url: SafeAddress | None = Field(
        default=None, description="where Twilio is, when not at its own address"
    )
    per_second: float | None = Field(default=None, gt=0, description="the pace agreed with Twilio")
    in_flight: int = Field(
        default=32, ge=1, le=MOST_IN_FLIGHT, description="how many texts are being handed over at once"
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
    callbacks: bool = Field(default=True, description="ask to be told what became of each text")
    grace: Seconds = Field(
        default=timedelta(seconds=60),
        ge=timedelta(seconds=1),
        le=timedelta(hours=1),
        description="seconds after a lost answer until Twilio is asked; longer than its slowest accept",
    )

    @property
    def hears(self) -> bool:
        """Whether a reply to its texts arrives: not where a name is the sender."""
        return self.sender is None or self.sender.removeprefix("+").isdigit()

    @property
    def pace(self) -> float | None:
        """Texts a second that a pool allows; None where nothing is said of its numbers."""
        return pace(self.numbers, self.per_number)

    @property
    def number(self) -> str:
        """The number that people see; "" for a name, or a pool of numbers."""
        return self.sender if self.sender is not None and self.sender.startswith("+") else ""

    @property
    def prefix(self) -> str:
        """Nothing is put before a text but by an account on trial, whose look-up knows it."""
        return ""

    @property
    def can_reconcile(self) -> bool:
        """Twilio lists what it was given."""
        return True

    @field_validator("sender")
    @classmethod
    def _one_origin(cls, value: str | None, info: ValidationInfo) -> str | None:
        # Beside the field before it, for a validator of the whole would be silent while any field is at fault.
        pool = "messaging_service_sid"
        if pool in info.data and (info.data[pool] is None) == (value is None):
            raise ValueError("give either messaging_service_sid or sender, not both and not neither")
        if value is not None and not SENDER.fullmatch(value):
            raise ValueError(
                "a sender is a number like +447911123456 or a name of up to 11 letters and digits"
            )
        return value

    @field_validator("per_number")
    @classmethod
    def _of_a_pool(cls, value: float | None, info: ValidationInfo) -> float | None:
        return checked(value, info, pool=info.data.get("messaging_service_sid", True) is not None)
