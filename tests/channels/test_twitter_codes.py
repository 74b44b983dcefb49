"""X's refusals: each to its own failure, and none of X's words among ours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from broker.errors import AccountRejected, ContentRejected, DeliveryFailure, RateLimited, Uncertain
from channels.twitter.codes import LONGEST_PAUSE, UNTOLD_PAUSE, failure
from sandbox import x_shapes as x

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("answer", "expected", "code"),
    [
        (x.UNAUTHORIZED, AccountRejected, "401"),
        (x.NO_CREDITS, AccountRejected, "402"),
        (x.DUPLICATE, ContentRejected, "duplicate"),
        (x.SUSPENDED, AccountRejected, "suspended"),
        (x.LOCKED, AccountRejected, "locked"),
        (x.READ_ONLY, AccountRejected, "read_only"),
        (x.NOT_PERMITTED, AccountRejected, "403"),
        (x.NO_SUCH_POST, ContentRejected, "no_such_post"),
        (x.invalid("odd"), ContentRejected, "400"),
        (x.BROKEN, Uncertain, "500"),
        (x.AWAY, Uncertain, "503"),
        ((404, {}), Uncertain, "404"),
        ((302, {}), Uncertain, "302"),
        ((403, {}), AccountRejected, "403"),
        (
            (403, {"errors": [{"message": "Status is a duplicate content.", "code": 187}]}),
            ContentRejected,
            "duplicate",
        ),
    ],
)
def test_a_refusal_leads_to_its_failure(answer: x.Answer, expected: type[DeliveryFailure], code: str) -> None:
    found = failure(*answer, {}, now=NOW)
    assert type(found) is expected
    assert found.code == code
    assert str(answer[1].get("detail", "nothing")) not in found.why


def test_what_is_not_permitted_of_a_quote_is_that_quotes_fault() -> None:
    assert isinstance(failure(*x.NOT_PERMITTED, {}, now=NOW, quoting=True), ContentRejected)


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({}, UNTOLD_PAUSE),
        ({"x-rate-limit-reset": "odd"}, UNTOLD_PAUSE),
        ({"x-rate-limit-reset": "9" * 13}, UNTOLD_PAUSE),
        ({"x-rate-limit-reset": str(int(NOW.timestamp()) + 90)}, timedelta(seconds=90)),
        ({"x-rate-limit-reset": "1"}, timedelta(0)),
        ({"x-rate-limit-reset": "99999999999"}, LONGEST_PAUSE),
        (
            {
                "x-rate-limit-reset": str(int(NOW.timestamp()) + 90),
                "x-rate-limit-remaining": "50",
                "x-app-limit-24hour-reset": str(int(NOW.timestamp()) + 7200),
                "x-app-limit-24hour-remaining": "0",
            },
            timedelta(hours=2),
        ),
    ],
)
def test_a_limit_waits_for_its_own_reset(headers: dict[str, str], pause: timedelta) -> None:
    found = failure(429, {}, headers, now=NOW)
    assert isinstance(found, RateLimited)
    assert found.retry_after == pause
