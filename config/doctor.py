"""The doctor: looks at everything that Carillon stands on and says what it found, in plain words."""

from __future__ import annotations

import fcntl
import importlib.metadata
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from functools import partial
from itertools import chain
from pathlib import Path

import redis
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from broker.capabilities import Examines
from broker.channel import Channel
from broker.errors import DeliveryFailure, Problem, SetupError
from config import queue
from config.assembly import secret_of
from config.faults import PREFIX, name_of
from config.findings import Finding, Health
from config.ledger_findings import in_the_ledger
from config.registry import Registry
from config.settings import Settings
from config.signer import KEY_FILE, HmacSigner
from config.ways_out import WaysOut
from ledger.connect import open_ledger
from ledger.trouble import problem_of

MEGABYTE = 1_000_000
ENOUGH_ROOM = 500 * MEGABYTE
NO_ROOM = 20 * MEGABYTE

OUR_NAMES = (
    "broker",
    "carillon",
    "channels",
    "cli",
    "config",
    "ledger",
    "sandbox",
    "sources",
    "web",
    "workers",
)
PYTHONS = ((3, 11), (3, 14))


def examine(settings: Settings) -> list[Finding]:
    """Look at everything; never raises. What hangs on something broken is left out."""
    findings = [*packages(), python(), zone(settings), departments(settings)]
    for look in (secret, disk, ledger, accounts, what_comes_back, hints, worker):
        findings += _guarded(look, settings)
    return findings


def packages(names: Iterable[str] = OUR_NAMES) -> list[Finding]:
    """Each of our import names must be ours alone: see docs/decisions/0001-import-names.md."""
    providers = importlib.metadata.packages_distributions()
    strangers = {
        name: others for name in names if (others := sorted(set(providers.get(name, ())) - {"carillon"}))
    }
    if not strangers:
        return [Finding("import names", Health.WELL, "provided by Carillon alone")]
    return [
        Finding("import names", Health.WRONG, f"{name} is also provided by {', '.join(others)}",
                f"pip uninstall {' '.join(others)}, or give Carillon an environment of its own")
        for name, others in strangers.items()
    ]  # fmt: skip


def python(version: tuple[int, int] = sys.version_info[:2]) -> Finding:
    """Python itself."""
    told = ".".join(map(str, version))
    if PYTHONS[0] <= version < PYTHONS[1]:
        return Finding("python", Health.WELL, told)
    return Finding(
        "python", Health.WRONG, f"{told} is not one that Carillon is tried on", "use 3.11, 3.12 or 3.13"
    )


def zone(settings: Settings) -> Finding:
    """The school's wall clock."""
    return Finding("zone", Health.WELL, settings.school.zone)  # an unknown one never becomes settings


def departments(settings: Settings) -> Finding:
    """Who may speak: the words that `--department` and the API take."""
    return Finding("departments", Health.WELL, ", ".join(sorted(settings.departments)))


def secret(settings: Settings) -> list[Finding]:
    """The key, and who else may read what is kept beside it."""
    try:
        secret_of(settings)
    except SetupError as fault:
        return [Finding("secret key", Health.WRONG, p.message, p.hint) for p in fault.problems]
    where = "set in the settings" if settings.secret_key else f"kept in {settings.data_dir / KEY_FILE}"
    findings = [Finding("secret key", Health.WELL, where)]
    for path in (Path(".env"), *_database_file(settings)):
        if path.is_file() and path.stat().st_mode & 0o004 and path.absolute().parent.stat().st_mode & 0o001:
            hint = f"chmod o= {path}"
            findings.append(
                Finding("permissions", Health.DOUBTFUL, f"{path} can be read by everybody here", hint)
            )
    return findings


def ledger(settings: Settings) -> list[Finding]:
    """The database: reachable, at this version's schema, its clock near ours."""
    if any(not file.exists() for file in _database_file(settings)):
        return [Finding("ledger", Health.WRONG, "has no tables yet", "run: carillon db upgrade")]
    opened = open_ledger(settings.database_url, HmacSigner(secret_of(settings)), pool_size=1)
    try:
        return in_the_ledger(opened, settings)
    except SQLAlchemyError as error:
        problem = problem_of(error)
        return [Finding("ledger", Health.WRONG, problem.message, problem.hint)]
    finally:
        opened.close()


def disk(settings: Settings) -> list[Finding]:
    """Room for a SQLite ledger to grow."""
    if not settings.sqlite or not settings.data_dir.is_dir():
        return []
    folder = next(
        (file.parent for file in _database_file(settings) if file.parent.is_dir()), settings.data_dir
    )
    return [room(shutil.disk_usage(folder).free)]


def room(free: int) -> Finding:
    """What is to be said of so many bytes."""
    says = f"{free // MEGABYTE:,} MB free"
    if free >= ENOUGH_ROOM:
        return Finding("disk", Health.WELL, says)
    how = Health.WRONG if free < NO_ROOM else Health.DOUBTFUL
    return Finding("disk", how, says, "make room: on a full disk nothing can be accepted or sent")


def accounts(settings: Settings) -> list[Finding]:
    """Every configured account opens."""
    if not settings.accounts:
        hint = "set CARILLON_ACCOUNTS__SMS__CHANNEL=sms and what the channel asks for"
        return [Finding("accounts", Health.DOUBTFUL, "none is configured: nothing can be sent", hint)]
    findings = []
    for name, account in settings.accounts.items():
        ways_out = WaysOut(Registry(), {name: account}, settings.surroundings())
        problems = ways_out.check()
        findings += [_told(f"account {name}", p.message, p) for p in problems]
        if not problems:
            findings.append(Finding(f"account {name}", Health.WELL, f"{account.channel} opens"))
            findings += chain.from_iterable(
                at_the_provider(
                    f"account {name}",
                    gateway.name,
                    ways_out.through(name, gateway.name),
                    named=partial(ways_out.named, name, gateway.name),
                )
                for gateway in ways_out.gateways(name)
            )
        ways_out.close()
    return findings


def at_the_provider(
    account: str, gateway: str, channel: Channel, *, named: Callable[[Problem], Problem] = lambda told: told
) -> list[Finding]:
    """What the provider says of an account, where it can be asked without sending anything.

    `named` gives a field the name under which a person sets it.
    """
    if not isinstance(channel, Examines):
        return []
    try:
        problems = channel.examine()
    except DeliveryFailure as failure:
        return [Finding(account, Health.DOUBTFUL, f"by {gateway}: {failure.why}", "try again later")]
    return [_told(account, f"by {gateway}: {p.message}", named(p)) for p in problems]


def _told(subject: str, says: str, problem: Problem) -> Finding:
    """A fault of a setting, by its name."""
    hint = problem.hint
    if problem.field.startswith(PREFIX):
        hint = f"look at {problem.field}: {hint}" if hint else f"look at {problem.field}"
    return Finding(subject, Health.WRONG, says, hint)


def what_comes_back(settings: Settings) -> list[Finding]:
    """Whether somebody hears of bounces and of answers: a real school's, that sends."""
    if settings.sandbox or not settings.accounts:
        return []
    findings = [
        Finding(
            f"account {name}",
            Health.DOUBTFUL,
            "nobody hears of its mails that come back",
            f"set {name_of(('accounts', name, 'return_path'))}: docs/recipes/answers-and-bounces.md",
        )
        for name, account in settings.accounts.items()
        if account.channel == "email" and getattr(account.own, "return_path", None) is None
    ]
    if not settings.answers.lead.watchers:
        says = "nobody is named as the safeguarding lead, so anybody may open what may be about harm"
        hint = f"set {name_of(('answers', 'lead', 'watchers'))} and {name_of(('answers', 'lead', 'email'))}"
        findings.append(Finding("answers", Health.DOUBTFUL, says, hint))
    return findings


def hints(settings: Settings) -> list[Finding]:
    """The queue: reachable, keeping what it is given, not piling up."""
    if settings.embedded:
        return [Finding("queue", Health.WELL, "memory://, inside `carillon up`")]
    if queue.is_amqp(settings.queue_url):
        return [look_at_rabbitmq(queue.answers(settings.queue_url))]
    with queue.connect(settings.queue_url) as client:
        return look_at_redis(client, queue.queues(Registry().names()))


def look_at_redis(client: redis.Redis, names: Sequence[str]) -> list[Finding]:
    """What is to be said of a Redis and the queues in it."""
    took = queue.ping(client)
    if took is None:
        return [_silent("Redis")]
    waiting = {name: depth for name, depth in queue.depths(client, names).items() if depth}
    told = ", ".join(f"{name} {depth}" for name, depth in waiting.items()) or "nothing waits"
    findings = [Finding("queue", Health.WELL, f"answers in {took.total_seconds() * 1000:.0f} ms; {told}")]
    kept = queue.keeping(client)
    if kept.get("maxmemory-policy", "noeviction") != "noeviction":
        says = f"a full Redis drops hints unseen (maxmemory-policy {kept['maxmemory-policy']})"
        findings.append(Finding("queue", Health.DOUBTFUL, says, "set maxmemory-policy noeviction"))
    if kept.get("appendonly", "yes") != "yes":
        says = "a restart of Redis loses its hints; the sweep finds their work a second later"
        findings.append(Finding("queue", Health.DOUBTFUL, says, "set appendonly yes"))
    return findings


def look_at_rabbitmq(took: timedelta | None) -> Finding:
    """What is to be said of a RabbitMQ, which let us in after `took`, or did not."""
    if took is None:
        return _silent("RabbitMQ")
    says = f"lets us in within {took.total_seconds() * 1000:.0f} ms; how much waits is not available here"
    return Finding("queue", Health.WELL, says, "ask RabbitMQ itself: rabbitmqctl list_queues")


def worker(settings: Settings) -> list[Finding]:
    """On SQLite, whether the one worker runs."""
    files = _database_file(settings)
    if not files:
        return []
    lock = files[0].with_name(files[0].name + ".worker.lock")
    if _is_held(lock):
        return [Finding("worker", Health.WELL, "one works on this SQLite ledger")]
    hint = "start it with: carillon up"
    return [Finding("worker", Health.DOUBTFUL, "none works on this SQLite ledger: nothing is sent", hint)]


def _silent(server: str) -> Finding:
    hint = (
        f"is {server} running, and is CARILLON_QUEUE_URL right? Until it is, workers find work by the sweep"
    )
    return Finding("queue", Health.WRONG, "does not answer", hint)


def _guarded(look: Callable[[Settings], list[Finding]], settings: Settings) -> list[Finding]:
    try:
        return look(settings)
    except SetupError as fault:
        return [Finding(look.__name__, Health.WRONG, p.message, p.hint) for p in fault.problems]
    except Exception as error:  # noqa: BLE001 - the doctor is called when things are broken in unforeseen ways
        return [Finding(look.__name__, Health.WRONG, f"could not be looked at ({type(error).__name__})")]


def _database_file(settings: Settings) -> list[Path]:
    name = make_url(settings.database_url).database
    return [Path(name)] if settings.sqlite and name else []


def _is_held(lock: Path) -> bool:
    if not lock.exists():
        return False
    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
