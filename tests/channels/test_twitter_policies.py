"""The account's own rules, over a table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from broker.announcement import Purpose, Urgency
from broker.policy import Allow, Case, Hold, judge
from channels.posts import FRESH
from channels.twitter.policies import POLICIES

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
GOOD = {"following": "0", "protected": "no", "as_declared": "yes"}


@pytest.mark.parametrize(
    ("posture", "age", "code"),
    [
        (GOOD, timedelta(0), None),
        (GOOD, FRESH, None),
        (GOOD, FRESH + timedelta(seconds=1), "posture_unknown"),
        (None, None, "posture_unknown"),
        ({**GOOD, "following": "3"}, timedelta(0), "follows"),
        ({}, timedelta(0), "follows"),
        ({**GOOD, "as_declared": "no"}, timedelta(0), "not_as_declared"),
    ],
)
@pytest.mark.parametrize("urgency", list(Urgency))
def test_only_an_account_known_to_follow_nobody_posts(
    posture: Mapping[str, str] | None, age: timedelta | None, code: str | None, urgency: Urgency
) -> None:
    case = Case(
        NOW, "twitter", "music", Purpose.SERVICE, urgency, NOW, NOW + timedelta(days=1),
        broadcast=True, posture=posture, posture_age=age,
    )  # fmt: skip
    verdict = judge(case, POLICIES)
    if code is None:
        assert isinstance(verdict, Allow)
    else:
        assert isinstance(verdict, Hold)
        assert verdict.code == code
        assert verdict.until > NOW
