"""docs/policies.md is what the rules say of themselves today, and every rule says why it is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from broker.house_rules import HOUSE_RULES
from broker.rules.book import FAMILIES, RULES
from broker.scrutiny.audit import COVERED
from config.policies import page

DOCS = Path(__file__).parents[2] / "docs"
WRITTEN = (DOCS / "policies.md").read_text(encoding="utf-8")


def test_the_page_of_rules_is_current() -> None:
    assert page() == WRITTEN, "run: .venv/bin/python -m config.policies > docs/policies.md"


@pytest.mark.parametrize("key", RULES)
def test_every_setting_says_what_it_does_and_where_it_comes_from(key: str) -> None:
    parameter = RULES[key]
    assert len(parameter.words) > 20
    assert parameter.words.strip()[-1] in ".)"
    assert len(parameter.source) > 3
    assert f"| `{key}` |" in WRITTEN


def test_every_rule_says_in_one_sentence_what_it_holds() -> None:
    rules = [rule for f in FAMILIES for rule in (*f.once, *f.each_time, *f.each_delivery)]
    for rule in (*rules, *HOUSE_RULES):
        assert rule.__doc__, rule
        assert f"| {rule.__name__.replace('_', ' ')} | " in WRITTEN


def test_every_line_of_the_requirement_is_answered() -> None:
    assert [int(n) for n in re.findall(r"^\| R(\d+) \|", WRITTEN, re.MULTILINE)] == list(range(1, 24))


def test_what_is_not_covered_is_said() -> None:
    _, _, after = WRITTEN.partition("## What is not covered, and why")
    assert after.count("\n* **") >= 8


def test_the_auditors_page_names_every_table_that_is_compared() -> None:
    told = (DOCS / "record.md").read_text(encoding="utf-8")
    assert all(f"`{table}`" in told for table in COVERED)
