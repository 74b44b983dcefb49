"""What the table of who may see what cannot tell: what goes on while somebody is signed in and watches."""

from __future__ import annotations

import re
from uuid import UUID

import pytest

from broker.actor import SYSTEM, Actor
from broker.announcement import Announcement, Draft, Part, People, Step
from broker.authority import rule_changes
from broker.intake import accept
from broker.ports.approvals import OperatorRole
from tests.support.staff import Browser, name, passed, quick
from tests.support.watching import Serve, Watched, streaming

pytestmark = pytest.mark.runs_on("sqlite")
NOWHERE = UUID(int=7)


@pytest.fixture
def ledger_url(sqlite_ledger: str) -> str:
    """SQLite alone: who may is asked of the same code over both."""
    return sqlite_ledger


@pytest.fixture
def here(serve: Serve) -> Watched:
    found = serve(CARILLON_SIGN_IN__PROXIES="127.0.0.1", CARILLON_DEPARTMENTS="office,music")
    quick(found)
    found.tower.bring(3)
    name(found, "The admin", OperatorRole.ADMIN)
    return found


def announce(here: Watched, department: str, title: str, *, actor: Actor = SYSTEM) -> Announcement:
    parts = {Part.TITLE: title, Part.SHORT: "At six."}
    draft = Draft(department, "everyone", People.GUARDIANS, (Step(("bell",)),), parts)
    return accept(here.tower.house.ports, draft, actor=actor).announcement


def signed(here: Watched, role: OperatorRole, department: str | None) -> Browser:
    browser = Browser(here)
    who = name(here, f"{role} of {department}", role, department=department)
    browser.post("/watch/sign-in", link=here.link(who))
    return browser


def test_live_events_tell_of_ones_own_department_alone(here: Watched) -> None:
    browser = signed(here, OperatorRole.AUDITOR, "music")
    here.client.cookies.update(browser.client.cookies)
    with streaming(here) as stream:
        other = announce(here, "office", "Not for music")
        announce(here, "music", "For music")
        told = stream.until("For music")
        assert "Not for music" not in told.data
    for of in (other.public_id, NOWHERE):
        assert browser.get(f"/watch/events?of={of}").status_code == 404


def test_what_waits_for_a_yes_is_listed_whole_however_old_the_oldest_first(here: Watched) -> None:
    ports, admin = here.tower.house.ports, name(here, "Another admin", OperatorRole.ADMIN)
    author = name(here, "Mrs Bell", OperatorRole.AUTHOR)
    rule_changes.change(ports, "approval.needed", "any/any/any", "a test", actor=admin)
    for n in range(53):
        announce(here, "music", f"Waits {n:02}", actor=author)
    other = announce(here, "office", "The office waits", actor=author)
    rule_changes.change(ports, "approval.needed", "public/any/any", "a test", actor=admin)
    for n in range(25):
        announce(here, "music", f"Newer {n:02}")
    browser = signed(here, OperatorRole.APPROVER, "music")
    first = browser.get("/watch").text.split('id="newest"')[0]
    assert re.findall(r"<b>(Waits \d\d)", first) == [f"Waits {n:02}" for n in range(5)]
    assert "48 others wait besides these" in first
    assert 'href="watch/waiting">See them all' in first
    found, path = [], "/watch/waiting"
    while path:
        page = browser.get(path).text
        assert "The office waits" not in page
        found += re.findall(r"Waits \d\d", page)
        more = re.search(r'href="(\?after=[0-9a-f-]+)"', page)
        path = f"/watch/waiting{more[1]}" if more else ""
    assert found == [f"Waits {n:02}" for n in range(53)]
    assert browser.get(f"/watch/waiting?after={other.public_id}").status_code == 404


def test_whoever_is_moved_to_another_department_watches_the_old_one_no_longer(here: Watched) -> None:
    browser = signed(here, OperatorRole.AUDITOR, "music")
    here.client.cookies.update(browser.client.cookies)
    with streaming(here) as stream:
        stream.next()
        with here.ledger.begin() as tx:
            tx.operators.set_department("auditor of music", "office")
        limit = 20.0
        while (event := stream.next(limit)).name != "ended":
            assert event.name == "parts"


def test_a_big_announcement_wants_a_fresh_proof_and_a_small_one_does_not(here: Watched) -> None:
    ports = here.tower.house.ports
    admin = name(here, "Head", OperatorRole.ADMIN, OperatorRole.APPROVER)
    author = name(here, "Mrs Bell", OperatorRole.AUTHOR)
    rule_changes.change(ports, "approval.needed", "any/any/any", "the test", actor=admin)
    said = announce(here, "music", "Concert", actor=author)
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
    assert agree().partition("?")[0].endswith(str(said.public_id))
