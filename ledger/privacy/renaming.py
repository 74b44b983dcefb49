"""Names by which something is found: struck, each stays unlike every other, and what refers to one says the new name.

A group, a template, a schedule and a calendar that are called after somebody go by their numbers besides; what another
system calls a group or an event is kept as a keyed digest, and known by it when it is told again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from posixpath import splitext
from typing import Any

from sqlalchemy import Row, Table, func, select

from broker.audience import fold, names, parse, renamed
from broker.errors import InvalidAnnouncement
from broker.ports import Signer
from broker.privacy.known import MARK, known_as
from broker.privacy.strike import Striker
from ledger import tables as t
from ledger.hand import Hand

Worded = tuple[Table, Row[Any], dict[str, str]]  # a row, and its columns in which somebody typed something

LONGEST = 200  # characters of a name
_EXPRESSIONS = frozenset({"audience", "expression"})
_CALENDARS = frozenset({"calendar_subscription.name", "event.source", "alarm.subject"})
_TEMPLATES = frozenset({"template.name", "schedule.template", "announcement.template"})
_NUMBERED = frozenset({"schedule.name", "alarm.subject"})
# Told again by whoever made it up: a calendar, or somebody who tries a request once more.
_KNOWN = {"event.uid": "event", "announcement.idempotency_key": "key"}
_FILES = {
    "content_attachment": "announcement_id",
    "schedule_attachment": "schedule_id",
    "template_attachment": "template_id",
}


class Renaming:
    """What becomes of the words of rows, where somebody is struck out of them.

    `standing` are rows that stay word by word: the groups that they name keep their names too.
    """

    def __init__(
        self, hand: Hand, struck: Striker, rows: Sequence[Worded], standing: Iterable[Worded] = ()
    ) -> None:
        self._hand, self._struck = hand, struck
        here: dict[str, list[Worded]] = {}
        for one in rows:
            here.setdefault(one[0].name, []).append(one)
        self._kept = frozenset(_named_in(standing))
        self._groups = self._of_groups(here.get("people_group", ()))
        self._templates = self._of_templates(here.get("template", ()))
        self._calendars = self._of_calendars(here)
        self._files = {name: self._of_files(name, here[name]) for name in _FILES if name in here}

    def values(self, table: Table, row: Row[Any], words: Mapping[str, str]) -> Mapping[str, str]:
        """What those columns of a row hold from now on that change."""
        if table is t.people_group and fold(words["name"]) in self._kept:
            said = words.get("expression", "")
            instead = self._expression(said)
            return {"expression": instead} if instead != said else {}
        found = {
            column: self._instead(table, row, column, said)
            for column, said in words.items()
            if column != "folded_name" and self._struck(said) != said
        }
        if "folded_name" in table.c and "name" in found:
            found["folded_name"] = fold(found["name"])
        source_id = words.get("source_id", "")
        if table is t.people_group and {"name", "source_id"} & found.keys() and source_id:
            found["source_id"] = group_known_as(self._hand.signer, source_id, words["name"])
        return found

    def _instead(self, table: Table, row: Row[Any], column: str, said: str) -> str:
        place = f"{table.name}.{column}"
        struck = self._struck(said)
        if column in _EXPRESSIONS:
            return self._expression(said)
        if place == "people_group.name":
            return self._groups[fold(said)]
        if place in _TEMPLATES:
            return self._templates.get((self._department(table, row), fold(said)), struck)
        if place in _CALENDARS and said in self._calendars:
            return self._calendars[said]
        if place in _NUMBERED:
            number = f" {row.id}"
            return struck[: LONGEST - len(number)] + number
        if column == "name" and table.name in self._files:
            return self._files[table.name][row._mapping[_FILES[table.name]], said]
        if place in _KNOWN:
            return said if said.startswith(MARK) else known_as(self._hand.signer, _KNOWN[place], said)
        return struck

    def _expression(self, said: str) -> str:
        try:
            return renamed(said, self._group)
        except InvalidAnnouncement:
            return self._struck(said)

    def _group(self, name: str) -> str:
        return name if fold(name) in self._kept else self._groups.get(fold(name), self._struck(name))

    def _of_groups(self, rows: Iterable[Worded]) -> Mapping[str, str]:
        """Folded name → new name. Of several of one name, as last year's, at most one is there."""
        return {
            fold(words["name"]): f"{struck} {row.id}"
            for _, row, words in rows
            if (struck := self._struck(words["name"])) != words["name"]
        }

    def _of_templates(self, rows: Iterable[Worded]) -> Mapping[tuple[int, str], str]:
        """(department, folded name) → new name: a template is one, in all its versions, languages and parts."""
        names = {fold(words["name"]): words["name"] for _, _, words in rows}
        struck = {folded: self._struck(name) for folded, name in names.items()}
        changed = [folded for folded, name in names.items() if struck[folded] != name]
        if not changed:
            return {}
        c = t.template.c
        first = (
            select(c.department_id, c.folded_name, func.min(c.id).label("id"))
            .where(c.folded_name.in_(changed))
            .group_by(c.department_id, c.folded_name)
        )
        found = self._hand.connection.execute(first)
        return {(row.department_id, row.folded_name): f"{struck[row.folded_name]} {row.id}" for row in found}

    def _department(self, table: Table, row: Row[Any]) -> int:
        its = select(table.c.department_id).where(table.c.id == row.id)
        return int(self._hand.connection.execute(its).scalar_one())

    def _of_calendars(self, here: Mapping[str, Sequence[Worded]]) -> Mapping[str, str]:
        """Name → new name: events are found by their calendar's, whether or not it is subscribed to."""
        found: dict[str, str] = {}
        for name, column, number in (("calendar_subscription", "name", "{}"), ("event", "source", "({})")):
            first: dict[str, int] = {}
            for _, row, words in here.get(name, ()):
                if (said := words.get(column, "")) not in found:
                    first[said] = min(row.id, first.get(said, row.id))
            for said, n in first.items():
                if (struck := self._struck(said)) != said:
                    found[said] = f"{struck} {number.format(n)}"
        return found

    def _of_files(self, name: str, rows: Sequence[Worded]) -> Mapping[tuple[int, str], str]:
        """(whose, name) → new name: two files of one announcement stay two."""
        table, found = t.metadata.tables[name], {}
        its = table.c[_FILES[name]]
        for owner in sorted({row._mapping[its.name] for _, row, _ in rows}):
            taken = set(self._hand.connection.execute(select(table.c.name).where(its == owner)).scalars())
            for said in sorted(taken):
                struck = self._struck(said)
                if struck == said:
                    continue
                new, n = struck, 1
                while new in taken:
                    n += 1
                    new = f" {n}".join(splitext(struck))
                taken.add(new)
                found[owner, said] = new
        return found


def group_known_as(signer: Signer, source_id: str, name: str) -> str:
    """What a struck group's roster calls it, by its name there as well: under a new name it is another group."""
    if source_id.startswith(MARK):
        return source_id
    return known_as(signer, "group", f"{source_id}\0{fold(name)}")


def _named_in(rows: Iterable[Worded]) -> Iterable[str]:
    for _, _, words in rows:
        for column in _EXPRESSIONS & words.keys():
            with suppress(InvalidAnnouncement):
                yield from map(fold, names(parse(words[column])))
