"""The docs name things that are there, and no two decisions share a number."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
ROOMS = "broker|channels|cli|config|docs|ledger|sandbox|sources|tests|web|workers"
NAMED = re.compile(rf"`((?:{ROOMS})/[\w./-]+?)(?::(\w+)[\w.]*)?`")
PAGES = [
    *DECISIONS,
    *(ROOT / "docs" / name for name in ("glossary.md", "reliability.md", "states.md", "tour.md")),
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    gone = [
        name if not name_in_it else f"{name}:{name_in_it}"
        for name, name_in_it in NAMED.findall(page.read_text())
        if not (ROOT / name).exists() or (name_in_it and name_in_it not in (ROOT / name).read_text())
    ]
    assert gone == []


def test_no_two_decisions_share_a_number_and_each_heads_its_page() -> None:
    numbers = [int(page.name[:4]) for page in DECISIONS]
    assert len(set(numbers)) == len(numbers)
    assert [int(page.read_text().split(".")[0].removeprefix("# ")) for page in DECISIONS] == numbers


def test_every_word_of_the_glossary_says_where_it_lives() -> None:
    rows = [
        line for line in (ROOT / "docs" / "glossary.md").read_text().splitlines() if line.startswith("| ")
    ]
    words = [row.split(" | ") for row in rows if not row.startswith("| word")]
    assert len(words) > 60
    assert all(len(row) == 3 and NAMED.search(row[2]) for row in words)
