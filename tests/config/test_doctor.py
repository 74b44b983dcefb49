"""The doctor says in plain words what is well, doubtful or wrong, and never falls ill itself."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import fakeredis
import pytest

from broker.actor import SYSTEM
from broker.address import AddressKind
from broker.record import Entry
from broker.scrutiny.heads import Left
from config import doctor
from config.assembly import assemble
from config.findings import Finding, Health
from config.settings import Settings
from config.signer import HmacSigner
from ledger import tables as t
from ledger.connect import open_ledger
from ledger.rosters.people import keyed_hash
from ledger.setup import School, install
from sandbox.client import RunningSandbox, start_sandbox
from sandbox.notify_shapes import MAILS
from sandbox.stand_ins import notify as stand_in
from tests.support.bell import install_plugin
from tests.support.servers import free_port


def about(findings: list[Finding], subject: str) -> list[Finding]:
    return [finding for finding in findings if finding.subject == subject]


def examined(folder: Path, **values: Any) -> list[Finding]:
    return doctor.examine(Settings.of(data_dir=folder, **values))


def test_a_fresh_folder_wants_its_tables(tmp_path: Path) -> None:
    [ledger] = [f for f in about(examined(tmp_path), "ledger") if f.health is Health.WRONG]
    assert ledger.hint == "run: carillon db upgrade"


def test_a_school_that_is_set_up_is_well(ledger_url: str, bell: Path, tmp_path: Path) -> None:
    accounts = {"tower": {"channel": "bell", "truth": str(bell)}}
    findings = examined(tmp_path, database_url=ledger_url, secret_key="k" * 40, accounts=accounts)
    assert not [finding for finding in findings if finding.health is Health.WRONG]
    assert about(findings, "account tower")[0].says == "bell opens"
    assert about(findings, "clock")[0].health is Health.WELL


@pytest.mark.parametrize(
    ("free", "how"), [(5_000_000, Health.WRONG), (50_000_000, Health.DOUBTFUL), (10**12, Health.WELL)]
)
def test_a_disk_that_is_full_soon_is_told_in_time(free: int, how: Health) -> None:
    assert doctor.room(free).health is how


def test_an_account_that_does_not_open_is_wrong_and_the_others_are_told_too(
    bell: Path, tmp_path: Path
) -> None:
    accounts = {
        "tower": {"channel": "bell", "truth": str(bell), "muffled": True},
        "crypt": {"channel": "bell", "truth": str(bell)},
    }
    findings = examined(tmp_path, accounts=accounts)
    assert about(findings, "account tower") == [
        Finding("account tower", Health.WRONG, "the bell is muffled", "look at CARILLON_ACCOUNTS__TOWER")
    ]
    assert about(findings, "account crypt")[0].health is Health.WELL


def two_gateways(box: RunningSandbox, **notify: str) -> dict[str, Any]:
    """An account of plain settings, which are Twilio's, and of one block."""
    return {
        "channel": "sms",
        "gateways": "twilio,notify",
        "account_sid": box.account_sid,
        "auth_token": box.auth_token,
        "sender": "+447400123456",
        "api_base_url": box.twilio_url,
        "notify": {**stand_in.settings(box.url("notify")), **notify},
    }


def here(folder: Path, accounts: dict[str, Any]) -> Settings:
    return Settings.of(data_dir=folder, sandbox=True, public_url="https://school.example", accounts=accounts)


def test_what_a_provider_says_against_one_of_two_gateways_is_told_by_its_field(tmp_path: Path) -> None:
    other = stand_in.KEY[:-1] + "0"
    with start_sandbox(tmp_path / "truth.jsonl") as box:
        before = len(box.truth())
        wrong = {
            "keys": two_gateways(box, api_key=other),
            "templates": two_gateways(box, template_id=MAILS),
            "texts": two_gateways(box),
        }
        findings = doctor.accounts(here(tmp_path, wrong))
        assert len(box.truth()) == before
    told = {one.subject: (one.says, one.hint) for one in findings if one.health is Health.WRONG}
    assert set(told) == {"account keys", "account templates"}
    for name, field in (("keys", "API_KEY"), ("templates", "TEMPLATE_ID")):
        says, hint = told[f"account {name}"]
        assert says.startswith("by notify: ")
        assert hint.startswith(f"look at CARILLON_ACCOUNTS__{name.upper()}__NOTIFY__{field}: ")
    assert other not in repr(findings)


def test_gateways_that_do_not_open_are_told_each_by_its_field(tmp_path: Path) -> None:
    with start_sandbox(tmp_path / "truth.jsonl") as box:
        texts = {
            **two_gateways(box, api_base_url="https://api.notifications.service.gov.uk"),
            "api_base_url": "https://api.twilio.com",
        }
        findings = doctor.accounts(here(tmp_path, {"texts": texts}))
    assert all(one.health is Health.WRONG for one in findings)
    assert [one.hint.partition(":")[0].removeprefix("look at CARILLON_ACCOUNTS__") for one in findings] == [
        "TEXTS__API_BASE_URL",
        "TEXTS__NOTIFY__API_BASE_URL",
    ]


def test_a_database_and_a_queue_that_are_away_are_wrong(tmp_path: Path) -> None:
    findings = examined(
        tmp_path,
        database_url=f"postgresql://u:hush@127.0.0.1:{free_port()}/n",
        queue_url=f"redis://:hush@127.0.0.1:{free_port()}/0",
        secret_key="k" * 40,
    )
    assert about(findings, "ledger")[0].health is Health.WRONG
    assert about(findings, "queue")[0].health is Health.WRONG
    assert "hush" not in repr(findings)


def test_a_server_that_says_nothing_is_given_up(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"redis://127.0.0.1:{deaf.getsockname()[1]}/0"
        findings = doctor.hints(Settings.of(data_dir=tmp_path, queue_url=url))
    assert findings[0].says == "does not answer"


def test_a_redis_that_forgets_is_doubtful(fake_redis: fakeredis.FakeRedis) -> None:
    fake_redis.lpush("sms", "hint")
    findings = doctor.look_at_redis(fake_redis, ["sms", "email"])
    assert "sms 1" in findings[0].says


def test_a_redis_that_evicts_or_keeps_nothing_is_doubtful(redis_url: str) -> None:
    import redis

    with redis.Redis.from_url(redis_url, socket_timeout=5) as client:
        findings = doctor.look_at_redis(client, ["sms"])
        assert [f.hint for f in findings if f.health is Health.DOUBTFUL] == ["set appendonly yes"]


def test_a_key_that_others_may_read_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_text("k" * 40)
    (tmp_path / "secret.key").chmod(0o644)
    assert about(examined(tmp_path), "secret key")[0].health is Health.WRONG


def test_a_database_that_everybody_may_read_is_doubtful(tmp_path: Path) -> None:
    settings = Settings.of(data_dir=tmp_path)
    assemble(settings, upgrade=True).close()
    tmp_path.chmod(0o755)
    (tmp_path / "carillon.sqlite3").chmod(0o644)
    assert (
        about(doctor.examine(settings), "permissions")[0].hint == f"chmod o= {tmp_path / 'carillon.sqlite3'}"
    )


def test_an_import_name_that_somebody_else_provides_too_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = install_plugin(tmp_path / "site", {}, package="some-web")
    (site / "some_web-1.0.dist-info" / "top_level.txt").write_text("web\n")
    monkeypatch.syspath_prepend(site)
    [finding] = doctor.packages()
    assert (finding.health, finding.says) == (Health.WRONG, "web is also provided by some-web")


@pytest.mark.parametrize(("version", "health"), [((3, 10), "wrong"), ((3, 11), "well"), ((3, 14), "wrong")])
def test_python_is_one_that_carillon_is_tried_on(version: tuple[int, int], health: str) -> None:
    assert doctor.python(version).health == health


def test_the_doctor_sees_whether_the_one_worker_runs(tmp_path: Path) -> None:
    from workers.sole import sole_worker

    settings = Settings.of(data_dir=tmp_path)
    assert doctor.worker(settings)[0].health is Health.DOUBTFUL
    with sole_worker(settings.database_url):
        assert doctor.worker(settings)[0].health is Health.WELL


def test_a_school_that_sends_is_asked_who_hears_of_what_comes_back() -> None:
    mails = {
        "channel": "email",
        "host": "mx.example.org",
        "sender": "o@example.org",
        "reply_to": "o@example.org",
    }
    asked = doctor.what_comes_back(Settings.of(accounts={"mails": mails}))
    assert [f.subject for f in asked] == ["account mails", "answers"]
    assert all(f.health is Health.DOUBTFUL for f in asked)
    told = {"mails": {**mails, "return_path": "bounces@example.org"}}
    heard = Settings.of(accounts=told, answers={"lead": {"watchers": "Ms Safe"}})
    assert doctor.what_comes_back(heard) == []


def test_addresses_that_are_known_by_another_key_are_told(ledger_url: str, tmp_path: Path) -> None:
    ledger = open_ledger(ledger_url, HmacSigner(b"k" * 40))
    install(ledger, School("st-brides", "St Bride's", "Europe/London", "en-GB", "GB"), {}, [])
    with ledger.begin() as tx:
        for kind, value in ((AddressKind.MOBILE, "+447911100001"), (AddressKind.EMAIL, "Mum@example.org")):
            hashed = keyed_hash(tx.hand.signer, kind, value)
            row = {"kind": kind.value, "value": value, "hash": hashed, "confirmed_at": tx.now}
            tx.hand.connection.execute(t.address.insert().values(row))
    ledger.close()

    def found(key: str) -> list[Health]:
        told = examined(tmp_path, database_url=ledger_url, secret_key=key * 40)
        return [one.health for one in about(told, "secret key")]

    assert found("k") == [Health.WELL]
    assert found("n") == [Health.WELL, Health.WRONG]


def test_a_school_of_whose_record_nobody_outside_holds_a_head_is_told(
    ledger_url: str, tmp_path: Path
) -> None:
    ledger = open_ledger(ledger_url, HmacSigner(b"k" * 40))
    install(ledger, School("st-brides", "St Bride's", "Europe/London", "en-GB", "GB"), {}, [])
    settings = {"database_url": ledger_url, "secret_key": "k" * 40}

    def told() -> Finding | None:
        return next(iter(about(examined(tmp_path, **settings), "record")), None)

    assert told() is None, "nothing is sealed yet"
    with ledger.begin() as tx:
        tx.record.add([Entry("one", SYSTEM, {})])
        tx.record.seal()
        tx.record.add_holder("Dr Okafor", "okafor@example.org", by="the test")
    with ledger.begin() as tx:
        tx.record.seal()
    unmailed = told()
    assert unmailed is not None
    assert unmailed.says == "no head of it has left the house ever"
    with ledger.begin() as tx:
        newest = tx.record.newest()
        assert newest is not None
        tx.record.gave(newest, Left.MAILED)
    mailed = told()
    assert mailed is not None
    assert mailed.health is Health.WELL
    with ledger.begin() as tx:
        tx.record.drop_holder("Dr Okafor")
    nobody = told()
    ledger.close()
    assert nobody is not None
    assert nobody.health is Health.DOUBTFUL
    assert "carillon audit governors --add" in nobody.hint
    with ledger.begin() as tx:
        tx.rules.add({"record.mail_every": "0"}, by=SYSTEM, why="we print it")
    printed = told()
    assert printed is not None
    assert printed.health is Health.WELL, "a head that left by another way will do where none is mailed"
    ledger.close()
