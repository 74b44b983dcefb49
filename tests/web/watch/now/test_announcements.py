"""All announcements: each once, however far one goes back, and only those that fit."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from broker import intake
from broker.actor import SYSTEM
from broker.announcement import Announcement
from broker.delivery import State
from broker.ports.approvals import OperatorRole
from ledger import tables as t
from tests.support.staff import name
from tests.support.watching import Serve, Watched

TITLE = re.compile(r'<h3 id="[^"]*"><a href="[^"]*">([^<]*)</a>')


def titles(watched: Watched, asked: str = "") -> list[str]:
    return TITLE.findall(watched.get(f"/watch/announcements{asked}"))


@pytest.fixture
def some(watched: Watched) -> dict[str, Announcement]:
    """One of each kind; those that went, in the order of their going."""
    made = {title: watched.announce(title) for title in ("Done", "Wrong", "Going", "Gone", "Coming", "Waits")}
    for title in ("Done", "Wrong", "Going"):
        watched.plan(made[title])
    watched.move(made["Done"], State.SENT, 6)
    watched.move(made["Wrong"], State.SENT, 5)
    watched.move(made["Wrong"], State.REJECTED, 1)
    intake.withdraw(watched.tower.house.ports, made["Gone"].public_id, actor=SYSTEM)
    with watched.ledger.begin() as tx:
        said, run = t.announcement, tx.hand.connection.execute
        run(update(said).where(said.c.id == made["Waits"].id).values(hold_code="needs_approval"))
        late = {"due_at": tx.now + timedelta(days=3), "expires_at": tx.now + timedelta(days=4)}
        run(update(said).where(said.c.id == made["Coming"].id).values(**late))
    return made


def test_pages_hold_each_exactly_once(watched: Watched) -> None:
    for n in range(65):
        watched.announce(f"Title {n:02}.")
    found: list[str] = []
    path = ""
    while True:
        html = watched.get(f"/watch/announcements{path}")
        found += TITLE.findall(html)
        older = re.search(r'href="(\?before=[^"]+)"', html)
        if older is None:
            break
        path = older[1]
    assert found == [f"Title {n:02}." for n in reversed(range(65))]


@pytest.mark.usefixtures("some")
@pytest.mark.parametrize(
    ("far", "expected"),
    [
        ("", ["Waits", "Coming", "Gone", "Going", "Wrong", "Done"]),
        ("waits", ["Waits"]),
        ("coming", ["Coming"]),
        ("going", ["Going"]),
        ("wrong", ["Wrong"]),
        ("done", ["Wrong", "Done"]),
        ("withdrawn", ["Gone"]),
    ],
)
def test_they_are_narrowed_by_how_far_they_have_come(watched: Watched, far: str, expected: list[str]) -> None:
    assert titles(watched, f"?far={far}") == expected


def test_they_are_narrowed_by_way_by_department_and_by_day(
    watched: Watched, some: dict[str, Announcement]
) -> None:
    assert len(titles(watched, "?by=bell")) == len(some)
    assert titles(watched, "?by=sms") == []
    assert titles(watched, "?by=%25") == []  # no sign of a search says all
    assert len(titles(watched, "?department=office")) == len(some)
    assert titles(watched, "?department=music") == []
    day = some["Coming"].accepted_at + timedelta(days=3)
    assert titles(watched, f"?since={day:%Y-%m-%d}") == ["Coming"]
    assert "Coming" not in titles(watched, f"?until={day - timedelta(days=1):%Y-%m-%d}")


def test_what_one_asked_for_stays_chosen_and_goes_along_to_the_older_ones(watched: Watched) -> None:
    for n in range(35):
        watched.announce(f"Title {n:02}.")
    html = watched.get("/watch/announcements?by=bell")
    assert '<option value="bell" selected>' in html
    assert re.search(r'href="\?by=bell&amp;before=', html)
    assert "Show all again" in html


def test_an_empty_list_says_what_to_do_next(watched: Watched) -> None:
    assert "Write an announcement" in watched.get("/watch/announcements")
    assert "No announcement fits." in watched.get("/watch/announcements?far=wrong")


@pytest.fixture
def of_music(serve: Serve) -> Watched:
    """A school of two departments, and somebody of one of them."""
    here = serve(CARILLON_DEPARTMENTS="office,music")
    here.tower.bring(3)
    here.announce("The office’s")
    here.sign_in(actor=name(here, "Of music", OperatorRole.AUDITOR, department="music"))
    return here


def test_a_department_sees_its_own_and_no_other_by_any_asking(of_music: Watched) -> None:
    with of_music.ledger.reading() as hand:
        other = hand.connection.execute(select(t.announcement.c.public_id)).scalar_one()
    for asked in ("", "?department=office", f"?before={other}", f"?before={uuid4()}"):
        assert titles(of_music, asked) == []
    assert "The office’s" not in of_music.get()
    assert 'name="department"' not in of_music.get("/watch/announcements")
    assert of_music.client.get("/watch/figures?department=office").status_code == 200
    assert "School office" not in of_music.get("/watch/figures?department=office")
