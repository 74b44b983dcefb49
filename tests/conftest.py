"""The ground the tests stand on: real servers, brought lazily, stopped surely, and counted at the end.

A server that cannot be had fails the run with one clear line, unless the caller says --without-postgres or
--without-redis: a test skipped in silence proves nothing.
"""

from __future__ import annotations

import itertools
import logging
import os
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn
from zlib import crc32

import fakeredis
import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Connection, Engine, event
from xdist.scheduler import LoadScopeScheduling

from tests.support import postgres as postgres_support
from tests.support import redis as redis_support
from tests.support.compiled import Compiled
from tests.support.memory import folder_in_memory
from tests.support.postgres import PostgresServer
from tests.support.redis import RedisServer
from tests.support.servers import CannotBeHadError

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from xdist.remote import Producer

# Before any test imports it: the contract's asserts then tell what they saw, wherever its suites run.
pytest.register_assert_rewrite("broker.testing")

DATABASES = ("sqlite", "postgresql")
BACKENDS = (*DATABASES, "redis", "fakeredis")
BACKEND_OF_FIXTURE = {
    "sqlite_url": "sqlite",
    "sqlite_ledger": "sqlite",
    "postgres": "postgresql",
    "fresh_postgres_url": "postgresql",
    "postgres_url": "postgresql",
    "postgres_server": "postgresql",
    "redis_url": "redis",
    "redis_server": "redis",
    "fake_redis": "fakeredis",
}
TEMPLATE = "ledger"
TOGETHER = "many processes"
# Folders and modules of tests that run a whole school in processes of its own.
MANY_PROCESSES = frozenset(
    {"faults", "journey", "nemesis", "workers", "test_api_real_server", "test_cli_demo", "test_cli_up"}
    | {"test_example_channel"}
)
# In those folders, and yet in the tests' own process: they begin none, or only wait for somebody who drips.
ONE_PROCESS = frozenset(
    {"test_drips_and_rubbish", "test_tour", "test_one_family", "test_four_users", "test_stop_and_start"}
    | {"test_worker_parts"}
)

# They translate and do not decide: each test asks one of the two databases; both with --both-databases or --slow.
DOORS = frozenset({"api", "cli", "feeds", "web"})

# Hundreds of processes begin in a run: none of them, and no migration, compiles the house's own code once more.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

settings.register_profile("carillon", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("carillon")

RUNS_ON = "runs_on"  # the property of a report that tells the summary, also from another process
TRIES = "tries"
# Told at the end: names say, and fixtures, or a mark.
KINDS = ("api", "security", "browser", "accessibility")
# Modules that try to get in, to forge or to overhear, and words of tests that look as somebody does who sees otherwise.
SECURITY = ("sign_in", "callbacks", "optout_page", "canary", "tampering", "linked_files", "markup", "secured")
ACCESSIBILITY = ("wcag", "small_screen", "without_javascript", "keyboard", "axe")
ran: Counter[str] = Counter()
tried: Counter[str] = Counter()
kept: dict[str, bool] = {}  # channel → whether every test of the contract that ran was passed


def pytest_configure(config: pytest.Config) -> None:
    """What tests write goes to memory, if there is room: SQLite waits for the disk at every commit.

    A shell that begins a run in the background has it pass over Ctrl-C, and so would what a test begins and so ends.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.option.basetemp is None and (found := folder_in_memory()):
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(found))


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("carillon")
    group.addoption("--slow", action="store_true", help="run the slow tests too")
    group.addoption(
        "--both-databases", action="store_true", help="ask both in tests of doors too, as --slow does"
    )
    group.addoption("--at-most", type=int, metavar="N", help="refuse to run when more than N are chosen")
    group.addoption("--without-postgres", action="store_true", help="skip what needs PostgreSQL")
    group.addoption("--without-redis", action="store_true", help="skip what needs a real Redis")
    group.addoption("--without-readers", action="store_true", help="skip what needs newsboat and rss2email")
    group.addoption("--without-browser", action="store_true", help="skip what needs a real browser")


def backends(item: pytest.Item) -> frozenset[str]:
    """Which databases and queues a test runs on: told by its fixtures, their parameters, or its mark."""
    found = {
        BACKEND_OF_FIXTURE[name] for name in getattr(item, "fixturenames", ()) if name in BACKEND_OF_FIXTURE
    }
    callspec = getattr(item, "callspec", None)
    if callspec is not None:
        found |= {value for value in callspec.params.values() if isinstance(value, str) and value in BACKENDS}
    for mark in item.iter_markers("runs_on"):
        found |= set(mark.args)
    if unknown := found - set(BACKENDS):
        raise pytest.UsageError(
            f"{item.nodeid}: runs_on knows {', '.join(BACKENDS)}, not {', '.join(unknown)}"
        )
    return frozenset(found)


def kinds(item: pytest.Item) -> frozenset[str]:
    """What else a test tries: told by its folder, its module, its name, its fixtures, or its mark."""
    found = {kind for kind in KINDS if item.get_closest_marker(kind)}
    module = Path(item.nodeid.partition("::")[0])
    if "api" in module.parts:
        found.add("api")
    if any(word in module.stem for word in SECURITY):
        found.add("security")
    if any(word in item.name for word in ACCESSIBILITY):
        found.add("accessibility")
    if "browser" in getattr(item, "fixturenames", ()):
        found.add("browser")
    return frozenset(found)


def other_database(items: Sequence[pytest.Item]) -> Iterator[pytest.Item]:
    """Tests of doors whose twin asks the database that was drawn by their name, the same in every run."""
    chosen = {item.nodeid for item in items}
    for item in items:
        if DOORS.isdisjoint(Path(item.nodeid.partition("::")[0]).parts):
            continue
        for mine, other in (DATABASES, DATABASES[::-1]):
            twin = item.nodeid.replace(mine, other)
            if (
                mine in item.nodeid
                and twin in chosen
                and DATABASES[crc32(min(item.nodeid, twin).encode()) % 2] != mine
            ):
                yield item


def together(nodeid: str) -> str:
    """What of the tests stays in one process: each module, for its fixtures are made once, and these as one.

    Two schools of many processes at once would wait for each other's processors.
    """
    path = Path(nodeid.partition("::")[0])
    many = MANY_PROCESSES & {path.parent.name, path.stem} and path.stem not in ONE_PROCESS
    return TOGETHER if many else str(path)


def patience(item: pytest.Item) -> float:
    """How many seconds a test says it may take; 0 where it says nothing."""
    mark = item.get_closest_marker("timeout")
    return float(mark.args[0]) if mark else 0.0


class Shifts(LoadScopeScheduling):  # type: ignore[misc] # xdist is untyped
    """Which process of tests does what. Marks (`--dist loadgroup`) cannot tell it: with pytest 9.2 they are lost."""

    def _split_scope(self, nodeid: str) -> str:
        return together(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    config.option.loadscopereorder = False
    return Shifts(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        # What takes longest begins, so that no process has it left when the others are done: what says so of itself,
        # and after it the modules of many tests.
        size = Counter(together(item.nodeid) for item in items)
        scopes = {item: together(item.nodeid) for item in items}
        items.sort(
            key=lambda item: (scopes[item] != TOGETHER, -patience(item), -size[scopes[item]], scopes[item])
        )
    slow = config.getoption("--slow")
    if not (slow or config.getoption("--both-databases") or config.getoption("--without-postgres")):
        for item in other_database(items):
            item.add_marker(
                pytest.mark.skip(
                    reason="a door, and its twin asks the other database: give --slow, or make deep"
                )
            )
    left_out = {
        "postgresql": config.getoption("--without-postgres") and "--without-postgres was given",
        "redis": config.getoption("--without-redis") and "--without-redis was given",
    }
    for item in items:
        for backend in sorted(needed := backends(item)):
            if reason := left_out.get(backend):
                item.add_marker(pytest.mark.skip(reason=reason))
        item.user_properties.append((RUNS_ON, " ".join(sorted(needed)) or "elsewhere"))
        item.user_properties.append((TRIES, " ".join(sorted(kinds(item)))))
        if item.get_closest_marker("slow") and not slow:
            item.add_marker(pytest.mark.skip(reason="slow: give --slow, or make deep"))


def pytest_collection_finish(session: pytest.Session) -> None:
    if session.config.option.collectonly or hasattr(session.config, "workerinput"):
        return
    most = session.config.getoption("--at-most")
    if most is not None and len(session.items) > most:
        pytest.exit(f"{len(session.items)} tests chosen, {most} at most", returncode=1)
    wanted: set[str] = set()
    for item in session.items:
        if not item.get_closest_marker("skip"):
            wanted |= backends(item)
    try:
        if "postgresql" in wanted:
            postgres_support.find_binaries()
        if "redis" in wanted:
            redis_support.find_binary()
    except CannotBeHadError as reason:
        cannot_be_had(session.config, reason)


def cannot_be_had(config: pytest.Config, reason: CannotBeHadError) -> NoReturn:
    """End the run with one line; one of several processes can only fail what needs it, in the same words."""
    if hasattr(config, "workerinput"):
        pytest.fail(str(reason), pytrace=False)
    pytest.exit(str(reason), returncode=1)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    channel = dict(report.user_properties).get("contract")
    if channel and not report.skipped:
        kept[str(channel)] = kept.get(str(channel), True) and report.passed
    if report.when == "call" and not report.skipped:
        ran.update(str(dict(report.user_properties)[RUNS_ON]).split())
        tried.update(str(dict(report.user_properties)[TRIES]).split())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if terminalreporter.config.option.collectonly:
        return
    told = [f"{ran[backend]} on {backend}" for backend in BACKENDS]
    terminalreporter.write_line(f"tests ran: {', '.join(told)}, {ran['elsewhere']} elsewhere")
    terminalreporter.write_line(f"of these: {', '.join(f'{tried[kind]} {kind}' for kind in KINDS)}")
    for words, well in (("kept", True), ("broken", False)):
        if channels := sorted(name for name, passed in kept.items() if passed is well):
            terminalreporter.write_line(f"the channel contract is {words} by: {', '.join(channels)}")


@pytest.fixture(scope="session", autouse=True)
def compiled_once() -> Iterator[None]:
    """A statement is compiled once in a process, as in the product, which has one ledger; here each test has one."""
    shared = Compiled()

    def share(connection: Connection) -> None:
        connection.engine._compiled_cache = shared

    event.listen(Engine, "engine_connect", share)
    yield
    event.remove(Engine, "engine_connect", share)


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """A command that a test runs here sets the level of all logs; the next test's is its own."""
    root = logging.getLogger()
    level = root.level
    yield
    root.setLevel(level)


@pytest.fixture(scope="session")
def postgres(pytestconfig: pytest.Config) -> Iterator[PostgresServer]:
    """The session's PostgreSQL, shared: ask it for fresh databases, never hurt it. Nobody pulls its plug: no fsync.

    Nor does it clear up behind the tests' backs: what they leave goes with its database.
    """
    try:
        server = PostgresServer(
            durable=False, settings={"shared_buffers": "64MB", "autovacuum": "off"}
        ).start()
    except CannotBeHadError as reason:
        cannot_be_had(pytestconfig, reason)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def fresh_postgres_url(postgres: PostgresServer) -> Callable[[], str]:
    """Makes an empty database and gives its URL, for a fixture of any scope; all go when the session ends."""
    return postgres.fresh


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """An empty PostgreSQL database of the test's own."""
    url = postgres.fresh()
    yield url
    postgres.drop(url)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A SQLite database file of the test's own, not there yet."""
    return f"sqlite:///{tmp_path / 'carillon.sqlite3'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """An empty database, once of each kind."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url"))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    from ledger.migrate import upgrade

    path = tmp_path_factory.mktemp("template") / "carillon.sqlite3"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_ledger(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated, empty ledger on SQLite, for what has nothing to do with the database."""
    shutil.copy(sqlite_template, tmp_path / "carillon.sqlite3")
    return f"sqlite:///{tmp_path / 'carillon.sqlite3'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated, empty ledger, once of each kind; a copy of a template, so that it costs milliseconds."""
    if request.param == "sqlite":
        path = tmp_path / "carillon.sqlite3"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    from ledger.migrate import upgrade

    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.fresh(server.template(TEMPLATE, upgrade))
    yield url
    server.drop(url)


@pytest.fixture(scope="session")
def redis_shared(pytestconfig: pytest.Config) -> Iterator[RedisServer]:
    """The session's Redis, shared: one numbered database a test."""
    try:
        server = RedisServer().start()
    except CannotBeHadError as reason:
        cannot_be_had(pytestconfig, reason)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def redis_numbers() -> Iterator[int]:
    return itertools.cycle(range(1, redis_support.DATABASES))


@pytest.fixture
def redis_url(redis_shared: RedisServer, redis_numbers: Iterator[int]) -> Iterator[str]:
    """An empty Redis database of the test's own on the shared server."""
    number = next(redis_numbers)
    yield redis_shared.url_of(number)
    with redis_shared.client(number) as client:
        client.flushdb()


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """A Redis of the test's own, append-only, to kill(), pause(), restart() and flushall()."""
    server = RedisServer(durable=True).start()
    yield server
    server.stop()


@pytest.fixture
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL of the test's own, to kill(), pause() and restart()."""
    server = PostgresServer().start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    """A real Chromium, shared by a module: ask it for a context of the test's own.

    Not for longer: while it runs, Playwright's loop runs in the tests' own thread, and no other may.
    """
    if request.config.getoption("--without-browser"):
        pytest.skip("--without-browser was given")
    from tests.support.browser import find_browser, running_browser

    try:
        find_browser()
    except CannotBeHadError as reason:
        cannot_be_had(request.config, reason)
    with running_browser() as running:
        yield running


@pytest.fixture
def fake_redis() -> Iterator[fakeredis.FakeRedis]:
    """A Redis in memory, of the test's own."""
    client = fakeredis.FakeRedis(server=fakeredis.FakeServer())
    yield client
    client.close()
