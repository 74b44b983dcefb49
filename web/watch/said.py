"""What is said on the page that follows when something was done.

By a word in the address, which leads to a sentence of ours: nobody can make the page say anything else.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path


def sentence(word: str) -> str:
    """What a word of the address leads to; "" for one that is nobody's."""
    return said().get(word, "") if word else ""


@cache
def said() -> Mapping[str, str]:
    """Every family's `SAID`, from its said.py. Read when the first sentence is: their pages stand on the desk."""
    found: dict[str, str] = {}
    for family in families():
        found |= import_module(f"web.watch.{family}.said").SAID
    return found


def families() -> list[str]:
    """Those that say something."""
    return sorted(path.parent.name for path in Path(__file__).parent.glob("*/said.py"))
