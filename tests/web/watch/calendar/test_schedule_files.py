"""A schedule's files: chosen where it is made, listed, taken out, and others in their place."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from broker.ports.calendar import ScheduleRow
from tests.support.diary import Diary
from tests.support.forms import Forms
from tests.support.watching import Serve, Watched
from tests.support.writing import writing_school

NEW = "/watch/calendar/schedules/new"
SHEET = {"file1": ("sheet.pdf", b"%PDF this term")}


@pytest.fixture
def here(serve: Serve) -> Watched:
    here = writing_school(serve)
    Diary(here).school_year()
    return here


def filled(here: Watched) -> dict[str, Any]:
    return {
        "name": "Choir",
        "department": "office",
        "groups": ["Choir"],
        "people": "guardians",
        "ways": ["email"],
        "short": "{pupil}: choir at 15:30.",
        "day": f"{Diary(here).today + timedelta(days=1)}",
        "time": "08:00",
        "often": "weekly",
        "on": "term",
        "lasts": "4",
    }


def press(here: Watched, path: str, html: str, do: str, files: Any = None, **more: Any) -> httpx2.Response:
    """Everything that the page's form holds, with more, sent by a button."""
    form = next(one for one in Forms(html).found if any(name == "do" for name, _ in one.buttons.values()))
    data = {**form.values, **more, "do": do}
    return here.client.post(path, data=data, files=files, headers={"Origin": here.url})


def the(here: Watched) -> ScheduleRow:
    with here.ledger.look() as tx:
        (row,) = tx.schedules.all()
    return row


def made(here: Watched) -> ScheduleRow:
    looked = press(here, NEW, here.get(NEW), "look", SHEET, **filled(here))
    assert looked.status_code == 200, looked.text
    assert "With sheet.pdf" in looked.text
    kept = press(here, NEW, looked.text, "keep")
    assert kept.status_code == 303, kept.text
    return the(here)


def names(row: ScheduleRow) -> list[tuple[str, bytes]]:
    return [(file.name, file.data) for file in row.draft.attachments]


def test_a_file_goes_with_every_date_of_a_new_schedule(here: Watched) -> None:
    row = made(here)
    assert names(row) == [("sheet.pdf", b"%PDF this term")]
    assert "sheet.pdf" in here.get(f"/watch/calendar/schedules/{row.public_id}")


def test_a_file_is_not_lost_where_something_is_wrong(here: Watched) -> None:
    asked = filled(here) | {"time": ""}
    wrong = press(here, NEW, here.get(NEW), "look", SHEET, **asked)
    assert wrong.status_code == 422
    assert re.search(r'name="kept" value="sheet\.pdf:[^"]+" checked', wrong.text)
    looked = press(here, NEW, wrong.text, "look", **filled(here))
    back = press(here, NEW, looked.text, "back")
    assert "sheet.pdf" in back.text


def test_a_change_of_words_keeps_the_file_and_it_can_be_taken_out_or_another_put_in(here: Watched) -> None:
    row = made(here)
    path = f"/watch/calendar/schedules/{row.public_id}/change"
    html = here.get(path)
    assert re.search(r'name="kept" value="sheet\.pdf:sha256:[0-9a-f]{64}" checked', html)
    asked = filled(here) | {"short": "{pupil}: choir at 16:00."}
    looked = press(here, path, html, "look", **asked)
    assert press(here, path, looked.text, "keep").status_code == 303
    assert names(the(here)) == [("sheet.pdf", b"%PDF this term")]
    other = {"file1": ("next.pdf", b"%PDF next term")}
    looked = press(here, path, here.get(path), "look", other, **asked, kept=[])
    assert "With next.pdf" in looked.text
    assert press(here, path, looked.text, "keep").status_code == 303
    assert names(the(here)) == [("next.pdf", b"%PDF next term")]
    looked = press(here, path, here.get(path), "look", **asked, kept=[])
    assert press(here, path, looked.text, "keep").status_code == 303
    assert names(the(here)) == []


def test_a_way_that_takes_no_file_says_so_beside_it(here: Watched) -> None:
    asked = filled(here) | {"ways": ["rss"]}
    odd = press(here, NEW, here.get(NEW), "look", SHEET, **asked)
    assert odd.status_code == 422
    assert 'id="wrong-file1"' in odd.text
