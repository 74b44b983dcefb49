"""Budgets and what is held for the law, on their pages."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from sqlalchemy import insert, select, text

from broker.authority import spending
from broker.ports.approvals import OperatorRole
from ledger import tables as t
from tests.support.staff import Browser, name
from tests.support.watching import Serve, Watched

ADMIN, AUTHOR, AUDITOR = OperatorRole.ADMIN, OperatorRole.AUTHOR, OperatorRole.AUDITOR
TOKEN = re.compile(r'name="token" value="([^"]*)"')


@pytest.fixture
def here(serve: Serve) -> Watched:
    found = serve(CARILLON_DEPARTMENTS="office,music")
    found.tower.bring(3)
    return found


def signed(here: Watched, who: str, *roles: OperatorRole, department: str | None = None) -> Browser:
    actor = name(here, who, *roles, department=department)
    browser = Browser(here)
    browser.post("/watch/sign-in", link=here.link(actor))
    return browser


@pytest.fixture
def head(here: Watched) -> Browser:
    return signed(here, "Head", ADMIN)


def token(browser: Browser) -> str:
    found = TOKEN.search(browser.get("/watch/budgets").text)
    assert found
    return found[1]


def spend(here: Watched, department: str, month: str, pounds: int) -> None:
    d, a = t.department.c, t.account.c
    with here.ledger.begin() as tx:
        run = tx.hand.connection.execute
        whose = run(select(d.id).where(d.slug == department)).scalar_one()
        by = run(select(a.id).limit(1)).scalar_one()
        row = {"department_id": whose, "account_id": by, "month": month, "cost": pounds * 1_000_000}
        run(insert(t.spend).values(row))


def budget(here: Watched, department: str, month: str) -> Decimal | None:
    with here.ledger.look() as tx:
        return spending.budget_of(tx, department, month)


def this_month(here: Watched) -> str:
    with here.ledger.reading() as hand:
        return f"{hand.now:%Y-%m}"


def test_a_budget_is_set_once_what_it_changes_was_looked_at(here: Watched, head: Browser) -> None:
    shown = head.post(
        "/watch/budgets/music", token=token(head), do="set", amount="120.50", **{"for": "every"}
    )
    assert "No budget" in shown.text
    assert "£120.50" in shown.text
    assert budget(here, "music", "2026-11") is None
    kept = head.post("/watch/budgets/music", token=token(head), do="set", amount="120.50", sure="yes")
    assert kept.status_code == 303
    assert budget(here, "music", "2031-01") == Decimal("120.5")
    alone = {"do": "set", "amount": "200", "sure": "yes", "for": "this"}
    head.post("/watch/budgets/music?month=2026-12", token=token(head), **alone)
    assert budget(here, "music", "2026-12") == 200
    assert budget(here, "music", "2026-11") == Decimal("120.5")
    gone = head.post("/watch/budgets/music", token=token(head), do="none", sure="yes")
    assert gone.headers["location"].endswith("done=budget_gone")
    assert budget(here, "music", "2026-11") is None


def test_what_was_spent_stands_beside_what_may_be_by_month_and_account(here: Watched, head: Browser) -> None:
    month = this_month(here)
    spend(here, "music", month, 90)
    spend(here, "office", "2025-02", 7)
    spending.set_budget(here.tower.house.ports, "music", Decimal(80), actor=name(here, "B", ADMIN))
    page = " ".join(re.sub(r"<[^>]+>", " ", head.get("/watch/budgets").text).split())
    assert "£90.00 spent of £80.00" in page
    assert "used up" in page
    assert "tower £90.00" in page
    before = " ".join(re.sub(r"<[^>]+>", " ", head.get("/watch/budgets?month=2025-02").text).split())
    assert "Budgets: February 2025" in before
    assert "£7.00 spent" in before
    assert head.get("/watch/budgets?month=soon").status_code == 404


@pytest.mark.parametrize("amount", ["", "much", "-3", "1.234", "1e400"])
def test_what_is_no_money_stands_beside_its_field(here: Watched, head: Browser, amount: str) -> None:
    refused = head.post("/watch/budgets/music", token=token(head), do="set", amount=amount)
    assert refused.status_code == 422
    assert 'id="wrong-amount"' in refused.text


def test_one_department_sees_its_own_money_alone(here: Watched, head: Browser) -> None:
    spend(here, "office", this_month(here), 7)
    bell = signed(here, "Mrs Bell", AUTHOR, department="music")
    assert "£7.00" not in bell.get("/watch/budgets").text
    assert bell.get("/watch/budgets/office").status_code == 404
    assert bell.get("/watch/budgets/astronomy").status_code == 404
    assert "Show me what would change" not in bell.get("/watch/budgets/music").text
    fields = {"do": "set", "amount": "9", "sure": "yes"}
    assert bell.post("/watch/budgets/music", token=token(bell), **fields).status_code == 403
    flute = signed(here, "Ms Flute", ADMIN, department="music")
    refused = flute.post("/watch/budgets/music", token=token(flute), **fields)
    assert refused.status_code == 403
    assert budget(here, "music", "2026-11") is None


def test_somebody_and_something_are_held_and_let_go(here: Watched, head: Browser) -> None:
    said = here.announce("Concert")
    with here.ledger.reading() as hand:
        who = hand.connection.execute(text("SELECT source_id FROM person ORDER BY id LIMIT 1")).scalar_one()
    some = token(head)
    assert "Nothing is held" in head.get("/watch/rules/holds").text
    held = head.post("/watch/rules/holds", token=some, do="hold", who=who, why="claim of 3 March")
    assert held.status_code == 303, held.text
    address = f"https://school.example/watch/{said.public_id}?show=all"
    assert (
        head.post("/watch/rules/holds", token=some, do="hold", announcement=address, why="x").status_code
        == 303
    )
    page = head.get("/watch/rules/holds").text
    assert "claim of 3 March" in page
    assert f"watch/{said.public_id}" in page
    number = re.findall(r'name="hold" value="(\d+)"', page)[0]
    assert head.post("/watch/rules/holds", token=some, do="lift", hold=number).status_code == 303
    assert "What was held" in head.get("/watch/rules/holds").text
    for fields, beside in (
        ({"who": who, "announcement": address, "why": "x"}, "who"),
        ({"who": "Nobody Atall", "why": "x"}, "who"),
        ({"announcement": "rubbish", "why": "x"}, "announcement"),
        ({"who": who, "why": " "}, "why"),
    ):
        refused = head.post("/watch/rules/holds", token=some, do="hold", **fields)
        assert refused.status_code == 422, fields
        assert f'id="wrong-{beside}"' in refused.text


def test_what_is_held_is_seen_by_those_who_answer_for_the_school_alone(here: Watched, head: Browser) -> None:
    auditor = signed(here, "Dr Okafor", AUDITOR)
    assert auditor.get("/watch/rules/holds").status_code == 200
    assert auditor.post("/watch/rules/holds", token=token(auditor), do="lift", hold="1").status_code == 403
    assert signed(here, "Mrs Bell", AUTHOR).get("/watch/rules/holds").status_code == 403
    assert signed(here, "Ms Flute", ADMIN, department="music").get("/watch/rules/holds").status_code == 403
