"""/readyz by the ledger's progress, /metrics for whoever may read it, and logs that are JSON."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert, update

from config.assembly import House, assemble
from config.logs import AsJson
from config.settings import Settings, load
from ledger import tables as t
from ledger.reads.progress import Progress, progress
from web.app import create_app
from web.health import standing_still

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
IDLE = Progress(NOW, None, None, None, in_hand=False, to_confirm=None, to_seal=None)
LONG_AGO, JUST_NOW = NOW - timedelta(minutes=5), NOW - timedelta(seconds=5)
TOKEN = "a-token-for-the-figures-alone"


@pytest.mark.parametrize(
    ("seen", "stands"),
    [
        (IDLE, []),
        (replace(IDLE, to_plan=JUST_NOW, to_send=JUST_NOW, to_confirm=JUST_NOW, to_seal=JUST_NOW), []),
        (replace(IDLE, to_plan=LONG_AGO), ["planning"]),
        (replace(IDLE, to_send=LONG_AGO), ["sending"]),
        (replace(IDLE, to_send=LONG_AGO, began=LONG_AGO), ["sending"]),
        (replace(IDLE, to_send=LONG_AGO, began=JUST_NOW), []),  # a long queue, and somebody takes from it
        (replace(IDLE, to_send=LONG_AGO, in_hand=True), []),
        (replace(IDLE, to_confirm=LONG_AGO, to_seal=LONG_AGO), ["confirming", "sealing"]),
    ],
)
def test_what_waits_though_nothing_holds_it_stands_still(seen: Progress, stands: list[str]) -> None:
    assert standing_still(seen) == stands


def house_at(ledger_url: str, home: Path, **more: str) -> tuple[House, Settings]:
    environ = {
        "CARILLON_DATA_DIR": str(home / "var"),
        "CARILLON_DATABASE_URL": ledger_url,
        "CARILLON_SANDBOX": "true",
        "CARILLON_SECRET_KEY": "a-secret-of-the-tests-and-of-nobody-else",
        "CARILLON_PUBLIC_URL": "http://127.0.0.1:8000",
        "CARILLON_DEPARTMENTS": "music",
        "CARILLON_ACCOUNTS__FEEDS__CHANNEL": "rss",
    } | more
    settings = load(environ=environ, env_file=None)
    return assemble(settings, serves=True), settings


@pytest.fixture
def house(
    ledger_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[House, Settings]]:
    monkeypatch.setattr("web.health.LOOK_EVERY", timedelta(seconds=-1))
    monkeypatch.setattr("web.figures.KEPT_FOR", timedelta(seconds=-1))
    made, settings = house_at(ledger_url, tmp_path)
    with made:
        yield made, settings


def asking(house: tuple[House, Settings], caller: tuple[str, int] = ("127.0.0.1", 5)) -> httpx2.AsyncClient:
    app = create_app(house[0].ports, house[1])
    transport = httpx2.ASGITransport(app, client=caller)
    return httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000")


async def test_a_house_whose_work_waits_is_not_ready_and_says_which(house: tuple[House, Settings]) -> None:
    async with asking(house) as client:
        assert (await client.get("/readyz")).json() == {"ready": True, "stands": []}
        old = datetime.now(UTC) - timedelta(minutes=5)
        with house[0].ledger.begin() as tx:
            row = {"account_id": 1, "url": "", "headers": "{}", "body": b"", "received_at": old}
            tx.hand.connection.execute(insert(t.receipt).values(row))
            tx.hand.connection.execute(
                insert(t.delivery).values(
                    announcement_id=1, channel="rss", account_id=1, lane="routine", state="queued", due_at=old,
                    expires_at=old + timedelta(days=1), created_at=old, changed_at=old,
                )
            )  # fmt: skip
        told = await client.get("/readyz")
        assert (told.status_code, told.json()["stands"]) == (503, ["sending", "confirming"])
        assert (await client.get("/healthz")).status_code == 200
        with house[0].ledger.begin() as tx:  # what somebody paused waits on purpose
            tx.hand.connection.execute(update(t.account).values(paused_at=old, paused_why="asked for"))
        assert (await client.get("/readyz")).json()["stands"] == ["confirming"]


def test_the_facts_are_cheap_probes_on_an_empty_ledger(house: tuple[House, Settings]) -> None:
    with house[0].ledger.reading() as hand:
        assert progress(hand).to_plan is None


async def test_the_figures_can_be_read_by_prometheus_and_name_nobody(house: tuple[House, Settings]) -> None:
    with house[0].ledger.begin() as tx:
        row = {"announcement_id": 1, "channel": "rss", "state": "sent", "n": 41}
        tx.hand.connection.execute(insert(t.tally_delta).values(row))
    async with asking(house) as client:
        await client.get("/feeds/private/" + "A" * 43)
        await client.get("/u/secret-word-of-a-link")
        told = await client.get("/metrics")
    families = {family.name: family for family in text_string_to_metric_families(told.text)}
    assert families["carillon_ledger_up"].samples[0].value == 1
    assert {(s.labels["state"], s.value) for s in families["carillon_deliveries"].samples} == {("sent", 41)}
    answered = families["carillon_http_request_seconds"].samples
    assert {sample.labels["part"] for sample in answered} == {"feeds", "u"}
    assert {"process_cpu_seconds", "carillon_due", "carillon_unsealed_seconds"} <= families.keys()
    assert not [word for word in ("AAAA", "secret-word") if word in told.text]


@pytest.mark.security
async def test_without_a_token_this_machine_alone_reads_them(
    house: tuple[House, Settings], tmp_path: Path
) -> None:
    async with asking(house) as client:
        assert (await client.get("/metrics")).status_code == 200
        for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"):
            assert (await client.get("/metrics", headers={name: "203.0.113.9"})).status_code == 404
    for caller in (("203.0.113.9", 5), ("10.0.0.3", 5), ("not an address", 5)):
        async with asking(house, caller) as client:
            assert (await client.get("/metrics")).status_code == 404
    public = house[1].model_copy(update={"public_url": "https://bells.school.example"})
    async with asking((house[0], public)) as client:  # behind a proxy everybody comes from this machine
        assert (await client.get("/metrics")).status_code == 404


@pytest.mark.security
@pytest.mark.runs_on("sqlite")
async def test_with_a_token_whoever_shows_it_reads_them(sqlite_ledger: str, tmp_path: Path) -> None:
    made, settings = house_at(sqlite_ledger, tmp_path, CARILLON_WEB__METRICS_TOKEN=TOKEN)
    with made:
        async with asking((made, settings), ("203.0.113.9", 5)) as client:
            for shown in ("", "Bearer", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN):
                refused = await client.get("/metrics", headers={"Authorization": shown})
                assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
            right = {"Authorization": f"Bearer {TOKEN}"}
            assert (await client.get("/metrics", headers=right)).status_code == 200
    assert TOKEN not in repr(settings)


@pytest.mark.security
def test_a_line_of_the_json_log_is_one_object_whatever_stands_in_it() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(AsJson("%(message)s"))
    log = logging.getLogger("web.test_json")
    log.addHandler(handler)
    log.propagate = False
    log.setLevel(logging.WARNING)  # whatever another test has left of the root's
    try:
        log.warning('%s failed\n{"level": "forged"} %s', "id 7", "\u2028é")
        try:
            raise ValueError("+447911123456")
        except ValueError:
            log.exception("it failed")
    finally:
        log.removeHandler(handler)
    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (first["level"], first["from"]) == ("WARNING", "web.test_json")
    assert first["message"].startswith("id 7 failed\n")
    assert datetime.fromisoformat(first["at"]).tzinfo is not None
    assert "ValueError at" in second["where"]
    assert "447911" not in stream.getvalue()
