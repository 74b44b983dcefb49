"""The doctor: looks at everything that Carillon stands on and says what it found, in plain words."""

from __future__ import annotations

import fcntl
import importlib.metadata
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

import redis
from sqlalchemy import make_url, text
from sqlalchemy.exc import SQLAlchemyError

from broker.accounts import CANNOT_OPEN
from broker.authority.approvals import OVERRIDDEN, VOID
from broker.authority.operators import same
from broker.authority.switching import STOPPED
from broker.errors import RulesUnreadable, SetupError
from broker.incoming.answers import ALARM_CONCERN, ALARM_WAITING
from broker.incoming.mails import ALARM_ASIDE
from broker.licences.licensing import LAPSED, LAPSING, silent
from broker.licences.oversight import ALARM as FOUND_POST
from broker.ports.approvals import OperatorRole
from broker.privacy.redact import ALARM as ALARM_REDACTION
from broker.retract import ALARM as RETRACTION
from broker.rules.approval import NEEDED
from broker.rules.record import MAIL_EVERY
from broker.scrutiny.heads import Left
from broker.sweep import UNREADABLE
from config import queue
from config.answering import answering_of
from config.assembly import secret_of
from config.faults import name_of
from config.mailroom import ALARM as ALARM_AWAY
from config.registry import Registry
from config.settings import Settings
from config.signer import KEY_FILE, HmacSigner
from config.ways_out import WaysOut
from ledger import migrate
from ledger.connect import Ledger, open_ledger
from ledger.reads.health import health
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
LONGEST_HELD = timedelta(days=92)  # a head for each term, where none is mailed
MOST_SKEW = timedelta(seconds=2)
PYTHONS = ((3, 11), (3, 14))


class Health(StrEnum):
    """How a finding is to be taken."""

    WELL = "well"
    DOUBTFUL = "doubtful"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: what, how it is, what was seen, and what to do about it."""

    subject: str
    health: Health
    says: str
    hint: str = ""


def examine(settings: Settings) -> list[Finding]:
    """Look at everything; never raises. What hangs on something broken is left out."""
    findings = [*packages(), python(), zone(settings)]
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
        return [
            *_schema(opened),
            *_clock(opened, settings),
            *_alarms(opened),
            *_second_person(opened),
            *_watchers(opened, settings),
            *_licences(opened),
            *_heads(opened, settings),
        ]
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
        ways_out.close()
        findings += [Finding(f"account {name}", Health.WRONG, p.message, p.hint) for p in problems]
        if not problems:
            findings.append(Finding(f"account {name}", Health.WELL, f"{account.channel} opens"))
    return findings


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


def _schema(opened: Ledger) -> list[Finding]:
    found, wanted = migrate.current(opened.engine), migrate.newest()
    if found == wanted:
        return [Finding("ledger", Health.WELL, f"{opened.dialect.name}, schema {found}")]
    says = "has no tables yet" if found is None else f"has schema {found}, this Carillon needs {wanted}"
    return [Finding("ledger", Health.WRONG, says, "run: carillon db upgrade")]


def _alarms(opened: Ledger) -> list[Finding]:
    """What Carillon itself could not mend and nobody has cleared since; and accounts that somebody paused."""
    if migrate.current(opened.engine) != migrate.newest():
        return []
    with opened.reading() as hand:
        stands = health(hand)
    found = stands.alarms
    told = {a.subject for a in found}
    paused = [a for a in stands.accounts if a.paused_why is not None and a.account not in told]
    hints = {
        RETRACTION: "nothing needs resuming: it is cleared when the post is gone",
        LAPSING: "renew it in time: carillon licence renew NAME",
        LAPSED: "renew it: carillon licence renew NAME",
        UNREADABLE: "look: carillon rules history; to begin anew: carillon rules reset --all",
        OVERRIDDEN: "look at it, then: carillon approvals review ID",
        CANNOT_OPEN: "its settings, or its package: carillon doctor names them; nothing needs resuming",
        VOID: "look at it again: carillon approvals",
        FOUND_POST: "see it: carillon accounts posts NAME",
        ALARM_ASIDE: "read them where they lie, then: carillon bounces done NUMBER",
        ALARM_AWAY: "it is read again by itself as soon as that is mended",
        ALARM_CONCERN: "the safeguarding lead opens it, and says so: carillon answers done ID",
        ALARM_WAITING: "read them, then: carillon answers done ID",
        ALARM_REDACTION: "it is tried on; delete them at the provider by hand",
    }
    usual = "when it is mended: carillon accounts resume NAME"
    return [
        Finding(f"alarm {a.kind}", Health.DOUBTFUL, f"{a.subject}: {a.message}",
                f"to let it go on: carillon go {a.subject}" if a.kind == STOPPED else hints.get(a.kind, usual))
        for a in found
    ] + [
        Finding(f"account {a.account}", Health.DOUBTFUL, f"paused: {a.paused_why}; {a.due} wait",
                f"when it may go on: carillon accounts resume {a.account}")
        for a in paused
    ]  # fmt: skip


def _second_person(opened: Ledger) -> list[Finding]:
    """Where the rules want two people and nobody is named who may be the second."""
    if migrate.current(opened.engine) != migrate.newest():
        return []
    with opened.look() as tx:
        named = any(OperatorRole.APPROVER in each.roles for each in tx.operators.all())
        try:
            wanted = tx.rules.current().words(NEEDED)
        except RulesUnreadable:  # an alarm stands for it
            return []
    if named or not wanted:
        return []
    says = "some announcements wait for a second person, and nobody is named who may approve"
    hint = (
        "carillon operators add NAME --role approver; which they are: carillon rules explain approval.needed"
    )
    return [Finding("approval", Health.DOUBTFUL, says, hint)]


def _watchers(opened: Ledger, settings: Settings) -> list[Finding]:
    """Who is to watch an inbox and is none of the operators that the school has named: gone, or misspelt."""
    if migrate.current(opened.engine) != migrate.newest():
        return []
    with opened.look() as tx:
        known = [each.name for each in tx.operators.all()]
    told = answering_of(settings)
    strangers = {
        name: inbox.name
        for inbox in (*told.inboxes, told.lead)
        for name in inbox.watchers
        if known and not any(same(name, each) for each in known)
    }
    return [
        Finding("answers", Health.DOUBTFUL, f"{name} watches the inbox {inbox} and is no operator",
                "carillon operators add NAME --role auditor, or take the name out of the settings")
        for name, inbox in strangers.items()
    ]  # fmt: skip


def _licences(opened: Ledger) -> list[Finding]:
    """Accounts that may not speak, for something about them is not settled, or has lapsed."""
    if migrate.current(opened.engine) != migrate.newest():
        return []
    with opened.look() as tx:
        lacking = silent(tx)
    return [
        Finding(f"licence {name}", Health.DOUBTFUL, why,
                f"settle it: carillon licence start {name}")
        for name, why in lacking.items()
    ]  # fmt: skip


def _heads(opened: Ledger, settings: Settings) -> list[Finding]:
    """Whether anybody outside could show that the record's end was cut off, or all of it made anew."""
    if settings.sandbox or migrate.current(opened.engine) != migrate.newest():
        return []
    with opened.look() as tx:
        if tx.record.newest() is None:
            return []
        try:
            every = tx.rules.current().duration(MAIL_EVERY)
        except RulesUnreadable:  # an alarm stands for it
            return []
        unmailed = bool(every) and not tx.record.holders()
        last, now = tx.record.last_given(Left.MAILED if every else None), tx.now
    if unmailed:
        says = "nobody outside is mailed a head of the record, so that an end cut off would never show"
        hint = "carillon audit governors --add NAME EMAIL; two are better than one: docs/record.md"
        return [Finding("record", Health.DOUBTFUL, says, hint)]
    if last is not None and now - last <= (2 * every or LONGEST_HELD):
        return [Finding("record", Health.WELL, f"its head left the house on {last:%-d %B %Y}")]
    since = "ever" if last is None else f"since {last:%-d %B %Y}"
    hint = (
        "does a worker run, and does an account for mails? Or take one yourself: carillon audit export PATH"
    )
    return [Finding("record", Health.DOUBTFUL, f"no head of it has left the house {since}", hint)]


def _clock(opened: Ledger, settings: Settings) -> list[Finding]:
    if settings.sqlite:
        return [Finding("clock", Health.WELL, f"the process's own; SQLite {sqlite3.sqlite_version}")]
    with opened.engine.connect() as connection:
        before = datetime.now(UTC)
        theirs = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        skew = abs(theirs - (before + (datetime.now(UTC) - before) / 2))
    if skew <= MOST_SKEW:
        return [Finding("clock", Health.WELL, f"{skew.total_seconds():.1f} s from the database's")]
    says = f"this machine's clock is {skew.total_seconds():.0f} s from the database's, whose time decides"
    return [Finding("clock", Health.DOUBTFUL, says, "let both keep time by NTP")]


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
