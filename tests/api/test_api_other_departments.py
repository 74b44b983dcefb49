"""What a token of one department cannot do to, nor hear of, what another's or the whole school's is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from broker.authority import operators, rule_changes
from broker.office import groups
from broker.ports.api import Scope
from broker.ports.approvals import OperatorRole
from ledger import tables as t
from tests.support.api import HEAD, Calling, a_school, announced
from tests.support.routes import api_of
from web.door import MOST_BODY

pytestmark = pytest.mark.security


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Calling]:
    """A school where sport keeps a group that is nobody else's business, and the office one made of others."""
    home: Path = tmp_path_factory.mktemp("departments")
    with a_school(f"sqlite:///{home / 'carillon.sqlite3'}", home) as calling:
        ports = calling.house.ports
        groups.keep(ports, "Physio", department="sport", actor=HEAD)
        with calling.house.ledger.begin() as tx:
            pupils = [row.source_id for row in tx.hand.connection.execute(t.person.select())]
        groups.set_members(ports, "Physio", pupils, actor=HEAD)
        groups.define(ports, "All singers", "Choir", actor=HEAD)
        yield calling


def music(house: Calling) -> str:
    return house.token(department="music")


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


NAMING_A_GROUP = [
    ("/announcements", lambda to: announced(to=to)),
    ("/announcements/preview", lambda to: announced(to=to)),
    ("/reach", lambda to: {"to": to, "ways": ["sms"]}),
    ("/events", lambda to: {"title": "Concert", "to": to, "starts": "2027-03-18T19:00:00"}),
    (
        "/schedules",
        lambda to: {
            "name": f"s {to}",
            "to": to,
            "starts": "2027-03-18T19:00:00",
            "ways": ["sms"],
            "words": {"long": "{pupil}: today."},
        },
    ),
    ("/groups", lambda to: {"name": "Ours", "expression": to}),
]


@pytest.mark.parametrize(("path", "body"), NAMING_A_GROUP, ids=[path for path, _ in NAMING_A_GROUP])
def test_another_departments_group_is_answered_as_one_that_never_was(
    house: Calling, path: str, body: Any
) -> None:
    theirs = house.post(path, body("Physio"), token=music(house))
    never = house.post(path, body("Physia"), token=music(house))
    assert code(theirs) == code(never) == (422, "unknown_group")
    assert theirs.json()["hint"] == never.json()["hint"]
    assert "Physio" not in never.text
    within = house.post(path, body("Choir + Physio"), token=music(house))
    assert code(within) == (422, "unknown_group")


def test_who_is_in_another_departments_group_is_not_read_by_a_group_made_of_it(house: Calling) -> None:
    house.post("/groups", {"name": "Mine", "expression": "Physio"}, token=music(house))
    assert house.get("/groups/Mine/members", token=music(house)).status_code == 404


def test_who_is_in_another_departments_group_is_not_told_of_a_person(house: Calling) -> None:
    within = (
        select(t.person.c.source_id)
        .join(t.membership, t.membership.c.person_id == t.person.c.id)
        .join(t.people_group, t.people_group.c.id == t.membership.c.group_id)
    )
    with house.house.ledger.begin() as tx:
        pupil = tx.hand.connection.execute(within.where(t.people_group.c.name == "Physio")).scalars().first()
    assert "Physio" in house.get(f"/people/{pupil}").json()["groups"]
    assert "Physio" not in house.get(f"/people/{pupil}", token=music(house)).json()["groups"]
    sport = house.token(department="sport")
    assert "Physio" in house.get(f"/people/{pupil}", token=sport).json()["groups"]


def test_the_schools_own_group_is_made_of_something_else_by_no_department(house: Calling) -> None:
    taken = house.post("/groups", {"name": "All singers", "expression": "Year 7"}, token=music(house))
    assert code(taken) == (403, "not_allowed")
    found = next(one for one in house.get("/groups").json()["items"] if one["name"] == "All singers")
    assert (found["expression"], found["department"]) == ("Choir", None)


def test_another_departments_keys_tell_nothing(house: Calling) -> None:
    said, key = announced(department="sport"), {"Idempotency-Key": "match-1"}
    assert house.post("/announcements", said, headers=key).status_code == 201
    for body in (said, announced(department="sport", urgency="urgent")):
        assert code(house.post("/announcements", body, headers=key, token=music(house))) == (
            403,
            "not_allowed",
        )


def test_another_departments_templates_tell_nothing(house: Calling) -> None:
    words = {"words": {"long": "{pupil}: match at {time}."}, "department": "sport"}
    assert house.call("PUT", "/templates/Match", json=words).status_code == 200
    for template in ("Match", "Never"):
        body = {"to": "Choir", "ways": ["sms"], "template": template, "department": "sport"}
        for path in ("/announcements", "/announcements/preview"):
            assert code(house.post(path, body, token=music(house))) == (403, "not_allowed")
        timed = {**body, "name": "s", "starts": "2027-03-18T19:00:00"}
        for path in ("/schedules", "/schedules/preview"):
            assert code(house.post(path, timed, token=music(house))) == (403, "not_allowed")


def test_no_token_says_yes_to_all_the_dates_of_what_goes_to_many(house: Calling) -> None:
    ports = house.house.ports
    weekly = {
        "name": "Weekly",
        "to": "Choir",
        "starts": "2027-03-18T19:00:00",
        "every": "FREQ=WEEKLY",
        "on": ["unknown", "term"],
        "ways": ["sms"],
        "words": {"long": "{pupil}: rehearsal at 15:30."},
    }
    assert house.post("/schedules", weekly).status_code == 201
    operators.add(ports, "Head", [OperatorRole.ADMIN], None, actor=HEAD)
    operators.add(ports, "Ms Orme", [OperatorRole.APPROVER], None, actor=HEAD)
    hers = house.token(*Scope, operator="Ms Orme")
    rule_changes.change(ports, "sign_in.prove_at", "1", "the test", actor=HEAD)
    assert code(house.post("/schedules/Weekly/approve", {}, token=hers)) == (403, "proof_wanted")
    rule_changes.change(ports, "sign_in.prove_at", "1000", "the test", actor=HEAD)
    assert house.post("/schedules/Weekly/approve", {}, token=hers).json()["approved"]


def test_whatever_a_route_takes_the_door_lets_in(house: Calling) -> None:
    described = api_of(house.client).state.resources
    assert max((route.openapi_extra or {}).get("x-most", 0) for route in described) <= MOST_BODY
