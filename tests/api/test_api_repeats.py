"""A program that hears nothing asks again: what it made is there once, and it is answered with that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from broker.authority import operators
from broker.diary.calendar import DayKind
from broker.ports.api import Scope
from broker.ports.approvals import OperatorRole
from cli.searching import _who
from tests.support.api import HEAD, Calling, a_school, announced

CONCERT = {"title": "Concert", "to": "Choir", "starts": "2027-03-18T19:00:00", "department": "music"}
CALLED_BACK = {"url": "https://there.example/x", "states": ["delivered"], "department": "music"}
WEEKLY = {
    "name": "Weekly",
    "to": "Choir",
    "starts": "2027-09-01T08:00:00",
    "every": "FREQ=WEEKLY",
    "words": {"long": "{pupil}: choir at 15:30."},
    "ways": ["sms"],
    "on": [*DayKind],
    "expect": 4,
    "department": "music",
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Calling]:
    """A school of its own: here operators are named."""
    home: Path = tmp_path_factory.mktemp("repeats")
    with a_school(f"sqlite:///{home / 'carillon.sqlite3'}", home) as calling:
        yield calling


def twice(house: Calling, path: str, body: dict[str, Any], **more: Any) -> tuple[Any, Any]:
    first, again = house.post(path, body, **more), house.post(path, body, **more)
    assert (first.status_code, again.status_code) == (201, 200), (first.text, again.text)
    return first.json(), again.json()


def conflict(answer: Any) -> str:
    assert answer.status_code == 409, answer.text
    return str(answer.json()["code"])


def count(house: Calling, path: str) -> int:
    return len(house.get(path, params={"days": 400} if path == "/events" else {}).json()["items"])


def test_a_group_is_begun_once_and_another_of_its_name_is_a_conflict(house: Calling) -> None:
    before = count(house, "/groups")
    first, again = twice(house, "/groups", {"name": "Band", "department": "music"})
    assert first == again
    assert count(house, "/groups") == before + 1
    assert conflict(house.post("/groups", {"name": "band", "department": "sport"})) == "name_taken"
    assert conflict(house.post("/groups", {"name": "Choir"})) == "name_taken"
    sport = house.token(department="sport")
    assert conflict(house.post("/groups", {"name": "Band"}, token=sport)) == "name_taken"
    made = {"name": "Band", "expression": "Choir"}
    assert conflict(house.post("/groups", made, token=sport)) == "name_taken"


def test_a_group_that_is_made_of_others_is_made_once_then_changed(house: Calling) -> None:
    twice(house, "/groups", {"name": "Trip", "expression": "Choir"})
    changed = house.post("/groups", {"name": "Trip", "expression": "7B"})
    assert (changed.status_code, changed.json()["expression"]) == (200, "7B")


def test_a_schedule_is_made_once_and_another_of_its_name_is_a_conflict(house: Calling) -> None:
    before = count(house, "/schedules")
    first, again = twice(house, "/schedules", WEEKLY)
    assert first == again
    assert count(house, "/schedules") == before + 1
    moved = house.post("/schedules/Weekly/cancel", {"on": "2027-09-08"})
    assert moved.status_code == 200, moved.text
    assert house.post("/schedules", WEEKLY).status_code == 200  # one date is another matter
    others: tuple[dict[str, Any], ...] = (
        {"words": {"long": "{pupil}: choir at 16:30."}},
        {"every": "FREQ=DAILY"},
        {"lasts_minutes": 60},
        {"expect": 5},
        {"to": "7B"},
    )
    for other in others:
        assert conflict(house.post("/schedules", {**WEEKLY, **other})) == "known", other
    theirs = {key: value for key, value in WEEKLY.items() if key != "department"}
    assert conflict(house.post("/schedules", theirs, token=house.token(department="sport"))) == "known"


def test_an_event_is_added_once_by_its_key_wherever_it_was_moved_since(house: Calling) -> None:
    before, key = count(house, "/events"), {"Idempotency-Key": str(uuid4())}
    first, again = twice(house, "/events", CONCERT, headers=key)
    assert first == again
    moved = house.post(f"/events/{first['id']}/move", {"to": "2027-03-19T19:00:00"})
    assert moved.status_code == 200, moved.text
    assert house.post("/events", CONCERT, headers=key).json() == moved.json()
    assert count(house, "/events") == before + 1
    for other in ({"starts": "2027-03-20T19:00:00"}, {"title": "Concert!"}, {"place": "Hall"}):
        answer = house.post("/events", {**CONCERT, **other}, headers=key)
        assert conflict(answer) == "key_conflict"
        assert answer.json()["field"] == "header.Idempotency-Key"
    assert house.post("/events", CONCERT).json()["id"] != first["id"]  # two may be alike in everything
    theirs = {key: value for key, value in CONCERT.items() if key != "department"}
    sport = house.token(department="sport")
    assert house.post("/events", theirs, headers=key, token=sport).status_code == 201
    assert house.post("/events", CONCERT, headers=key, token=sport).status_code == 403


def test_an_event_without_a_key_is_refused_by_name(house: Calling) -> None:
    headers = {"Authorization": f"Bearer {house.token()}"}
    answer = house.client.post("/v1/events", json=CONCERT, headers=headers)
    found = (answer.status_code, answer.json()["code"], answer.json()["field"])
    assert found == (422, "missing_field", "header.Idempotency-Key")


def test_a_webhook_is_made_once_and_its_secret_is_told_to_nobody_but_its_maker(house: Calling) -> None:
    token = house.token(*Scope, department="music", operator=_admin(house))
    first, again = twice(house, "/webhooks", CALLED_BACK, token=token)
    assert first["secret"] == again["secret"]
    assert first == again
    other = {**CALLED_BACK, "states": ["rejected"]}
    assert conflict(house.post("/webhooks", other, token=token)) == "known"
    theirs = house.post("/webhooks", CALLED_BACK, token=house.token())
    assert conflict(theirs) == "known"
    assert "secret" not in theirs.json()


def test_what_a_body_names_and_is_not_there_is_422_and_what_the_path_names_404(house: Calling) -> None:
    never = announced(template="Never", words=None)
    for path, body in (
        ("/announcements", never),
        ("/announcements/preview", never),
        ("/schedules", {**WEEKLY, "name": "S", "template": "Never"}),
        ("/schedules/preview", {**WEEKLY, "name": "S", "template": "Never"}),
    ):
        answer = house.post(path, body)
        told = answer.json()
        assert (answer.status_code, told["code"], told["field"]) == (422, "unknown_template", "template")
    assert house.get("/templates/Never", params={"department": "music"}).status_code == 404
    assert house.post("/schedules/Never/cancel", {"on": "2027-09-08"}).status_code == 404
    words = {"words": {"long": "x"}, "department": "nowhere"}
    saved = house.call("PUT", "/templates/New", json=words)
    assert (saved.status_code, saved.json()["field"]) == (422, "department")


def test_whoever_approves_a_schedule_says_what_they_have_seen(house: Calling) -> None:
    _admin(house)
    hers = house.token(*Scope, operator="Ms Orme")
    seen = house.post("/schedules", {**WEEKLY, "name": "Seen"}).json()["seen"]
    before = house.post("/schedules/Seen/approve", {"seen": "0000deadbeef"}, token=hers)
    told = before.json()
    assert (before.status_code, told["code"], told["field"]) == (422, "changed_since", "name")
    assert house.get("/schedules/Seen").json()["approved"] is False
    answer = house.post("/schedules/Seen/approve", {"seen": seen}, token=hers)
    assert answer.status_code == 200, answer.text
    assert answer.json()["approved"] is True


def test_the_record_names_the_token_that_acted_as_somebody(house: Calling) -> None:
    admin = _admin(house)
    token = house.token(*Scope, department=None, operator=admin)
    name = house.get("/token", token=token).json()["name"]
    assert house.call(
        "PUT", "/rules/undo.window", json={"value": "2 min", "why": "so"}, token=token
    ).is_success
    by_token = house.get("/record", params={"actor": name}, token=token).json()["items"]
    assert [(one["kind"], one["actor"]["id"], one["actor"]["token"]) for one in by_token] == [
        ("rules.changed", admin, name)
    ]
    assert _who(by_token[0]["actor"]) == f"{admin}, by the token “{name}”"
    others = house.get("/record", params={"actor": "Head"}, token=token).json()["items"]
    assert {one["actor"]["token"] for one in others if one["kind"] == "operator.added"} == {None}


def _admin(house: Calling) -> str:
    with house.house.ledger.look() as tx:
        named = {one.name for one in tx.operators.all()}
    if "Head" not in named:
        operators.add(house.house.ports, "Head", [OperatorRole.ADMIN], None, actor=HEAD)
        operators.add(house.house.ports, "Ms Orme", [OperatorRole.APPROVER], None, actor=HEAD)
    return "Head"
