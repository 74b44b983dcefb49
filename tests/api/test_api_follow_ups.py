"""What follows up an announcement, over the API."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from broker import fanout
from broker.ports.api import Scope
from tests.support.api import HEAD, Calling, announced

RIGHT = {"words": {"long": "{pupil}: rehearsal at 16:30."}}


@pytest.fixture
def said(school: Calling) -> str:
    """An announcement that was planned."""
    made = school.post("/announcements", announced(department="music"))
    assert made.status_code == 201, made.text
    where: str = made.json()["id"]
    fanout.plan(school.house.ports, UUID(where), actor=HEAD)
    return where


def test_a_correction_is_looked_at_then_made_once_and_hangs_in_one_thread(school: Calling, said: str) -> None:
    seen = school.post(f"/announcements/{said}/correct/preview", RIGHT)
    assert seen.status_code == 200, seen.text
    assert seen.json()["people"] == 4
    assert seen.json()["ways"]["sms"]["corrections"] == 0  # nothing has left, so nobody has the wrong text
    key = {"Idempotency-Key": str(uuid4())}
    made = school.post(f"/announcements/{said}/correct", RIGHT, headers=key)
    again = school.post(f"/announcements/{said}/correct", RIGHT, headers=key)
    assert (made.status_code, again.status_code) == (201, 200), (made.text, again.text)
    assert made.json()["id"] == again.json()["id"] != said
    thread = school.get(f"/announcements/{said}/thread")
    assert [(one["id"], one["follow_up"]) for one in thread.json()["items"]] == [
        (said, None),
        (made.json()["id"], "correction"),
    ]
    assert thread.json()["items"][0]["corrected_by"] == made.json()["id"]


def test_it_is_said_again_to_people_by_name_or_id_and_to_nobody_by_mistake(
    school: Calling, said: str
) -> None:
    nobody = school.post(f"/announcements/{said}/resend/preview", {"people": ["nobody-of-this-id"]})
    assert (nobody.status_code, nobody.json()["code"]) == (422, "unknown_person"), nobody.text
    empty = school.post(f"/announcements/{said}/resend", {})
    assert empty.status_code == 422, empty.text
    who = school.get(f"/announcements/{said}/duties").json()["items"][0]
    both = school.post(f"/announcements/{said}/resend", {"people": [who["person"]], "joined": True})
    assert both.status_code == 422, both.text
    seen = school.post(f"/announcements/{said}/resend/preview", {"people": [who["person"]]})
    assert seen.status_code == 200, seen.text
    assert [one["name"] for one in seen.json()["to"]] == [who["name"]]
    made = school.post(f"/announcements/{said}/resend", {"people": [who["person"]]})
    assert made.status_code == 201, made.text


def test_it_is_taken_back_and_told(school: Calling, said: str) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    told = school.post(f"/announcements/{said}/withdraw-and-tell", RIGHT, headers=key)
    assert told.status_code == 201, told.text
    assert told.json()["withdrawn"] >= 1
    again = school.post(f"/announcements/{said}/withdraw-and-tell", RIGHT, headers=key)
    assert (again.status_code, again.json()["id"]) == (200, told.json()["id"]), again.text
    assert again.headers["Location"] == told.headers["Location"] == f"/v1/announcements/{told.json()['id']}"
    assert school.get(f"/announcements/{said}").json()["stage"] == "withdrawn"


def test_what_follows_up_anothers_is_not_there(school: Calling, said: str) -> None:
    sport = school.token(department="sport")
    for method, path, body in (
        ("POST", "correct", RIGHT),
        ("POST", "correct/preview", RIGHT),
        ("POST", "withdraw-and-tell", RIGHT),
        ("POST", "resend", {"joined": True}),
        ("POST", "resend/preview", {"joined": True}),
        ("GET", "thread", None),
    ):
        answer = school.call(
            method, f"/announcements/{said}/{path}", token=sport, **({"json": body} if body else {})
        )
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), (path, answer.text)
    reader = school.token(Scope.ANNOUNCEMENTS_READ)
    assert school.get(f"/announcements/{said}/thread", token=reader).status_code == 200
    assert school.post(f"/announcements/{said}/correct", RIGHT, token=reader).status_code == 403
