"""Whoever comes × every page × every method: made from the routes there are, so that a new one has to say its rule.

`RULES` is the table. A cell is what whoever comes is answered; another department's announcement is not there.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from broker.actor import SYSTEM, Actor, ActorKind
from broker.announcement import Announcement, Draft, Part, People, Step
from broker.authority import operators, rule_changes, shown_once, signin
from broker.intake import accept
from broker.ports import Ports, Stage
from broker.ports.approvals import OperatorRole
from ledger.authority.sessions import Sessions
from ledger.reads.approvals import looked_at
from tests.support.api import Calling, a_school
from tests.support.page_rules import COMERS, FILLED, HALF_WAY, NOWHERE, RULES, STANDING
from tests.support.routes import Route, app_of, routes_of
from tests.support.staff import QUICK, vault_with
from web.watch.signing_in import Signed

pytestmark = pytest.mark.runs_on("sqlite")
HERE = "http://testserver"
# For families and programs, each with a rule and tests of its own; no session opens or closes any of it.
PUBLIC = {
    "/", "/healthz", "/readyz", "/metrics", "/f/{token}", "/a/{public_id}", "/feeds", "/feeds/private/{name}",
    "/push/{name}", "/widget/{scope}", "/screen/{scope}", "/u/{token}", "/s/{token}",
}  # fmt: skip
ENDING = {("POST", "/watch/sign-out"), ("POST", "/account/sessions")}  # these want a session of their own
MOUNTED = {"/v1"}  # tests/api has its table
SIGNED_IN = [route for route, rule in RULES.items() if rule.nobody == 401]


@dataclass
class House:
    """A school, an announcement of each department that waits for a yes, and whoever comes."""

    school: Calling
    said: Mapping[str, Announcement]
    sessions: dict[str, str] = field(default_factory=dict)

    @property
    def ports(self) -> Ports:
        return self.school.house.ports

    def secret(self, comer: str) -> str:
        """Of a session that has just begun; of nobody an empty one."""
        if comer == "nobody":
            return ""
        stage = HALF_WAY.get(comer, Stage.WHOLE)
        return self.ports.ledger.transact(
            lambda tx: signin.begin(
                tx, comer, "password" if stage is not Stage.WHOLE else "link", signin.Came(), stage=stage
            )
        ).secret

    def token(self, secret: str) -> str:
        """What goes with the forms of a session."""
        if not secret:
            return "0" * 64
        with self.school.house.ledger.reading() as hand:
            session = Sessions(hand).of(shown_once.digest(secret))
        assert session is not None
        return Signed(session, secret).form_token

    def ask(self, comer: str, route: Route, public_id: UUID, **more: Any) -> Any:
        """As that comer's own browser would: from an address of their own, so that nobody is slowed down for others."""
        method, path = route
        filled = path.format(**FILLED, public_id=public_id)
        if comer not in self.sessions or route in ENDING:
            self.sessions[comer] = self.secret(comer)
        secret = self.sessions[comer]
        filled_in = {field: value.format(comer=comer) for field, value in RULES[route].form.items()}
        form = {"token": self.token(secret), **filled_in, **more.pop("form", {})}
        headers = {"Origin": HERE, **more.pop("headers", {})}
        headers = {k: v for k, v in headers.items() if v is not None}
        cookies = {"Cookie": f"carillon={secret}"} if secret else {}
        client = TestClient(
            self.school.client.app, client=(f"192.0.2.{COMERS.index(comer)}", 1), follow_redirects=False
        )
        sent: dict[str, Any] = {"data": form} if method == "POST" else {}
        answer = client.request(method, filled, headers={**headers, **cookies}, **sent)
        if route in ENDING:
            del self.sessions[comer]
        return answer


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    home: Path = tmp_path_factory.mktemp("table")
    with a_school(f"sqlite:///{home / 'carillon.sqlite3'}", home) as school:
        ports, head = school.house.ports, Actor(ActorKind.PERSON, "Head")
        operators.add(ports, "Head", [OperatorRole.ADMIN, OperatorRole.AUTHOR], None, actor=SYSTEM)
        rule_changes.change(ports, "approval.needed", "any/any/any", "the test", actor=head)
        for comer in COMERS[1:]:
            half = comer in HALF_WAY
            role, place = (
                (OperatorRole.ADMIN, None) if half else STANDING[COMERS.index(comer) - 1 - len(HALF_WAY)]
            )
            operators.add(ports, comer, [role], place, actor=head)
        said = {}
        for place in ("music", "office"):
            parts = {Part.TITLE: f"Said by {place}", Part.SHORT: "At six."}
            draft = Draft(place, "everyone", People.GUARDIANS, (Step(("sms",)),), parts)
            said[place] = accept(ports, draft, actor=head).announcement
        state = app_of(school.client).state
        state.hub.closing = True
        state.vault = vault_with(ports, QUICK)
        yield House(school, said)


def test_every_route_of_the_application_has_its_rule(house: House) -> None:
    found = set(routes_of(app_of(house.school.client)))
    pages = {route for route in found if route[1] not in PUBLIC | MOUNTED}
    assert pages - {("*", "/feeds")} == set(RULES)
    assert not PUBLIC - {path for _, path in found}


@pytest.mark.parametrize("comer", COMERS)
def test_whoever_comes_gets_what_the_table_says(house: House, comer: str) -> None:
    got, told = {}, {}
    for route, rule in RULES.items():
        for place in ("music", "office") if rule.of_an_announcement else ("music",):
            answer = house.ask(comer, route, house.said[place].public_id)
            got[route, place], told[route, place] = answer.status_code, rule.cell(comer, place)
            if told[route, place] in {401, 404}:
                assert "Said by" not in answer.text, route
            if answer.status_code == 403 and rule.yes != 403 and comer not in HALF_WAY:
                assert "This is for others to do" in answer.text, route
    assert got == told


@pytest.mark.parametrize("comer", COMERS[1 + len(HALF_WAY) :])
def test_what_is_nowhere_is_told_as_what_is_anothers(house: House, comer: str) -> None:
    """So that nobody learns which ids another department has."""
    for route, rule in RULES.items():
        if not rule.of_an_announcement:
            continue
        nowhere = house.ask(comer, route, NOWHERE)
        assert nowhere.status_code == (404 if rule.cell(comer, "music") in {404, rule.yes} else 403), route
        for place, announcement in house.said.items():
            if rule.cell(comer, place) == 404:
                assert house.ask(comer, route, announcement.public_id).text == nowhere.text, route


@pytest.mark.parametrize("comer", COMERS[1 + len(HALF_WAY) :])
def test_a_list_holds_ones_own_department_alone(house: House, comer: str) -> None:
    listed = house.ask(comer, ("GET", "/watch"), NOWHERE).text
    rule = RULES["GET", "/watch/{public_id}"]
    for place in house.said:
        assert (f"Said by {place}" in listed) == (rule.cell(comer, place) == 200)


def test_who_wrote_it_does_not_say_yes_to_it(house: House) -> None:
    both, head = "Author and approver", Actor(ActorKind.PERSON, "Head")
    operators.add(house.ports, both, [OperatorRole.AUTHOR, OperatorRole.APPROVER], None, actor=head)
    parts = {Part.TITLE: "Mine", Part.SHORT: "At six."}
    draft = Draft("music", "everyone", People.GUARDIANS, (Step(("sms",)),), parts)
    mine = accept(house.ports, draft, actor=Actor(ActorKind.PERSON, both)).announcement
    COMERS.append(both)
    try:
        route = ("POST", "/watch/{public_id}/decide")
        page = house.ask(both, ("GET", route[1]), mine.public_id).text
        seen = re.search(r'name="seen" value="([^"]*)"', page)
        assert seen
        answer = house.ask(both, route, mine.public_id, form={"do": "approve", "seen": seen[1]})
    finally:
        COMERS.remove(both)
    assert answer.status_code == 422
    assert "This was not done" not in answer.text
    with house.school.house.ledger.reading() as hand:
        looked = looked_at(hand, mine.public_id)
    assert looked is not None
    assert looked.waits


POSTS = [route for route in RULES if route[0] == "POST"]
WHOLE = "approver of the school"


def comer_of(route: Route) -> str:
    """Somebody whom the page would answer."""
    return next(iter(RULES[route].half), WHOLE) if RULES[route].yes == 303 and RULES[route].half else WHOLE


@pytest.mark.parametrize("route", POSTS, ids=lambda route: route[1])
@pytest.mark.parametrize(
    "origin",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://testserver.evil.example"},
        {"Origin": "ftp://testserver"},
        {"Origin": None},
        {"Origin": None, "Sec-Fetch-Site": "cross-site"},
        {"Origin": None, "Sec-Fetch-Site": "same-site"},
        {"Origin": None, "Sec-Fetch-Site": "none"},
        {"Origin": None, "Referer": f"{HERE}/watch"},
    ],
    ids=lambda headers: " ".join(f"{k}:{v}" for k, v in headers.items()),
)
def test_a_form_of_another_site_is_refused(house: House, route: Route, origin: dict[str, str | None]) -> None:
    answer = house.ask(comer_of(route), route, house.said["music"].public_id, headers=origin)
    assert answer.status_code == 403
    assert "This was not done" in answer.text
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("route", [one for one in POSTS if one in SIGNED_IN], ids=lambda route: route[1])
def test_a_form_wants_the_token_of_its_own_session(house: House, route: Route) -> None:
    comer = comer_of(route)
    another = house.token(house.secret(comer))  # the same person's, of another session
    for token in ("", "0" * 64, another, another.upper(), "é" * 32):
        answer = house.ask(comer, route, house.said["music"].public_id, form={"token": token})
        assert answer.status_code == 403, token
        assert "This was not done" in answer.text
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("route", POSTS, ids=lambda route: route[1])
def test_a_form_of_ones_own_is_taken_with_either_sign(house: House, route: Route) -> None:
    """Else the refusals above would prove nothing."""
    for headers in ({"Origin": HERE}, {"Origin": None, "Sec-Fetch-Site": "same-origin"}):
        answer = house.ask(comer_of(route), route, house.said["music"].public_id, headers=headers)
        # Its picture is not held; or it says nothing of what it asks for.
        unsaid = RULES[route].yes == 400 or route[1] == "/account/second"
        assert "This was not done" not in answer.text or unsaid


@pytest.mark.parametrize("route", SIGNED_IN, ids=" ".join)
def test_a_cookie_that_is_no_session_is_nobodys(house: House, route: Route) -> None:
    filled = route[1].format(**FILLED, public_id=house.said["music"].public_id)
    for cookie in ("", "x", "x" * 43, secrets.token_urlsafe(32), "x" * 5000, "%00"):
        headers = {"Origin": HERE, "Cookie": f"carillon={cookie}"}
        assert house.school.client.request(route[0], filled, headers=headers).status_code == 401, cookie
