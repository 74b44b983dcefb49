"""Sign-in by a real OpenID provider on loopback, and tokens that must not hold."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from sqlalchemy import select

from broker.actor import SYSTEM
from broker.authority import identities, operators
from broker.authority.signin import Came
from broker.errors import NotProved
from broker.ports.approvals import OperatorRole
from config.identity import Provider
from config.sign_in import ProviderAt
from ledger import tables as t
from tests.support.staff import Browser, at_provider, name, provider, record_kinds, vault
from tests.support.watching import Serve, Watched

AUTHOR, APPROVER, ADMIN = OperatorRole.AUTHOR, OperatorRole.APPROVER, OperatorRole.ADMIN
PUBLIC = "http://localhost:9"
OURS = {"email_verified": True, "hd": "school.example"}
PEOPLE = [
    {"sub": "100", "email": "m.bell@school.example", "name": "Mrs Bell", **OURS},
    {"sub": "101", "email": "h.head@school.example", "groups": ["heads"], **OURS},
    {"sub": "102", "email": "stranger@elsewhere.example", "email_verified": True, "hd": "elsewhere.example"},
    {"sub": "103", "email": "private@gmail.example", "email_verified": True},
    {"sub": "104", "email": "m.bell@school.example", "email_verified": True},  # no hd: a private account
    {"sub": "105", "email": "x@school.example", "email_verified": False, "hd": "school.example"},
    {
        "sub": "106",
        "email": "pupil@pupils.school.example",
        "email_verified": True,
        "hd": "pupils.school.example",
    },
    {"sub": "107", "email": "lead@school.example", "groups": ["music"], **OURS},
]
DOMAINS = {"school.example": "", "pupils.school.example": ""}
GROUPS = {"heads": "approver,admin", "music": "author music"}


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with provider(PEOPLE) as found:
        yield found


@pytest.fixture
def here(serve: Serve, issuer: str) -> Watched:
    at = "CARILLON_SIGN_IN__PROVIDERS__GOOGLE__"
    return serve(
        CARILLON_PUBLIC_URL=PUBLIC,
        CARILLON_DEPARTMENTS="office,music",
        CARILLON_ANSWERS__LEAD__WATCHERS="lead",
        **{
            f"{at}KIND": "google",
            f"{at}ISSUER": issuer,
            f"{at}CLIENT_ID": "carillon",
            f"{at}CLIENT_SECRET": "a-secret-that-the-provider-knows",
            f"{at}DOMAINS": json.dumps(DOMAINS),
            f"{at}GROUPS": json.dumps(GROUPS),
        },
    )


def come_back(browser: Browser, subject: str) -> Any:
    back = urlsplit(at_provider(browser, subject))
    return browser.get(f"{back.path}?{back.query}")


def named(here: Watched) -> dict[str, tuple[set[str], str | None]]:
    with here.ledger.begin() as tx:
        return {one.name: ({*one.roles}, one.department) for one in tx.operators.all()}


def test_whoever_an_admin_has_linked_is_known_from_then_on(here: Watched) -> None:
    who = name(here, "Mrs Bell", AUTHOR, department="music")
    identities.link(
        here.tower.house.ports, vault(here), who.id, "google", "M.Bell@school.example", actor=SYSTEM
    )
    for _ in range(2):  # by the address that was expected, then by the subject
        browser = Browser(here)
        assert come_back(browser, "100").headers["location"].endswith("watch")
        assert "Signed in as</span> Mrs Bell" in browser.get("/watch").text
    assert named(here) == {"Mrs Bell": ({AUTHOR}, "music")}


def test_a_mapped_group_makes_an_operator_and_nobody_else_is_made_one(here: Watched) -> None:
    browser = Browser(here)
    assert come_back(browser, "101").status_code == 303
    assert browser.signed_in()
    assert named(here) == {"h.head": ({APPROVER, ADMIN}, None)}
    for subject in ("100", "106"):  # of our domains, and in no group
        other = Browser(here)
        answer = come_back(other, subject)
        assert answer.status_code == 403
        assert "may not use Carillon" in answer.text
        assert not other.signed_in()
    assert named(here) == {"h.head": ({APPROVER, ADMIN}, None)}
    assert record_kinds(here, "operator.") == ["operator.added"]


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("subject", ["102", "103", "104", "105"])
def test_a_strangers_account_is_refused_and_leaves_nothing(here: Watched, subject: str) -> None:
    browser = Browser(here)
    answer = come_back(browser, subject)
    assert answer.status_code == 403
    assert not browser.signed_in()
    with here.ledger.reading() as hand:
        assert hand.connection.execute(select(t.identity)).all() == []
        assert hand.connection.execute(select(t.session)).all() == []


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_nobody_becomes_a_watcher_or_another_operator_by_being_called_so(here: Watched) -> None:
    answer = come_back(Browser(here), "107")  # called as the safeguarding lead is
    assert answer.status_code == 403
    name(here, "h.head", AUTHOR)
    assert come_back(Browser(here), "101").status_code == 403
    assert named(here) == {"h.head": ({AUTHOR}, None)}


def test_roles_follow_the_groups_of_whoever_was_made_by_them(here: Watched) -> None:
    ports = here.tower.house.ports
    name(here, "Another admin", ADMIN)
    come_back(Browser(here), "101")
    operators.give(ports, "h.head", [AUTHOR], actor=SYSTEM)
    come_back(Browser(here), "101")
    assert named(here)["h.head"] == ({APPROVER, ADMIN}, None)
    gone = identities.Claimed(
        "google", here.app.state.providers["google"].at.where, "101", "h.head@school.example"
    )
    with pytest.raises(NotProved):
        identities.by_identity(ports, vault(here), gone, came=Came())


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_state_belongs_to_one_browser_and_one_journey(here: Watched) -> None:
    name(here, "Somebody", ADMIN)
    one, other = Browser(here), Browser(here)
    back = urlsplit(at_provider(one, "101"))
    assert other.get(f"{back.path}?{back.query}").status_code == 403  # another browser's
    other.get("/sign-in/with/google")
    assert other.get(f"{back.path}?{back.query}").status_code == 403  # another journey's
    asked = parse_qs(back.query)
    state, code = asked["state"][0], asked["code"][0]
    for query in ("", "state=x&code=y", f"state={state}", f"code={code}", "error=access_denied"):
        fresh = Browser(here)
        fresh.client.cookies.update(one.client.cookies)
        assert fresh.get(f"{back.path}?{query}").status_code == 403
    assert one.get(f"{back.path}?{back.query}").status_code == 303
    assert one.get(f"{back.path}?{back.query}").status_code == 403  # the code is spent, and the cookie gone
    assert one.get("/sign-in/with/nobody").status_code == 404


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_a_provider_that_is_away_is_told_calmly(serve: Serve) -> None:
    at = "CARILLON_SIGN_IN__PROVIDERS__WORK__"
    here = serve(
        CARILLON_PUBLIC_URL=PUBLIC,
        **{
            f"{at}KIND": "other",
            f"{at}ISSUER": "http://127.0.0.1:9",
            f"{at}CLIENT_ID": "carillon",
            f"{at}CLIENT_SECRET": "x",
            f"{at}DOMAINS": '{"school.example": "auditor"}',
        },
    )
    answer = Browser(here).get("/sign-in/with/work")
    assert answer.status_code == 503
    assert "does not answer" in answer.text


# --- tokens, made by us: signed rightly, and wrong in one thing each

KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
OTHER = RSAKey.generate_key(2048, {"kid": "one"})
ISSUER = "https://id.school.example"
TENANT = "11111111-2222-3333-4444-555555555555"


def provider_of(**more: Any) -> Provider:
    said = {
        "kind": "google",
        "issuer": ISSUER,
        "client_id": "carillon",
        "client_secret": "x",
        "domains": {"school.example": "author"},
        **more,
    }
    made = Provider("google", ProviderAt.model_validate(said), f"{PUBLIC}/sign-in/back/google")
    made._known = (time.monotonic(), ({"issuer": ISSUER}, KeySet([KEY])))
    return made


def token(key: RSAKey = KEY, alg: str = "RS256", **more: Any) -> str:
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": "carillon",
        "sub": "100",
        "exp": now + 300,
        "iat": now,
        "nonce": "n" * 43,
        "email": "m.bell@school.example",
        "email_verified": True,
        "hd": "school.example",
        **more,
    }
    return jwt.encode({"alg": alg, "kid": "one"}, {k: v for k, v in claims.items() if v is not None}, key)


def test_a_token_that_holds_says_who_it_is() -> None:
    claimed = provider_of().claimed(token(), "n" * 43)
    assert (claimed.subject, claimed.address) == ("100", "m.bell@school.example")
    assert claimed.granted == identities.Granted(frozenset({AUTHOR}))


WRONG: dict[str, Callable[[], str]] = {
    "another issuer": lambda: token(iss="https://evil.example"),
    "for another client": lambda: token(aud="another"),
    "for several, and not by us": lambda: token(aud=["carillon", "another"], azp="another"),
    "for several, by nobody": lambda: token(aud=["carillon", "another"]),
    "no audience": lambda: token(aud=None),
    "too old": lambda: token(exp=int(time.time()) - 120),
    "no end": lambda: token(exp=None),
    "from the future": lambda: token(iat=int(time.time()) + 3600),
    "not yet": lambda: token(nbf=int(time.time()) + 3600),
    "another nonce": lambda: token(nonce="m" * 43),
    "no nonce": lambda: token(nonce=None),
    "no subject": lambda: token(sub=None),
    "another key": lambda: token(OTHER),
    "not verified": lambda: token(email_verified="true"),
    "no address": lambda: token(email=None),
    "no hosted domain": lambda: token(hd=None),
    "another hosted domain": lambda: token(hd="elsewhere.example"),
    "a hosted domain of no school": lambda: token(hd="elsewhere.example", email="m@elsewhere.example"),
    "a control character": lambda: token(email="m\n@school.example"),
    "an object for a subject": lambda: token(sub={"a": 1}),
    "rubbish": lambda: "a.b.c",
    "nothing": lambda: "",
    "unsigned": lambda: "eyJhbGciOiJub25lIn0." + token().split(".")[1] + ".",
    "changed": lambda: ".".join(
        [token().split(".")[0], token(sub="999").split(".")[1], token().split(".")[2]]
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_token_that_is_wrong_in_one_thing_is_refused(what: str) -> None:
    with pytest.raises(NotProved):
        provider_of().claimed(WRONG[what](), "n" * 43)


@pytest.mark.parametrize("told", [None, True, -1, 2**40])
def test_a_time_that_is_none_proves_nothing(told: object) -> None:
    assert provider_of().claimed(token(auth_time=told), "n" * 43).proved_at is None
    now = int(time.time())
    proved_at = provider_of().claimed(token(auth_time=now), "n" * 43).proved_at
    assert proved_at is not None
    assert int(proved_at.timestamp()) == now


def test_a_domain_beside_the_hosted_one_is_the_schools_where_the_school_says_so() -> None:
    ours: dict[str, Any] = {"hd": "school.example", "email": "amy@pupils.school.example"}
    both = provider_of(domains={"school.example": "", "pupils.school.example": ""})
    assert both.claimed(token(**ours), "n" * 43).address == "amy@pupils.school.example"
    with pytest.raises(NotProved):
        provider_of().claimed(token(**ours), "n" * 43)


def entra(**more: Any) -> Provider:
    return provider_of(kind="entra", tenant=TENANT, **more)


def test_of_microsoft_the_tenant_is_checked_and_a_mail_address_believed_never() -> None:
    ours: dict[str, Any] = {
        "tid": TENANT,
        "preferred_username": "M.Bell@school.example",
        "email": None,
        "hd": None,
    }
    assert entra().claimed(token(**ours), "n" * 43).address == "m.bell@school.example"
    wrongs: tuple[dict[str, Any], ...] = (
        {"tid": "99999999-2222-3333-4444-555555555555"},
        {"tid": None},
        {"preferred_username": None, "email": "m.bell@school.example"},
        {"preferred_username": "guest@elsewhere.example"},
        {"acct": 1},
        {"idp": "https://sts.windows.net/99999999-2222-3333-4444-555555555555/"},
        {"idp": "live.com"},
        {"idp": ["live.com"]},
    )
    for wrong in wrongs:
        with pytest.raises(NotProved):
            entra().claimed(token(**{**ours, **wrong}), "n" * 43)


def test_a_group_counts_before_a_domain_and_the_first_before_the_next() -> None:
    maps = provider_of(groups={"heads": "admin", "music": "approver music"})
    assert maps.claimed(token(groups=["music", "heads"]), "n" * 43).granted == identities.Granted(
        frozenset({ADMIN})
    )
    assert maps.claimed(token(groups=["music"]), "n" * 43).granted == identities.Granted(
        frozenset({APPROVER}), "music"
    )
    assert maps.claimed(token(groups="heads"), "n" * 43).granted == identities.Granted(frozenset({AUTHOR}))
