"""Conditional requests (RFC 9110 §13): a reader who has it is told so, for the price of comparing two strings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime

MOST_HEADER = 4_096
# A date says nothing of what else happens in the same second, and a transaction may commit a moment after its own time:
# until a change is this old, no date is given out that somebody could later mistake it by.
SETTLED_AFTER = timedelta(seconds=2)

PACKED = "-gzip"  # a packed body is another representation and has a tag of its own; Apache writes it so too
_TAG = re.compile(r'(?:W/)?"([^"]*)"')
_REFUSED = re.compile(r"\bgzip\s*;\s*q=0(?:\.0*)?(?![.\d])", re.IGNORECASE)


def validators(tag: str, updated: datetime | None, *, now: datetime, packed: bool) -> dict[str, str]:
    """The headers by which a reader can ask again: ETag, and Last-Modified once it cannot mislead.

    `updated` is None where none does: what leaves a list by itself makes another list of it and has no date.
    """
    headers = {"ETag": f'"{tag}{PACKED if packed else ""}"'}
    if updated is not None and now - updated >= SETTLED_AFTER:
        headers["Last-Modified"] = format_datetime(updated.astimezone(UTC), usegmt=True)
    return headers


def is_known(headers: Mapping[str, str], tag: str, updated: datetime | None, *, now: datetime) -> bool:
    """Whether the asker has this very version. Header names in lower case."""
    asked = headers.get("if-none-match")
    if asked is not None:  # then a date counts for nothing (§13.1.3)
        return len(asked) <= MOST_HEADER and (asked.strip() == "*" or tag in _tags(asked))
    since = headers.get("if-modified-since")
    if since is None or updated is None or now - updated < SETTLED_AFTER:
        return False
    try:
        moment = parsedate_to_datetime(since[:64])
    except (ValueError, IndexError, TypeError):
        return False
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return updated.replace(microsecond=0) <= moment


def takes_gzip(headers: Mapping[str, str]) -> bool:
    """Whether the asker can unpack gzip."""
    accepted = headers.get("accept-encoding", "")[:MOST_HEADER]
    return "gzip" in accepted.lower() and not _REFUSED.search(accepted)


def _tags(asked: str) -> set[str]:
    """The tags asked for, without weakness and packing: whichever way it was packed, it is the same version."""
    return {found.removesuffix(PACKED) for found in _TAG.findall(asked)}
