"""What is said on the page after something was done with the record."""

from __future__ import annotations

from collections.abc import Mapping

SAID: Mapping[str, str] = {
    "governor_added": "They are mailed the line from now on, the first one within a minute or two.",
    "governor_removed": "They are mailed no more. What they hold already still counts.",
}
