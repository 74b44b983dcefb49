"""`carillon events change`: an event for other groups, or under another name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.cli.conftest import *  # noqa: F403 - a shell and a small school

pytestmark = pytest.mark.runs_on("sqlite")
DAY = datetime.now(UTC).date() + timedelta(days=10)


def test_an_event_is_for_other_groups_and_called_otherwise(school: Any) -> None:
    typed = ("--to", "Choir", "--starts", f"{DAY} 19:00", "--department", "music")
    event = school("events", "add", "Tea", *typed, "--json").json["id"]
    changed = school("events", "change", event, "--to", "everyone", "--title", "Summer tea", "--json").json
    assert (changed["to"], changed["title"], changed["sequence"]) == ("everyone", "Summer tea", 1)
    assert school("events", "change", event, "--json").error["code"] == "nothing_said"
    unknown = school("events", "change", event, "--to", "Tuba", "--json")
    assert unknown.error["field"] == "to"
    assert school("events", "--json").json["events"][0]["to"] == "everyone"
