"""Announcements over the API."""

from __future__ import annotations

from uuid import uuid4

from broker.ports.api import Scope
from tests.support.api import Calling, announced


def test_what_is_announced_can_be_followed_and_taken_back(school: Calling) -> None:
    made = school.post("/announcements", announced())
    assert made.status_code == 201, made.text
    assert made.json()["created"] is True
    where = made.headers["Location"].removeprefix("/v1")
    stands = school.get(where)
    assert stands.status_code == 200, stands.text
    assert stands.json()["to"] == "Choir"
    duties = school.get(f"{where}/duties")
    assert duties.status_code == 200, duties.text
    gone = school.post(f"{where}/withdraw")
    assert gone.status_code == 200, gone.text
    assert school.get(where).json()["stage"] == "withdrawn"


def test_a_preview_says_who_reads_what_and_keeps_nothing(school: Calling) -> None:
    before = len(school.get("/announcements").json()["items"])
    seen = school.post("/announcements/preview", announced())
    assert seen.status_code == 200, seen.text
    told = seen.json()
    assert told["people"] == 4
    assert "rehearsal at 15:30" in told["ways"]["sms"]["example"]["body"]
    assert len(school.get("/announcements").json()["items"]) == before


def test_the_same_key_and_the_same_body_are_the_same_announcement(school: Calling) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    first = school.post("/announcements", announced(), headers=key)
    again = school.post("/announcements", announced(), headers=key)
    other = school.post("/announcements", announced(to="7B"), headers=key)
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert first.json()["id"] == again.json()["id"]
    assert other.json()["code"] == "key_conflict"


def test_a_list_goes_on_where_it_ended(school: Calling) -> None:
    for _ in range(5):
        assert school.post("/announcements", announced()).status_code == 201
    seen: list[str] = []
    cursor = None
    while True:
        page = school.get("/announcements", params={"limit": 2, **({"cursor": cursor} if cursor else {})})
        assert page.status_code == 200, page.text
        seen += [one["id"] for one in page.json()["items"]]
        cursor = page.json()["next"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) >= 5
    assert school.get("/announcements", params={"cursor": "abc"}).json()["code"] == "bad_cursor"


def test_another_departments_announcement_is_not_there(school: Calling) -> None:
    mine = school.post("/announcements", announced(department="music")).json()["id"]
    sport = school.token(department="sport")
    for method, path in (
        ("GET", f"/announcements/{mine}"),
        ("GET", f"/announcements/{mine}/duties"),
        ("POST", f"/announcements/{mine}/withdraw"),
    ):
        answer = school.call(method, path, token=sport)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path
    assert mine not in {one["id"] for one in school.get("/announcements", token=sport).json()["items"]}
    music = school.token(department="music")
    assert school.get(f"/announcements/{mine}", token=music).status_code == 200


def test_a_token_is_for_what_its_scopes_say(school: Calling) -> None:
    reader = school.token(Scope.ANNOUNCEMENTS_READ)
    assert school.get("/announcements", token=reader).status_code == 200
    refused = school.post("/announcements", announced(), token=reader)
    assert (refused.status_code, refused.json()["code"]) == (403, "no_scope")


def test_a_rule_of_the_house_is_told_in_the_one_shape(school: Calling) -> None:
    answer = school.post("/announcements", announced(to="Chior"))
    assert answer.status_code == 422
    assert set(answer.json()) == {"code", "field", "message", "hint"}
    assert answer.json()["field"] == "to"
