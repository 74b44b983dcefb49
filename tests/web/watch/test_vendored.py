"""What others wrote is what they published: no file of theirs is changed here, or stands here unnamed."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

STATIC = Path(__file__).parents[3] / "web/watch/static"
ROW = re.compile(r"^\| (?P<file>[\w.-]+) \|.*\| (?P<sum>[0-9a-f]{64}) \|$", re.MULTILINE)


def test_every_file_that_others_wrote_is_as_they_published_it() -> None:
    told = {row["file"]: row["sum"] for row in ROW.finditer((STATIC / "VENDORED.md").read_text())}
    assert told == {name: hashlib.sha256((STATIC / name).read_bytes()).hexdigest() for name in told}
    assert "htmx.min.js" in told


def test_every_packed_file_is_named() -> None:
    told = (STATIC / "VENDORED.md").read_text()
    assert all(f"| {path.name} |" in told for path in STATIC.glob("*.min.*"))
