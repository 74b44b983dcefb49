"""The compose file's own commands as processes, on a real PostgreSQL and Redis: a worker dies, and nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import feedparser
import httpx2
import pytest
from sqlalchemy import select

from ledger import tables as t
from sandbox.client import RunningSandbox, start_sandbox
from tests.support.compose import PREFIX, Service, services
from tests.support.installed import SECRET, Installed, kill_all, people_csv, wait_until
from tests.support.postgres import PostgresServer
from tests.support.redis import RedisServer

FAMILIES = 600
SNOWED_IN = 5
TWO_WINDOWS = 40  # of mails, which nobody can be asked about
SETTLED_WITHIN = timedelta(seconds=150)  # a lease of 90 s and its look-ups
HERE = {"0.0.0.0": "127.0.0.1"}  # the test's web is for this machine alone

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[RunningSandbox]:
    """Providers that take their time, so that a kill meets work in hand."""
    slow = ["twilio:latency:ms=1200", "smtp:latency:ms=120"]
    with start_sandbox(tmp_path / "truth.jsonl", slow) as running:
        yield running


@pytest.fixture
def school(
    tmp_path: Path, sandbox: RunningSandbox, postgres: PostgresServer, redis_server: RedisServer
) -> Iterator[Installed]:
    """What the containers would read: the file's variables, where they point here; its secrets, as files."""
    database = postgres.fresh()
    secrets = tmp_path / "secrets"
    secrets.mkdir(mode=0o700)
    (secrets / "carillon_database_password").write_text("nobody asks for it here\n")
    (secrets / "carillon_secret_key").write_text(f"{SECRET}\n")
    here = {f"{PREFIX}DATABASE_URL": database, f"{PREFIX}QUEUE_URL": redis_server.url}
    assert here.keys() == services()["worker"].environment.keys()
    x = sandbox.x
    posts = {
        "CHANNEL": "twitter",
        "CONSUMER_KEY": x.consumer_key,
        "CONSUMER_SECRET": x.consumer_secret,
        "ACCESS_TOKEN": x.access_token,
        "ACCESS_TOKEN_SECRET": x.access_token_secret,
        "NOTICE_ROUTE": "the notice board at the gate",
        "API_BASE_URL": sandbox.x_url,
        "GRACE": "3",
    }
    installed = Installed(tmp_path, sandbox)
    installed.more = {
        **here,
        f"{PREFIX}SECRET_KEY": "",  # it is in its file
        f"{PREFIX}SECRETS_DIR": str(secrets),
        f"{PREFIX}PUBLIC_URL": f"http://127.0.0.1:{installed.port}",
        f"{PREFIX}ACCOUNTS__FEEDS__CHANNEL": "rss",
        **{f"{PREFIX}ACCOUNTS__X__{name}": value for name, value in posts.items()},
    }
    yield installed
    postgres.drop(database)


def command_of(service: Service, port: int) -> list[str]:
    """The file's own words; only where the web listens is another place."""
    ports = {"8000": str(port)}
    return [{**HERE, **ports}.get(word, word) for word in service.command]


def kill_with_its_child(worker: subprocess.Popen[bytes]) -> None:
    """Kill -9 as the end of a container would: the supervisor and its child at once, with no good-bye."""
    children = Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split()
    assert children
    for child in children:
        os.kill(int(child), signal.SIGKILL)
    kill_all(worker)


def end_leases_of(school: Installed, dead: subprocess.Popen[bytes]) -> None:
    """What the clock does after ninety seconds: nobody is left who would tell that this worker is dead."""
    theirs = (
        select(t.delivery.c.holder).where(t.delivery.c.holder.startswith(f"worker-{dead.pid}-")).distinct()
    )
    with school.ledger() as ledger:
        with ledger.reading() as hand:
            holders = hand.connection.execute(theirs).scalars().all()
        for holder in holders:
            ledger.transact(lambda tx, who=holder: tx.sweeps.expire_leases_of(who))  # type: ignore[misc]


def roster(folder: Path) -> Path:
    """Many families in the Choir, and a few more in Snow, who are told something urgent."""
    file = people_csv(folder, FAMILIES)
    rows = file.read_text().splitlines()
    for n in range(SNOWED_IN):
        rows += [f"s{n},pupil,Snow{n},Bell,,,Snow,", f"h{n},guardian,Host{n},Bell,+4478{n:08d},,,s{n}"]
    file.write_text("\n".join(rows) + "\n")
    return file


@pytest.mark.slow
@pytest.mark.parametrize("lease", ["brought forward", "waited out"])
def test_one_worker_of_two_dies_in_mid_send_and_nothing_is_lost(
    school: Installed, sandbox: RunningSandbox, lease: str
) -> None:
    every = services()
    migrate, web, worker, urgent = (
        command_of(every[name], school.port) for name in ("migrate", "web", "worker", "worker-urgent")
    )
    school.run(*migrate)
    with ExitStack() as running:
        running.enter_context(school.started(*web))
        running.enter_context(school.started(*urgent))
        one, _ = (running.enter_context(school.started(*worker)) for _ in range(2))
        wait_until(lambda: is_well(school), within=timedelta(seconds=60), what="the web up")
        school.run("people", "import", str(roster(school.folder)), "--yes")
        choir = school.run(
            "announce", "The concert is at six.", "--to", "Choir", "--via", "sms,email,rss,twitter"
        )
        wait_until(
            lambda: in_mid_send(school), within=timedelta(seconds=60), what="texts and mails under way"
        )
        urgent_goes_first(school)
        kill_with_its_child(one)
        sandbox.control.clear()  # what is left may go as fast as it can

        def over() -> bool:
            if lease == "brought forward":
                end_leases_of(school, one)
            return all_settled(school)

        wait_until(over, within=SETTLED_WITHIN, what="everything settled")
        assert in_the_feed(school) == [f"urn:uuid:{choir['announcement']}"]
        assert len(sandbox.truth("twitter")) == 1
        nothing_lost_and_no_text_twice(school)
        school.run("withdraw", choir["announcement"])
        wait_until(lambda: taken_back(school), within=timedelta(seconds=10), what="the post taken back")
        wait_until(lambda: not in_the_feed(school), within=timedelta(seconds=5), what="the feed without it")
        assert sandbox.control.counts()["x"]["deleted"] == 1
    assert school.record_verifies()


def is_well(school: Installed) -> bool:
    """As the file's healthcheck asks."""
    try:
        return httpx2.get(f"http://127.0.0.1:{school.port}/healthz", timeout=3).status_code == 200
    except httpx2.HTTPError:
        return False


def in_mid_send(school: Installed) -> bool:
    return all(30 < len(school.accepted(channel)) < FAMILIES - 200 for channel in ("sms", "email"))


def urgent_goes_first(school: Installed) -> None:
    """All of it is with the provider while the bulk is still going out."""
    asked = time.monotonic()
    school.run("announce", "Snow: the school is shut.", "--to", "Snow", "--via", "sms", "--urgent")
    wait_until(lambda: told_of_snow(school) == SNOWED_IN, within=timedelta(seconds=15), what="the urgent one")
    took = time.monotonic() - asked
    assert len(school.accepted("sms")) < FAMILIES, f"the bulk was done first; it took {took:.1f} s"


def told_of_snow(school: Installed) -> int:
    return sum(1 for number in school.accepted("sms") if number.startswith("+4478"))


def all_settled(school: Installed) -> bool:
    states = school.states()
    moving = sum(n for (_, state), n in states.items() if state in {"queued", "sending"})
    return (
        bool(states) and not moving and not states["sms", "uncertain"] and not states["twitter", "uncertain"]
    )


def nothing_lost_and_no_text_twice(school: Installed) -> None:
    states, texts, mails = school.states(), school.accepted("sms"), school.accepted("email")
    assert states["sms", "sent"] + states["sms", "delivered"] == FAMILIES + SNOWED_IN
    assert len(texts) == FAMILIES + SNOWED_IN
    assert set(texts.values()) == {1}
    assert states["email", "sent"] + states["email", "uncertain"] == FAMILIES
    assert states["email", "uncertain"] <= TWO_WINDOWS
    assert set(mails.values()) == {1}
    assert states["rss", "sent"] == states["twitter", "sent"] == 1


def in_the_feed(school: Installed) -> list[str]:
    answer = httpx2.get(f"http://127.0.0.1:{school.port}/feeds/school.rss")
    return [entry.id for entry in feedparser.parse(answer.content).entries]


def taken_back(school: Installed) -> bool:
    states = school.states()
    return states["rss", "retracted"] == states["twitter", "retracted"] == 1
