"""What every command stands on: the settings, the house put together, and who acts."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import make_url

from broker.actor import Actor, ActorKind
from broker.authority.departments import owner_of
from broker.errors import Problem, RuleBroken, SetupError
from broker.ports import Ports
from cli import show
from config import logs
from config.assembly import House, assemble
from config.logs import told
from config.settings import Settings, load
from ledger.reads.watch import zone

log = logging.getLogger(__name__)
LONGEST_NAME = 80


@contextmanager
def reading() -> Iterator[House]:
    """The house for a command that only looks. Raises SetupError where there is no ledger to look at."""
    settings = load()
    logs.set_up("WARNING")
    _must_be_there(settings)
    with assemble(settings) as house:
        _tell_new_accounts(house)
        yield house


@contextmanager
def writing(operator: str | None, *, creates: bool = False) -> Iterator[tuple[House, Actor]]:
    """The house for a command that writes, and who does; what it wrote is sealed at its end (design §6.8).

    `creates`: a SQLite ledger that is not there yet is made. Raises RuleBroken where nobody says who acts, SetupError
    where there is nothing to write to.
    """
    settings = load()
    logs.set_up("WARNING")
    actor = operator_named(operator if operator is not None else settings.operator)
    if not creates:
        _must_be_there(settings)
    with assemble(settings, upgrade=is_new(settings)) as house:
        _tell_new_accounts(house)
        yield house, actor
        seal(house.ports)


def zone_of(house: House) -> ZoneInfo:
    """The school's own zone, in which times are shown as they are typed."""
    with house.ledger.reading() as hand:
        return ZoneInfo(zone(hand))


def department_of(house: House, named: str | None) -> str:
    """Whose announcement it is, where only one department can be meant. Raises RuleBroken."""
    return owner_of(house.settings.departments, named)


def operator_named(name: str | None) -> Actor:
    """A named local operator, never $USER: a login on a shared office machine accounts for nobody."""
    if name is None:
        hint = "say it with --operator NAME, or set CARILLON_OPERATOR"
        raise RuleBroken(Problem("no_operator", "operator", "nobody says who does this", hint))
    if not (name.strip() and name.isprintable() and len(name) <= LONGEST_NAME):
        message = f"an operator's name is 1 to {LONGEST_NAME} printable characters"
        raise RuleBroken(Problem("bad_operator", "operator", message, "such as --operator 'Mrs Bell'"))
    return Actor(ActorKind.PERSON, name.strip())


def seal(ports: Ports) -> None:
    """Seal what this command wrote, for no worker may be there to do it."""
    try:
        ports.ledger.transact(lambda tx: tx.record.seal())
    except Exception as error:  # noqa: BLE001 - what was asked for is done; the next sweep seals it
        log.warning("the record could not be sealed now: %s", told(error))


def _tell_new_accounts(house: House) -> None:
    if house.new_accounts:
        named = ", ".join(house.new_accounts)
        show.hint(f"new to the ledger: {named}; if Carillon runs already, start it again to send by it")


def _must_be_there(settings: Settings) -> None:
    if is_new(settings):
        hint = "begin with: carillon people import PATH, or carillon up"
        raise SetupError(Problem("no_ledger", "CARILLON_DATABASE_URL", "there is no ledger yet", hint))


def is_new(settings: Settings) -> bool:
    """Whether the ledger is a SQLite file that is not there yet; a server's tables are for somebody to make."""
    name = make_url(settings.database_url).database
    return settings.sqlite and name is not None and not Path(name).exists()
