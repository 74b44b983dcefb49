"""Passwords, second factors, sessions: who gets in, who does not, and what ends a session."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pyotp
import pytest
from sqlalchemy import select

from broker.actor import SYSTEM, Actor
from broker.authority import good_passwords, operators, passwords, shown_once, signin
from broker.errors import LinkSpent, NotAllowed, NotToBeChanged
from broker.ports.approvals import OperatorRole
from ledger import tables as t
from ledger.authority.sessions import Sessions
from tests.support.staff import WORDS, Browser, name, passed, quick, record_kinds
from tests.support.watching import Serve, Watched

AUTHOR, APPROVER, ADMIN = OperatorRole.AUTHOR, OperatorRole.APPROVER, OperatorRole.ADMIN


@pytest.fixture
def here(serve: Serve) -> Watched:
    """A school of three, each of whom may sign in."""
    found = serve(CARILLON_SIGN_IN__PROXIES="127.0.0.1", CARILLON_DEPARTMENTS="office,music")
    quick(found)
    return found


@pytest.fixture
def staff(here: Watched) -> dict[str, Actor]:
    return {
        "author": name(here, "Mrs Bell", AUTHOR, department="music"),
        "head": name(here, "Head teacher", ADMIN, APPROVER),
    }


def test_an_invited_author_chooses_a_password_and_signs_in_by_it(
    here: Watched, staff: dict[str, Actor]
) -> None:
    one = Browser(here)
    assert one.invited(staff["author"]).headers["location"].endswith("account?done=password_chosen")
    assert one.signed_in()
    other = Browser(here)
    assert other.password("mrs  bell").status_code == 303
    assert "Signed in as</span> Mrs Bell" in other.get("/watch").text


def test_an_admin_or_approver_is_not_in_before_the_second_factor(
    here: Watched, staff: dict[str, Actor]
) -> None:
    one = Browser(here)
    assert one.invited(staff["head"]).headers["location"].endswith("account/second")
    for page in ("/watch", "/account", "/watch/events"):
        assert one.get(page).status_code == 401
    assert one.get("/account/password").status_code == 303  # back to the step that is next
    one.enrol()
    assert one.signed_in()
    other = Browser(here)
    other.second = one.second
    assert other.password("Head teacher").headers["location"].endswith("sign-in/code")
    assert not other.signed_in()
    assert other.code("000000").status_code == 403
    assert not other.signed_in()
    assert other.code().status_code == 303
    assert other.signed_in()


def test_a_code_that_was_used_is_refused(here: Watched, staff: dict[str, Actor]) -> None:
    one = Browser(here).ready(staff["head"])
    code = one.next_code()
    for expected in (303, 403):
        other = Browser(here)
        other.password("Head teacher")
        assert other.code(code).status_code == expected


def test_of_many_who_type_one_code_at_once_one_gets_in(here: Watched, staff: dict[str, Actor]) -> None:
    one = Browser(here).ready(staff["head"])
    code = one.next_code()
    several = [Browser(here) for _ in range(4)]
    for each in several:
        each.password("Head teacher")
    with ThreadPoolExecutor(4) as threads:
        codes = sorted(threads.map(lambda each: each.code(code).status_code, several))
    assert codes == [303, 403, 403, 403]


def test_each_recovery_code_works_once_and_new_ones_replace_them(
    here: Watched, staff: dict[str, Actor]
) -> None:
    one = Browser(here).ready(staff["head"])
    assert len(set(one.codes)) == passwords.CODES
    for expected in (303, 403):
        other = Browser(here)
        other.password("Head teacher")
        assert other.code(one.codes[0].lower()).status_code == expected
    fresh = one.form("/account", to="/account/codes")
    found = re.findall(r"<code>([A-Z2-9-]{14})</code>", fresh.text)
    assert len(found) == passwords.CODES
    other = Browser(here)
    other.password("Head teacher")
    assert other.code(one.codes[1]).status_code == 403
    assert other.code(found[0]).status_code == 303


def test_whoever_becomes_an_approver_enrols_before_anything_else(
    here: Watched, staff: dict[str, Actor]
) -> None:
    one = Browser(here).ready(staff["author"])
    assert one.signed_in()
    operators.give(here.tower.house.ports, "Mrs Bell", [AUTHOR, APPROVER], actor=SYSTEM)
    assert not one.signed_in()
    one.enrol()
    assert one.signed_in()


def test_whoever_acts_no_more_is_out_at_once(here: Watched, staff: dict[str, Actor]) -> None:
    one = Browser(here).ready(staff["author"])
    operators.remove(here.tower.house.ports, "Mrs Bell", actor=staff["head"])
    assert not one.signed_in()
    assert Browser(here).password("Mrs Bell").status_code == 403
    name(here, "Mrs Bell", AUTHOR)  # another one of the same name has none of it
    assert not one.signed_in()
    assert Browser(here).password("Mrs Bell").status_code == 403


def test_a_wrong_name_and_a_wrong_password_look_the_same(here: Watched, staff: dict[str, Actor]) -> None:
    Browser(here).ready(staff["author"])
    told = set()
    for who, word in (
        ("Mrs Bell", "wrong wrong wrong"),
        ("Nobody", WORDS),
        ("Head teacher", WORDS),
        ("", "x"),
    ):
        answer = Browser(here).password(who, word)
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers
        told.add(re.sub(r'value="[^"]*"', "", answer.text))
    assert len(told) == 1
    assert record_kinds(here, "sign_in.refused") == ["sign_in.refused"] * 4


def test_an_unknown_name_costs_as_much_as_a_known_one(here: Watched, staff: dict[str, Actor]) -> None:
    Browser(here).ready(staff["author"])
    kept = here.app.state.vault
    checked: list[str | None] = []

    class Counting:
        def __getattr__(self, what: str) -> object:
            return getattr(kept, what)

        def holds(self, hashed: str | None, password: str) -> bool:
            checked.append(hashed)
            return bool(kept.holds(hashed, password))

    here.app.state.vault = Counting()
    Browser(here).password("Mrs Bell", "wrong wrong wrong")
    Browser(here).password("Nobody", "wrong wrong wrong")
    assert [hashed is None for hashed in checked] == [False, True]


def test_a_session_that_nobody_uses_ends_and_one_that_is_used_ends_too(
    here: Watched, staff: dict[str, Actor]
) -> None:
    one = Browser(here).ready(staff["author"])
    passed(here, 60 * 60 * 2 - 30)
    assert one.signed_in()
    there = []
    for _ in range(7):
        passed(here, 60 * 100)
        there.append(one.signed_in())
    assert there == [True] * 6 + [False]  # used all the time, and twelve hours old
    one.password("Mrs Bell")
    passed(here, 60 * 60 * 2 + 30)
    assert not one.signed_in()


def test_signing_in_gives_a_new_secret_at_every_step(here: Watched, staff: dict[str, Actor]) -> None:
    first = Browser(here).ready(staff["head"])
    one = Browser(here)
    one.second = first.second
    one.password("Head teacher")
    half = one.client.cookies["carillon"]
    assert "One step more" in one.get("/watch").text
    one.code()
    whole = one.client.cookies["carillon"]
    assert half != whole
    assert httpx2.get(f"{here.url}/watch", cookies={"carillon": half}, timeout=5).status_code == 401
    with here.ledger.reading() as hand:
        rows = hand.connection.execute(select(t.session.c.digest)).scalars().all()
        assert Sessions(hand).of(shown_once.digest(half)) is None
    assert shown_once.digest(whole) in {bytes(row) for row in rows}
    assert whole.encode() not in b"".join(bytes(row) for row in rows)


def test_ones_own_sessions_are_listed_and_ended_and_nobody_elses(
    here: Watched, staff: dict[str, Actor]
) -> None:
    one = Browser(here).ready(staff["author"])
    phone = Browser(here, agent="Mozilla/5.0 (iPhone) Safari/604")
    phone.password("Mrs Bell")
    stranger = Browser(here).ready(name(here, "Mr Fell", AUTHOR))
    page = one.get("/account").text
    assert "Firefox on Windows" in page
    assert "Safari on iPhone" in page
    handle = re.search(r'name="which" value="([0-9a-f]+)"', page)
    assert handle
    assert stranger.form("/account", to="/account/sessions", which=handle[1]).status_code == 404
    assert phone.signed_in()
    assert one.form("/account", to="/account/sessions", which=handle[1]).status_code == 303
    assert (one.signed_in(), phone.signed_in(), stranger.signed_in()) == (True, False, True)


def test_another_password_ends_every_other_session_and_wants_a_fresh_proof(
    here: Watched, staff: dict[str, Actor]
) -> None:
    one, other = Browser(here).ready(staff["author"]), Browser(here)
    other.password("Mrs Bell")
    passed(here, 60 * 11)
    assert one.get("/account/password").headers["location"].endswith("account/prove?to=account/password")
    assert (
        one.form("/account/prove?to=account/password", to="/account/prove", password="wrong").status_code
        == 403
    )
    proved = one.form("/account/prove?to=account/password", to="/account/prove", password=WORDS)
    assert proved.headers["location"].endswith("account/password")
    changed = one.form("/account/password", password="another three words", again="another three words")
    assert changed.headers["location"].endswith("account?done=password_chosen")
    assert (one.signed_in(), other.signed_in()) == (True, False)
    assert Browser(here).password("Mrs Bell").status_code == 403
    assert Browser(here).password("Mrs Bell", "another three words").status_code == 303


@pytest.mark.parametrize("to", ["https://evil.example", "//evil.example", "../../x", "account?x=1", ""])
def test_a_proof_leads_to_a_page_of_ours_alone(here: Watched, staff: dict[str, Actor], to: str) -> None:
    one = Browser(here).ready(staff["author"])
    page = one.get("/account").text
    token = re.search(r'name="token" value="([^"]*)"', page)
    assert token
    answer = one.post("/account/prove", token=token[1], password=WORDS, to=to)
    assert answer.headers["location"] == "../account"


@pytest.mark.parametrize(
    "password",
    ["short", "aaaaaaaaaaaaaaaa", "passwordpassword", "mrs bell mrs bell", "x" * 201, "1234567890"],
)
def test_a_password_that_anybody_would_guess_is_refused(password: str) -> None:
    with pytest.raises(NotToBeChanged):
        good_passwords.fit(password, ("Mrs Bell", "Saint Cecilia"))


@pytest.mark.parametrize(
    "password", [WORDS, "Täglich grüßt das Murmeltier", "🔔🥁🎺🎻🪕 in the attic", "x7Kq92mLp0Zw"]
)
def test_any_long_password_of_ones_own_will_do(password: str) -> None:
    good_passwords.fit(password, ("Mrs Bell", "Saint Cecilia"))


def test_an_invitation_is_for_admins_to_make_and_works_once(here: Watched, staff: dict[str, Actor]) -> None:
    ports = here.tower.house.ports
    with pytest.raises(NotAllowed):
        signin.invite(ports, "Head teacher", actor=staff["author"])
    link = signin.invite(ports, "Mrs Bell", actor=staff["head"])
    signin.sign_in(ports, link)
    with pytest.raises(LinkSpent):
        signin.sign_in(ports, link)
    with pytest.raises(NotAllowed):
        signin.make_link(ports, actor=Actor(SYSTEM.kind, "A stranger"))


def test_a_reset_takes_everything_that_somebody_signs_in_by(here: Watched, staff: dict[str, Actor]) -> None:
    one = Browser(here).ready(staff["head"])
    assert passwords.reset(here.tower.house.ports, "Head teacher", actor=SYSTEM) == 1
    assert not one.signed_in()
    assert Browser(here).password("Head teacher").status_code == 403
    with here.ledger.reading() as hand:
        for table in (t.proof, t.recovery_code, t.device):
            assert hand.connection.execute(select(table)).all() == []


def test_another_sites_form_is_refused_at_every_step(here: Watched, staff: dict[str, Actor]) -> None:
    """Whole forms, with the session's own token: but for where they come from, each of them is taken."""
    new, one = Browser(here).ready(staff["head"]).forget_device(), Browser(here).ready(staff["author"])
    steps = [
        (new, "/sign-in", "", {"name": "Head teacher", "password": WORDS}),
        (new, "/sign-in/code", "", {"code": new.next_code()}),
        (one, "/account/prove", "", {"password": WORDS}),
        (one, "/account/second", "", {"code": "000000"}),
        (one, "/account/password", "", {"password": WORDS, "again": WORDS}),
        (one, "/account", "/account/codes", {}),
        (one, "/account", "/account/sessions", {"which": "others"}),
        (one, "/account", "/watch/sign-out", {}),
    ]
    for browser, page, to, fields in steps:
        for origin in ("https://evil.example", "null"):
            browser.client.headers["Origin"] = origin
            answer = browser.form(page, to, **fields)
            assert (answer.status_code, "This was not done" in answer.text) == (403, True), (page, to)
        browser.client.headers["Origin"] = here.url
        assert "This was not done" not in browser.form(page, to, **fields).text, (page, to)
    assert "Signed in as</span> Head teacher" in new.get("/watch").text
    assert not one.signed_in()


def test_a_form_without_its_sessions_token_is_refused(here: Watched, staff: dict[str, Actor]) -> None:
    one = Browser(here).ready(staff["author"])
    for path in ("/account/password", "/account/sessions", "/account/prove", "/account/codes"):
        assert one.post(path, token="0" * 64, password=WORDS, again=WORDS).status_code == 403


def test_a_key_shown_to_one_session_enrols_no_other(here: Watched, staff: dict[str, Actor]) -> None:
    one, other = Browser(here), Browser(here)
    one.invited(staff["head"])
    other.password("Head teacher")
    page = one.get("/account/second").text
    sealed = re.search(r'name="sealed" value="([^"]*)"', page)
    key = re.search(r'<code class="key">([A-Z2-7 ]+)</code>', page)
    assert sealed
    assert key
    code = pyotp.TOTP(key[1].replace(" ", "")).now()
    assert other.form("/account/second", sealed=sealed[1], code=code).status_code == 403
    assert one.form("/account/second", sealed="rubbish", code=code).status_code == 403
    assert not one.signed_in()


def test_what_is_stored_signs_nobody_in(here: Watched, staff: dict[str, Actor]) -> None:
    one = Browser(here).ready(staff["head"])
    secrets = [WORDS, one.second, *one.codes, *(code.replace("-", "") for code in one.codes)]
    secrets += list(one.client.cookies.values())
    with here.ledger.reading() as hand:
        for table in t.metadata.sorted_tables:
            for row in hand.connection.execute(select(table)):
                told = b"".join(v if isinstance(v, bytes) else str(v).encode() for v in row)
                assert not any(secret.encode() in told for secret in secrets), table.name


def test_the_record_tells_who_and_when_and_nothing_else(here: Watched, staff: dict[str, Actor]) -> None:
    one = Browser(here).ready(staff["head"])
    one.forget_device().password("Head teacher")
    one.code(one.codes[0])
    told = record_kinds(here, "sign_in.", "session.", "password.", "second_", "recovery_")
    assert told == [
        "sign_in.invited",
        "password.set",
        "second_factor.set",
        "session.began",
        "recovery_code.used",
        "session.began",
    ]
    with here.ledger.reading() as hand:
        bodies = b"".join(hand.connection.execute(select(t.record_entry.c.body)).scalars())
    for secret in ("192.0.2.1", "Firefox", WORDS, one.second, *one.codes):
        assert secret.encode() not in bodies


def test_where_passwords_are_switched_off_none_is_asked_for(serve: Serve) -> None:
    here = serve(CARILLON_SIGN_IN__PASSWORDS="false")
    one = Browser(here)
    assert "Password" not in one.get("/sign-in").text
    assert one.password("Mrs Bell").status_code == 404


def test_a_try_takes_its_time_by_the_real_hasher(here: Watched) -> None:
    from config.vault import SecretVault

    vault = SecretVault(b"x" * 32)
    hashed = vault.hash_password(WORDS)
    assert hashed.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    began = time.process_time()
    assert vault.holds(hashed, WORDS)
    assert not vault.holds(None, WORDS)
    assert time.process_time() > began
