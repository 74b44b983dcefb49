"""The record on its pages: read in words, narrowed, paged; checked by a button; kept outside the house."""

from __future__ import annotations

import ast
import io
import re
import threading
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from broker.authority import operators, rule_changes
from broker.ports.approvals import OperatorRole
from broker.record import Entry
from ledger.reads.record import head
from ledger.scrutiny.audit import audit
from tests.support.staff import Browser, name, record_kinds
from tests.support.tampering import without_guards
from tests.support.watching import BELL, Serve, Watched
from web.watch.record.checking import Check, Checks
from web.watch.record.words import KINDS, THEMES, done

ADMIN, AUTHOR, APPROVER, AUDITOR = (
    OperatorRole.ADMIN,
    OperatorRole.AUTHOR,
    OperatorRole.APPROVER,
    OperatorRole.AUDITOR,
)
TOKEN = re.compile(r'name="token" value="([^"]*)"')
ROOT = Path(__file__).resolve().parents[4]
WRITERS = {"Entry", "_entry", "entries", "_tell", "_keep"}


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
def governor(here: Watched) -> Browser:
    return signed(here, "Dr Okafor", AUDITOR)


def token(browser: Browser, path: str = "/watch/record/check") -> str:
    found = TOKEN.search(browser.get(path).text)
    assert found
    return found[1]


def seal(here: Watched) -> None:
    here.tower.house.ports.ledger.transact(lambda tx: tx.record.seal())


def tamper(here: Watched) -> None:
    """Change an entry as somebody with the database could."""
    with here.ledger.begin() as tx, without_guards(tx.hand.connection):
        tx.hand.connection.execute(
            text("UPDATE record_entry SET body = :body WHERE id = (SELECT min(id) FROM record_entry)"),
            {"body": b"{rubbish"},
        )


def kinds_written() -> set[str]:
    """Every kind of entry that the code names."""
    found = set()
    for folder in ("broker", "ledger", "cli", "config", "web", "workers"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                    called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
                    if called in WRITERS:
                        found |= {
                            one.value
                            for one in node.args
                            if isinstance(one, ast.Constant)
                            and isinstance(one.value, str)
                            and re.fullmatch(r"[a-z_]+\.[a-z_]+", one.value)
                        }
    return found


def test_every_kind_of_entry_has_its_words_and_a_theme() -> None:
    assert kinds_written() - KINDS.keys() == set()
    begins = {kind for _, kinds in THEMES.values() for kind in kinds}
    lost = {kind for kind in KINDS if kind not in begins and kind.partition(".")[0] not in begins}
    assert lost == set()
    assert done("something.quite_new") == "did: something, quite new"


def test_what_was_done_is_read_in_words_with_who_and_its_seal(here: Watched, governor: Browser) -> None:
    head_ = name(here, "Head", ADMIN)
    rule_changes.change(here.tower.house.ports, "undo.window", "5 min", "two wrong groups", actor=head_)
    seal(here)
    said = here.announce("Concert")
    page = governor.get("/watch/record").text
    plain = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "Head changed the house rules" in plain
    assert "Time for second thoughts" in plain
    assert "5 min" in plain
    assert "two wrong groups" in plain
    assert "Carillon itself sent an announcement" in plain
    assert f"watch/{said.public_id}" in page
    assert "under seal" in plain
    assert "not sealed yet" in plain


def test_it_is_read_by_those_of_the_school_who_look_agree_or_administer(here: Watched) -> None:
    for role, department, status in (
        (AUDITOR, None, 200),
        (APPROVER, None, 200),
        (ADMIN, None, 200),
        (AUTHOR, None, 403),
        (AUDITOR, "music", 403),
    ):
        browser = signed(here, f"{role} of {department}", role, department=department)
        for path in ("/watch/record", "/watch/record/check", "/watch/record/check/now", "/watch/record/kept"):
            assert browser.get(path).status_code == status, (path, role, department)
        some = token(browser, "/watch")
        for path in (
            "/watch/record/check",
            "/watch/record/about",
            "/watch/record/file",
            "/watch/record/kept",
        ):
            answer = browser.post(path, token=some, whose="nobody at all")
            assert (answer.status_code == 403) == (
                status == 403 or (path.endswith("kept") and role is not ADMIN)
            ), path


def test_nobodys_name_stands_in_an_address_of_the_record(here: Watched, governor: Browser) -> None:
    ports, head_ = here.tower.house.ports, name(here, "Head", ADMIN)
    for n in range(60):
        rule_changes.change(ports, "blast.size", str(100 + n), f"change {n:02}", actor=head_)
    option = re.search(r'<option value="([^"]*)"[^>]*>Head</option>', governor.get("/watch/record").text)
    assert option
    assert option[1].isdecimal()
    for path in (f"/watch/record?by={option[1]}", "/watch/record?by=Head", "/watch/record?by=head"):
        page = governor.get(path).text
        assert "change 59" in page
        assert f'<option value="{option[1]}" selected>Head</option>' in page
        led = re.findall(r'href="([^"]*before=[^"]*)"', page)
        assert led == [link for link in led if f"by={option[1]}&amp;" in link and "Head" not in link]
        assert led
    operators.remove(ports, "Head", actor=name(here, "Another head", ADMIN))
    gone = governor.get(f"/watch/record?by={option[1]}").text
    assert "change 59" in gone
    assert f'<option value="{option[1]}" selected>Head</option>' in gone
    assert "change 59" in governor.get("/watch/record?by=Head").text  # of nobody on the staff, as it is
    nothing = "There is nothing of that"
    assert nothing in governor.get("/watch/record?by=carillon&theme=house&to=2001-01-01").text
    for nobodys in ("4711", "9" * 30, "0", "-1", "٣"):
        answer = governor.get(f"/watch/record?by={nobodys}")
        assert answer.status_code == 404 or nothing in answer.text, nobodys


def test_it_is_narrowed_by_theme_by_whom_and_by_day_and_goes_on_page_by_page(
    here: Watched, governor: Browser
) -> None:
    ports, head_ = here.tower.house.ports, name(here, "Head", ADMIN)
    for n in range(60):
        rule_changes.change(ports, "blast.size", str(100 + n), f"change {n:02}", actor=head_)
    found, path = [], "/watch/record?theme=house&by=Head"
    while path:
        page = governor.get(path).text
        assert "named somebody" not in page
        found += re.findall(r"change \d\d", page)
        older = re.search(r'href="(\?[^"]*before=\d+)"', page)
        path = f"/watch/record{older[1]}".replace("&amp;", "&") if older else ""
    assert found == [f"change {n:02}" for n in reversed(range(60))]
    assert "There is nothing of that" in governor.get("/watch/record?by=Nobody").text
    with here.ledger.reading() as hand:
        today = hand.now.date()
    assert "change 59" in governor.get(f"/watch/record?from={today}&to={today}").text
    yesterday, tomorrow = today - timedelta(days=1), today + timedelta(days=1)
    assert "change" not in governor.get(f"/watch/record?to={yesterday}&theme=house").text.partition("<ol")[2]
    assert "change" not in governor.get(f"/watch/record?from={tomorrow}&theme=house").text.partition("<ol")[2]
    assert governor.get("/watch/record?from=soon").status_code == 404
    for day in ("0001-01-01", "9999-12-31"):  # beyond what any clock reckons with
        assert governor.get(f"/watch/record?from={day}").status_code == 404
        assert governor.get(f"/watch/record?to={day}").status_code == 404
    assert governor.get("/watch/record?before=x").status_code == 404


def test_looking_for_a_person_is_told_in_the_record_itself(here: Watched, governor: Browser) -> None:
    here.plan(here.announce("Concert"))
    before = record_kinds(here, "record.searched")
    with here.ledger.reading() as hand:
        who = hand.connection.execute(text("SELECT source_id FROM person ORDER BY id LIMIT 1")).scalar_one()
    page = governor.post("/watch/record/about", token=token(governor), whose=who)
    assert page.status_code == 200, page.text
    assert f"About {who}" in page.text
    assert len(record_kinds(here, "record.searched")) == len(before) + 1
    missing = governor.post("/watch/record/about", token=token(governor), whose="Nobody Atall")
    assert missing.status_code == 422
    assert 'id="wrong-whose"' in missing.text
    assert 'value="Nobody Atall"' in missing.text


def test_a_check_finds_nothing_where_nobody_changed_anything(here: Watched, governor: Browser) -> None:
    here.announce("Concert")
    seal(here)
    with here.ledger.reading() as hand:
        newest = head(hand.connection)
    assert newest is not None
    assert "Nobody has asked for a check" in governor.get("/watch/record/check").text
    line = f"seal {newest.number} {newest.hash.hex()}"
    assert governor.post("/watch/record/check", token=token(governor), heads=line).status_code == 303
    page = governor.get("/watch/record/check").text
    assert "nobody changed it" in page
    assert "It goes on from the line that you brought" in page
    assert "Dr Okafor" in page


def test_a_check_says_in_plain_words_what_was_changed_and_the_record_is_still_read(
    here: Watched, governor: Browser
) -> None:
    seal(here)
    tamper(here)
    governor.post("/watch/record/check", token=token(governor))
    page = governor.get("/watch/record/check").text
    assert "something was changed" in page
    assert "an entry under seal 1 was changed" in page
    assert "This entry cannot be read" in governor.get("/watch/record").text


def test_a_line_of_another_record_is_found_out_and_rubbish_is_refused(
    here: Watched, governor: Browser
) -> None:
    seal(here)
    governor.post("/watch/record/check", token=token(governor), heads="ab" * 32)
    assert "was cut off before it, or written anew" in governor.get("/watch/record/check").text
    refused = governor.post("/watch/record/check", token=token(governor), heads="no line at all")
    assert refused.status_code == 422
    assert 'id="wrong-heads"' in refused.text
    assert "no line at all" in refused.text


def test_two_who_ask_at_once_have_one_check_and_a_part_tells_how_far_it_is(
    here: Watched, governor: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    from web.watch.record import checking

    goes_on, told = threading.Event(), threading.Event()
    real = audit

    def slowly(ledger: object, heads: object, *, heard: object) -> object:
        heard(17, 3)  # type: ignore[operator]
        told.set()
        assert goes_on.wait(20)
        return real(ledger, heads, heard=heard)  # type: ignore[arg-type]

    monkeypatch.setattr(checking, "audit", slowly)
    monkeypatch.setattr("web.watch.record.check.AT_ONCE", timedelta(seconds=0.05))
    checks = Checks(here.ledger)
    here.app.state.record_checks = checks
    governor.post("/watch/record/check", token=token(governor))
    assert told.wait(20)
    first = checks.last
    part = governor.get("/watch/record/check/now").text
    assert "being checked" in part
    assert "17 entries" in part
    assert "<html" not in part
    signed(here, "Mr Hook", APPROVER).form("/watch/record/check")
    assert checks.last is first
    goes_on.set()
    assert first is not None
    assert first.ended.wait(20)
    assert "nobody changed it" in governor.get("/watch/record/check/now").text


def test_a_check_that_never_ends_is_ended(here: Watched) -> None:
    seal(here)
    checks = Checks(here.ledger, longest=timedelta(0))
    with here.ledger.reading() as hand:
        now = hand.now
    check: Check = checks.begin("Dr Okafor", now)
    assert check.ended.wait(20)
    assert "too long" in check.failed


def test_the_whole_record_is_saved_as_a_file_and_that_is_told(here: Watched, governor: Browser) -> None:
    seal(here)
    answer = governor.post("/watch/record/file", token=token(governor))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    assert "record-" in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert {"entries.jsonl", "seals.jsonl", "README.txt", "verify.py"} <= set(archive.namelist())
    assert record_kinds(here, "record.exported") == ["record.exported"]
    assert "handed out" in governor.get("/watch/record/kept").text


def test_an_administrator_says_who_is_mailed_the_line_and_nobody_else_does(
    here: Watched, governor: Browser
) -> None:
    head_ = signed(here, "Head", ADMIN)
    seal(here)
    fields = {"do": "add", "name": "Dr Hook", "email": "hook@example.org"}
    assert governor.post("/watch/record/kept", token=token(governor), **fields).status_code == 403
    assert head_.post("/watch/record/kept", token=token(head_), **fields).status_code == 303
    page = head_.get("/watch/record/kept").text
    assert "Dr Hook" in page
    assert "hook@example.org" not in page
    wrong = head_.post("/watch/record/kept", token=token(head_), do="add", name="X", email="not an email")
    assert wrong.status_code == 422
    assert 'id="wrong-email"' in wrong.text
    assert (
        head_.post("/watch/record/kept", token=token(head_), do="remove", name="Dr Hook").status_code == 303
    )
    assert "Nobody outside is mailed" in head_.get("/watch/record/kept").text
    assert (
        head_.post("/watch/record/kept", token=token(head_), do="remove", name="Dr Hook").status_code == 404
    )


def test_a_day_long_ago_is_found_in_few_statements_however_long_the_record_is(
    here: Watched, governor: Browser
) -> None:
    with here.ledger.begin() as tx:
        tx.record.add([Entry("budget.set", BELL, {"department": f"d{n}"}) for n in range(5_000)])
    with here.ledger.reading() as hand:
        today = hand.now.date()
    page = governor.get(f"/watch/record?from={today}&to={today}&theme=staff").text
    # Among the newest there is nothing of that, and the page says so rather than read all of it at once.
    assert "There are older ones" in page
    found, path = "", f"/watch/record?from={today}&to={today}&theme=staff"
    for _ in range(6):
        page = governor.get(path).text
        found += page
        older = re.search(r'href="(\?[^"]*before=\d+)"', page)
        if older is None:
            break
        path = f"/watch/record{older[1]}".replace("&amp;", "&")
    assert "named somebody of the staff" in found
