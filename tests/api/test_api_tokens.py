"""Tokens: shown once, kept as a digest, ended at once, and never told to anybody who reads along."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, select, text

from broker.actor import Actor, ActorKind
from broker.authority import operators, rule_changes, shown_once, tokens
from broker.errors import NotToBeChanged, RuleBroken
from broker.ports.api import Scope
from broker.ports.approvals import OperatorRole
from ledger import tables as t
from tests.support.api import HEAD, Calling, a_school, announced

pytestmark = pytest.mark.security


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Calling]:
    """A school of its own: here tokens are ended and operators leave."""
    home: Path = tmp_path_factory.mktemp("tokens")
    with a_school(f"sqlite:///{home / 'carillon.sqlite3'}", home) as calling:
        operators.add(calling.house.ports, "Head", [OperatorRole.ADMIN], None, actor=HEAD)
        yield calling


def made(house: Calling, name: str, *scopes: Scope, **more: object) -> tokens.Made:
    wanted = {"lasts": timedelta(days=1), **more}
    return tokens.make(house.house.ports, name, scopes or [Scope.RULES_READ], actor=HEAD, **wanted)  # type: ignore[arg-type]


def status(house: Calling, token: str, path: str = "/token") -> int:
    found: int = house.get(path, token=token).status_code
    return found


def test_the_ledger_keeps_no_token(house: Calling) -> None:
    secret = made(house, "kept").secret
    assert tokens.TOKEN.fullmatch(secret)
    assert secret.startswith("carillon_")
    assert secret not in repr(made(house, "kept twice"))
    with house.house.ledger.reading() as hand:
        rows = [tuple(row) for row in hand.connection.execute(select(t.api_token))]
        entries = hand.connection.execute(select(t.record_entry.c.body)).scalars().all()
    assert shown_once.digest(secret) in {row[3] for row in rows}
    for piece in (secret, secret.removeprefix("carillon_")[:20]):
        assert not any(piece in str(value) for row in rows for value in row)
        assert not any(piece.encode() in bytes(body) for body in entries)


def test_a_wrong_one_with_a_wrong_checksum_is_refused_without_a_look_into_the_ledger(house: Calling) -> None:
    secret = made(house, "mistyped").secret
    asked: list[str] = []

    def tell(_c: object, _cursor: object, statement: str, *_more: object) -> None:
        asked.append(statement)

    event.listen(house.house.ledger.engine, "before_cursor_execute", tell)
    try:
        for wrong in (
            secret[:-1] + ("A" if secret[-1] != "A" else "B"),
            secret + "0",
            secret[:-1],
            "x",
            "x" * 10_000,
        ):
            assert status(house, wrong) == 401
        assert not asked
        assert status(house, secret) == 200
        assert any("api_token" in statement for statement in asked)
    finally:
        event.remove(house.house.ledger.engine, "before_cursor_execute", tell)


def test_it_is_found_by_its_digest_alone_so_that_no_comparison_tells_how_near_a_guess_was(
    house: Calling,
) -> None:
    secret = made(house, "compared").secret
    asked: list[str] = []

    def tell(_c: object, _cursor: object, statement: str, parameters: object, *_more: object) -> None:
        asked.append(f"{statement} {parameters}")

    event.listen(house.house.ledger.engine, "before_cursor_execute", tell)
    try:
        assert status(house, secret) == 200
    finally:
        event.remove(house.house.ledger.engine, "before_cursor_execute", tell)
    assert any("api_token.digest = " in each for each in asked)
    assert not any(secret[9:20] in each for each in asked)


def test_it_ends_when_it_is_revoked_handed_in_or_over(house: Calling) -> None:
    revoked, handed, over = (made(house, name).secret for name in ("revoked", "handed in", "over"))
    tokens.revoke(house.house.ports, "revoked", actor=HEAD)
    assert house.call("DELETE", "/token", token=handed).status_code == 200
    with house.house.ledger.begin() as tx:
        past = tx.now - timedelta(seconds=1)
        tx.hand.connection.execute(
            t.api_token.update().where(t.api_token.c.name == "over").values(expires_at=past)
        )
    assert [status(house, each) for each in (revoked, handed, over)] == [401, 401, 401]
    assert house.get("/token", token=over).json()["code"] == "token_expired"


def test_last_use_is_noted_and_not_with_every_call(house: Calling) -> None:
    secret = made(house, "used").secret
    assert house.get("/token", token=secret).json()["used_at"] is None
    first = house.get("/token", token=secret).json()["used_at"]
    assert first is not None
    written: list[str] = []

    def tell(_c: object, _cursor: object, statement: str, *_more: object) -> None:
        written.extend([statement] if statement.startswith(("UPDATE", "INSERT")) else [])

    event.listen(house.house.ledger.engine, "before_cursor_execute", tell)
    try:
        for _ in range(5):
            assert house.get("/token", token=secret).json()["used_at"] == first
    finally:
        event.remove(house.house.ledger.engine, "before_cursor_execute", tell)
    assert not written


def test_one_that_acts_as_an_operator_does_no_more_than_they_may_and_dies_with_them(house: Calling) -> None:
    ports = house.house.ports
    operators.add(ports, "Mr Reed", [OperatorRole.AUTHOR], "music", actor=HEAD)
    secret = made(house, "for Mr Reed", *Scope, operator="Mr Reed").secret
    assert house.post("/announcements", announced(), token=secret).status_code == 201
    assert status(house, secret, "/record") == 403  # no author reads it
    assert house.post("/announcements", announced(department="office"), token=secret).status_code == 403
    reaches = set(house.get("/token", token=secret).json()["reaches"])
    assert reaches == {scope.value for scope in tokens.REACH[OperatorRole.AUTHOR]}
    operators.remove(ports, "Mr Reed", actor=HEAD)
    assert house.get("/token", token=secret).json()["code"] == "operator_gone"
    assert status(house, secret) == 401


def test_a_machine_approves_nothing_and_only_an_admin_makes_one(house: Calling) -> None:
    with pytest.raises(NotToBeChanged):
        made(house, "approves", Scope.APPROVALS_WRITE)
    for lasts in (timedelta(minutes=1), timedelta(days=500)):
        with pytest.raises(NotToBeChanged):
            made(house, "lasts", lasts=lasts)
    with pytest.raises(RuleBroken):
        tokens.make(house.house.ports, "mine", [Scope.RULES_READ], actor=Actor(ActorKind.PERSON, "Nobody"))


def test_none_says_yes_to_what_goes_to_many(house: Calling) -> None:
    """A yes to many wants a fresh proof of who says it, and a token lies in a file for months."""
    ports = house.house.ports
    rule_changes.change(ports, "approval.needed", "any/any/any", "the test", actor=HEAD)
    operators.add(ports, "Ms Orme", [OperatorRole.APPROVER], None, actor=HEAD)
    secret = made(house, "for Ms Orme", *Scope, operator="Ms Orme").secret
    waits = house.post("/announcements", announced()).json()["id"]
    rule_changes.change(ports, "sign_in.prove_at", "1", "the test", actor=HEAD)
    answer = house.post(f"/approvals/{waits}/approve", {}, token=secret)
    assert (answer.status_code, answer.json()["code"]) == (403, "proof_wanted")
    rule_changes.change(ports, "sign_in.prove_at", "1000", "the test", actor=HEAD)
    assert house.post(f"/approvals/{waits}/approve", {}, token=secret).status_code == 200


def test_one_in_an_address_is_not_read_and_stands_in_no_answer(house: Calling) -> None:
    secret = made(house, "in an address").secret
    for query in (f"?access_token={secret}", f"?token={secret}", f"?Authorization=Bearer%20{secret}"):
        answer = house.client.get(f"/v1/rules{query}")
        assert answer.status_code == 401
        assert secret not in answer.text
        with_both = house.get(f"/rules{query}", token=secret)
        assert (with_both.status_code, with_both.json()["code"]) == (422, "unknown_field")
        assert secret not in with_both.text


def test_it_stands_in_no_log_whatever_goes_wrong(house: Calling, caplog: pytest.LogCaptureFixture) -> None:
    secret = made(house, "a canary", *tokens.MACHINE).secret
    caplog.set_level(logging.DEBUG)
    house.get("/rules", token=secret)
    house.get("/nowhere", token=secret)
    house.post("/announcements", {"to": 7}, token=secret)
    house.call("POST", "/announcements", token=secret, content=b"{")
    with house.house.ledger.begin() as tx:
        tx.hand.connection.execute(text("ALTER TABLE alarm RENAME TO alarm_away"))
    try:
        house.get("/accounts", token=secret)  # reads alarms, too
    finally:
        with house.house.ledger.begin() as tx:
            tx.hand.connection.execute(text("ALTER TABLE alarm_away RENAME TO alarm"))
    assert secret not in caplog.text
    assert secret[9:30] not in caplog.text


def test_another_departments_is_not_there(house: Calling) -> None:
    made(house, "music's own", department="music")
    sport = made(house, "sport's", Scope.TOKENS_READ, Scope.TOKENS_WRITE, department="sport").secret
    assert "music's own" not in house.get("/tokens", token=sport).text
    for name in ("music's own", "nobody's"):
        gone = house.call("DELETE", f"/tokens/{name}", token=sport)
        assert (gone.status_code, gone.json()["code"]) == (404, "not_found")


def test_a_flood_of_guesses_is_turned_away_and_locks_nobody_out(house: Calling) -> None:
    good = made(house, "good").secret
    # As many as it takes: on a busy machine some of what was used up comes back meanwhile.
    guesses = [tokens.PREFIX + random + tokens._check(random) for random in (f"{n:040d}" for n in range(400))]
    answers = (house.get("/token", token=guess) for guess in guesses)
    assert next(answers).status_code == 401
    turned_away = next(answer for answer in answers if answer.status_code != 401)
    assert turned_away.status_code == 429
    assert turned_away.headers["Retry-After"]
    assert status(house, good) == 200
    assert status(house, "carillon_" + 46 * "0") == 401  # no guess: its checksum is wrong
