"""Every role, for the school, its department and another, at every page and method: made from the routes there are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import UUID

import pytest
from fastapi.routing import APIRoute

from broker.actor import SYSTEM
from broker.announcement import Announcement, Draft, Part, People, Step
from broker.authority import rule_changes
from broker.intake import accept
from broker.ports.approvals import OperatorRole
from tests.support.staff import Browser, name, passed, quick
from tests.support.watching import Serve, Watched, streaming

ROLES = [*OperatorRole]
PLACES = [None, "music", "office"]
NOWHERE = UUID(int=7)
# What anybody may ask for, what half a sign-in may, and what everybody who is signed in may, wherever they stand.
OPEN = {
    ("GET", "/watch/static/{edition}/{name}"),
    ("GET", "/watch/sign-in/{link}"),
    ("POST", "/watch/sign-in"),
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("GET", "/sign-in/with/{name}"),
    ("GET", "/sign-in/back/{name}"),
}
HALF = {("GET", "/sign-in/code"), ("POST", "/sign-in/code")}
OF_AN_ANNOUNCEMENT = {
    ("GET", "/watch/{public_id}"): set(ROLES),
    ("GET", "/watch/{public_id}/people"): set(ROLES),
    ("GET", "/watch/{public_id}/decide"): {OperatorRole.APPROVER},
    ("POST", "/watch/{public_id}/decide"): {OperatorRole.APPROVER},
}
THEIR_OWN = {
    ("GET", "/watch"),
    ("GET", "/watch/events"),
    ("GET", "/watch/answers"),
    ("GET", "/watch/answers/{public_id}"),
    ("POST", "/watch/answers/{public_id}"),
    ("POST", "/watch/sign-out"),
    ("GET", "/account"),
    ("POST", "/account/sessions"),
    ("GET", "/account/password"),
    ("POST", "/account/password"),
    ("GET", "/account/second"),
    ("POST", "/account/second"),
    ("POST", "/account/codes"),
    ("GET", "/account/prove"),
    ("POST", "/account/prove"),
}


@pytest.fixture
def here(serve: Serve) -> Watched:
    found = serve(CARILLON_SIGN_IN__PROXIES="127.0.0.1", CARILLON_DEPARTMENTS="office,music")
    quick(found)
    found.tower.bring(3)
    name(found, "The admin", OperatorRole.ADMIN)
    return found


def routes(here: Watched) -> Iterator[tuple[str, str]]:
    for route in here.app.routes:
        if isinstance(route, APIRoute) and route.path.split("/")[1] in {"watch", "account", "sign-in"}:
            for method in route.methods or ():
                yield method, route.path


def announce(here: Watched, department: str, title: str) -> Announcement:
    parts = {Part.TITLE: title, Part.SHORT: "At six."}
    draft = Draft(department, "everyone", People.GUARDIANS, (Step(("bell",)),), parts)
    return accept(here.tower.house.ports, draft, actor=SYSTEM).announcement


def ask(browser: Browser, method: str, path: str, public_id: UUID) -> int:
    path = path.replace("{public_id}", str(public_id))
    if method == "GET":
        return browser.get(path).status_code
    token = re.search(r'name="token" value="([^"]*)"', browser.get("/account").text)
    assert token
    return browser.post(path, token=token[1], do="reject", why="").status_code


def signed(here: Watched, role: OperatorRole, department: str | None) -> Browser:
    browser = Browser(here)
    who = name(here, f"{role} of {department}", role, department=department)
    browser.post("/watch/sign-in", link=here.link(who))
    return browser


def test_the_table_knows_every_page(here: Watched) -> None:
    known = OPEN | HALF | set(OF_AN_ANNOUNCEMENT) | THEIR_OWN
    assert set(routes(here)) == known


def test_without_a_session_nothing_but_the_way_in_is_there(here: Watched) -> None:
    music = announce(here, "music", "Concert")
    nobody = Browser(here)
    for method, path in sorted(set(routes(here)) - OPEN):
        filled = path.replace("{public_id}", str(music.public_id))
        answer = nobody.client.request(method, filled, headers={"Origin": here.url})
        assert answer.status_code == 401, (method, path)
        assert "Concert" not in answer.text


@pytest.mark.parametrize("department", PLACES)
@pytest.mark.parametrize("role", ROLES)
def test_each_role_sees_its_own_department_and_of_others_nothing(
    here: Watched, role: OperatorRole, department: str | None
) -> None:
    said = {place: announce(here, place, f"Said by {place}") for place in ("music", "office")}
    browser = signed(here, role, department)
    for (method, path), may in OF_AN_ANNOUNCEMENT.items():
        for place, announcement in said.items():
            got = ask(browser, method, path, announcement.public_id)
            if role not in may:
                assert got == 403, (method, path, place)
            elif department not in {None, place}:
                assert got == 404, (method, path, place)
            else:
                assert got in {200, 403}, (method, path, place)  # 403: a no wants a reason
        if role in may:
            assert ask(browser, method, path, NOWHERE) == 404
    listed = browser.get("/watch").text
    for place, announcement in said.items():
        assert (f"Said by {place}" in listed) == (department in {None, place})
        of = f"/watch/events?of={announcement.public_id}"
        if department not in {None, place}:
            assert browser.get(of).status_code == 404


@pytest.mark.runs_on("sqlite")
def test_live_events_tell_of_ones_own_department_alone(here: Watched) -> None:
    browser = signed(here, OperatorRole.AUDITOR, "music")
    here.client.cookies.update(browser.client.cookies)
    with streaming(here) as stream:
        announce(here, "office", "Not for music")
        announce(here, "music", "For music")
        told = stream.until("For music")
        assert "Not for music" not in told.data


@pytest.mark.runs_on("sqlite")
def test_whoever_is_moved_to_another_department_watches_the_old_one_no_longer(here: Watched) -> None:
    browser = signed(here, OperatorRole.AUDITOR, "music")
    here.client.cookies.update(browser.client.cookies)
    with streaming(here) as stream:
        stream.next()
        with here.ledger.begin() as tx:
            tx.proofs.set_department("auditor of music", "office")
        limit = 20.0
        while (event := stream.next(limit)).name != "ended":
            assert event.name == "parts"


@pytest.mark.runs_on("sqlite")
def test_a_big_announcement_wants_a_fresh_proof_and_a_small_one_does_not(here: Watched) -> None:
    ports = here.tower.house.ports
    admin = name(here, "Head", OperatorRole.ADMIN, OperatorRole.APPROVER)
    rule_changes.change(ports, "approval.needed", "any/any/any", "the test", actor=admin)
    said = announce(here, "music", "Concert")
    browser = Browser(here)
    browser.post("/watch/sign-in", link=here.link(admin))
    passed(here, 60 * 11)

    def agree() -> str:
        page = browser.get(f"/watch/{said.public_id}/decide").text
        fields = dict(re.findall(r'name="(token|seen)" value="([^"]*)"', page))
        answer = browser.post(f"/watch/{said.public_id}/decide", do="approve", **fields)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    rule_changes.change(ports, "sign_in.prove_at", "3", "the test", actor=admin)
    assert f"account/prove?to=watch/{said.public_id}/decide" in agree()
    rule_changes.change(ports, "sign_in.prove_at", "4", "the test", actor=admin)
    assert agree().endswith(str(said.public_id))
