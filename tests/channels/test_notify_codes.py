"""What GOV.UK Notify's errors and statuses mean for us."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.delivery import Evidence
from broker.errors import (
    AccountRejected,
    AddressRejected,
    ContentRejected,
    DeliveryFailure,
    RateLimited,
    Uncertain,
)
from channels import notify_codes as codes

NOW = datetime(2026, 11, 2, 21, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "error", "message", "failure"),
    [
        (400, "BadRequestError", "Can’t send to this recipient using a team-only API key", AccountRejected),
        (400, "BadRequestError", "Can't send to this recipient when service is in trial mode - see", AccountRejected),
        (400, "BadRequestError", "Template not found", AccountRejected),
        (400, "BadRequestError", "Template has been deleted", AccountRejected),
        (400, "BadRequestError", "email template is not suitable for sms notification", AccountRejected),
        (400, "BadRequestError", "Missing personalisation: name", AccountRejected),
        (400, "BadRequestError", "sms_sender_id 1 does not exist in database for service id 2", AccountRejected),
        (400, "BadRequestError", "Service is not allowed to send text messages", AccountRejected),
        (400, "ValidationError", "template_id is not a valid UUID", AccountRejected),
        (403, "AuthError", "Invalid token: API key not found", AccountRejected),
        (403, "AuthError", "Error: Your system clock must be accurate to within 30 seconds", AccountRejected),
        (401, "AuthError", "Unauthorized, authentication token must be provided", AccountRejected),
        (404, "", "", AccountRejected),
        (400, "ValidationError", "phone_number Not a UK mobile number", AddressRejected),
        (400, "ValidationError", "email_address is not a valid email address", AddressRejected),
        (400, "InvalidPhoneError", "Not enough digits", AddressRejected),
        (400, "BadRequestError", "Cannot send to international mobile numbers", AddressRejected),
        (400, "BadRequestError", "Text messages cannot be longer than 918 characters.", ContentRejected),
        (400, "BadRequestError", "Your message is empty.", ContentRejected),
        (400, "BadRequestError", "Something that nobody has foreseen", ContentRejected),
        (418, "", "", ContentRejected),
        (429, "RateLimitError", "Exceeded rate limit for key type LIVE", RateLimited),
        (429, "TooManyRequestsError", "Exceeded send limits (250000) for today", RateLimited),
        (500, "Exception", "Internal server error", Uncertain),
        (503, "", "", Uncertain),
        (302, "", "", Uncertain),
    ],
)  # fmt: skip
def test_an_error_leads_to_its_own_failure(
    status: int, error: str, message: str, failure: type[DeliveryFailure]
) -> None:
    told = codes.failure(status, error, message, now=NOW)
    assert type(told) is failure
    assert told.code.startswith(str(status))
    assert not message or message not in told.why


def test_a_clock_that_is_wrong_is_said_to_be_so() -> None:
    told = codes.failure(
        403, "AuthError", "Error: Your system clock must be accurate to within 30 seconds", now=NOW
    )
    assert "clock" in told.why


def test_a_rate_limit_is_over_soon_and_a_days_limit_at_midnight() -> None:
    soon = codes.failure(429, "RateLimitError", "", now=NOW)
    today = codes.failure(429, "TooManyRequestsError", "", now=NOW)
    assert isinstance(soon, RateLimited)
    assert isinstance(today, RateLimited)
    assert soon.retry_after == timedelta(seconds=10)
    assert today.retry_after == timedelta(hours=2, minutes=30)


@given(st.integers(100, 599), st.text(max_size=60), st.text(max_size=80))
def test_whatever_it_says_is_a_failure_that_quotes_nothing(status: int, error: str, message: str) -> None:
    told = codes.failure(status, error, message, now=NOW)
    assert isinstance(told, DeliveryFailure)
    assert told.why.isprintable()
    assert told.code.isascii()
    assert len(told.code) < 60
    assert len(message) < 12 or message not in told.why


def test_every_status_that_is_a_failure_has_its_reason() -> None:
    bounced = {status for status, evidence in codes.STATUSES.items() if evidence is Evidence.BOUNCED}
    assert bounced == {"permanent-failure", "temporary-failure", "technical-failure"}
    assert all(codes.why(kind, status) for kind in ("sms", "email") for status in bounced)
    assert codes.why("sms", "technical-failure") == codes.BROKEN_THERE
