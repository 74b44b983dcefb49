"""The processes that run on, and what they stand on: up, web, worker, sandbox, doctor, db."""

from __future__ import annotations

import logging
import os
import sys
import threading
from datetime import timedelta
from functools import partial
from json import dumps, loads
from pathlib import Path
from typing import Annotated

import typer

from broker.errors import Problem, SetupError
from cli import show
from cli.options import Json
from cli.serving import running
from cli.sign_in import tell_link
from config import logs
from config.assembly import assemble
from config.doctor import examine
from config.findings import Health
from config.settings import Settings, Web, load
from ledger import migrate
from sandbox import server
from sandbox.settings import BadSandbox, SandboxSettings
from web.serve import serve, stopping
from workers import supervisor
from workers.child import WRONG_SETUP

COLOURS = {Health.WELL: "green", Health.DOUBTFUL: "yellow", Health.WRONG: "red"}

WRONG_USE = 2
SENDER = "+447400123456"  # to the stand-ins any number will do
STALLED_GRACE = timedelta(seconds=20)  # at most, for the warm stop of a process where something has stalled

log = logging.getLogger(__name__)

db = typer.Typer(help="The ledger's tables.", no_args_is_help=True)

Host = Annotated[str | None, typer.Option(help="Where the web listens; else CARILLON_WEB__HOST.")]
Port = Annotated[int | None, typer.Option(min=0, max=65535, help="Its port; else CARILLON_WEB__PORT.")]


def up(host: Host = None, port: Port = None, json: Json = False) -> None:
    """Start Carillon: web and worker in one process, until Ctrl-C.

    Needs no server beside it: the ledger is a SQLite file (made on the first start) and the queue lives in this
    process. A stop is warm: what is in hand is finished.

    Examples:

    * `carillon up`
    * `carillon up --host 0.0.0.0 --port 8080`
    """
    settings = _web_at(_loaded(), host, port)
    if not settings.embedded:
        hint = "start the two apart: carillon web, and carillon worker"
        message = "is a server's, and `carillon up` is for the queue inside one process"
        raise SetupError(Problem("not_embedded", "CARILLON_QUEUE_URL", message, hint))
    with stopping() as stopped:
        broken = _Broken(stopped, grace=min(STALLED_GRACE, settings.worker.stalled_after))
        with running(settings, troubled=broken) as (house, url):
            _ready(url, json=json)
            tell_link(house.ports, settings, url=url, quiet=json)
            stopped.wait()
    if broken.why:
        raise typer.Exit(os.EX_SOFTWARE)


class _Broken:
    """What ends a process in which something has ended or stalled: whoever started it may start it again."""

    def __init__(self, stopped: threading.Event, grace: timedelta) -> None:
        self.why = ""
        self._stopped, self._grace = stopped, grace

    def __call__(self, why: str) -> None:
        """Tell it, once, and stop: warmly if that can be, and surely."""
        if self.why or self._stopped.is_set():
            return
        self.why = why
        log.error("%s; this process ends, to be started again", why)
        surely = threading.Timer(self._grace.total_seconds(), os._exit, [os.EX_SOFTWARE])
        surely.daemon = True
        surely.start()
        self._stopped.set()


def web(host: Host = None, port: Port = None, json: Json = False) -> None:
    """Serve the web alone (callbacks, health), until Ctrl-C; `carillon worker` does the work.

    Example: `carillon web --port 8080`
    """
    from web.app import create_app  # noqa: PLC0415 - as in `running`: other commands are in a hurry

    settings = _web_at(_loaded(), host, port)
    with assemble(settings, serves=True) as house:
        app = create_app(house.ports, settings)
        _ready(f"http://{settings.web.host}:{settings.web.port}", json=json)
        tell_link(house.ports, settings, quiet=json)
        serve(app, settings.web.host, settings.web.port)


def worker(
    queues: Annotated[
        str, typer.Option(metavar="NAMES", help="Which queues: urgent,core,sms,email; else all.")
    ] = "",
    processes: Annotated[int, typer.Option(min=1, max=64, help="How many worker processes.")] = 1,
    json: Json = False,
) -> None:
    """Work on what Redis hints at, until Ctrl-C; a worker that dies or goes deaf is replaced.

    Examples:

    * `carillon worker`
    * `carillon worker --queues urgent --processes 2`
    """
    named = tuple(name for name in (n.strip() for n in queues.split(",")) if name)
    code = supervisor.main(_loaded(), queues=named, processes=processes)
    if json:
        show.as_json({"ok": not code})
    if code:
        raise typer.Exit(WRONG_USE if code == WRONG_SETUP else code)  # its children have said what is wrong


def sandbox(
    truth: Annotated[Path, typer.Option(metavar="PATH", help="The log of what it truly accepts.")] = Path(
        "truth.jsonl"
    ),
    twilio: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where texts are taken, or off.")
    ] = "127.0.0.1:0",
    smtp: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where mails are taken, or off.")
    ] = "127.0.0.1:0",
    callbacks: Annotated[
        str, typer.Option(metavar="off|final|all", help="Which news it calls back with.")
    ] = "off",
    fault: Annotated[list[str] | None, typer.Option(help="A fault to order, see docs/sandbox.md.")] = None,
    more: Annotated[list[str] | None, typer.Argument(help="After --, any flag of python -m sandbox.")] = None,
    json: Json = False,
) -> None:
    """Stand in for Twilio and a mail server on this machine, until Ctrl-C.

    It says where it listens in one line of JSON, and keeps a log of what it truly accepted.

    Examples:

    * `carillon sandbox --twilio 127.0.0.1:8010 --smtp 127.0.0.1:8025`
    * `carillon sandbox --fault twilio:500-after-accept:rate=0.01 -- --keep-content`
    """
    flags = ["--truth", str(truth), "--twilio", twilio, "--smtp", smtp, "--callbacks", callbacks]
    for order in fault or []:
        flags += ["--fault", order]
    try:
        arguments = server.parser().parse_args([*flags, *(more or [])])
        stands = server.settings_from(arguments)
        server.serve(stands, say=partial(_listening, stands), until_stdin_closes=arguments.until_stdin_closes)
    except BadSandbox as wrong:
        raise SetupError(Problem("sandbox", wrong.field, wrong.message, wrong.hint)) from None
    except SystemExit as ended:  # argparse has said what was wrong
        raise typer.Exit(ended.code if isinstance(ended.code, int) else 2) from None


def doctor(json: Json = False) -> None:
    """Look at everything that Carillon stands on, and say what is wrong and what to do. Exit 1 when something is.

    Example: `carillon doctor`
    """
    logs.set_up("ERROR")
    findings = examine(load())
    broken = any(finding.health is Health.WRONG for finding in findings)
    if json:
        show.as_json({"ok": not broken, "findings": findings})
    else:
        show.table(
            ("what", "how", "found"),
            [(f.subject, f.health, f.says + (f" ({f.hint})" if f.hint else "")) for f in findings],
        )
    if broken:
        raise typer.Exit(1)


@db.command()
def upgrade(json: Json = False) -> None:
    """Bring the ledger's tables to this version of Carillon; safe to repeat.

    Example: `carillon db upgrade`
    """
    settings = _loaded("WARNING")
    with assemble(settings, upgrade=True):
        newest = migrate.newest()
    show.as_json({"schema": newest}) if json else show.say(f"the ledger has schema {newest}")


def _listening(stands: SandboxSettings, ready: str) -> None:
    """The line for programs; and, at a terminal, what a person puts into `.env` to use it."""
    print(ready, flush=True)
    if not sys.stderr.isatty():
        return
    told = loads(ready)
    show.hint("accounts for .env, in the folder where carillon is started:")
    for line in accounts_of(stands, told.get("twilio"), told.get("smtp")):
        show.hint(line)


def accounts_of(stands: SandboxSettings, twilio: str | None, smtp: str | None) -> list[str]:
    """Lines of `.env` by which texts and mails go to a sandbox."""
    accounts: dict[str, dict[str, object]] = {}
    if twilio:
        accounts["TEXTS"] = {
            "channel": "sms",
            "account_sid": stands.account_sid,
            "auth_token": stands.auth_token,
            "sender": SENDER,  # a name wants a public address, where those can say stop who cannot answer it
            "api_base_url": twilio,
        }
    if smtp:
        host, _, port = smtp.rpartition(":")
        office = "office@school.example"
        accounts["MAILS"] = {
            "channel": "email",
            "host": host,
            "port": int(port),
            "security": "none",
            "sender": office,
            "reply_to": office,
        }
    named = [f"CARILLON_ACCOUNTS__{name}={dumps(account)}" for name, account in accounts.items()]
    return ["CARILLON_SANDBOX=true", *named]


def _loaded(level: str | None = None) -> Settings:
    settings = load()
    logs.set_up("WARNING" if level == "WARNING" else settings.log_level, settings.log_format)
    return settings


def _web_at(settings: Settings, host: str | None, port: int | None) -> Settings:
    """Where the web listens; a public address without its own stays what it was."""
    web = Web(host=host or settings.web.host, port=settings.web.port if port is None else port)
    return settings.model_copy(update={"web": web})


def _ready(url: str, *, json: bool) -> None:
    show.as_json({"ready": True, "web": url}) if json else show.say(
        f"Carillon is up: {url}/healthz (Ctrl-C ends it)"
    )
    sys.stdout.flush()
