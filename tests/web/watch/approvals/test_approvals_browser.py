"""What waits for a second person, in a real browser: looked at, decided, sent without; and without its script."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from broker.actor import Actor, ActorKind
from broker.announcement import Announcement, Draft, Part, People, Step, Urgency
from broker.authority import rule_changes
from broker.intake import accept
from broker.ports.approvals import OperatorRole
from tests.support.at_desk import a_school, page_of, person
from tests.support.looking import Looking, looks_right, tab_to
from tests.support.staff import name
from tests.support.watching import Serve, Watched

pytestmark = [pytest.mark.runs_on("sqlite"), pytest.mark.timeout(180)]
ADMIN, AUTHOR, APPROVER = OperatorRole.ADMIN, OperatorRole.AUTHOR, OperatorRole.APPROVER


@pytest.fixture
def ledger_url(sqlite_ledger: str) -> str:
    return sqlite_ledger


@pytest.fixture
def here(serve: Serve) -> Watched:
    found = a_school(serve)
    admin = name(found, "The admin", ADMIN)
    rule_changes.change(found.tower.house.ports, "approval.needed", "any/any/any", "a test", actor=admin)
    return found


def announced(here: Watched, title: str, urgency: Urgency = Urgency.ROUTINE) -> Announcement:
    parts = {Part.TITLE: title, Part.SHORT: "At six."}
    draft = Draft("music", "everyone", People.GUARDIANS, (Step(("bell",)),), parts, urgency=urgency)
    return accept(here.tower.house.ports, draft, actor=Actor(ActorKind.PERSON, "Mrs Bell")).announcement


@pytest.mark.accessibility
def test_a_no_and_a_yes_are_said_by_keyboard_and_the_list_grows_shorter(
    here: Watched, looking: Looking
) -> None:
    person(here, "Mrs Bell", AUTHOR)
    announced(here, "Concert")
    announced(here, "Coach")
    page = page_of(looking, person(here, "Head", APPROVER), "/watch/waiting")
    looks_right(page)
    page.get_by_role("row", name="Concert").get_by_role("link", name="Decide").click()
    looks_right(page)
    page.get_by_role("button", name="No, do not send it").click()
    expect(page.locator("#wrong-why")).to_contain_text("A no wants a reason")
    looks_right(page)
    tab_to(page, "#why")
    page.keyboard.type("the wrong hall")
    page.get_by_role("button", name="No, do not send it").click()
    expect(page.get_by_role("status").first).to_contain_text("You said no")
    page.goto("/watch/waiting")
    expect(page.get_by_role("link", name="Concert")).to_have_count(0)
    page.get_by_role("row", name="Coach").get_by_role("link", name="Decide").click()
    tab_to(page, "button[value=approve]")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("You said yes")
    page.goto("/watch/waiting")
    expect(page.get_by_text("Nothing waits.")).to_be_visible()
    looks_right(page)


@pytest.mark.accessibility
def test_an_urgent_one_goes_without_and_is_looked_at_afterwards_without_javascript(
    here: Watched, looking: Looking
) -> None:
    bell = person(here, "Mrs Bell", AUTHOR)
    said = announced(here, "Gas", Urgency.URGENT)
    seen = page_of(looking, bell, f"/watch/{said.public_id}/without")
    looks_right(seen)
    seen.goto(f"/watch/{said.public_id}/reword")
    looks_right(seen)
    page = page_of(looking, bell, f"/watch/{said.public_id}/without", script=False)
    page.get_by_label("Why it cannot wait").fill("the head is out of reach")
    page.get_by_role("button", name="Send it now, without a second person").click()
    head = person(here, "Head", APPROVER)
    page = page_of(looking, head, "/watch/waiting", script=False)
    expect(page.get_by_role("region", name="Sent without a second person").first).to_contain_text(
        "out of reach"
    )
    page.get_by_role("link", name="Look at it").click()
    page.get_by_label("What you found").fill("right to send it")
    page.get_by_role("button", name="I have looked at it").click()
    expect(page.get_by_role("status")).to_contain_text("listed no more")
