"""What there is to choose from when somebody writes: departments, groups, ways, templates."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cached_property

from broker.accounts import channels_of
from broker.announcement import People
from broker.audience import EVERYONE, fold, parse, plain_names
from broker.authority import departments
from broker.channel import Traits
from broker.errors import Problem, RuleBroken
from broker.ladders.ladder import SHEET, Need
from broker.moments import day_at
from broker.office.templates import gaps_of
from broker.ports.office import TemplateRow
from broker.rosters.roster import GroupKind
from ledger.reads import groups as group_reads
from ledger.reads import templates as template_reads
from ledger.reads.groups import Listed
from web.watch import words
from web.watch.desk import At, acting
from web.watch.signing_in import NoPage

PEOPLE: Mapping[People, str] = {
    People.GUARDIANS: "Their guardians",
    People.FIRST: "One guardian each: the first who can be reached",
    People.PUPILS: "The pupils themselves",
    People.BOTH: "Pupils and guardians",
    People.STAFF: "The staff of these groups",
}
KINDS: Mapping[str, str] = {
    GroupKind.YEAR: "Year groups",
    GroupKind.KEPT: "Groups kept by hand",
    "expression": "Groups made of others",
    GroupKind.CLUB: "Clubs, choirs and teams",
    GroupKind.FORM: "Forms",
    GroupKind.CLASS: "Classes",
}
OPEN_AT_FIRST = 3  # kinds whose groups are shown at once
# What is ticked before anybody ticks: texts and mails, as the command has it.
USUAL = ("sms", "email")
WAITS: Mapping[str, str] = {
    "": "as soon as the one before has failed",
    "15 min": "after 15 minutes at the latest",
    "30 min": "after half an hour at the latest",
    "1 h": "after 1 hour at the latest",
    "2 h": "after 2 hours at the latest",
    "4 h": "after 4 hours at the latest",
    "1 d": "after a day at the latest",
}
UNLESS: Mapping[str, str] = {
    Need.REACHED: "unless a message went out to them",
    Need.DELIVERED: "unless a message arrived",
    Need.SEEN: "unless somebody said that it was seen",
}
NAMED = re.compile("“(.+)”")
MOST_LATER = 3  # ways one after another beside the first: a mail, another, and the sheet


@dataclass(frozen=True, slots=True)
class Way:
    """One channel that this department can speak by."""

    name: str
    called: str
    public: bool

    @property
    def told(self) -> str:
        """As a box on the form says it."""
        return f"{self.called} (everybody can read it)" if self.public else self.called


@dataclass(frozen=True)
class Choices:
    """Everything that the form offers to one person, for one department, perhaps with a template."""

    departments: Mapping[str, str]
    department: str
    groups: Sequence[Listed] = field(repr=False)
    ways: Sequence[Way]
    templates: Sequence[TemplateRow] = field(repr=False)
    template: TemplateRow | None = field(repr=False)

    @cached_property
    def by_kind(self) -> Sequence[tuple[str, Sequence[Listed]]]:
        """The groups as they are listed: years first, then what is kept by hand, then the rest."""
        found = [(told, [one for one in self.groups if one.kind == kind]) for kind, told in KINDS.items()]
        return [(told, listed) for told, listed in found if listed]

    @cached_property
    def gaps(self) -> Sequence[str]:
        """What of the template is filled in."""
        return gaps_of(self.template) if self.template is not None else ()

    @cached_property
    def usual(self) -> Sequence[str]:
        """The ways that are ticked before anybody ticks."""
        there = [way.name for way in self.ways]
        return [name for name in USUAL if name in there] or there[:1]

    @cached_property
    def later(self) -> Mapping[str, str]:
        """What may come after the first ways: personal ones, and paper."""
        return {
            "": "nothing",
            **{way.name: way.called for way in self.ways if not way.public},
            SHEET: "A slip of paper",
        }


def with_nearest(offered: Choices, problem: Problem | None) -> Problem | None:
    """Where a group is not known: with the one that may be meant, of those that are there for whoever writes."""
    if problem is None or problem.code != "unknown_group" or (named := NAMED.search(problem.message)) is None:
        return problem
    known = {fold(one.name): one.name for one in offered.groups}
    near = get_close_matches(fold(named[1]), known, 1)
    return replace(problem, hint=f"did you mean {known[near[0]]}?") if near else problem


def departments_of(at: At) -> Mapping[str, str]:
    """Those for which somebody may write, by slug with their names. Raises NoPage where there is none."""
    known = at.settings.departments
    found = {slug: name for slug, name in known.items() if at.department in {None, slug}}
    if not found:
        raise NoPage(403, "not_yours")
    return found


def owner(at: At, named: str) -> str:
    """The department that is meant: the one named, else the one that is usual. Raises NoPage."""
    known = departments_of(at)
    if named:
        if named not in known:
            raise NoPage(404, "not_found")
        return named
    try:
        return departments.owner_of(known, None, acting(at))
    except RuleBroken:
        return next(iter(known))


def choices(
    at: At, *, department: str = "", template: str = "", language: str = "", listed: bool = True
) -> Choices:
    """What there is to choose. Raises NoPage for a department or a template that is not there.

    Not `listed`: without the groups and the templates that nobody has chosen, for what stands beside the form.
    """
    whose = owner(at, department)
    with at.ports.ledger.look() as tx:
        named = channels_of(tx, whose)
    zone = at.zone
    with at.reading() as hand:
        offered = template_reads.listed(hand, owner=whose) if listed or template else ()
        every = group_reads.groups(hand, today=day_at(hand.now, zone)) if listed else ()
        groups = [one for one in every if departments.sees(acting(at), one.department)]
    return Choices(
        departments_of(at),
        whose,
        groups,
        ways_of(at, named),
        offered,
        _chosen(offered, template, language),
    )


def ways_of(at: At, named: Sequence[str]) -> Sequence[Way]:
    """The channels in the order in which they are offered: personal ones first, the usual ones before others."""
    known = set(at.ports.channels.names())
    traits: dict[str, Traits] = {name: at.ports.channels.traits(name) for name in named if name in known}
    found = [Way(name, words.channel(name), one.for_anybody) for name, one in traits.items()]
    return sorted(found, key=lambda way: (way.public, _place(way.name), way.called))


def _place(name: str) -> int:
    return USUAL.index(name) if name in USUAL else len(USUAL)


def ticked(offered: Choices, expression: str) -> dict[str, Sequence[str]]:
    """How the form stands for an expression: its groups ticked where it is no more than groups; else written out."""
    if fold(expression) == EVERYONE:
        return {"everyone": ["yes"]}
    known = {fold(one.name): one.name for one in offered.groups}
    try:
        named = plain_names(parse(expression))
    except RuleBroken:
        named = None
    if named is None or not all(fold(name) in known for name in named):
        return {"to": [expression]}
    return {"groups": [known[fold(name)] for name in named]}


def _chosen(offered: Sequence[TemplateRow], name: str, language: str) -> TemplateRow | None:
    if not name:
        return None
    found = [one for one in offered if fold(one.name) == fold(name) and one.language == language]
    if not found:
        raise NoPage(404, "not_found")
    return found[0]
