"""Where a provider is, in settings: credentials and messages go there, in the clear to this machine alone."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

from broker.loopback import is_loopback


def _safe(value: str) -> str:
    parts = urlsplit(value)
    if not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("it is an address like https://api.twilio.com")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
        raise ValueError("it begins with https://, save for a stand-in on this machine")
    return value.rstrip("/")


SafeAddress = Annotated[str, AfterValidator(_safe)]
