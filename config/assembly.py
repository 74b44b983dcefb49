"""The assembly: settings in, ports out. Every process is put together here and nowhere else."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from broker.errors import Problem, SetupError
from broker.licences import licensing
from broker.ports import Ports
from config.answering import answering_of
from config.calls import calls_of
from config.faults import name_of
from config.queue import Publisher, Silent
from config.registry import Registry
from config.settings import Settings
from config.signer import HmacSigner, key_in
from config.ways_out import WaysOut
from ledger import migrate, record, setup, tables
from ledger.connect import Ledger, open_ledger
from ledger.reads.feeds import public_groups
from ledger.trouble import problem_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class House:
    """A process's parts, put together; leave it, or `close()`, to let go of everything."""

    settings: Settings
    ledger: Ledger
    hints: Publisher | Silent
    ways_out: WaysOut
    ports: Ports
    new_accounts: Sequence[str] = ()  # of which the ledger had never heard before this command

    def close(self) -> None:
        """Close channels, queue and ledger; safe to call twice."""
        self.ways_out.close()
        self.hints.close()
        self.ledger.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()


def assemble(
    settings: Settings,
    *,
    serves: bool = False,
    upgrade: bool = False,
    wall: Callable[[], datetime] | None = None,
) -> House:
    """Put a process together. Raises SetupError with what cannot work.

    `serves` is for the processes that run on (`up`, `worker`, web): they bring the configured school and accounts
    into the ledger and open every account at once, so that a fault shows at the start. A command only adds what the
    ledger has never heard of, or one typed in a shell without the settings would take every account away from the
    workers. `upgrade` brings the schema up to date. `wall` tells a SQLite ledger the time in place of the machine.
    """
    registry = Registry()
    if settings.sqlite or settings.secret_key is None:
        private_folder(settings.data_dir)
    signer = HmacSigner(secret_of(settings))
    try:
        if upgrade:
            migrate.upgrade(settings.database_url)
        ledger = open_ledger(settings.database_url, signer, wall=wall)
    except DBAPIError as fault:
        raise SetupError(problem_of(fault)) from None
    hints = Publisher(settings.queue_url, registry.names()) if serves or not settings.embedded else Silent()
    ways_out = WaysOut(registry, settings.accounts, settings.surroundings())
    house = House(
        settings,
        ledger,
        hints,
        ways_out,
        Ports(
            ledger,
            hints,
            signer,
            ways_out,
            answering=answering_of(settings),
            public_url=settings.public_url,
            calls=calls_of(settings),
        ),
    )
    try:
        _check_schema(ledger)
        record.after_restore(ledger)
        if serves and (problems := ways_out.check()):
            raise SetupError(problems)
        if serves or not _is_installed(ledger):
            install(settings, ledger)
        else:
            house = replace(house, new_accounts=_add_unknown(settings, ledger))
        _licence(house, serves=serves)
    except DBAPIError as fault:
        # It may go away between two of these, and come back: a supervisor tries again.
        house.close()
        raise SetupError(problem_of(fault)) from None
    except BaseException:
        house.close()
        raise
    return house


def _licence(house: House, *, serves: bool) -> None:
    """The sandbox has licences of its own, by which nothing leaves the machine; outside they are worth nothing."""
    if house.settings.sandbox:
        licensing.give_specimens(house.ports)
    elif serves:
        licensing.take_specimens(house.ports)
        with house.ledger.look() as tx:
            silent = licensing.silent(tx)
        for name, why in silent.items():
            log.warning("%s; settle it: carillon licence start %s", why, name)


def secret_of(settings: Settings) -> bytes:
    """The school's secret: from the settings, else from the file beside a SQLite ledger, made on first use."""
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value().encode()
    return key_in(settings.data_dir)


def private_folder(folder: Path) -> None:
    """Make the data folder, for us alone: names and numbers will lie in it. Raises SetupError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        hint = "choose a folder that Carillon may write to"
        raise SetupError(Problem("data_dir", name_of(("data_dir",)), "cannot be made", hint)) from None


def install(settings: Settings, ledger: Ledger) -> None:
    """Make the ledger agree with the settings: school, departments, accounts. Raises SetupError."""
    school = settings.school
    with ledger.reading() as hand:
        feeds = {group.slug: group.name for group in public_groups(hand)}
    if taken := feeds.keys() & {school.slug, *settings.departments}:
        slug = min(taken)
        message = f"names a feed {slug} that the group {feeds[slug]} has already"
        hint = "choose another slug, or take the group's feed away: carillon groups hide"
        raise SetupError(Problem("slug_taken", name_of(("departments",)), message, hint))
    setup.install(
        ledger,
        setup.School(school.slug, school.name, school.zone, school.locale, school.region),
        settings.departments,
        _configured(settings),
        sandbox=settings.sandbox,
    )


def _add_unknown(settings: Settings, ledger: Ledger) -> Sequence[str]:
    with ledger.reading() as hand:
        feeds = {group.slug for group in public_groups(hand)}
    # One that takes the name of a feed is for `install` to refuse, when Carillon starts.
    departments = {slug: name for slug, name in settings.departments.items() if slug not in feeds}
    accounts = [one for one in _configured(settings) if one.department in {None, *departments}]
    return setup.add_unknown(ledger, departments, accounts)


def _configured(settings: Settings) -> list[setup.ConfiguredAccount]:
    return [
        setup.ConfiguredAccount(name, account.channel, account.department, account.per_second)
        for name, account in settings.accounts.items()
    ]


def _check_schema(ledger: Ledger) -> None:
    try:
        found = migrate.current(ledger.engine)
    except DBAPIError as fault:
        raise SetupError(problem_of(fault)) from None
    if found != migrate.newest():
        message = "has no tables yet" if found is None else "has tables of another version of Carillon"
        raise SetupError(Problem("schema", name_of(("database_url",)), message, "run: carillon db upgrade"))


def _is_installed(ledger: Ledger) -> bool:
    with ledger.reading() as hand:
        return hand.connection.execute(select(tables.school.c.id)).first() is not None
