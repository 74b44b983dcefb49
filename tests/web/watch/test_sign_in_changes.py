"""What changes while somebody is signed in: a role, a department, the clock, another tab, another password."""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Sequence
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, update

from broker.actor import SYSTEM, Actor, ActorKind
from broker.announcement import Announcement, Draft, Part, People, Step
from broker.authority import good_passwords, operators, rule_changes, signin
from broker.authority.passwords import ACCOUNT
from broker.errors import NotAllowed, NotFound, NotToBeChanged, TooManyTries
from broker.intake import accept
from broker.ports.approvals import OperatorRole
from config.vault import AT_ONCE, IN_LINE, SecretVault
from ledger import tables as t
from tests.support.staff import QUICK, WORDS, Browser, name, passed, quick, vault_with
from tests.support.watching import Serve, Watched

AUTHOR, APPROVER, ADMIN, AUDITOR = (
    OperatorRole.AUTHOR,
    OperatorRole.APPROVER,
    OperatorRole.ADMIN,
    OperatorRole.AUDITOR,
)


@pytest.fixture
def here(serve: Serve) -> Watched:
    found = serve(CARILLON_SIGN_IN__PROXIES="127.0.0.1", CARILLON_DEPARTMENTS="office,music")
    quick(found)
    return found


def by_link(here: Watched, who: str, *roles: OperatorRole, department: str | None = None) -> Browser:
    browser, actor = Browser(here), name(here, who, *roles, department=department)
    browser.post("/watch/sign-in", link=here.link(actor))
    return browser


def announce(here: Watched, department: str, title: str, by: str = "Mrs Bell") -> Announcement:
    parts = {Part.TITLE: title, Part.SHORT: "At six."}
    draft = Draft(department, "everyone", People.GUARDIANS, (Step(("bell",)),), parts)
    return accept(here.tower.house.ports, draft, actor=Actor(ActorKind.PERSON, by)).announcement


# --- roles and departments


def test_another_department_holds_from_the_next_request_on(here: Watched) -> None:
    head = name(here, "Head", ADMIN)
    name(here, "Head of all", AUTHOR)
    said = {place: announce(here, place, f"Said by {place}", "Head of all") for place in ("music", "office")}
    one = by_link(here, "Mrs Bell", AUTHOR, department="music")

    def seen() -> list[str]:
        listed = one.get("/watch").text
        there = [place for place in said if f"Said by {place}" in listed]
        assert there == [p for p in said if one.get(f"/watch/{said[p].public_id}").status_code == 200]
        return there

    assert seen() == ["music"]
    operators.move(here.tower.house.ports, "mrs bell", "office", actor=head)
    assert seen() == ["office"]
    operators.move(here.tower.house.ports, "Mrs Bell", None, actor=head)
    assert seen() == ["music", "office"]


def test_only_an_admin_moves_somebody_and_only_to_a_department_that_there_is(here: Watched) -> None:
    ports, head = here.tower.house.ports, name(here, "Head", ADMIN)
    bell = name(here, "Mrs Bell", AUTHOR)
    with pytest.raises(NotAllowed):
        operators.move(ports, "Mrs Bell", "music", actor=bell)
    with pytest.raises(NotToBeChanged):
        operators.move(ports, "Mrs Bell", "astronomy", actor=head)
    with pytest.raises(NotFound):
        operators.move(ports, "Nobody", "music", actor=head)


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_a_page_of_ones_list_does_not_begin_at_anothers_announcement(here: Watched) -> None:
    name(here, "Head of all", AUTHOR)
    announce(here, "music", "The older one", "Head of all")
    others = announce(here, "office", "Not for music", "Head of all")
    own = announce(here, "music", "The newer one", "Head of all")
    one = by_link(here, "Mrs Bell", AUTHOR, department="music")
    assert "The older one" in one.get(f"/watch/announcements?before={own.public_id}").text
    assert "The older one" not in one.get(f"/watch/announcements?before={others.public_id}").text


def test_whoever_decides_no_more_decides_nothing_on_a_page_that_is_open(here: Watched) -> None:
    ports, head = here.tower.house.ports, name(here, "Head", ADMIN, APPROVER)
    name(here, "Mrs Bell", AUTHOR)
    rule_changes.change(ports, "approval.needed", "any/any/any", "the test", actor=head)
    here.tower.bring(3)
    said = announce(here, "music", "Concert")
    second = by_link(here, "Mr Fell", APPROVER, department="music")
    page = second.get(f"/watch/{said.public_id}/decide").text
    fields = dict(re.findall(r'name="(token|seen)" value="([^"]*)"', page))
    operators.move(ports, "Mr Fell", "office", actor=head)
    assert second.post(f"/watch/{said.public_id}/decide", do="approve", **fields).status_code == 404
    operators.move(ports, "Mr Fell", "music", actor=head)
    operators.give(ports, "Mr Fell", [AUDITOR], actor=head)
    assert second.post(f"/watch/{said.public_id}/decide", do="approve", **fields).status_code == 403
    operators.give(ports, "Mr Fell", [APPROVER], actor=head)
    assert second.post(f"/watch/{said.public_id}/decide", do="approve", **fields).status_code == 303


# --- proofs


def test_whoever_was_made_an_approver_hours_ago_proves_who_they_are_and_adds_a_telephone(
    here: Watched,
) -> None:
    one = Browser(here).ready(name(here, "Mrs Bell", AUTHOR))
    operators.give(here.tower.house.ports, "Mrs Bell", [AUTHOR, APPROVER], actor=SYSTEM)
    passed(here, 60 * 60)
    asked = one.get("/account/second")
    assert asked.headers["location"].endswith("account/prove?to=account/second")
    assert one.get("/account/prove?to=account/second").status_code == 200
    proved = one.form("/account/prove?to=account/second", to="/account/prove", password=WORDS)
    assert proved.headers["location"].endswith("account/second")
    assert not one.signed_in()
    one.enrol()
    assert one.signed_in()


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_an_invitation_does_not_run_out_while_somebody_thinks_of_a_password(here: Watched) -> None:
    head = name(here, "Head", ADMIN)
    rule_changes.change(here.tower.house.ports, "sign_in.proof", "1 min", "the test", actor=head)
    one = Browser(here)
    name(here, "Mrs Bell", AUTHOR)
    one.post("/watch/sign-in", link=signin.invite(here.tower.house.ports, "Mrs Bell", actor=head))
    passed(here, 60 * 5)
    chosen = one.form("/account/password", password=WORDS, again=WORDS)
    assert chosen.headers["location"].endswith("account?done=password_chosen")
    assert one.signed_in()


def test_a_big_announcement_wants_a_fresh_proof_and_then_goes_on_where_it_was(here: Watched) -> None:
    ports = here.tower.house.ports
    here.tower.bring(3)
    head = name(here, "Head", ADMIN, APPROVER)
    name(here, "Mrs Bell", AUTHOR)
    rule_changes.change(ports, "approval.needed", "any/any/any", "the test", actor=head)
    rule_changes.change(ports, "sign_in.prove_at", "3", "the test", actor=head)
    said = announce(here, "music", "Concert")
    one = Browser(here).ready(head)
    passed(here, 60 * 11)
    where = f"/watch/{said.public_id}/decide"
    to_proof = one.form(where, do="approve").headers["location"]
    assert to_proof.endswith(f"account/prove?to=watch/{said.public_id}/decide")
    page = f"/account/prove?to=watch/{said.public_id}/decide"
    assert one.form(page, to="/account/prove", password=WORDS, code="000000").status_code == 403
    assert (
        one.form(page, to="/account/prove", password="wrong wrong", code=one.next_code()).status_code == 403
    )
    back = one.form(page, to="/account/prove", password=WORDS, code=one.next_code()).headers["location"]
    assert back.endswith(f"watch/{said.public_id}/decide")
    assert one.form(where, do="approve").headers["location"].partition("?")[0].endswith(str(said.public_id))


def test_a_no_and_its_reason_stand_where_its_author_looks(here: Watched) -> None:
    head = name(here, "Head", ADMIN)
    rule_changes.change(here.tower.house.ports, "approval.needed", "any/any/any", "the test", actor=head)
    second = by_link(here, "Mr Reed", APPROVER)
    author = by_link(here, "Mrs Bell", AUTHOR, department="music")
    said = announce(here, "music", "Concert")
    where = f"/watch/{said.public_id}/decide"
    assert second.form(where, do="reject", why="the wrong <hall>").status_code == 303
    for page in (author.get(f"/watch/{said.public_id}").text, second.get(where).text):
        assert "Mr Reed said no" in page
        assert "the wrong &lt;hall&gt;" in page
        assert "Why it waits" not in page


def test_a_form_of_the_tab_before_a_proof_is_refused_and_its_page_read_anew_works(here: Watched) -> None:
    one = Browser(here).ready(name(here, "Mrs Bell", AUTHOR))
    token = re.search(r'name="token" value="([^"]*)"', one.get("/account").text)
    assert token
    assert one.form("/account/prove", password=WORDS).status_code == 303
    old = one.post("/account/sessions", token=token[1], which="others")
    assert old.status_code == 403
    assert "press the button once more" in old.text
    assert one.form("/account", to="/account/sessions", which="others").status_code == 303


# --- the clock


def test_what_a_clock_that_was_ahead_made_ends_when_it_is_set_right(here: Watched) -> None:
    ahead = -60 * 60 * 24
    one = Browser(here).ready(name(here, "Mrs Bell", AUTHOR))
    passed(here, ahead, columns=("proved_at",))
    assert one.get("/account/password").headers["location"].endswith("account/prove?to=account/password")
    passed(here, ahead, columns=("expires_at", "began_at"))
    assert not one.signed_in()
    link = here.link(Actor(ActorKind.PERSON, "Mrs Bell"))
    with here.ledger.begin() as tx:
        tomorrow = {
            "made_at": tx.now + timedelta(days=1),
            "expires_at": tx.now + timedelta(days=1, minutes=9),
        }
        tx.hand.connection.execute(update(t.sign_in_link).values(tomorrow))
    assert Browser(here).post("/watch/sign-in", link=link).status_code == 403


def test_tries_that_a_clock_that_was_ahead_counted_keep_nobody_out(here: Watched) -> None:
    Browser(here).ready(name(here, "Mrs Bell", AUTHOR))
    for _ in range(ACCOUNT[1]):
        Browser(here).password("Mrs Bell", "wrong wrong wrong")
    assert Browser(here).password("Mrs Bell").status_code == 429
    with here.ledger.begin() as tx:
        for row in tx.hand.connection.execute(select(t.sign_in_pace)).all():
            later = {"free_at": row.free_at + timedelta(days=1)}
            tx.hand.connection.execute(
                update(t.sign_in_pace).where(t.sign_in_pace.c.key == row.key).values(later)
            )
    assert Browser(here).password("Mrs Bell").status_code == 303


# --- passwords


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_a_password_is_the_same_on_every_keyboard(here: Watched) -> None:
    composed = unicodedata.normalize("NFC", "Täglich grüßt das Murmeltier")
    Browser(here).invited(name(here, "Mrs Bell", AUTHOR), password=composed)
    for typed in (composed, unicodedata.normalize("NFD", composed)):
        assert Browser(here).password("Mrs Bell", typed).status_code == 303
    assert Browser(here).password("Mrs Bell", composed.lower()).status_code == 403


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_the_longest_password_fits_into_the_form(here: Watched) -> None:
    longest = "🔔🥁🎺🎻🪕" * 39 + "in it"
    one = Browser(here)
    chosen = one.invited(name(here, "Mrs Bell", AUTHOR), password=longest)
    assert chosen.headers["location"].endswith("account?done=password_chosen")
    assert Browser(here).password("Mrs Bell", longest).status_code == 303


def test_a_hash_of_less_work_is_made_anew_when_its_owner_signs_in(here: Watched) -> None:
    Browser(here).ready(name(here, "Mrs Bell", AUTHOR))

    def kept() -> str:
        with here.ledger.reading() as hand:
            return str(hand.connection.execute(select(t.proof.c.password)).scalar_one())

    before = kept()
    assert "$m=8,t=1,p=1$" in before
    more_work = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
    here.app.state.vault = vault_with(here.tower.house.ports, more_work)
    assert Browser(here).password("Mrs Bell", "wrong wrong wrong").status_code == 403
    assert kept() == before
    for _ in range(2):
        assert Browser(here).password("Mrs Bell").status_code == 303
        assert "$m=16,t=2,p=1$" in kept()


def test_whoever_comes_while_too_many_are_being_checked_is_asked_to_wait() -> None:
    begun, go_on = threading.Event(), threading.Event()

    class Slow(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes):
            begun.set()
            assert go_on.wait(20)
            return super().verify(hash, password)

    vault = SecretVault(b"x" * 32, hasher=Slow(time_cost=1, memory_cost=8, parallelism=1))
    hashed = QUICK.hash(WORDS)
    answers: list[bool] = []
    line = [
        threading.Thread(target=lambda: answers.append(vault.holds(hashed, WORDS)))
        for _ in range(AT_ONCE + IN_LINE)
    ]
    for each in line:
        each.start()
    assert begun.wait(20)
    limit = threading.Event()
    while vault.in_line < AT_ONCE + IN_LINE:
        assert not limit.wait(0.01)
    with pytest.raises(TooManyTries):
        vault.holds(hashed, WORDS)
    go_on.set()
    for each in line:
        each.join(20)
    assert answers == [True] * (AT_ONCE + IN_LINE)
    assert vault.holds(hashed, WORDS)


@pytest.mark.parametrize(
    "password",
    [
        "monkeymonkey", "qwerty123456", "1q2w3e4r5t6y", "abcdefghijkl", "Password1234!", "saintcecilia1",
        "mrsbell123456", "summer2026!!", "aaaaaaaaaaab",
    ],
)  # fmt: skip
def test_what_lists_of_leaked_passwords_begin_with_is_no_password(password: str) -> None:
    with pytest.raises(NotToBeChanged) as weak:
        good_passwords.fit(password, ("Mrs Bell", "Saint Cecilia"))
    assert weak.value.problem.field == "password"


def test_nothing_of_a_password_is_in_any_log(here: Watched, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    one = Browser(here).ready(name(here, "Head", ADMIN))
    Browser(here).password("Head", "wrong wrong wrong")
    link = here.link(Actor(ActorKind.PERSON, "Head"))
    one.post("/watch/sign-in", link=link)
    secrets: Sequence[str] = [
        WORDS,
        "wrong wrong",
        one.second,
        *one.codes,
        *one.client.cookies.values(),
        link,
    ]
    for record in caplog.records:
        if not record.name.startswith(("httpx", "httpcore")):  # of the test's own browser
            assert not any(secret in record.getMessage() for secret in secrets), record.name
