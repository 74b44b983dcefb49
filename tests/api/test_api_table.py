"""Every route of the API × a token of the school, of the department, of another, of none of the scope, and none at all.

`RULES` is the table; what scope a route wants stands beside the route, as `x-scope`. A route without a rule fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from broker import fanout
from broker.actor import SYSTEM
from broker.authority import operators, rule_changes
from broker.diary.calendar import DayKind
from broker.ports.api import Scope
from broker.ports.approvals import OperatorRole
from ledger.reads.deliveries import Wanted
from ledger.reads.deliveries import deliveries as listed
from tests.support.api import HEAD, Calling, a_school, announced
from tests.support.routes import Route, api_of, routes_of

pytestmark = [pytest.mark.security, pytest.mark.runs_on("sqlite")]
NUMBERS = count()


YES = 200
# Whose token: of the school, of the department whose things are asked for, of another.
PLACES = (None, "music", "sport")


class Whose(Enum):
    """What a token of each place is answered. YES: whatever is no 401, no 403 and no 404."""

    MUSICS = (YES, YES, 404)  # by its id, which is not there for sport
    NAMED = (YES, YES, 403)  # what is sent says that it is for music
    SCHOOLS = (YES, 403, 403)
    UNLOCKED = (YES, 403, 404)  # music stops its own account; only the school lets it go on
    EVERYBODYS = (YES, YES, YES)
    LISTED = ("listed", "listed", "not listed")


@dataclass(frozen=True)
class Rule:
    """Whose it is; `thing`: of music, made anew where it is used up; `body`: one that is understood."""

    whose: Whose
    thing: str = ""
    body: Mapping[str, Any] | None = None
    raw: str = ""  # the type of a body that is none


OURS, NAMED, SCHOOLS, ALL, LISTED = Whose.MUSICS, Whose.NAMED, Whose.SCHOOLS, Whose.EVERYBODYS, Whose.LISTED
TO = {"to": "2027-03-19T19:00:00"}
ON = {"on": "2027-09-08"}
WHY = {"why": "so"}
RIGHT = {"words": {"long": "{pupil}: rehearsal at 16:30."}}
AGAIN = {"joined": True}
NOBODYS = frozenset({("GET", "/openapi.json")})
# Nothing but a token that holds: whoever calls asks about, or gives up, their own.
THEIR_OWN = frozenset({("GET", "/token"), ("DELETE", "/token")})
RULES: dict[Route, Rule] = {
    ("GET", "/announcements"): Rule(LISTED, "announcement"),
    ("POST", "/announcements"): Rule(NAMED, body=announced(department="music")),
    ("POST", "/announcements/preview"): Rule(NAMED, body=announced(department="music")),
    ("GET", "/announcements/{id}"): Rule(OURS, "announcement"),
    ("POST", "/announcements/{id}/withdraw"): Rule(OURS, "announcement"),
    ("POST", "/announcements/{id}/override"): Rule(OURS, "announcement", WHY),
    ("GET", "/announcements/{id}/duties"): Rule(OURS, "announcement"),
    ("GET", "/announcements/{id}/thread"): Rule(OURS, "announcement"),
    ("POST", "/announcements/{id}/correct"): Rule(OURS, "announcement", RIGHT),
    ("POST", "/announcements/{id}/correct/preview"): Rule(OURS, "announcement", RIGHT),
    ("POST", "/announcements/{id}/withdraw-and-tell"): Rule(OURS, "announcement", RIGHT),
    ("POST", "/announcements/{id}/resend"): Rule(OURS, "announcement", AGAIN),
    ("POST", "/announcements/{id}/resend/preview"): Rule(OURS, "announcement", AGAIN),
    ("GET", "/deliveries"): Rule(LISTED, "delivery"),
    ("GET", "/deliveries/{id}"): Rule(OURS, "delivery"),
    ("POST", "/deliveries/{id}/requeue"): Rule(OURS, "delivery", {}),
    ("POST", "/deliveries/{id}/settle"): Rule(OURS, "delivery", {}),
    ("GET", "/approvals"): Rule(LISTED, "announcement"),
    ("GET", "/approvals/{id}"): Rule(OURS, "announcement"),
    ("POST", "/approvals/{id}/approve"): Rule(OURS, "announcement", {}),
    ("POST", "/approvals/{id}/reject"): Rule(OURS, "announcement", WHY),
    ("POST", "/approvals/{id}/review"): Rule(OURS, "announcement", {"note": "so"}),
    ("GET", "/people/{who}"): Rule(ALL, "person"),
    ("GET", "/groups"): Rule(LISTED, "group"),
    ("POST", "/groups"): Rule(NAMED, body={}),
    ("GET", "/groups/{name}/members"): Rule(OURS, "group"),
    ("PUT", "/groups/{name}/members"): Rule(OURS, "group", {"ids": ["ann"]}),
    ("DELETE", "/groups/{name}"): Rule(OURS, "group"),
    ("POST", "/reach"): Rule(NAMED, body={"to": "Choir", "ways": ["sms"], "department": "music"}),
    ("POST", "/imports/preview"): Rule(SCHOOLS, raw="text/csv"),
    ("POST", "/imports"): Rule(SCHOOLS, raw="text/csv"),
    ("GET", "/templates"): Rule(LISTED, "template"),
    ("GET", "/templates/{name}"): Rule(OURS, "template"),
    ("PUT", "/templates/{name}"): Rule(NAMED, "template", {"words": {"long": "x"}, "department": "music"}),
    ("DELETE", "/templates/{name}"): Rule(OURS, "template"),
    ("GET", "/schedules"): Rule(LISTED, "schedule"),
    ("POST", "/schedules"): Rule(NAMED, body={}),
    ("POST", "/schedules/preview"): Rule(NAMED, body={}),
    ("GET", "/schedules/{name}"): Rule(OURS, "schedule"),
    ("POST", "/schedules/{name}/move"): Rule(OURS, "schedule", {**ON, "to": "2027-09-09T08:00:00"}),
    ("POST", "/schedules/{name}/cancel"): Rule(OURS, "schedule", ON),
    ("POST", "/schedules/{name}/put-back"): Rule(OURS, "schedule", ON),
    ("POST", "/schedules/{name}/pause"): Rule(OURS, "schedule"),
    ("POST", "/schedules/{name}/resume"): Rule(OURS, "schedule"),
    ("POST", "/schedules/{name}/approve"): Rule(OURS, "schedule", {}),
    ("POST", "/schedules/{name}/end"): Rule(OURS, "schedule", {}),
    ("GET", "/events"): Rule(LISTED, "event"),
    ("POST", "/events"): Rule(
        NAMED, body={"title": "x", "to": "Choir", "starts": TO["to"], "department": "music"}
    ),
    ("GET", "/events/{id}"): Rule(OURS, "event"),
    ("POST", "/events/{id}/move"): Rule(OURS, "event", TO),
    ("POST", "/events/{id}/change"): Rule(OURS, "event", {"to": "Choir"}),
    ("POST", "/events/{id}/cancel"): Rule(OURS, "event"),
    ("GET", "/timetable"): Rule(LISTED, "source"),
    ("POST", "/timetable/{source}"): Rule(OURS, "source", raw="text/csv"),
    ("POST", "/timetable/{source}/release"): Rule(OURS, "source"),
    ("GET", "/accounts"): Rule(LISTED, "account"),
    ("GET", "/accounts/{name}/licence"): Rule(OURS, "account"),
    ("POST", "/accounts/{name}/pause"): Rule(OURS, "account", WHY),
    ("POST", "/accounts/{name}/resume"): Rule(Whose.UNLOCKED, "account", WHY),
    ("GET", "/rules"): Rule(ALL),
    ("GET", "/rules/history"): Rule(ALL),
    ("GET", "/rules/{key}"): Rule(ALL, "rule"),
    ("PUT", "/rules/{key}"): Rule(SCHOOLS, "rule", {"value": "1 h", "why": "so"}),
    ("POST", "/rules/{key}/reset"): Rule(SCHOOLS, "rule", WHY),
    ("GET", "/record"): Rule(SCHOOLS),
    ("GET", "/tokens"): Rule(LISTED, "token"),
    ("DELETE", "/tokens/{name}"): Rule(OURS, "token"),
    ("GET", "/webhooks"): Rule(LISTED, "webhook"),
    ("POST", "/webhooks"): Rule(NAMED, body={"url": "https://there.example/x", "department": "music"}),
    ("POST", "/webhooks/{id}/resume"): Rule(OURS, "webhook"),
    ("DELETE", "/webhooks/{id}"): Rule(OURS, "webhook"),
}


# Of a template it is the department that is not there.
BY_ITS_ID = [route for route, rule in RULES.items() if rule.whose is OURS and rule.thing != "template"]


@dataclass
class House:
    """A school with things of music's."""

    school: Calling
    scopes: Mapping[Route, Scope]
    tokens: dict[str | None, str] = field(default_factory=dict)

    def thing(self, what: str) -> str:
        made: Callable[[], str] | None = getattr(self, f"_{what}", None)
        return made() if made else ""

    def _announcement(self) -> str:
        """By a program, so that anybody may be the second person."""
        answer = self.school.post("/announcements", announced(department="music"))
        return str(answer.json()["id"])

    def _delivery(self) -> str:
        ports, ledger = self.school.house.ports, self.school.house.ledger
        said = UUID(self._announcement())
        answer = self.school.post(f"/approvals/{said}/approve", {}, token=self.tokens[None])
        assert answer.is_success, answer.text
        fanout.plan(ports, said, actor=SYSTEM)
        with ledger.reading() as hand:
            return str(listed(hand, Wanted(said), limit=1)[0].id)

    def _person(self) -> str:
        return "ann"

    def group(self) -> dict[str, Any]:
        return {"name": f"Band {next(NUMBERS)}", "department": "music"}

    def _group(self) -> str:
        return str(self._made("/groups", self.group())["name"])

    def _template(self) -> str:
        name = f"reminder-{next(NUMBERS)}"
        body = {"words": {"long": "x"}, "department": "music"}
        assert self.school.call("PUT", f"/templates/{name}", json=body, token=self.tokens["music"]).is_success
        return name

    def schedule(self) -> dict[str, Any]:
        return {
            "name": f"Choir {next(NUMBERS)}",
            "to": "Choir",
            "starts": "2027-09-01T08:00:00",
            "every": "FREQ=WEEKLY",
            "words": {"long": "{pupil}: choir."},
            "ways": ["sms"],
            "on": [*DayKind],
            "department": "music",
        }

    def _schedule(self) -> str:
        return str(self._made("/schedules", self.schedule())["name"])

    def _event(self) -> str:
        body = {"title": "Concert", "to": "Choir", "starts": "2027-03-18T19:00:00", "department": "music"}
        return str(self._made("/events", body)["id"])

    def _source(self) -> str:
        return "untis"

    def _account(self) -> str:
        return "musictexts"

    def _rule(self) -> str:
        return "sign_in.idle"

    def _token(self) -> str:
        lasts = timedelta(days=1, seconds=next(NUMBERS))
        self.school.token(Scope.GROUPS_READ, department="music", lasts=lasts)
        return f"token {len(self.school.made) - 1}"

    def _webhook(self) -> str:
        body = {"url": f"https://there.example/{next(NUMBERS)}", "department": "music"}
        return str(self._made("/webhooks", body)["id"])

    def _made(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        answer = self.school.post(path, body, token=self.tokens[None])
        assert answer.status_code == 201, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def ask(self, route: Route, thing: str, token: str | None) -> Any:
        method, path = route
        rule = RULES[route]
        filled = "/".join(thing if part.startswith("{") else part for part in path.split("/"))
        more: dict[str, Any] = {}
        if rule.raw:
            more = {"content": b"x", "headers": {"Content-Type": rule.raw}}
        elif rule.body is not None:
            made = {"/schedules": self.schedule, "/schedules/preview": self.schedule, "/groups": self.group}
            more = {"json": made[path]() if path in made else rule.body}
        elif "/templates/" in path:
            more = {"params": {"department": "music"}}
        if route == ("GET", "/events"):
            more = {"params": {"days": 400}}
        if token is None:
            return self.school.client.request(method, f"/v1{filled}", **more)
        return self.school.call(method, filled, token=token, **more)

    def cell(self, route: Route, place: str | None, thing: str) -> int | str:
        """What a token of this place is answered."""
        answer = self.ask(route, thing, self.tokens[place])
        if RULES[route].whose is LISTED:
            names = {
                str(one[k]) for one in answer.json()["items"] for k in ("id", "name", "account") if k in one
            }
            return "listed" if thing in names else "not listed"
        # It is there, and nothing is held.
        if answer.status_code == 404 and answer.json()["code"] == "not_held":
            return YES
        return answer.status_code if answer.status_code in {401, 403, 404} else YES


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    home: Path = tmp_path_factory.mktemp("table")
    with a_school(
        f"sqlite:///{home / 'carillon.sqlite3'}",
        home,
        CARILLON_TIMETABLES__UNTIS__DEPARTMENT="music",
        CARILLON_ACCOUNTS__MUSICTEXTS__CHANNEL="sms",
        CARILLON_ACCOUNTS__MUSICTEXTS__DEPARTMENT="music",
        CARILLON_ACCOUNTS__MUSICTEXTS__ACCOUNT_SID="AC" + 32 * "1",
        CARILLON_ACCOUNTS__MUSICTEXTS__AUTH_TOKEN="nobodys",
        CARILLON_ACCOUNTS__MUSICTEXTS__SENDER="+447400123457",
        CARILLON_ACCOUNTS__MUSICTEXTS__API_BASE_URL="http://127.0.0.1:9",
    ) as school:
        ports = school.house.ports
        operators.add(ports, "Head", [OperatorRole.ADMIN], None, actor=HEAD)
        rule_changes.change(ports, "approval.needed", "any/any/any", "the test", actor=HEAD)
        for place in (None, "music", "sport"):
            who = f"Everything of {place or 'the school'}"
            operators.add(ports, who, [*OperatorRole], place, actor=HEAD)
        described = school.client.get("/v1/openapi.json").json()["paths"]
        scopes = {
            (method.upper(), path): Scope(one["x-scope"])
            for path, methods in described.items()
            for method, one in methods.items()
            if "x-scope" in one
        }
        tokens = {
            place: school.token(*Scope, operator=f"Everything of {place or 'the school'}")
            for place in (None, "music", "sport")
        }
        yield House(school, scopes, tokens)


def test_every_route_of_the_api_has_its_rule_and_its_scope(house: House) -> None:
    found = set(routes_of(api_of(house.school.client)))
    assert set(RULES) == set(house.scopes)
    # What is not described is no operation: another method of a path that would be taken for an id.
    for method, path in found - NOBODYS - THEIR_OWN - set(RULES):
        assert house.school.call(method, path).status_code == 405, (method, path)
    assert not set(RULES) - found


@pytest.mark.parametrize("route", RULES, ids=" ".join)
def test_a_route_is_for_whom_the_table_says(house: House, route: Route) -> None:
    rule, scope = RULES[route], house.scopes[route]
    thing = house.thing(rule.thing)
    assert house.ask(route, thing, None).status_code == 401
    all_but_one = house.school.token(*(set(Scope) - {scope}), operator="Everything of the school")
    refused = house.ask(route, thing, all_but_one)
    assert (refused.status_code, refused.json()["code"]) == (403, "no_scope")
    # What is refused changes nothing, so the same thing is there for music afterwards; music may use it up.
    got: dict[str | None, int | str] = {
        place: house.cell(route, place, thing) for place in ("sport", "music")
    }
    got[None] = house.cell(route, None, house.thing(rule.thing))
    assert got == dict(zip(PLACES, rule.whose.value, strict=True))


@pytest.mark.parametrize("route", BY_ITS_ID, ids=" ".join)
def test_what_is_nowhere_is_told_as_what_is_anothers(house: House, route: Route) -> None:
    """So that nobody learns which ids another department has."""
    nowhere = {"delivery": "4711", "source": "nowhere", "account": "nowhere"}.get(
        RULES[route].thing, str(UUID(int=7))
    )
    theirs = house.ask(route, house.thing(RULES[route].thing), house.tokens["sport"])
    nobodys = house.ask(route, nowhere, house.tokens["sport"])
    assert (nobodys.status_code, nobodys.json()) == (theirs.status_code, theirs.json())


def test_a_token_asks_about_and_gives_up_itself_alone(house: House) -> None:
    mine = house.school.token(Scope.RULES_READ, lasts=timedelta(days=2))
    for method, path in sorted(THEIR_OWN, reverse=True):  # GET before DELETE
        assert house.school.client.request(method, f"/v1{path}").status_code == 401
        assert house.school.call(method, path, token=mine).status_code == 200, method
    assert house.school.get("/rules", token=mine).status_code == 401
