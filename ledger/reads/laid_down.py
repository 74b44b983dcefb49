"""What the school laid down, as it stands in the ledger's rows: see broker.scrutiny.laid_down."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, select

from broker.announcement import Attachment
from broker.audience import fold
from broker.diary.reminders import says_of
from broker.errors import InvalidLicence
from broker.licences.licence import Licence, Terms, angles, stands_until
from broker.licences.licence_form import digest_of, read
from broker.scrutiny import laid_down as told
from broker.scrutiny.laid_down import There, Thing
from ledger import tables as t
from ledger.diary.events import rule_of, rules_in_force
from ledger.diary.schedules import all_schedules, draft_of

Stands = tuple[Thing, tuple[str, datetime]]


def laid_down(connection: Connection, now: datetime) -> There:
    """Everything that is there, and since when."""
    return dict(each for look in _LOOKS for each in look(connection)) | dict(_in_force(connection, now))


def _pauses(connection: Connection) -> Iterator[Stands]:
    a = t.account.c
    for row in connection.execute(select(a.name, a.paused_at).where(a.paused_at.is_not(None))):
        yield told.paused(row.name), (told.IN_FORCE, row.paused_at)


def _switches(connection: Connection) -> Iterator[Stands]:
    for row in connection.execute(select(t.switch).where(t.switch.c.on_at.is_(None))):
        yield told.switch(row.kind, row.subject), (told.OFF, row.off_at)


def _budgets(connection: Connection) -> Iterator[Stands]:
    b, d = t.budget.c, t.department.c
    query = select(d.slug, b.month, b.amount, b.set_at).join(t.department, d.id == b.department_id)
    for row in connection.execute(query):
        yield told.budget(row.slug, row.month), (str(row.amount), row.set_at)


def _rules(connection: Connection) -> Iterator[Stands]:
    known: dict[str, tuple[str, datetime]] = {}
    version = None
    for version in connection.execute(select(t.rules).order_by(t.rules.c.version)):
        for key, value in json.loads(version.body).items():
            if known.get(key, ("", None))[0] != value:
                known[key] = (str(value), version.at)
        known = {key: stood for key, stood in known.items() if key in json.loads(version.body)}
    if version is not None:
        yield told.RULES, (told.as_version(version.version), version.at)
        yield from ((told.rule(key), stood) for key, stood in known.items())


def _operators(connection: Connection) -> Iterator[Stands]:
    o, r = t.operator.c, t.operator_role.c
    query = select(o.name, o.folded_name, o.added_at, r.role).join(t.operator_role, r.operator_id == o.id)
    roles: dict[tuple[str, datetime], list[str]] = defaultdict(list)
    for row in connection.execute(query.where(o.removed_at.is_(None))):
        known = fold(row.name) == row.folded_name
        roles[row.name, row.added_at].append(row.role if known else f"{row.role} by another name")
    for (name, since), each in roles.items():
        yield told.operator(name), (told.as_roles(each), since)


def _governors(connection: Connection) -> Iterator[Stands]:
    for row in connection.execute(select(t.head_holder.c.name, t.head_holder.c.added_at)):
        yield told.governor(row.name), (told.NAMED, row.added_at)


def _licences(connection: Connection) -> Iterator[Stands]:
    v, a = t.licence_version.c, t.account.c
    query = select(a.name, v.version, v.body, v.specimen, v.made_at).join(t.account, a.id == v.account_id)
    for row in connection.execute(query):
        settled = _settled(row.body)
        digest = "unreadable" if settled is None else digest_of(settled)
        yield (
            told.licence(row.name, row.version),
            (told.as_licence(digest, specimen=row.specimen), row.made_at),
        )


def _schedules(connection: Connection) -> Iterator[Stands]:
    link, file, s = t.schedule_attachment.c, t.attachment.c, t.schedule.c
    files: dict[int, list[Attachment]] = defaultdict(list)
    query = select(link.schedule_id, link.name, file.sha256, file.media_type, file.bytes)
    for each in connection.execute(query.join(t.attachment, file.sha256 == link.sha256)):
        files[each.schedule_id].append(Attachment(each.sha256, each.name, each.media_type, each.bytes))
    schedules: Iterable[Row[Any]] = connection.execute(all_schedules().where(s.ended_at.is_(None)))
    for row in schedules:
        said = told.schedule(str(row.public_id))
        yield said, (told.as_said(draft_of(row, tuple(files[row.id]))), row.made_at)
        if row.approved_at is not None:
            yield told.agreed(said), (row.approved_by, row.approved_at)


def _reminder_rules(connection: Connection) -> Iterator[Stands]:
    for row in connection.execute(rules_in_force()):
        rule = rule_of(row)
        said = told.reminder_rule(rule.id)
        yield said, (says_of(rule), row.made_at)
        if rule.approved is not None:
            yield told.agreed(said), (rule.approved.by, rule.approved.at)


def _in_force(connection: Connection, now: datetime) -> Iterator[Stands]:
    """Which version, and that no account may speak for longer than what is settled about it lasts."""
    v, c = t.licence_version.c, t.licence.c
    zone = ZoneInfo(connection.execute(select(t.school.c.zone)).scalar_one())
    query = (
        select(t.account.c.name, c.version, c.stands_until, v.body, v.made_at)
        .join(t.account, t.account.c.id == c.account_id)
        .join(t.licence_version, (v.account_id == c.account_id) & (v.version == c.version))
    )
    for row in connection.execute(query):
        settled = _settled(row.body) or Licence()
        # Without what the channel asks for: the longest that the days in it can mean.
        longest = stands_until(angles(settled, None, now, Terms(zone)))
        too_long = row.stands_until is not None and row.stands_until > max(longest or now, now)
        stands = told.as_version(row.version) + (", for longer than it lasts" if too_long else "")
        yield told.licence(row.name), (stands, row.made_at)


def _settled(body: str) -> Licence | None:
    try:
        return read(json.loads(body))
    except (InvalidLicence, ValueError):
        return None


_LOOKS: Sequence[Callable[[Connection], Iterator[Stands]]] = (
    _pauses,
    _switches,
    _budgets,
    _rules,
    _operators,
    _governors,
    _licences,
    _schedules,
    _reminder_rules,
)
