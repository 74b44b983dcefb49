"""What the truth log keeps of a mail: the headers somebody may ask about, and of the body its hash."""

from __future__ import annotations

import re
from email.errors import HeaderParseError
from email.header import decode_header, make_header

MAX_HEAD = 64 * 1024
MAX_VALUE = 1000

_KEPT = frozenset(
    (
        "auto-submitted",
        "content-type",
        "date",
        "from",
        "list-unsubscribe",
        "list-unsubscribe-post",
        "message-id",
        "precedence",
        "reply-to",
        "subject",
        "to",
    )
)
_FOLD = re.compile(rb"\r\n(?=[ \t])")


def interesting(content: bytes) -> dict[str, str]:
    """The kept headers, names in lower case, unfolded and decoded; the first of several counts."""
    end = content.find(b"\r\n\r\n", 0, MAX_HEAD)
    head = content[: end if end >= 0 else MAX_HEAD]
    found: dict[str, str] = {}
    for line in _FOLD.sub(b"", head).split(b"\r\n"):
        raw_name, _, value = line.partition(b":")
        name = raw_name.decode("latin-1").strip().lower()
        if (name in _KEPT or name.startswith("x-carillon-")) and name not in found:
            found[name] = _decoded(value.strip().decode("utf-8", "replace"))[:MAX_VALUE]
    return found


def _decoded(value: str) -> str:
    if "=?" not in value:
        return value
    try:
        return str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, ValueError):
        return value
