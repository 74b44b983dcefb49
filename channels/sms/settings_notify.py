"""An account for texts at GOV.UK Notify."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from channels.notify_settings import NotifySettings, UuidText

MOST_SEGMENTS = 6  # Notify takes 918 characters


class Settings(NotifySettings):
    """What a service of GOV.UK Notify needs for texts, and the school's wishes for them.

    Its template holds `((text))` and nothing else. `sender_id` is a sender of the service's, its default where left
    out. `number` is the service's own number for replies; without one, or without a callback token, nobody can answer
    STOP: each text then ends with a link, and the school needs a public address. `prefix` is what Notify puts before
    each text: the service's name and a colon, where that is turned on.
    """

    sender_id: UuidText | None = Field(default=None, description="a text message sender of the service's")
    number: str = Field(
        default="",
        pattern=r"^(\+[1-9][0-9]{6,14})?$",
        description="the service's number for replies, as +447400123456, where it has one that Notify forwards",
    )
    prefix: str = Field(
        default="", max_length=60, description="what Notify puts before each text, such as “St Bride's: ”"
    )
    transliterate: bool = Field(
        default=True, description="write curly quotes and the like in the short alphabet"
    )
    max_segments: int = Field(
        default=MOST_SEGMENTS, ge=1, le=MOST_SEGMENTS, description="the longest text, in segments"
    )
    price: Decimal = Field(
        default=Decimal(0),
        ge=0,
        le=10,
        max_digits=8,
        decimal_places=6,
        description="what one segment costs, in the school's currency; budgets and dry runs reckon with it",
    )

    @property
    def hears(self) -> bool:
        """Whether a reply to its texts arrives: where the service has a number, and what comes is believed."""
        return bool(self.number) and self.callback_token is not None

    @property
    def can_reconcile(self) -> bool:
        """Notify can be asked by reference."""
        return True
