"""Whoever guesses is slowed down, and nobody is locked out by a stranger."""

from __future__ import annotations

import pytest

from broker.actor import Actor
from broker.authority.passwords import ACCOUNT, DEVICE, SOURCE
from broker.ports.approvals import OperatorRole
from tests.support.staff import Browser, name, quick
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


def test_a_stranger_who_tries_a_name_does_not_lock_its_owner_out(
    here: Watched, staff: dict[str, Actor]
) -> None:
    owner = Browser(here, source="192.0.2.10").ready(staff["author"])
    tried = [
        Browser(here, source=f"198.51.100.{n}").password("Mrs Bell", "wrong wrong wrong").status_code
        for n in range(ACCOUNT[1] + 3)
    ]
    assert tried[-1] == 429
    elsewhere = Browser(here, source="192.0.2.99")
    # On no browser that is known; a link lets her in.
    assert elsewhere.password("Mrs Bell").status_code == 429
    assert elsewhere.post("/watch/sign-in", link=here.link(staff["author"])).status_code == 303
    owner.client.cookies.delete("carillon")
    assert owner.password("Mrs Bell").status_code == 303
    assert owner.signed_in()


def test_a_known_browser_is_slowed_down_by_itself(here: Watched, staff: dict[str, Actor]) -> None:
    owner = Browser(here).ready(staff["author"])
    owner.client.cookies.delete("carillon")
    codes = [owner.password("Mrs Bell", "wrong wrong wrong").status_code for _ in range(DEVICE[1] + 1)]
    assert codes == [403] * DEVICE[1] + [429]
    assert owner.password("Mrs Bell").status_code == 429
    assert Browser(here).password("Mrs Bell").status_code == 303


def test_somebody_elses_known_browser_is_none_for_this_name(here: Watched, staff: dict[str, Actor]) -> None:
    other = Browser(here).ready(name(here, "Mr Fell", AUTHOR))
    Browser(here, source="192.0.2.77").ready(staff["author"])
    other.client.cookies.delete("carillon")
    codes = [other.password("Mrs Bell", "wrong wrong wrong").status_code for _ in range(ACCOUNT[1] + 1)]
    assert codes[-1] == 429


def test_one_source_is_slowed_down_whatever_names_it_tries(here: Watched) -> None:
    many = SOURCE[1]
    codes = [
        Browser(here).password(f"Somebody {n}", "wrong wrong wrong").status_code for n in range(many + 1)
    ]
    assert codes == [403] * many + [429]
    assert Browser(here, source="192.0.2.2").password("Anybody", "wrong wrong wrong").status_code == 403
