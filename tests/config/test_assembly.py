"""A process is put together from settings, and says what is missing before it does anything."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from broker.errors import SetupError
from broker.licences import licensing
from broker.values import DeliverHint, Lane
from config.assembly import assemble
from config.queue import Publisher, Silent
from config.settings import Settings
from ledger import tables as t
from tests.support.servers import free_port


def values(url: str, folder: Path, **more: Any) -> dict[str, Any]:
    return {"data_dir": folder, "database_url": url, "secret_key": "k" * 40, **more}


def bell_account(truth: Path, **more: Any) -> dict[str, Any]:
    return {"tower": {"channel": "bell", "truth": str(truth), **more}}


def accounts_in(settings: Settings) -> dict[str, bool]:
    with assemble(settings) as house, house.ledger.reading() as hand:
        return {row.name: row.active for row in hand.connection.execute(select(t.account))}


def test_a_ledger_without_tables_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(SetupError) as caught:
        assemble(Settings.of(data_dir=tmp_path))
    assert caught.value.problems[0].hint == "run: carillon db upgrade"


@pytest.mark.runs_on("sqlite")
def test_a_ledger_that_fails_in_the_middle_of_a_start_is_told_in_plain_words(tmp_path: Path) -> None:
    settings = Settings.of(data_dir=tmp_path)
    with assemble(settings, upgrade=True) as house, house.ledger.begin() as tx:
        tx.hand.run("ALTER TABLE department RENAME TO gone")
    with pytest.raises(SetupError) as caught:
        assemble(settings, serves=True)
    assert caught.value.problems[0].field == "CARILLON_DATABASE_URL"


@pytest.mark.runs_on("sqlite")
def test_the_embedded_default_is_made_from_nothing(tmp_path: Path) -> None:
    with assemble(Settings.of(data_dir=tmp_path / "var"), upgrade=True) as house:
        assert isinstance(house.hints, Silent)
        house.ports.hints.publish(DeliverHint("texts", "sms", Lane.ROUTINE))
    assert stat.S_IMODE((tmp_path / "var").stat().st_mode) == 0o700
    assert {"carillon.sqlite3", "secret.key"} <= {path.name for path in (tmp_path / "var").iterdir()}


def test_a_database_that_is_away_is_one_clear_error(tmp_path: Path) -> None:
    url = f"postgresql://u:hush@127.0.0.1:{free_port()}/n"
    with pytest.raises(SetupError) as caught:
        assemble(Settings.of(**values(url, tmp_path)))
    assert [problem.message for problem in caught.value.problems] == ["cannot be reached"]
    assert "hush" not in str(caught.value)


def test_what_serves_brings_its_accounts_and_a_command_leaves_them_alone(
    ledger_url: str, bell: Path, tmp_path: Path
) -> None:
    served = Settings.of(**values(ledger_url, tmp_path, accounts=bell_account(bell)))
    with assemble(served, serves=True) as house:
        assert isinstance(house.hints, Publisher)
    bare = Settings.of(**values(ledger_url, tmp_path))
    assert accounts_in(bare) == {"tower": True}
    with assemble(bare, serves=True):
        pass
    assert accounts_in(bare) == {"tower": False}


def test_a_command_adds_what_the_ledger_has_never_heard_of_and_revives_nothing(
    ledger_url: str, bell: Path, tmp_path: Path
) -> None:
    bare = Settings.of(**values(ledger_url, tmp_path))
    assert accounts_in(bare) == {}
    grown = Settings.of(
        **values(
            ledger_url,
            tmp_path,
            departments={"office": "Office", "music": "Music"},
            accounts=bell_account(bell, department="music"),
        )
    )
    with assemble(grown) as house, house.ledger.look() as tx:
        assert house.new_accounts == ["tower"]
        assert tx.accounts.for_channel("bell", "music") is not None
    with assemble(grown) as house:
        assert house.new_accounts == ()
    with assemble(bare, serves=True):
        pass
    assert accounts_in(grown) == {"tower": False}, "what the running Carillon took away stays away"


def test_the_first_command_on_a_fresh_ledger_brings_the_school(ledger_url: str, tmp_path: Path) -> None:
    settings = Settings.of(**values(ledger_url, tmp_path, school={"name": "St Bride's"}))
    with assemble(settings) as house, house.ledger.reading() as hand:
        assert hand.connection.execute(select(t.school.c.name)).scalar_one() == "St Bride's"


def test_what_serves_opens_every_account_at_once(ledger_url: str, bell: Path, tmp_path: Path) -> None:
    accounts = bell_account(bell, muffled=True) | {
        "crypt": {"channel": "bell", "truth": str(bell), "muffled": True}
    }
    with pytest.raises(SetupError) as caught:
        assemble(Settings.of(**values(ledger_url, tmp_path, accounts=accounts)), serves=True)
    assert [p.field for p in caught.value.problems] == [
        "CARILLON_ACCOUNTS__TOWER",
        "CARILLON_ACCOUNTS__CRYPT",
    ]


def test_a_channel_is_opened_once_a_process_and_closed_twice_without_harm(
    ledger_url: str, bell: Path, tmp_path: Path
) -> None:
    house = assemble(Settings.of(**values(ledger_url, tmp_path, accounts=bell_account(bell))), serves=True)
    assert house.ways_out.open("tower") is house.ways_out.open("tower")
    with pytest.raises(SetupError):
        house.ways_out.open("crypt")
    house.close()
    house.close()


def test_out_of_the_sandbox_each_start_says_which_account_may_not_speak_and_what_to_do(
    ledger_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What the sandbox gave is taken away by the first that serves; a command takes nothing from anybody."""
    values: dict[str, Any] = {
        "data_dir": tmp_path,
        "database_url": ledger_url,
        "accounts": {"feeds": {"channel": "rss"}},
    }
    values |= {"secret_key": "x" * 40, "public_url": "https://news.example"}
    rehearsed = Settings.of(**values, sandbox=True)
    in_earnest = Settings.of(**values)
    with assemble(rehearsed, serves=True) as house, house.ledger.look() as tx:
        assert licensing.silent(tx) == {}
    with assemble(in_earnest) as house, house.ledger.look() as tx:
        assert licensing.silent(tx) == {}
    assert caplog.text == ""
    for _ in range(2):
        with assemble(in_earnest, serves=True) as house, house.ledger.look() as tx:
            assert list(licensing.silent(tx)) == ["feeds"]
    assert caplog.text.count("carillon licence start feeds") == 2
