"""The widget and the corridor's screen: what stands on them, and how they are asked for again."""

from __future__ import annotations

import re
import socket
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest

from broker.actor import SYSTEM
from broker.diary import event_book
from broker.diary.events import ToldEvent
from tests.support.noticeboard import bring_events, put_up
from tests.support.press import Press

PLACES = ("st-brides", "departments/music", "groups/choir")


@pytest.fixture(autouse=True)
def _ask_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("config.calendar_feeds", "web.boards"):
        monkeypatch.setattr(f"{module}.ASK_EVERY", timedelta(seconds=-1))


@pytest.fixture
def board(press: Press) -> Press:
    press.bring("Choir", "Band", public=("Choir",))
    put_up(press, ("Concert", "At six.", ""), audience="Choir")
    bring_events(press, "Choir", "Rehearsal")
    bring_events(press, "Band", "Band practice")
    return press


@pytest.mark.parametrize("place", PLACES)
def test_each_scope_has_a_widget_a_fragment_and_a_screen(board: Press, place: str) -> None:
    for page in (f"/widget/{place}", f"/widget/{place}.fragment", f"/screen/{place}"):
        got = board.get(page)
        assert got.status_code == 200, page
        assert all(words in got.text for words in ("Concert", "At six.", "Rehearsal", "Hall"))
        assert "Band practice" not in got.text
        assert "set-cookie" not in got.headers


@pytest.mark.parametrize("place", PLACES)
def test_each_scope_has_a_calendar_and_none_tells_of_a_group_that_is_not_public(
    board: Press, place: str
) -> None:
    got = board.get(f"/feeds/{place}.ics")
    assert got.status_code == 200
    assert "SUMMARY:Rehearsal" in got.text
    assert "Band practice" not in got.text
    assert board.get(f"/feeds/{place}.ics", {"If-None-Match": got.headers["etag"]}).status_code == 304


def test_a_calendar_of_a_department_has_its_own_events_and_those_of_every_family(board: Press) -> None:
    bring_events(board, "everyone", "Sports day", department="office")
    bring_events(board, "staff", "Staff meeting", department="office")
    school, office, music = (
        board.get(f"/feeds/{place}.ics").text
        for place in ("st-brides", "departments/office", "departments/music")
    )
    assert "Sports day" in school
    assert "Sports day" in office
    assert "Sports day" not in music
    assert "Staff meeting" not in school + office


def test_an_event_of_whole_days_is_told_by_its_days_alone(board: Press) -> None:
    zone = ZoneInfo("Europe/London")
    wall = datetime.now(zone).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0) + timedelta(
        days=9
    )

    def day(n: int) -> datetime:
        return (wall + timedelta(days=n)).replace(tzinfo=zone).astimezone(UTC)

    told = [
        ToldEvent(title, datetime(2000, 1, 1), wall, day(0), day(days), title)  # noqa: DTZ001 - of the wall
        for title, days in (("Sports day", 1), ("Tour", 3))
    ]
    event_book.bring(board.house.ports, "days", told, department="music", audience="everyone", actor=SYSTEM)
    last = (wall + timedelta(days=2)).date()
    shown = " ".join(board.get("/widget/st-brides.fragment").text.split())
    first = f'<time datetime="{wall:%Y-%m-%d}">{wall:%a} {wall.day} {wall:%b}</time>'
    assert f"{first}<br> <span>Sports day</span>" in shown
    to = f'<time datetime="{last}">{last:%a} {last.day} {last:%b}</time>'
    assert f'{first} <span class="carillon-when">to</span> {to}<br> <span>Tour</span>' in shown


def test_whoever_has_it_already_is_told_so_until_it_changes(board: Press) -> None:
    for page in ("/widget/st-brides", "/widget/st-brides.fragment", "/screen/st-brides"):
        tag = board.get(page).headers["etag"]
        assert board.get(page, {"If-None-Match": tag}).status_code == 304
    tag = board.get("/widget/st-brides").headers["etag"]
    put_up(board, ("New", "At six.", ""))
    assert "New" in board.get("/widget/st-brides", {"If-None-Match": tag}).text


@pytest.mark.parametrize(("asked", "shown"), [("2", 2), ("99", 8), ("0", 1), ("-1", 5), ("x", 5), ("٣", 5)])
def test_a_widget_shows_as_many_as_are_asked_for(board: Press, asked: str, shown: int) -> None:
    put_up(board, *((f"News {n}", "Soon.", "") for n in range(7)))
    assert len(re.findall("<li", board.get(f"/widget/st-brides.fragment?items={asked}").text)) == shown + 1


@pytest.mark.security
@pytest.mark.parametrize(
    "place", ["groups/band", "groups/nobody", "departments/x", "nothing", "a/b/c", "%2e%2e/x", "A"]
)
def test_what_is_not_public_and_what_is_not_there_are_the_same(board: Press, place: str) -> None:
    pages = [board.get(f"/{kind}/{place}") for kind in ("widget", "screen")]
    assert [page.status_code for page in pages] == [404, 404]
    assert "Band" not in "".join(page.text for page in pages)


@pytest.mark.security
def test_only_the_widget_may_stand_in_a_frame(board: Press) -> None:
    for page in ("/widget/st-brides", "/widget/nothing"):
        headers = board.get(page).headers
        assert "frame-ancestors *" in headers["content-security-policy"]
        assert "x-frame-options" not in headers
    for page in ("/screen/st-brides", "/feeds", "/a/nothing", "/feeds/st-brides.rss", "/nothing", "/watch"):
        headers = board.get(page).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"], page
        assert headers["x-frame-options"] == "DENY"


@pytest.mark.security
def test_every_answer_carries_the_safe_headers_and_no_policy_lets_inline_code_run(board: Press) -> None:
    for page in ("/widget/st-brides", "/screen/st-brides", "/feeds", "/feeds/st-brides.json", "/a/x", "/u/x", "/s/x",
                 "/f/x", "/watch", "/healthz", "/metrics", "/callbacks/x/y", "/", "/nothing"):  # fmt: skip
        headers = board.get(page).headers
        policy = headers["content-security-policy"]
        assert "unsafe" not in policy, page
        assert "default-src 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["permissions-policy"].startswith("camera=()")
        assert headers["referrer-policy"] in {"no-referrer", "same-origin"}


@pytest.mark.security
def test_a_body_that_is_promised_too_long_is_refused_unread(board: Press) -> None:
    for path in ("/u/x", "/widget/st-brides", "/nothing"):
        for promised in (str(2**40), "9" * 30, "-1", "x"):
            parts = urlsplit(board.url)
            with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as line:
                line.sendall(
                    f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {promised}\r\n\r\n".encode()
                )
                assert line.recv(12) in {b"HTTP/1.1 413", b"HTTP/1.1 400"}, (path, promised)
