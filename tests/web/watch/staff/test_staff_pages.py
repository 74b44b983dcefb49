"""Who may do what: named, invited, moved, taken away; by an admin who has proved just now who they are."""

from __future__ import annotations

import re

import pytest

from broker.actor import Actor, ActorKind
from broker.ports.approvals import OperatorRole
from tests.support.staff import WORDS, Browser, name, passed, quick, record_kinds
from tests.support.watching import Serve, Watched

ADMIN, AUTHOR, APPROVER, AUDITOR = (
    OperatorRole.ADMIN,
    OperatorRole.AUTHOR,
    OperatorRole.APPROVER,
    OperatorRole.AUDITOR,
)
TOKEN = re.compile(r'name="token" value="([^"]*)"')


def signed(here: Watched, who: str, *roles: OperatorRole, department: str | None = None) -> Browser:
    actor = name(here, who, *roles, department=department)
    browser = Browser(here)
    browser.post("/watch/sign-in", link=here.link(actor))
    return browser


@pytest.fixture
def here(serve: Serve) -> Watched:
    found = serve(CARILLON_DEPARTMENTS="office,music")
    quick(found)
    return found


@pytest.fixture
def head(here: Watched) -> Browser:
    return signed(here, "Head", ADMIN)


def token(browser: Browser, path: str = "/watch/staff") -> str:
    found = TOKEN.search(browser.get(path).text)
    assert found
    return found[1]


def place(browser: Browser, who: str) -> str:
    found = re.search(rf'href="\S*(watch/staff/\d+)">{who}<', browser.get("/watch/staff").text)
    assert found, who
    return f"/{found[1]}"


def roles_of(here: Watched, who: str) -> tuple[set[str], str | None] | None:
    with here.ledger.look() as tx:
        found = next((one for one in tx.operators.all() if one.name == who), None)
    return None if found is None else ({role.value for role in found.roles}, found.department)


def test_somebody_is_named_invited_and_signs_in(here: Watched, head: Browser) -> None:
    added = head.client.post(
        "/watch/staff/new",
        data={
            "token": token(head),
            "name": "Mrs  Bell",
            "role": ["author", "approver"],
            "department": "music",
        },
    )
    assert added.status_code == 303, added.text
    assert roles_of(here, "Mrs Bell") == ({"author", "approver"}, "music")
    page = head.get(place(head, "Mrs Bell")).text
    assert "writes, agrees" in page
    invited = head.post(f"{place(head, 'Mrs Bell')}/invite", token=token(head))
    link = re.search(r'<code id="link">\S*/watch/sign-in/([\w-]{43})</code>', invited.text)
    assert link, invited.text
    assert "invited" in head.get("/watch/staff").text
    bell = Browser(here)
    assert bell.post("/watch/sign-in", link=link[1]).headers["location"].endswith("account/password")
    bell.form("/account/password", password=WORDS, again=WORDS)
    bell.enrol()
    assert bell.signed_in()
    page = head.get(place(head, "Mrs Bell")).text
    assert "set up" in page
    assert "10 recovery codes left" in page
    assert link[1] not in page


def test_whoever_looks_changes_nothing_and_others_do_not_even_look(here: Watched, head: Browser) -> None:
    auditor, author = signed(here, "Dr Okafor", AUDITOR), signed(here, "Mr Reed", AUTHOR)
    where = place(head, "Mr Reed")
    page = auditor.get(where).text
    assert "What they may do" not in page
    assert auditor.get("/watch/staff/new").status_code == 403
    assert auditor.post(where, token=token(auditor), do="remove").status_code == 403
    assert author.get("/watch/staff").status_code == author.get(where).status_code == 403
    assert roles_of(here, "Mr Reed") == ({"author"}, None)


def test_an_administrator_of_one_department_sees_its_staff_alone(here: Watched, head: Browser) -> None:
    signed(here, "Mr Reed", AUTHOR, department="office")
    music = signed(here, "Ms Flute", ADMIN, department="music")
    assert "Mr Reed" not in music.get("/watch/staff").text
    assert music.get(place(head, "Mr Reed")).status_code == 404
    own = place(music, "Ms Flute")
    refused = music.post(own, token=token(music), do="department", department="")
    assert refused.status_code == 403
    assert "acts for music alone" in refused.text


def test_the_last_administrator_is_neither_taken_away_nor_made_less(here: Watched, head: Browser) -> None:
    signed(here, "Mr Reed", AUTHOR)
    where = place(head, "Head")
    for fields in (
        {"do": "remove"},
        {"do": "roles", "role": "author"},
        {"do": "department", "department": "music"},
    ):
        refused = head.post(where, token=token(head), **fields)
        assert refused.status_code == 422, fields
        assert "This is the last admin" in refused.text
        assert "carillon " not in re.sub(r"<[^>]+>", "", refused.text)
    assert roles_of(here, "Head") == ({"admin"}, None)


def test_nobody_is_left_without_any_role_and_the_problem_stands_beside_the_boxes(
    here: Watched, head: Browser
) -> None:
    refused = head.post("/watch/staff/new", token=token(head), name="Nobody")
    assert refused.status_code == 422
    assert 'id="wrong-role"' in refused.text
    assert 'value="Nobody"' in refused.text
    twice = head.post("/watch/staff/new", token=token(head), name="heäd", role="author")
    assert twice.status_code == 422
    assert 'id="wrong-name"' in twice.text


def test_somebody_is_moved_signed_out_reset_and_taken_away_and_may_be_named_again(
    here: Watched, head: Browser
) -> None:
    reed = signed(here, "Mr Reed", AUTHOR)
    where = place(head, "Mr Reed")
    assert head.post(where, token=token(head), do="department", department="music").status_code == 303
    assert head.post(where, token=token(head), do="roles", role="auditor").status_code == 303
    assert roles_of(here, "Mr Reed") == ({"auditor"}, "music")
    assert reed.signed_in()
    assert head.post(f"{where}/access", token=token(head), do="sign_out").status_code == 303
    assert not reed.signed_in()
    reed.post("/watch/sign-in", link=here.link(Actor(ActorKind.PERSON, "Mr Reed")))
    assert head.post(f"{where}/access", token=token(head), do="reset").status_code == 303
    assert not reed.signed_in()
    gone = head.post(where, token=token(head), do="remove")
    assert gone.headers["location"].endswith("watch/staff?done=staff_removed")
    assert roles_of(here, "Mr Reed") is None
    assert head.get(where).status_code == 404
    assert head.post("/watch/staff/new", token=token(head), name="Mr Reed", role="author").status_code == 303
    kinds = record_kinds(here, "operator.", "session.all", "sign_in.reset")
    assert {"operator.moved", "operator.roles_changed", "operator.removed", "sign_in.reset"} <= set(kinds)


def test_a_browser_left_open_names_nobody(here: Watched, head: Browser) -> None:
    signed(here, "Mr Reed", AUTHOR)
    where = place(head, "Mr Reed")
    form = token(head)
    passed(here, 60 * 11)
    for path, fields in {
        "/watch/staff/new": {"name": "Me", "role": "admin"},
        where: {"do": "roles", "role": "admin"},
        f"{where}/invite": {},
        f"{where}/access": {"do": "reset"},
    }.items():
        answer = head.post(path, token=form, **fields)
        assert answer.status_code == 303, path
        assert "account/prove?to=watch/staff" in answer.headers["location"]
    assert head.get("/watch/staff/new").status_code == 303
    assert roles_of(here, "Mr Reed") == ({"author"}, None)
    assert head.get("/watch/staff").status_code == 200


def test_what_is_no_act_of_ours_is_refused(here: Watched, head: Browser) -> None:
    where = place(head, "Head")
    for path in (where, f"{where}/access"):
        assert head.post(path, token=token(head), do="promote").status_code == 400
    assert head.get("/watch/staff/999").status_code == 404
    assert head.get("/watch/staff/one").status_code == 404
    linked = head.post(
        f"{where}/access", token=token(head), do="link", provider="nowhere", account="a@b.example"
    )
    assert linked.status_code == 422


def test_while_nobody_is_named_the_page_says_where_to_begin(here: Watched) -> None:
    here.sign_in()
    page = here.get("/watch/staff")
    assert "Nobody is here yet" in page
    answer = here.client.post(
        "/watch/staff/new",
        data={"token": TOKEN.findall(page)[0], "name": "Head", "role": "admin"},
        headers={"Origin": here.url},
    )
    assert answer.status_code == 303, answer.text
    with here.ledger.look() as tx:
        assert [one.name for one in tx.operators.all()] == ["Head"]
