"""What the office reads: which announcement is which, when by its own clock, who was not told, and what happened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cli import show

pytestmark = pytest.mark.runs_on("sqlite")
School = Callable[..., Any]


def announced(school: School, *more: str) -> str:
    return str(
        school("announce", "Rehearsal moves to 15:30.", "--to", "Choir", "--json", *more).json["announcement"]
    )


def test_the_list_tells_which_announcement_is_which(school: School) -> None:
    public_id = announced(school)
    told = school("status").out.splitlines()
    assert len(told) == 2, "a line each, at 80 columns"
    assert told[1].startswith(public_id)
    assert "Choir: Re" in told[1]


def test_an_empty_list_says_so(school: School) -> None:
    assert school("status").out == "nothing has been announced yet\n"
    assert school("deliveries", "--failed").out == "there are none\n"


def test_times_are_those_of_the_school_s_clock() -> None:
    summer = datetime(2027, 7, 1, 7, 15, tzinfo=UTC)
    assert show.wall(summer, ZoneInfo("Europe/London")) == "2027-07-01 08:15"


def test_an_announcement_for_later_says_when(school: School) -> None:
    typed = f"{datetime.now(ZoneInfo('Europe/London')) + timedelta(days=1):%Y-%m-%d} 12:15"
    ran = school("announce", "Hello", "--to", "Choir", "--at", typed)
    assert ran.out.strip().endswith(f"to go out {typed}")


def test_without_a_worker_the_answer_says_that_nothing_is_sent(school: School) -> None:
    assert "carillon up" in school("announce", "Hello", "--to", "Choir").err


def test_withdrawing_what_never_left_says_so(school: School) -> None:
    assert school("withdraw", announced(school)).out == "withdrawn: nothing had left\n"


def test_a_dry_run_of_an_import_asks_nobody_s_name(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CARILLON_OPERATOR")
    with open("people.csv", "w", encoding="utf-8") as file:
        file.write("id,role,given_name,family_name\nP1,pupil,Ann,Lee\n")
    ran = school("people", "import", "people.csv", "--dry-run")
    assert ran.code == 0
    assert "nothing was changed; 0 problems" in ran.out
