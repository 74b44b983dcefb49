"""One account's settings: the key pair by which push services know the school, and whom they may write to."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

KEY_BYTES = 32  # the private number of a P-256 pair
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of that curve's base point
# As RFC 8292 has it, and narrower: what a push service may open or write to, and nothing that could break a header.
_CONTACT = re.compile(
    r"mailto:[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|https://[A-Za-z0-9.-]+(?:/[A-Za-z0-9._~/-]*)?"
)


def _key(value: SecretStr) -> SecretStr:
    raw = unpadded(value.get_secret_value())
    if raw is None or len(raw) != KEY_BYTES or not 0 < int.from_bytes(raw, "big") < ORDER:
        raise ValueError(
            "it is a private key of 32 bytes in base64url: carillon accounts key webpush makes one"
        )
    return value


def _contact(value: str) -> str:
    if _CONTACT.fullmatch(value) is None:
        raise ValueError("write mailto:office@school.example, or a page that begins with https://")
    return value


def unpadded(word: str) -> bytes | None:
    """What base64url without padding says; None for what is none, or not in its one spelling."""
    try:
        raw = base64.b64decode(word + "=" * (-len(word) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if padless(raw) == word else None


def padless(raw: bytes) -> str:
    """The same, the other way."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


# Whose browsers' push services are known: Chrome and its kin, Firefox, Safari, Edge; with what stands before a dot.
SERVICES = (
    "fcm.googleapis.com",
    "jmt17.google.com",
    "push.services.mozilla.com",
    "push.apple.com",
    "notify.windows.com",
)
_HOST = re.compile(r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+")


def _split(value: Any) -> Any:
    return (
        [each.strip().lower() for each in value.split(",") if each.strip()]
        if isinstance(value, str)
        else value
    )


def _hosts(value: tuple[str, ...]) -> tuple[str, ...]:
    if not all(_HOST.fullmatch(each) for each in value):
        raise ValueError("list hosts, parted by commas: push.browser.example")
    return value


class Settings(BaseModel):
    """An account for web push: one for the whole school, as browsers subscribe under its key."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    key: Annotated[SecretStr, AfterValidator(_key)] = Field(
        description="the private key (VAPID): carillon accounts key webpush makes one; with another one all have to"
        " subscribe anew"
    )
    contact: Annotated[str, AfterValidator(_contact)] = Field(
        max_length=200,
        description="whom a push service may turn to: mailto:office@school.example, or an https page",
    )
    services: Annotated[tuple[str, ...], AfterValidator(_hosts), BeforeValidator(_split)] = Field(
        default=(),
        max_length=20,
        description="hosts of more push services, parted by commas; Chrome's, Firefox's, Safari's and Edge's are known",
    )
