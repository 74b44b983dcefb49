"""One cell after the other: arm a point, announce, see the process die there, start again, judge what came of it."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from broker import intake
from broker.actor import SYSTEM
from broker.announcement import Draft, Part, People
from broker.announcement import Step as Way
from config.assembly import assemble
from config.settings import load
from ledger import tables as t
from tests.support.crash_points import Point, Who
from tests.support.installed import COMMAND, ROOT, Installed, kill_all, people_csv, wait_until
from tests.support.invariants import Had, Seen, check_in_the_end, nothing_private, private_values

FAMILIES = 5
ACCOUNTS = {"sms": "texts", "email": "mails", "rss": "feed", "twitter": "posts"}
ALONE = {"twitter": ("twitter", "rss")}  # X is never the only way
DIES_WITHIN, SETTLES_WITHIN = timedelta(seconds=60), timedelta(seconds=60)
LOGS = ("up", "worker", "web")
MOST_DEATHS = 3


@dataclass(frozen=True, slots=True)
class Cell:
    """One point, for one channel."""

    point: Point
    channel: str

    def __str__(self) -> str:
        return f"{self.channel} killed at {self.point.name}"


@dataclass
class Crashing(Installed):
    """A school whose processes die where they are told to."""

    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    said: list[UUID] = field(default_factory=list)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    deaths: int = 0

    @property
    def environ(self) -> dict[str, str]:
        x = self.sandbox.x
        accounts = {
            "FEED__CHANNEL": "rss",
            "POSTS__CHANNEL": "twitter",
            "POSTS__CONSUMER_KEY": x.consumer_key,
            "POSTS__CONSUMER_SECRET": x.consumer_secret,
            "POSTS__ACCESS_TOKEN": x.access_token,
            "POSTS__ACCESS_TOKEN_SECRET": x.access_token_secret,
            "POSTS__NOTICE_ROUTE": "the notice board at the gate",
            "POSTS__API_BASE_URL": self.sandbox.x_url,
            "POSTS__GRACE": "1",
            "TEXTS__GRACE": "1",
        }
        site = ROOT / "tests" / "support" / "crash_site"
        return {
            **super().environ,
            **{f"CARILLON_ACCOUNTS__{name}": value for name, value in accounts.items()},
            "CARILLON_PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "PYTHONPATH": os.pathsep.join((str(site), str(ROOT), os.environ.get("PYTHONPATH", ""))),
            "CRASH_ORDERS": str(self.orders),
            **self.more,
        }

    @property
    def orders(self) -> Path:
        return self.folder / "orders.json"

    @property
    def embedded(self) -> bool:
        """`carillon up` on SQLite; else a worker, a web, PostgreSQL and Redis."""
        return "CARILLON_DATABASE_URL" not in self.more

    @contextmanager
    def opened(self) -> Iterator[None]:
        """A small school in the ledger, and all its processes ready to work; killed when the block ends."""
        try:
            if not self.embedded:
                self.run("db", "upgrade")
            self.bring_up()
            self.run("people", "import", str(people_csv(self.folder, FAMILIES)), "--yes")
            yield
        finally:
            for process in self.processes.values():
                kill_all(process)

    def bring_up(self) -> None:
        """Start what is not running. A worker's child is replaced by its supervisor."""
        for name in ("up",) if self.embedded else ("worker", "web"):
            if name not in self.processes or self.processes[name].poll() is not None:
                self.processes[name] = self.start(name)
        wait_until(self._answers, within=timedelta(seconds=30), what="the web")

    def refresh(self) -> None:
        """At rest: a new supervisor, before this one waits for half a minute between the deaths of the young."""
        if not self.embedded and self._deaths() - self.deaths >= MOST_DEATHS:
            self.deaths = self._deaths()
            kill_all(self.processes.pop("worker"))
            self.bring_up()

    def _answers(self) -> bool:
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=2):
            return True
        return False

    # --- one cell ----------------------------------------------------------------------------------------------------

    def crash(self, cell: Cell) -> None:
        """Announce by one channel and die at the cell's point. Raises AssertionError when nobody died there."""
        number = next(self.numbers)
        hit = self.folder / f"hit-{number}"
        who, roles = self._who(cell.point)
        order = {
            "id": number, "point": cell.point.name, "channel": cell.channel, "account": ACCOUNTS[cell.channel],
            "turn": cell.point.turn, "roles": roles, "hit": str(hit),
        }  # fmt: skip
        deaths, had = self._deaths(), len(self.sandbox.truth(cell.channel))
        whole = self.folder / "orders.new"
        whole.write_text(json.dumps(order))
        whole.rename(self.orders)
        words = f"Notice {number} of the week."
        if who is Who.ANNOUNCER:
            dead = self._announce_aloud(words, cell.channel)
            assert dead.returncode == -signal.SIGKILL, f"{cell}: it lived on"
        else:
            self._announce(words, cell.channel)
        wait_until(
            lambda: hit.exists() and bool(hit.read_text()), within=DIES_WITHIN, what=f"{cell}: its death"
        )
        self.orders.unlink()
        told = json.loads(hit.read_text())
        assert told["point"] == cell.point.name
        if cell.point.left is not None and cell.channel != "rss":  # a feed has no provider
            left = len(self.sandbox.truth(cell.channel)) > had
            assert left is cell.point.left, f"{cell}: the provider has {'some' if left else 'none'} of it"
        if who is Who.ANNOUNCER:
            # Whoever got no answer asks again, with the same key.
            again = self._announce_aloud(words, cell.channel)
            assert again.returncode == 0, again.stdout
            self.said.append(UUID(json.loads(again.stdout.splitlines()[-1])["announcement"]))
        else:
            self._assert_killed(cell, told["pid"], deaths)

    def judge(self, cell: Cell) -> None:
        """Wait until all is settled, then every invariant holds."""
        try:
            wait_until(self._settled, within=SETTLES_WITHIN, what=f"{cell}: all settled")
        except AssertionError as late:
            raise AssertionError(f"{late}: {dict(self.states())}") from None
        seen = self.seen()
        check_in_the_end(seen)
        if not cell.point.begun:
            newest = max(seen.announcements)
            doubtful = [r.id for r in seen.in_state("uncertain") if r.announcement_id == newest]
            assert not doubtful, f"{cell}: nothing had begun, and {len(doubtful)} are in doubt"
        with self.ledger() as ledger:
            private = private_values(ledger)
        said = "".join(self.log(name) for name in LOGS if (self.folder / f"{name}.log").exists())
        assert not list(nothing_private(said, private))

    def seen(self) -> Seen:
        truth = [Had.by_sandbox(entry) for entry in self.sandbox.truth()]
        feed = f"http://127.0.0.1:{self.port}/feeds/school.json"
        with urllib.request.urlopen(feed, timeout=10) as answer:
            items = json.load(answer)["items"]
        truth += [Had.by_feed(UUID(item["id"].removeprefix("urn:uuid:"))) for item in items]
        with self.ledger() as ledger:
            return Seen.of(ledger, truth, accepted=self.said)

    def _who(self, point: Point) -> tuple[Who, Sequence[str]]:
        """Which process dies there. Beside an embedded worker nobody but it publishes, and it serves the web too."""
        if point.name == "publish" and self.embedded:
            return Who.WORKER, ["up"]
        if point.who is Who.ANNOUNCER:
            return point.who, ["announce"]
        if self.embedded:
            return point.who, ["up"]
        return point.who, ["web"] if point.who is Who.WEB else ["child"]

    def _assert_killed(self, cell: Cell, pid: int, deaths: int) -> None:
        if self.embedded or cell.point.who is Who.WEB:
            process = self.processes["up" if self.embedded else "web"]
            assert process.pid == pid
            assert process.wait(timeout=10) == -signal.SIGKILL, f"{cell}: it ended otherwise"
        else:
            within = timedelta(seconds=10)
            wait_until(lambda: self._deaths() > deaths, within=within, what=f"{cell}: its supervisor's word")
            assert not Path(f"/proc/{pid}").exists()

    def _deaths(self) -> int:
        """How many of its children the supervisor has seen die by a SIGKILL."""
        log = self.folder / "worker.log"
        return log.read_text().count(f"ended with code {-signal.SIGKILL.value};") if log.exists() else 0

    def _announce(self, words: str, channel: str) -> None:
        settings = load(environ=self.environ, env_file=None)
        with assemble(settings) as house:
            accepted = intake.accept(house.ports, self._draft(words, channel), actor=SYSTEM)
        self.said.append(accepted.announcement.public_id)

    def _draft(self, words: str, channel: str) -> Draft:
        ways = (Way(ALONE.get(channel, (channel,))),)
        parts = {Part.SHORT: words}
        return Draft("office", "everyone", People.GUARDIANS, ways, parts, key=words)

    def _announce_aloud(self, words: str, channel: str) -> subprocess.CompletedProcess[bytes]:
        """By the command itself."""
        via = ",".join(ALONE.get(channel, (channel,)))
        command = ["announce", words, "--to", "everyone", "--via", via, "--key", words, "--json"]
        return subprocess.run(
            [COMMAND, *command],
            check=False,
            env=self.environ,
            cwd=self.folder,
            capture_output=True,
            timeout=60,
        )

    def _settled(self) -> bool:
        with self.ledger() as ledger, ledger.reading() as hand:
            run = hand.connection.execute
            planned = (
                run(select(t.announcement.c.id).where(t.announcement.c.fanned_out_at.is_(None))).first()
                is None
            )
            rows = run(select(t.delivery.c.state, t.delivery.c.lookup_at)).all()
            waits = run(select(t.receipt.c.id).where(t.receipt.c.confirmed_at.is_(None))).first()
        return (
            planned and not waits and not any(r.lookup_at or r.state in {"queued", "sending"} for r in rows)
        )


def go_through(school: Crashing, cells: Sequence[Cell], done: list[str]) -> None:
    """Every cell; the processes that recover from one are the victims of the next."""
    with school.opened():
        for cell in cells:
            school.crash(cell)
            school.bring_up()
            school.judge(cell)
            done.append(str(cell))
            school.refresh()
