"""A curious author of one department walks every page there is: nothing of another's is told, shown or counted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

import httpx2
import pytest
from sqlalchemy import select

from broker import accounts, webhooks
from broker.actor import SYSTEM
from broker.announcement import Draft, Part, People, Step
from broker.authority import switching, tokens
from broker.delivery import State
from broker.diary import subscriptions
from broker.intake import accept
from broker.office import groups, private_links, templates
from broker.ports.api import Scope
from broker.ports.approvals import OperatorRole
from broker.ports.calendar import SubscriptionRow
from broker.rules.switches import SwitchKind
from ledger import tables as t
from tests.support.diary import Diary
from tests.support.staff import name
from tests.support.walk import Frontier, kind_of
from tests.support.watching import Serve, Watched

SECRET = "Zyzzyva"  # stands in every word that the office wrote
LINK = re.compile(r'(?:href|action|hx-get|data-live)="([^"#]*)')
ROLES = (OperatorRole.AUTHOR, OperatorRole.APPROVER, OperatorRole.ADMIN, OperatorRole.AUDITOR)


class Theirs(NamedTuple):
    """What the office has, by the addresses of its pages; and what the forms there would be sent with."""

    pages: list[str]
    forms: list[str]


@pytest.fixture
def here(serve: Serve, tmp_path: Path) -> Watched:
    """A school with a head; somebody who has every role in music alone is at the pages."""
    found = serve(
        CARILLON_DEPARTMENTS='{"office": "Office", "music": "Music"}',
        CARILLON_ACCOUNTS__ZYZZYVA__CHANNEL="bell",
        CARILLON_ACCOUNTS__ZYZZYVA__DEPARTMENT="office",
        CARILLON_ACCOUNTS__ZYZZYVA__TRUTH=str(tmp_path / "theirs"),
    )
    found.tower.bring(6)
    name(found, "Head", OperatorRole.ADMIN, OperatorRole.AUTHOR)
    name(found, f"{SECRET} Bell", OperatorRole.AUTHOR, department="office")
    found.sign_in(actor=name(found, "Mr Reed", *ROLES, department="music"))
    return found


def the_offices(here: Watched) -> Theirs:
    """Something of everything that a department can have, each with the word in it."""
    ports, diary = here.tower.house.ports, Diary(here, "office")
    diary.school_year()
    groups.keep(ports, f"{SECRET} choir", department="office", actor=SYSTEM)
    groups.add_members(ports, f"{SECRET} choir", ["pupil0"], actor=SYSTEM)
    kept = ports.ledger.transact(lambda tx: tx.groups.named(f"{SECRET} choir".casefold()))
    assert kept is not None
    parts = {Part.TITLE: f"{SECRET} concert", Part.SHORT: f"The {SECRET} is at six."}
    draft = Draft("office", "everyone", People.GUARDIANS, (Step(("bell",)),), parts)
    said = here.plan(accept(ports, draft, actor=SYSTEM).announcement)
    here.move(said, State.SENT, 1)
    here.move(said, State.REJECTED, 1, "21211", f"{SECRET} is not in use")
    here.move(said, State.UNCERTAIN, 1, "timeout", f"{SECRET} did not answer")
    accept(ports, draft, actor=SYSTEM)
    templates.save(ports, "office", f"{SECRET} words", parts, actor=SYSTEM)
    schedule = diary.weekly(f"{SECRET} weekly", to="Choir")
    event = diary.event(f"{SECRET} evening")
    row = SubscriptionRow(
        0,
        f"{SECRET} calendar",
        "office",
        "https://example.org/zyzzyva.ics",
        "Choir",
        False,
        schedule.lasts,
        "x",
        diary.here.tower.house.ports.ledger.transact(lambda tx: tx.now),
    )
    subscriptions.subscribe(ports, row, actor=SYSTEM)
    tokens.make(ports, f"{SECRET} system", [Scope.RECORD_READ], department="office", actor=SYSTEM)
    webhooks.add(ports, "https://zyzzyva.example.org/", [State.SENT], department="office", actor=SYSTEM)
    link = private_links.make(ports, f"{SECRET} choir", f"{SECRET} parents", actor=SYSTEM).link
    accounts.pause(ports, "zyzzyva", f"{SECRET} is ill", actor=SYSTEM)
    switching.stop(ports, SwitchKind.DEPARTMENT, "office", f"{SECRET} is ill", actor=SYSTEM)
    rows = here.get("/watch/staff")  # the numbers of staff go up one by one
    assert SECRET not in rows
    return _addresses(here, said.public_id, said.id, kept.id, schedule.public_id, event.public_id, link.id)


def _addresses(here: Watched, said: object, number: int, *ids: object) -> Theirs:
    group, schedule, event, link = ids
    with here.ledger.reading() as hand:
        d = t.delivery.c
        delivery = hand.connection.execute(select(d.id).where(d.announcement_id == number)).scalars().first()
        operator = hand.connection.execute(select(t.operator.c.id)).scalars().all()
        webhook = hand.connection.execute(select(t.webhook.c.public_id)).scalars().first()
        duty = hand.connection.execute(select(t.duty.c.id)).scalars().first()
        calendar = hand.connection.execute(select(t.calendar_subscription.c.id)).scalars().first()
    template = urlencode({"department": "office", "name": f"{SECRET} words", "language": ""})
    one = f"/watch/{said}"
    forms = [
        *(f"{one}/{what}" for what in ("undo", "withdraw", "correct", "again", "expect", "decide", "review")),
        *(f"{one}/{what}" for what in ("reword", "without", "papers/slips", "papers/phones", "holds")),
        *(f"{one}/deliveries/{delivery}/{what}" for what in ("requeue", "settle", "reveal")),
        f"{one}/failed/bell",
        f"{one}/people/{duty}/knows",
        *(f"/watch/groups/{group}/{what}" for what in ("change", "members", "list")),
        *(f"/watch/calendar/schedules/{schedule}/{what}" for what in ("change", "pause", "end")),
        *(f"/watch/calendar/events/{event}/{what}" for what in ("change", "cancel")),
        *(f"/watch/calendar/sources/{calendar}/{what}" for what in ("read", "leave")),
        f"/watch/waiting/schedule/{schedule}",
        f"/watch/school/webhooks/{webhook}/remove",
        *(f"/watch/staff/{operator[1]}{what}" for what in ("", "/invite", "/access")),
        *(f"/watch/accounts/zyzzyva/{what}" for what in ("pause", "resume", "look", "seen", "renew")),
        "/watch/accounts/zyzzyva/licence/policy",
        "/watch/budgets/office",
        "/watch/switches/department/office",
        "/watch/switches/account/zyzzyva",
        f"/watch/accounts/tower/links/{link}/end",
        "/watch/templates/retire",
        "/watch/school/tokens/revoke",
    ]
    pages = [
        one,
        *(f"{one}/{what}" for what in ("people", "history", "ladder", "papers", f"deliveries/{delivery}")),
        *(f"{one}{query}" for query in ("?show=failed", "?channel=bell", "?before=9")),
        f"{one}/people/{duty}",
        f"/watch/events?of={said}",
        f"/watch/groups/{group}",
        f"/watch/calendar/schedules/{schedule}",
        f"/watch/calendar/events/{event}",
        f"/watch/templates/one?{template}",
        f"/watch/templates/change?{template}",
        f"/watch/write?department=office&{urlencode({'template': f'{SECRET} words'})}",
        "/watch/write?department=office",
        "/watch/accounts/zyzzyva",
        "/watch/accounts/zyzzyva/licence",
        "/watch/accounts/zyzzyva/licence/print",
        *[
            form
            for form in forms
            if not re.search("pause|end$|read$|leave|remove|invite|access|look|seen", form)
        ],
    ]
    return Theirs(pages, forms)


def every_page(here: Watched) -> Iterator[tuple[str, httpx2.Response]]:
    frontier = Frontier()
    for address in frontier:
        answer = here.client.get(address)
        yield address, answer
        links = [unescape(link) for link in LINK.findall(answer.text)]
        frontier.meet(f"{here.url}{address}", links)


def token(here: Watched) -> str:
    found = re.search(r'name="token" value="([^"]+)"', here.get("/watch"))
    assert found
    return found[1]


def post(here: Watched, path: str, **fields: str) -> httpx2.Response:
    known = {"token": token(here), "do": "", "why": "I am curious", "state": "", "sure": "yes", "seen": "1"}
    return here.client.post(path, data={**known, **fields}, headers={"Origin": here.url})


def test_no_page_that_a_link_leads_to_tells_anything_of_it(here: Watched) -> None:
    the_offices(here)
    seen, telling = {}, []
    for address, answer in every_page(here):
        seen[kind_of(address)] = answer.status_code
        telling += [address] if SECRET.casefold() in answer.text.casefold() else []
        assert answer.status_code < 500, address
        assert answer.headers["cache-control"] == "no-store", address
    assert telling == []
    assert len(seen) > 60, seen


def test_whoever_knows_its_addresses_finds_nothing_there(here: Watched) -> None:
    theirs = the_offices(here)
    got = {path: here.client.get(path) for path in theirs.pages}
    assert {path: answer.status_code for path, answer in got.items()} == dict.fromkeys(got, 404)
    for path, answer in got.items():
        assert SECRET.casefold() not in answer.text.casefold(), path


def test_whoever_sends_its_forms_changes_nothing_and_learns_nothing(here: Watched) -> None:
    theirs = the_offices(here)
    with here.ledger.look() as tx:
        before = tx.record.newest()
    for path in theirs.forms:
        for do in (
            "",
            "undo",
            "quietly",
            "approve",
            "reject",
            "end",
            "stop",
            "go",
            "rename",
            "roles",
            "remove",
        ):
            named = {
                "department": "office",
                "name": f"{SECRET} words" if "templates" in path else f"{SECRET} system",
            }
            answer = post(here, path, do=do, which="failed", **named)
            assert answer.status_code in {403, 404}, (path, do, answer.status_code)
            assert SECRET.casefold() not in answer.text.casefold(), (path, do)
    with here.ledger.look() as tx:
        assert tx.record.newest() == before


def test_no_search_finds_it(here: Watched) -> None:
    the_offices(here)
    for path, field in (("/watch/search", "q"), ("/watch/people/found", "q")):
        answer = post(here, path, **{field: SECRET})
        assert answer.status_code == 200
        assert answer.text.count(SECRET) == answer.text.count(f'value="{SECRET}"') + answer.text.count(
            f"“{SECRET}”"
        ), path
    for query in (f"/watch/groups?q={SECRET}", f"/watch/groups/try?expression={SECRET}+choir"):
        text = here.client.get(query).text
        assert f"{SECRET} choir</a>" not in text, query


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/watch/people?in=", ""),
        ("/watch/families?in=", ""),
        ("/watch/groups/try?expression=", ""),
        ("/watch/groups/new", "expression"),
        ("/watch/write/reach", "to"),
        ("/watch/accounts/tower/links", "group"),
    ],
)
def test_a_group_of_another_department_is_as_unknown_as_one_that_there_is_not(
    here: Watched, path: str, field: str
) -> None:
    """Whether there is a group of this name, and how many are in it, is nobody else's to find out."""
    the_offices(here)

    def asked(group: str) -> tuple[int, str]:
        if not field:
            answer = here.client.get(path + urlencode({"": f'"{group}"'})[1:])
        else:
            more = {
                "name": "Mine",
                "of": "others",
                "department": "music",
                "about": "us",
                "people": "guardians",
            }
            value = group if field == "group" else f'"{group}"'
            answer = post(here, path, **{**more, field: value})
        text = re.sub(r'value="[0-9a-f-]{30,}"|page-[\w-]+', "", answer.text)
        return answer.status_code, text.replace(group, "GROUP").replace(group.replace(" ", "+"), "GROUP")

    assert asked(f"{SECRET} choir") == asked(f"{SECRET} chior"[::-1].title()[::-1])
