"""`carillon demo`: the main job on a sample school, against stand-ins for the providers, all on this machine."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from broker import intake
from broker.actor import Actor, ActorKind
from broker.announcement import Draft, Part, People, Step
from broker.capabilities import OffersGateways
from broker.channel import Surroundings
from broker.delivery import State
from broker.errors import MissingExtra, Problem, RuleBroken, UnknownChannel
from broker.office import private_links, subscribers
from broker.rosters import imports
from cli import sample_term, show
from cli.accounted import Account, account_for
from cli.follow import Look, follow, looking
from cli.options import Json
from cli.published import published
from cli.sample_term import WEEKS, TermClock
from cli.serving import running
from cli.sign_in import tell_link
from cli.who import everybody, told_rows
from config import logs
from config.assembly import House
from config.registry import Registry
from config.settings import Settings
from ledger.reads.status import Status
from sandbox import stand_ins
from sandbox.client import RunningSandbox, start_sandbox
from sandbox.sample_school import write_sample_school
from sandbox.settings import BadSandbox
from sources import rosters

OPERATOR = Actor(ActorKind.PERSON, "demo")
NEWS_WITHIN = timedelta(seconds=15)  # after the last text is sent, for the stand-in to say that all arrived
SENDER = "+447400123456"
DOMAIN = "stcecilias.example.org"
AUDIENCE = "Choir + Year 7"
TITLE = "Choir rehearsal on Thursday"
DEPARTMENT = "music"
SUBSCRIBED, BROWSERS = "Choir", 3
TEXT = (  # names nobody, for it is public too; a family with several pupils reads whom it is for all the same
    "The rehearsal for the autumn concert is on Thursday at 15:30 in the hall, ends 17:00."
    " Please bring the blue folder. St Cecilia’s Music"
)
LETTER = """\
All members of the choir are asked to come to the **rehearsal for the autumn concert**:

* Thursday, 15:30 to 17:00, in the hall
* Bring the blue folder and something to drink

The concert itself is on the last Friday of term, at 19:00. Families are welcome.
"""


@dataclass(frozen=True, slots=True)
class Ended:
    """How the demo's announcement ended."""

    status: Status
    seconds: float
    account: Account


def demo(
    once: Annotated[bool, typer.Option("--once", help="End when everything is settled.")] = False,
    data_dir: Annotated[
        Path | None, typer.Option(help="An empty folder to keep everything in; else a temporary one.")
    ] = None,
    pupils: Annotated[int, typer.Option(min=20, max=20_000, help="Size of the sample school.")] = 420,
    every_channel: Annotated[
        bool,
        typer.Option("--every-channel", help="By every channel that is installed, each at its stand-in."),
    ] = False,
    gateways: Annotated[
        bool,
        typer.Option("--gateways", help="Texts and mails with further providers, for when the first fails."),
    ] = False,
    fault: Annotated[
        list[str] | None, typer.Option(help="A fault to order of the stand-ins, see docs/sandbox.md.")
    ] = None,
    json: Json = False,
) -> None:
    """Send an announcement to a sample school, with stand-ins for the providers.

    Nothing leaves this machine and no account is needed: a school of nearly a thousand people is made up and
    imported, an announcement goes to the families of the choir and of year 7 by text and by mail, and you see who
    got it by which way, and who did not and why. It stays up until Ctrl-C.

    With --once it ends by itself; the exit code is 0 only if every message is accounted for: the ledger agrees with
    what the stand-ins truly accepted, and the record verifies.

    Examples:

    * `carillon demo`
    * `carillon demo --once --json`
    * `carillon demo --every-channel`
    * `carillon demo --fault twilio:429:rate=0.1,seed=1`
    * `carillon demo --gateways --fault twilio:503:`
    """
    logs.set_up("WARNING")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with _folder(data_dir) as folder, _sandbox(folder, fault or []) as sandbox:
        settings = settings_for(folder, sandbox, every_channel=every_channel, gateways=gateways)
        clock = TermClock(timedelta(0) if once else timedelta(weeks=WEEKS))
        with running(settings, wall=clock) as (house, url):
            _open_the_school(house, sandbox, folder, pupils=pupils, quiet=json)
            if not once:
                sample_term.begin(house)
                sample_term.play(house, sandbox, clock, quiet=json)
            ended = _main_job(house, sandbox, quiet=json)
            _tell(house, ended, as_json=json)
            if not once:
                sample_term.leave_to_do(house, sandbox)
                _stay(house, url, sandbox)
    if not ended.account.ok:
        raise typer.Exit(1)


def _open_the_school(
    house: House, sandbox: RunningSandbox, folder: Path, *, pupils: int, quiet: bool
) -> None:
    said = _to_say(quiet=quiet)
    school = write_sample_school(folder / "school", pupils=pupils)
    today = datetime.now(UTC).date()
    roster = rosters.read(school.folder, region="GB", today=today)
    difference = imports.import_roster(house.ports, roster, actor=OPERATOR)
    said(
        f"St Cecilia's is imported: {difference.people.new} people, {difference.groups.new} groups,"
        f" {len(difference.problems)} values could not be used."
    )
    said("Each account has a licence, the sandbox's own, which is worth nothing elsewhere: carillon licence.")
    for told in _subscribe(house, sandbox):
        said(told)


def _main_job(house: House, sandbox: RunningSandbox, *, quiet: bool) -> Ended:
    said = _to_say(quiet=quiet)
    earlier = len(sandbox.truth())
    began = time.monotonic()
    ways = tuple(account.channel for account in house.settings.accounts.values())
    announcement = intake.accept(house.ports, _draft(ways), actor=OPERATOR).announcement
    said(f"“{TITLE}” to the guardians of {AUDIENCE}, by {', '.join(ways)}.")
    look = looking(house.ledger, announcement.public_id)
    follow(look, until=lambda now: now.settled, quiet=quiet)
    seconds = time.monotonic() - began
    final = _await_news(look)
    feed = f"{house.settings.public_url}/feeds/departments/{DEPARTMENT}.json"
    truth = [*sandbox.truth()[earlier:], *published(feed, announcement.public_id)]
    return Ended(final, seconds, account_for(house, final, truth))


def _subscribe(house: House, sandbox: RunningSandbox) -> Iterator[str]:
    """Browsers of the stand-in's that ask to be told with the choir, where an account takes any."""
    for account in house.settings.accounts.values():
        if not house.ways_out.traits(account.channel).subscribed:
            continue
        stand_in = stand_ins.found()[account.channel]
        secret = private_links.make(house.ports, SUBSCRIBED, "the demo", actor=OPERATOR).secret
        for number in range(BROWSERS):
            browser = stand_in.subscription(sandbox.url(account.channel), f"browser-{number}")
            subscribers.begin(house.ports, secret, browser)
        yield f"{BROWSERS} browsers have subscribed by a link of {SUBSCRIBED}'s: {account.channel}."


def _await_news(look: Look) -> Status:
    """A text is sent first and said to have arrived later; mails are not confirmed."""
    until = time.monotonic() + NEWS_WITHIN.total_seconds()
    while (now := look()).channels.get("sms", {}).get(State.SENT) and time.monotonic() < until:
        time.sleep(0.1)
    return now


def _tell(house: House, ended: Ended, *, as_json: bool) -> None:
    if as_json:
        show.as_json(_as_told(ended))
        return
    people = list(everybody(house, ended.status.announcement))
    show.table(("pupil", "told", "by which way, or why not"), told_rows(people), title="\nWho got it")
    show.say(
        "",
        *(f"{channel}: {show.states(counted)}" for channel, counted in ended.status.channels.items()),
        f"people: {show.duties(ended.status.duties)}; settled {ended.seconds:.1f} s after it was accepted",
        ended.account.says,
    )


def _as_told(ended: Ended) -> dict[str, Any]:
    return {
        "ok": ended.account.ok,
        "announcement": ended.status.announcement.public_id,
        "seconds": round(ended.seconds, 2),
        "channels": {
            channel: {
                "deliveries": sum(counted.values()),
                "states": {state.value: n for state, n in counted.items()},
                "accepted": ended.account.accepted.get(channel, 0),
            }
            for channel, counted in ended.status.channels.items()
        },
        "duties": {state.value: n for state, n in ended.status.duties.items()},
        **({} if ended.account.ok else {"fault": ended.account.says}),
    }


def _stay(house: House, url: str, sandbox: RunningSandbox) -> None:
    try:
        show.say(
            "", f"It is still up: {url}/watch, its public feeds at {url}/feeds, its health at {url}/healthz"
        )
        for one in sample_term.STAFF:
            show.say(f"{one.name}, {one.does}:")
            tell_link(house.ports, house.settings, operator=one.name, anywhere=True)
        show.say(f"What the stand-ins truly accepted: {sandbox.truth_path}", "Ctrl-C ends it.")
        while not threading.Event().wait(
            1
        ):  # a signal that came just before an endless wait would not end it
            pass
    except KeyboardInterrupt:
        show.say("")


def _to_say(*, quiet: bool) -> Any:
    return (lambda *_: None) if quiet else show.say


def _draft(ways: tuple[str, ...]) -> Draft:
    return Draft(
        department=DEPARTMENT,
        audience=AUDIENCE,
        people=People.GUARDIANS,
        ways=(Step(ways),),
        parts={Part.TITLE: TITLE, Part.SHORT: TEXT, Part.LONG: LETTER},
    )


@contextmanager
def _folder(chosen: Path | None) -> Iterator[Path]:
    if chosen is None:
        with TemporaryDirectory(prefix="carillon-demo-", ignore_cleanup_errors=True) as made:
            yield Path(made)
        return
    if chosen.exists() and (not chosen.is_dir() or any(chosen.iterdir())):
        hint = "name a new folder, or leave it out for a temporary one"
        raise RuleBroken(Problem("not_empty", "data_dir", "the demo wants a folder of its own", hint))
    chosen.mkdir(parents=True, exist_ok=True)
    yield chosen


@contextmanager
def _sandbox(folder: Path, faults: list[str]) -> Iterator[RunningSandbox]:
    try:
        started = start_sandbox(folder / "truth.jsonl", faults, callbacks="final")
    except BadSandbox as fault:
        raise RuleBroken(Problem("sandbox", fault.field, fault.message, fault.hint)) from None
    with started as sandbox:
        yield sandbox


def settings_for(
    folder: Path, sandbox: RunningSandbox, *, every_channel: bool = False, gateways: bool = False
) -> Settings:
    """A school of its own in `folder`, with accounts at the stand-ins: those of the usual ways, or of every channel.

    With `gateways` texts and mails have every provider that there is, in order.
    """
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    more = _gateways(sandbox, url) if gateways else {}
    return Settings.of(
        data_dir=folder,
        public_url=url,
        sandbox=True,
        school={"slug": "st-cecilias", "name": "St Cecilia's School"},
        departments={"music": "Music", "office": "School office"},
        web={"host": "127.0.0.1", "port": port},
        accounts={
            "sms": {
                "channel": "sms",
                "account_sid": sandbox.account_sid,
                "auth_token": sandbox.auth_token,
                "sender": SENDER,
                "price": "0.04",
                "api_base_url": sandbox.twilio_url,
                **more.get("sms", {}),
            },
            "email": {
                "channel": "email",
                "host": sandbox.smtp_host,
                "port": sandbox.smtp_port,
                "security": "none",
                "sender": f"office@{DOMAIN}",
                "reply_to": f"music@{DOMAIN}",
                **more.get("email", {}),
            },
            "feeds": {"channel": "rss"},
            **_account_at_x(sandbox),
            **(_other_accounts(sandbox) if every_channel else {}),
        },
    )


def _account_at_x(sandbox: RunningSandbox) -> dict[str, Any]:
    """X where its extra is installed: it is optional, here too."""
    try:
        import_module("tweepy")
    except ModuleNotFoundError:
        return {}
    return {
        "x": {
            "channel": "twitter",
            "department": "music",
            "notice_route": "the notice board at the gate",
            "api_base_url": sandbox.x_url,
            **asdict(sandbox.x),
        }
    }


def _other_accounts(sandbox: RunningSandbox) -> dict[str, Any]:
    """One at each stand-in whose channel is installed, with its extra where it has one."""
    registry, around = Registry(), Surroundings("St Cecilia's", "GB", sandbox=True)
    accounts: dict[str, Any] = {}
    for name, stand_in in stand_ins.found().items():
        if not hasattr(stand_in, "account"):
            continue  # a gateway of texts or mails, which are here already
        told = dict(stand_in.account(sandbox.url(name)))
        own = {setting: value for setting, value in told.items() if setting != "channel"}
        try:
            kit = registry.kit(str(told["channel"]))
            kit.open(name, kit.settings(**own), around).close()
        except (MissingExtra, UnknownChannel):
            continue
        accounts[name] = told
    return accounts


def _gateways(sandbox: RunningSandbox, url: str) -> dict[str, dict[str, Any]]:
    """By channel: behind the provider of the plain settings, those whose package is installed, each a block."""
    registry, around = Registry(), Surroundings("St Cecilia's", "GB", url, sandbox=True)
    blocks: dict[str, dict[str, Any]] = {}
    for name, stand_in in stand_ins.found().items():
        if not hasattr(stand_in, "gateways"):
            continue
        for channel, told in stand_in.gateways(sandbox.url(name)).items():
            kit = registry.kit(channel)
            if not isinstance(kit, OffersGateways):
                continue
            try:
                kit.open(name, kit.gateways[name](**told), around).close()
            except MissingExtra:
                continue
            blocks.setdefault(channel, {"gateways": next(iter(kit.gateways))})[name] = told
            blocks[channel]["gateways"] += f",{name}"
    if "sms" in blocks:
        blocks["sms"]["grace"] = 1  # what is in doubt is asked for soon
    if "notify" in blocks.get("sms", {}):  # it calls one address, which somebody tells it
        sandbox.control.account_at("notify", callback_url=f"{url}/callbacks/sms/notify")
    return blocks


def _free_port() -> int:
    """One for the web: callbacks need its address before it listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
