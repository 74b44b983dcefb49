"""Retry-After (RFC 9110 §10.2.3): how long a provider asks us to wait."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

LONGEST_PAUSE = timedelta(hours=1)  # nobody else's header stops a school for longer


def retry_after(told: str | None, *, now: datetime) -> timedelta | None:
    """Seconds or a date; None for what is neither."""
    if not told or len(told) > 64:
        return None
    try:
        if told.isascii() and told.isdigit():
            wait = timedelta(seconds=int(told[:9]))
        else:
            wait = parsedate_to_datetime(told) - now
    except (ValueError, TypeError):
        return None
    return min(max(wait, timedelta(0)), LONGEST_PAUSE)
