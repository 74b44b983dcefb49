"""The pupils' names in a wording: `{pupil}`, and "For Amy and Ben: " where a text for several says none.

Pure and shared by every channel, so that a family reads the same names in a text and in a mail.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

PLACEHOLDER = "{pupil}"
NOBODY_NAMED = "your child"
ANOTHER = "another child"

_AT_START = re.compile(r"(?:\A|[.!?]\s+|\n\s*)\{pupil\}")


def names_of(names: Iterable[str]) -> tuple[str, ...]:
    """Each name once, as a message may say them; none at all where no roster has any."""
    once = tuple(dict.fromkeys(names))
    return once if any(name.strip() for name in once) else ()


def join_names(names: Sequence[str]) -> str:
    """The names as English joins them: "Amy", "Amy and Ben", "Amy, Ben, Cal and Dee"; "" for none.

    Of whom a roster says no name, "another child" stands behind the named, so that nobody is left out unseen.
    """
    named = [name for name in names if name.strip()]
    names = [*named, ANOTHER] if named and len(named) < len(names) else named
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def lead(names: Sequence[str]) -> str:
    """What begins a wording for several pupils that names none: "For Amy and Ben: "; "" for one or none."""
    return f"For {join_names(names)}: " if len(names) > 1 and join_names(names) else ""


def has_placeholder(text: str) -> bool:
    """Whether the wording says where the names belong."""
    return PLACEHOLDER in text


def fill(text: str, names: Sequence[str]) -> str:
    """The wording for these pupils (first names, as they should appear).

    `{pupil}` becomes the joined names, or "your child" when none may be named. A wording for two or more
    without `{pupil}` gets the lead, so that a parent of four knows whom one text is about.
    """
    if not has_placeholder(text):
        return lead(names) + text
    if joined := join_names(names):
        return text.replace(PLACEHOLDER, joined)
    begun = _AT_START.sub(lambda found: found[0].replace(PLACEHOLDER, NOBODY_NAMED.capitalize()), text)
    return begun.replace(PLACEHOLDER, NOBODY_NAMED)
