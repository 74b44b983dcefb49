"""The letter to parents of this school: which accounts it tells of, with what the settings add to their licences."""

from __future__ import annotations

from collections.abc import Sequence

from broker.errors import NotFound, Problem, RuleBroken
from broker.licences import licensing
from broker.licences.letter import Way
from broker.licences.licensing import Shown
from broker.ports import Ports
from config.settings import Settings


def who_speaks(
    settings: Settings, ports: Ports, names: Sequence[str] = ()
) -> tuple[Sequence[Shown], Sequence[Way]]:
    """Of these accounts, or all: which may not speak, and the others as the letter tells of them.

    Raises NotFound for an account that there is not, RuleBroken where none of them may speak.
    """
    with ports.ledger.look() as tx:
        chosen = _chosen(licensing.show_all(ports, tx), names)
    ways = [_way(settings, one) for one in chosen if one.until is not None]
    if not ways:
        hint = "carillon licence shows what is missing"
        message = "none of these accounts has a licence that stands"
        raise RuleBroken(Problem("no_licence", "account", message, hint))
    return [one for one in chosen if one.until is None], ways


def _chosen(every: Sequence[Shown], names: Sequence[str]) -> Sequence[Shown]:
    by_name = {one.account.name: one for one in every}
    for name in names:
        if name not in by_name:
            hint = "list them with `carillon accounts`"
            raise NotFound(Problem("not_found", "account", "there is no such account", hint))
    return [by_name[name] for name in dict.fromkeys(names)] if names else every


def _way(settings: Settings, one: Shown) -> Way:
    configured, account = settings.accounts.get(one.account.name), one.account
    route = getattr(configured.own, "notice_route", "") if configured is not None else ""
    department = settings.departments.get(account.department or "")
    return Way(account.name, account.channel, department, one.traits, one.licence, account.posture, route)
