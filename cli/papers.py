"""Papers written to files: whose they are, and for whoever made them alone."""

from __future__ import annotations

import os
from pathlib import Path

from cli import show
from cli.house import zone_of
from cli.reading import bad
from config.assembly import House
from web import papers


def write_private(path: Path, text: str) -> None:
    """Names and reasons lie in it: for whoever made it alone."""
    try:
        with open(path, "w", encoding="utf-8", newline="", opener=_private) as file:
            file.write(text)
    except OSError:
        raise bad(
            "cannot_write", "path", "this file cannot be written", "check the folder and the name"
        ) from None
    show.hint(f"written: {path}; it holds names, so throw it away when it has served")


def paper_about(house: House, title: str, *, printed: bool) -> papers.Paper:
    """What each sheet bears; the ledger remembers which head of the record left the house with what is printed."""
    return papers.paper_about(house.ledger, title, str(zone_of(house)), printed=printed)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
