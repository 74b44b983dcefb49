"""Numbers, names, wordings and tokens are planted and a school lives through a day, in real processes; then every log,
message of the queue, error, answer, figure and entry of the record is searched for them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from sandbox.client import RunningSandbox, start_sandbox
from tests.nemesis.eavesdrop import Eavesdropper, said
from tests.support.canary import (
    ANSWER,
    EMAIL,
    MOBILE,
    NOTED,
    PEOPLE,
    WORDS,
    Aviary,
    Overheard,
    ask,
    logs,
    tables,
)
from tests.support.installed import Installed, wait_until
from tests.support.postgres import PostgresServer
from tests.support.redis import RedisServer

pytestmark = [pytest.mark.timeout(300)]
SOON = timedelta(seconds=90)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[RunningSandbox]:
    with start_sandbox(tmp_path / "truth.jsonl", callbacks="all") as running:
        yield running


@pytest.fixture
def embedded(tmp_path: Path, sandbox: RunningSandbox) -> Installed:
    installed = Installed(tmp_path, sandbox)
    installed.more = {
        "CARILLON_PUBLIC_URL": f"http://127.0.0.1:{installed.port}",
        "CARILLON_LOG_LEVEL": "DEBUG",
    }
    return installed


def test_nothing_sings_in_one_process_on_sqlite(embedded: Installed) -> None:
    aviary = Aviary.planted(embedded)
    with embedded.started("up"):
        heard = live(embedded, aviary)
    search(aviary, [*heard, *logs(embedded.folder), *tables(embedded)])


@pytest.mark.slow
def test_nothing_sings_in_many_processes_over_postgresql_and_redis(
    embedded: Installed, postgres_server: PostgresServer, redis_server: RedisServer
) -> None:
    installed = embedded
    installed.more |= {
        "CARILLON_DATABASE_URL": postgres_server.fresh(),
        "CARILLON_QUEUE_URL": redis_server.url,
    }
    aviary = Aviary.planted(installed)
    listening = Eavesdropper(redis_server, installed.folder / "heard")
    listening.start()
    with ExitStack() as running:
        installed.run("db", "upgrade")
        for command in ("web", "worker"):
            running.enter_context(installed.started(command))
        heard = live(installed, aviary)
    listening.stop()
    through_redis = Overheard("Redis", said(installed.folder / "heard"))
    assert "carillon" in through_redis.said
    search(aviary, [*heard, *logs(installed.folder), *tables(installed), through_redis])


def test_a_canary_sings_when_a_gateway_logs_whom_it_writes_to(embedded: Installed) -> None:
    """The proof that silence means something: a real leak, in the real process, is found."""
    site = Path(__file__).parents[1] / "support" / "leaky_site"
    embedded.more["PYTHONPATH"] = f"{site}:{Path(__file__).parents[2]}"
    aviary = Aviary.planted(embedded)
    bring(embedded)
    with embedded.started("up"):
        well(embedded)
        announced(embedded)
        wait_until(lambda: len(embedded.sandbox.truth("sms")) >= 2, within=SOON, what="the texts sent")
        wait_until(lambda: bool(aviary.singing(embedded.log("up"))), within=SOON, what="the leak in the log")
    with pytest.raises(AssertionError, match=r"log up.log: mobile"):
        search(aviary, logs(embedded.folder))


@pytest.mark.parametrize("everything", [True, False])
def test_each_canary_is_heard_wherever_it_sings(
    tmp_path: Path, sandbox: RunningSandbox, everything: bool
) -> None:
    aviary = Aviary.planted(Installed(tmp_path, sandbox))
    aviary.with_tokens_of([{"channel": "sms", "key": "https://s.example/callbacks/texts/NDI.c2lnbmVk"}])
    planted = {**aviary.addresses, **aviary.secrets}
    if everything:
        planted |= {**aviary.names, **aviary.words}
    for what, value in planted.items():
        assert what in aviary.singing(
            f"12:00 something went wrong with {value.upper()}!", everything=everything
        )
    assert aviary.singing("12:00 something went wrong with delivery 4711") == []


def live(installed: Installed, aviary: Aviary) -> list[Overheard]:
    """A day of a school: everything that handles people, and much that goes wrong. What was said meanwhile."""
    heard = bring(installed)
    well(installed)
    sandbox = installed.sandbox
    sandbox.control.order("twilio:bad-json:next=1", "smtp:reply:stage=rcpt,code=550,text=5.1.1 Nobody,next=1")
    dry = ask(installed, "announce", WORDS, "--to", "Choir", "--via", "sms,email", "--dry-run")
    said = announced(installed)
    wait_until(lambda: settled(installed), within=SOON, what="everything settled")
    aviary.with_tokens_of(sandbox.truth())
    base = f"http://127.0.0.1:{installed.port}"
    sandbox.control.text_from(MOBILE, ANSWER, url=f"{base}/callbacks/texts/inbound")
    sandbox.control.text_from(MOBILE, "STOP", url=f"{base}/callbacks/texts/inbound")
    heard += [dry, *asked(installed, said), *complaints(installed, said), *doors(base)]
    wait_until(lambda: opted_out(installed), within=SOON, what="the stop heard")
    heard.append(ask(installed, "people", "erase", "wg-88124", "--confirm", "wg-88124"))
    heard += [ask(installed, "people", "show", "Someone Else"), ask(installed, "audit", "verify")]
    heard += [ask(installed, "keeping", "run"), ask(installed, "doctor"), *doors(base)]
    return heard


def announced(installed: Installed) -> str:
    told = ask(installed, "announce", WORDS, "--to", "Choir", "--via", "sms,email", "--json").said
    return str(json.loads(told.splitlines()[-1])["announcement"])


def bring(installed: Installed) -> list[Overheard]:
    file = installed.folder / "people.csv"
    file.write_text(PEOPLE)
    odd = installed.folder / "odd.csv"
    odd.write_text(PEOPLE.replace(MOBILE, f"{MOBILE} or 020 7946 0000").replace(EMAIL, f"{EMAIL};{EMAIL}"))
    heard = [ask(installed, "people", "import", str(odd), "--dry-run", "--json")]
    return [*heard, ask(installed, "people", "import", str(file), "--yes")]


def asked(installed: Installed, said: str) -> Iterator[Overheard]:
    """Every answer that shows messages or people."""
    for words in (
        ("status",),
        ("status", said, "--who"),
        ("status", said, "--who", "--json"),
        ("deliveries",),
        ("deliveries", "--json"),
        ("deliveries", "--failed"),
        ("people", "show", "wg-88124"),
        ("people", "show", "wp-88123", "--json"),
        ("people", "doubtful"),
        ("people", "erase", "wg-88124", "--dry-run"),
        ("people", "block", "wg-88126", "wp-88125", "--why", NOTED),
        ("answers", "list"),
        ("optouts", "list"),
        ("reach", "Choir", "--via", "sms,email"),
        ("audit", "verify", "--json"),
        ("keeping", "show"),
        ("holds", "list"),
    ):
        yield ask(installed, *words)


def complaints(installed: Installed, said: str) -> Iterator[Overheard]:
    """What goes wrong with somebody's number, name or words in hand."""
    for words in (
        ("people", "show", f"Wilhelmina {MOBILE}"),
        ("people", "reveal", EMAIL, "--why", NOTED),
        ("people", "erase", MOBILE, "--confirm", MOBILE),
        ("announce", f"{WORDS} \u202e", "--to", "Choir", "--via", "sms"),
        ("announce", WORDS, "--to", "Warblington", "--via", "sms"),
        ("withdraw", MOBILE),
        ("requeue", MOBILE),
        ("optouts", "add", f"{MOBILE}9", "--via", "sms", "--why", NOTED),
    ):
        ran = ask(installed, *words)
        yield Overheard(ran.where, ran.said.replace("\n", " "), strict=False)


def doors(base: str) -> Iterator[Overheard]:
    """The web's own doors, with somebody's data thrown at them; its figures and feeds."""
    with httpx2.Client(base_url=base, timeout=20) as client:
        for method, path, body in (
            ("GET", "/healthz", None),
            ("GET", "/readyz", None),
            ("GET", "/metrics", None),
            ("GET", f"/widget/groups/{MOBILE}", None),
            ("GET", f"/feeds/private/{EMAIL}", None),
            ("GET", "/", None),
            ("GET", "/feeds/st-brides.xml", None),
            ("GET", f"/u/{MOBILE}", None),
            ("GET", f"/a/{EMAIL}", None),
            ("POST", f"/callbacks/texts/{MOBILE}", f"To={MOBILE}&Body={WORDS}"),
            ("POST", "/callbacks/texts", f"From={MOBILE}&Body={ANSWER}&From={EMAIL}"),
            ("POST", f"/callbacks/{EMAIL}/x", "nonsense"),
        ):
            answer = client.request(method, path, content=body)
            yield Overheard(f"{method} {path.partition('/')[0]}", answer.text)


def search(aviary: Aviary, overheard: object) -> None:
    found = [
        f"{one.where}: {what}"
        for one in overheard  # type: ignore[attr-defined]
        for what in aviary.singing(one.said, everything=one.strict)
    ]
    assert not found, "; ".join(sorted(set(found)))


def well(installed: Installed) -> None:
    def answers() -> bool:
        try:
            return httpx2.get(f"http://127.0.0.1:{installed.port}/healthz", timeout=5).status_code == 200
        except httpx2.HTTPError:
            return False

    wait_until(answers, within=SOON, what="the web up")


def settled(installed: Installed) -> bool:
    states = installed.states()
    return bool(states) and not any(state in {"queued", "sending"} for _, state in states)


def opted_out(installed: Installed) -> bool:
    with installed.ledger() as ledger, ledger.reading() as hand:
        return bool(hand.run("SELECT 1 FROM suppression").first())
