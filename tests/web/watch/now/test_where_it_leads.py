"""No concern leads whoever looks to a page that refuses them: then it says whom to tell."""

from __future__ import annotations

import re
from html import unescape

import pytest

from broker.ports.approvals import OperatorRole
from tests.support.staff import Browser, name
from tests.support.watching import Watched
from web.watch.now.concerns import ALARMS, TELL

ABOUT_ONE = {"waits", "failed"}  # groups whose alarms name an announcement


@pytest.mark.parametrize("role", OperatorRole)
def test_every_page_that_a_concern_leads_to_is_open_to_whoever_is_led_there(
    watched: Watched, role: OperatorRole
) -> None:
    said = watched.announce("Concert")
    with watched.ledger.begin() as tx:
        for kind, (group, _) in ALARMS.items():
            subject = str(said.public_id) if group in ABOUT_ONE else "tower"
            tx.sweeps.raise_alarm(kind, subject, "something is to be done")
        tx.sweeps.raise_alarm("of_a_kind_to_come", "tower", "something is to be done")
    someone = person(watched, role)
    html = concerns_of(someone)
    led = {unescape(link) for link in re.findall(r'href="([^"]+)"', html)}
    assert led
    refused = {link for link in led if someone.get(f"/{link}").status_code == 403}
    assert not refused
    assert (TELL in html) is (role is not OperatorRole.ADMIN and role is not OperatorRole.AUDITOR)


def test_what_is_stopped_leads_to_where_it_is_let_go_on(watched: Watched) -> None:
    with watched.ledger.begin() as tx:
        tx.sweeps.raise_alarm("stopped", "sms", "the bill is too high")
    assert 'href="watch/switches"' in concerns_of(person(watched, OperatorRole.ADMIN))


def concerns_of(someone: Browser) -> str:
    """What needs action first, as they read it."""
    html: str = someone.get("/watch").text
    return html.partition('id="concerns"')[2].partition('id="going"')[0]


def person(watched: Watched, role: OperatorRole) -> Browser:
    found = Browser(watched)
    found.post("/watch/sign-in", link=watched.link(name(watched, f"one who is {role}", role)))
    return found
