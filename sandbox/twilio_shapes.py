"""The shapes of Twilio's answers: errors, messages, pages, and how it reads a span of dates."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from sandbox.truth import Entry

PREFIX = "/2010-04-01/Accounts/"
# Twilio's code: the HTTP status it comes with, and what it says.
ERRORS: dict[int, tuple[int, str]] = {
    20001: (400, "Unknown parameters"),
    20003: (401, "Authenticate"),
    20004: (405, "Method not allowed"),
    20009: (409, "Cannot delete message because delivery has not been completed"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "Internal server error"),
    20503: (503, "Service is unavailable. Please try again"),
    21211: (400, "Invalid 'To' Phone Number"),
    21212: (400, "Invalid 'From' Phone Number"),
    21408: (400, "Permission to send an SMS has not been enabled for the region"),
    21602: (400, "Message body is required."),
    21603: (400, "A 'From' phone number is required."),
    21604: (400, "A 'To' phone number is required."),
    21606: (400, "The 'From' phone number provided is not a valid message-capable Twilio phone number"),
    21608: (400, "The number is unverified. Trial accounts cannot send messages to unverified numbers"),
    21609: (400, "The 'StatusCallback' URL is not a valid URL"),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21614: (400, "'To' number is not a valid mobile number"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
    30003: (400, "Unreachable destination handset"),
}
DOCS = "https://www.twilio.com/docs/errors/"


def error(code: int, status: int | None = None) -> tuple[int, dict[str, Any]]:
    """An error in Twilio's shape; unless told otherwise with the status its code usually has."""
    usual, message = ERRORS.get(code, (400, "Error"))
    status = status or usual
    return status, {"code": code, "message": message, "more_info": f"{DOCS}{code}", "status": status}


QUEUING = frozenset({"queued", "accepted"})  # accepted: with a service that has not chosen its sender yet


class Shapes:
    """How one account's messages look; a status follows from the truth log's entry and the time."""

    def __init__(self, sid: str, step: timedelta) -> None:
        self._sid = sid
        self._step = step
        self.account = f"{PREFIX}{sid}.json"
        self.messages = f"{PREFIX}{sid}/Messages.json"
        self.message = f"{PREFIX}{sid}/Messages/"

    def status_of(self, entry: Entry, created: datetime, now: float) -> str:
        """Where a message is: queued (accepted, with a service), sent after a step, its fate after two."""
        age = now - created.timestamp()
        if age < self._step.total_seconds():
            return "queued" if entry["from"] else "accepted"
        return "sent" if age < 2 * self._step.total_seconds() else str(entry["fate"])

    def still_queues(self, entry: Entry, now: float) -> bool:
        """Whether a message has no DateSent yet."""
        return self.status_of(entry, datetime.fromisoformat(entry["at"]), now) in QUEUING

    def is_under_way(self, entry: Entry, now: float) -> bool:
        """Whether Twilio has not finished with a message, so that it cannot be deleted yet."""
        return self.status_of(entry, datetime.fromisoformat(entry["at"]), now) in QUEUING

    def message_as_json(self, entry: Entry, now: float) -> dict[str, Any]:
        """A message as it stands at `now`, in seconds since 1970."""
        created = datetime.fromisoformat(entry["at"])
        date = _rfc2822(int(created.timestamp()))
        status = self.status_of(entry, created, now)
        uri = f"{self.message}{entry['id']}"
        return {
            "account_sid": self._sid,
            "api_version": "2010-04-01",
            "body": entry["body"],
            "date_created": date,
            "date_sent": None if status in QUEUING else date,
            "date_updated": date,
            "direction": "outbound-api",
            "error_code": entry["error_code"] if status == entry["fate"] else None,
            "error_message": None,
            "from": entry["from"],
            "messaging_service_sid": entry["service"],
            "num_media": "0",
            # Twilio says 0 until a service has chosen its sender.
            "num_segments": "0" if status == "accepted" else str(entry["segments"]),
            "price": None,
            "price_unit": "USD",
            "sid": entry["id"],
            "status": status,
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "to": entry["to"],
            "uri": f"{uri}.json",
        }

    def page_as_json(
        self, asked: Mapping[str, str], entries: list[Entry], page: int, size: int, more: bool
    ) -> Any:
        """A page of messages.

        Its token names the last message shown, so that new ones do not shift the next page.
        """
        filters = {
            name: value for name, value in asked.items() if name not in ("Page", "PageToken", "PageSize")
        }

        def uri(**token: str | int) -> str:
            return f"{self.messages}?{urlencode({**filters, 'PageSize': size, **token})}"

        now = time.time()
        return {
            "messages": [self.message_as_json(entry, now) for entry in entries],
            "page": page,
            "page_size": size,
            "start": page * size,
            "end": page * size + max(len(entries) - 1, 0),
            "uri": uri(Page=page),
            "first_page_uri": uri(Page=0),
            "previous_page_uri": None,
            "next_page_uri": uri(Page=page + 1, PageToken="PA" + entries[-1]["id"]) if more else None,
        }

    def account_as_json(self) -> dict[str, Any]:
        """The account itself."""
        return {
            "sid": self._sid,
            "friendly_name": "Sandbox",
            "status": "active",
            "type": "Full",
            "owner_account_sid": self._sid,
            "uri": self.account,
        }


def span(asked: Mapping[str, str]) -> tuple[float, float]:
    """From when until (not including) when, in seconds since 1970; a day means all of it, in UTC."""
    since, until = 0.0, float("inf")
    if "DateSent>" in asked:
        since = _moment(asked["DateSent>"]).timestamp()
    if "DateSent<" in asked:
        until = _after(asked["DateSent<"]).timestamp()
    if "DateSent" in asked:
        day = _moment(asked["DateSent"]).replace(hour=0, minute=0, second=0)
        since, until = max(since, day.timestamp()), min(until, (day + timedelta(days=1)).timestamp())
    return since, until


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _after(text: str) -> datetime:
    """The end of a day, or of a second."""
    return _moment(text) + (timedelta(seconds=1) if "T" in text else timedelta(days=1))


@lru_cache(maxsize=64)
def _rfc2822(seconds: int) -> str:
    return format_datetime(datetime.fromtimestamp(seconds, UTC))
