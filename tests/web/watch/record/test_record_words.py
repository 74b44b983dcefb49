"""What an entry of the record says to somebody who reads it: no ids, no codes, no number without what it counts."""

from __future__ import annotations

from typing import Any

import pytest

from web.watch.record.words import facts

DEPARTMENTS = {"music": "Music"}


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"department": "music"}, [("Department", "Music")]),
        ({"amount": 120_000_000, "month": "2026-11"}, [("Amount", "£120.00"), ("Month", "November 2026")]),
        ({"answer": "hold"}, [("The rules’ answer", "it waits")]),
        ({"answer": "01a20930-ff3e-7266-9284-535526ec2b04"}, []),
        (
            {"kind": "channel", "subject": "sms"},
            [("What kind", "one way, for everybody"), ("What", "Text messages")],
        ),
        (
            {"people": {"new": 1, "changed": 2, "unchanged": 963}},
            [("People", "1 new, 2 changed, 963 as before")],
        ),
        ({"name": "ce03a216f53c610eeb5d1d1f50712efc", "version": 1}, [("Version", "1")]),
        ({"why": "evidence"}, [("Why", "news from the provider")]),
        (
            {"changed": {"adults.smallest": ["5", "8"]}},
            [("The fewest pupils one may write to", "was: 5 pupils; is now: 8 pupils")],
        ),
    ],
)
def test_a_fact_is_told_as_people_say_it(told: dict[str, Any], said: list[tuple[str, str]]) -> None:
    assert list(facts(told, DEPARTMENTS, "GBP")) == said
