"""Every route × every reach of a token: generated from the API's own description, so that no route is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from broker.authority import operators
from broker.authority.tokens import MACHINE, REACH
from broker.ports.api import Scope
from broker.ports.approvals import OperatorRole
from tests.support.api import HEAD, Calling, announced

ROLES = ("machine", *OperatorRole)
DEPARTMENTS = (None, "music", "sport")


def routes(school: Calling) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in school.client.get("/v1/openapi.json").json()["paths"].items():
        for method, described in methods.items():
            yield method.upper(), path, described


@pytest.fixture(scope="module")
def staffed(school: Calling) -> Calling:
    """An operator of each role, for the school and for two departments; the first admin names the others."""
    with school.house.ledger.look() as tx:
        named = {one.name for one in tx.operators.all()}
    if "Head" not in named:
        operators.add(school.house.ports, "Head", [OperatorRole.ADMIN, OperatorRole.AUTHOR], None, actor=HEAD)
        for role in OperatorRole:
            for department in DEPARTMENTS:
                operators.add(school.house.ports, name_of(role, department), [role], department, actor=HEAD)
    return school


def name_of(role: OperatorRole, department: str | None) -> str:
    return f"{role} of {department or 'school'}"


def reach_of(role: str) -> frozenset[Scope]:
    return MACHINE if role == "machine" else REACH[OperatorRole(role)]


def token_of(school: Calling, role: str, department: str | None) -> str:
    if role == "machine":
        return school.token(department=department)
    return school.token(*Scope, operator=name_of(OperatorRole(role), department))


def filled(path: str) -> str:
    """With ids of nothing: what may be done is answered first, and then there is nothing there."""
    for name in ("id", "name", "who", "key", "source"):
        path = path.replace(f"{{{name}}}", {"id": str(uuid4())}.get(name, "nothing-of-this-name"))
    return path


def test_without_a_token_nothing_is_answered(school: Calling) -> None:
    for method, path, _ in routes(school):
        for headers in (
            {},
            {"Authorization": "Bearer carillon_" + 46 * "0"},
            {"Authorization": "Basic YTpi"},
        ):
            answer = school.client.request(method, f"/v1{numbered(path)}", headers=headers)
            assert answer.status_code == 401, (method, path, headers)
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def body_of(described: dict[str, Any]) -> dict[str, Any]:
    """A body of a type that is taken, with nothing in it; none where none is."""
    types = list(described.get("requestBody", {}).get("content", ()))
    return {"content": b"{}", "headers": {"Content-Type": types[0]}} if types else {}


def numbered(path: str) -> str:
    return filled(path.replace("/deliveries/{id}", "/deliveries/4711"))


@pytest.mark.parametrize("department", DEPARTMENTS)
@pytest.mark.parametrize("role", ROLES)
def test_every_route_keeps_to_what_role_and_scopes_say(
    staffed: Calling, role: str, department: str | None
) -> None:
    token, reach = token_of(staffed, role, department), reach_of(role)
    for method, path, described in routes(staffed):
        scope = described.get("x-scope")
        if scope is None:
            continue
        answer = staffed.call(method, numbered(path), token=token, **body_of(described))
        if Scope(scope) not in reach:
            assert (answer.status_code, answer.json()["code"]) == (403, "no_scope"), (method, path)
        else:
            assert answer.json().get("code") != "no_scope", (method, path, answer.text)
            assert answer.status_code in {200, 403, 404, 413, 415, 422}, (method, path, answer.text)


@pytest.mark.parametrize("role", ROLES)
def test_what_is_anothers_is_not_there_by_any_route(staffed: Calling, role: str) -> None:
    """Something of music's, by every route that takes an id, for the same role of music, of sport and of the school."""
    made = staffed.post("/announcements", announced(department="music")).json()["id"]
    event = staffed.post(
        "/events", {"title": "Concert", "to": "Choir", "starts": "2027-03-18T19:00:00", "department": "music"}
    )
    assert event.status_code == 201, event.text
    things = {"announcements": made, "approvals": made, "events": event.json()["id"]}
    for method, path, described in routes(staffed):
        resource = path.split("/")[1]
        if "{id}" not in path or resource not in things or method != "GET":
            continue
        if Scope(described["x-scope"]) not in reach_of(role):
            continue
        at = path.replace("{id}", str(UUID(things[resource])))
        found = {d: staffed.get(at, token=token_of(staffed, role, d)).status_code for d in DEPARTMENTS}
        assert found == {None: 200, "music": 200, "sport": 404}, (role, path)


def test_a_machine_of_one_department_changes_nothing_of_the_schools(staffed: Calling) -> None:
    token = staffed.token(department="music")
    for method, path, body in (
        ("PUT", "/rules/undo.window", {"value": "2 min", "why": "so"}),
        ("POST", "/accounts/sms/pause", {"why": "so"}),
        ("GET", "/record", None),
        ("POST", "/announcements", announced(department="sport")),
    ):
        answer = staffed.call(method, path, token=token, **({"json": body} if body else {}))
        assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed"), (path, answer.text)
