"""What can be imported on a page, each with how its files are compared and how they are taken in.

Nothing is decided here: the broker's own verbs compare and take in, as they do for the command line and the API.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from broker.actor import Actor, ActorKind
from broker.consent import consents
from broker.consent.sheets import rows_of
from broker.diary import terms
from broker.diary.calendar import Span, check_spans
from broker.errors import NotToBeChanged, Problem, RuleBroken
from broker.moments import today_of
from broker.office import groups
from broker.office.lists import ids_of
from broker.ports import Ports, Transaction
from broker.rosters import imports, mappings
from broker.rosters.difference import Counts, ImportDifference
from broker.rosters.roster import Role, Roster, RosterProblem, speaking_for
from broker.rosters.staged import StagedFile, StagedKind, StagedRow
from config.import_told import difference_told, told
from ledger.connect import Ledger
from ledger.reads.found import people_named
from sources import rosters
from sources.calendars import looks_like_ics, spans_of_csv, spans_of_ics
from sources.rosters import Report, Shown
from sources.rosters.progress import Tell

PREVIEWED = 3  # rows: as many as fit beside each other
# What refuses a file that is no people.csv, and may well be a report of the school's own.
PERHAPS_MAPPED = frozenset({"missing_header", "duplicate_header", "not_utf8", "empty_header", "ragged_row"})
Finished = Callable[[Transaction], None]


class NotMapped(Exception):
    """Raised when nobody has said yet how the columns of a report are read; `why`: it is no people.csv."""

    def __init__(self, why: Problem | None = None) -> None:
        self.why = why
        super().__init__("not mapped")


class ChangedSince(NotToBeChanged):
    """Raised when a difference is not what somebody has looked at any more."""

    def __init__(self) -> None:
        message = "the school has changed since this was compared"
        hint = "it was compared once more: look at it again, and take it in then"
        super().__init__(Problem("changed_since", "", message, hint))


@dataclass(frozen=True, slots=True)
class Work:
    """One staged import in hand: its files, and what is needed to read them."""

    ports: Ports
    ledger: Ledger
    row: StagedRow
    files: Sequence[StagedFile]
    region: str
    tell: Tell

    @property
    def text(self) -> str:
        """The first file as text. Raises RuleBroken."""
        try:
            return self.files[0].data.decode("utf-8-sig")
        except UnicodeDecodeError:
            hint = "in the spreadsheet choose Save As, then CSV UTF-8"
            raise RuleBroken(
                Problem("not_utf8", "file", "this file's letters are not saved as UTF-8", hint)
            ) from None


class Kind(Protocol):
    """One kind of import."""

    def look(self, work: Work) -> dict[str, Any]:
        """What it would change, as a page shows it. Raises RuleBroken, NotMapped."""

    def take(self, work: Work, *, leaving: int | None, actor: Actor, finished: Finished) -> None:
        """Take it in, all at once; `finished` is done in the same transaction. Raises RuleBroken."""


class OfPeople:
    """A roster: OneRoster, people.csv, or reports of the school's own through their mappings."""

    def look(self, work: Work) -> dict[str, Any]:
        """Counts and names."""
        roster, preview = self._roster(work)
        difference, names = imports.look_closely(work.ports, roster)
        return difference_told(difference, names, preview)

    def take(self, work: Work, *, leaving: int | None, actor: Actor, finished: Finished) -> None:
        """The difference that was seen, or none."""
        roster, _ = self._roster(work)
        seen = work.row.told

        def same(difference: ImportDifference) -> None:
            now = [[w, *_numbers(c)] for w, c in difference.counts().items()]
            was = [[w, *_told(one)] for w, one in zip(difference.counts(), seen["table"], strict=True)]
            if now != was or difference.before != seen["before"]:
                raise ChangedSince

        imports.import_roster(
            work.ports, roster, actor=actor, expect_leaving=leaving, told=same, also=finished
        )

    def _roster(self, work: Work) -> tuple[Roster, Sequence[Shown]]:
        with work.ports.ledger.look() as tx:
            today = today_of(tx)
        only = [Role(role) for role in work.row.asked.get("only", ())]
        with laid_out(work.files) as paths:
            reports = _reports(work, paths)
            if reports is None:
                roster = _as_it_is(paths[0], work.region, today, work.tell)
                preview: Sequence[Shown] = ()
            else:
                region = work.region
                roster = rosters.read_reports(reports, region=region, today=today, tell=work.tell)
                preview = rosters.preview(reports[0], region=region, today=today, most=PREVIEWED)
        return (speaking_for(roster, only) if only else roster), preview


class OfAGroup:
    """The members of one group kept by hand, as a list of the school's own ids."""

    def look(self, work: Work) -> dict[str, Any]:
        """Who joins and who leaves, by name; ids of nobody with their rows."""
        rows = ids_of(work.text)
        with work.ports.ledger.look() as tx:
            name = work.row.asked["group"]
            listed, now = groups.look_at_list(tx, name, [one for _, one in rows], actor=_whoever(work))
        then = {one.id for one in listed.members}
        with work.ledger.reading() as hand:
            joining, leaving = people_named(hand, then - now), people_named(hand, now - then)
        counts = Counts(new=len(then - now), leaving=len(now - then), unchanged=len(then & now))
        return told(
            f"a list for {name}",
            any=counts.any,
            table=[(f"Who is in {name}", counts)],
            lists=[
                ("leaving", "Leaving the group", "Not in this list.", _named(leaving)),
                ("new", "Joining the group", "", _named(joining)),
            ],
            problems=_ids_problems(work, rows, listed),
        )

    def take(self, work: Work, *, leaving: int | None, actor: Actor, finished: Finished) -> None:
        """The group's members are those of the list then."""
        _same(self.look(work), work)
        ids = [one for _, one in ids_of(work.text)]
        groups.set_members(work.ports, work.row.asked["group"], ids, actor=actor, also=finished)


class OfConsent:
    """A sheet of consent: who said yes or no to what."""

    def look(self, work: Work) -> dict[str, Any]:
        """How many said yes and no, and who."""
        rows = rows_of(work.text)
        said = consents.check(work.ports, rows)
        with work.ledger.reading() as hand:
            names = {one.id: one.name for one in people_named(hand, {one.person for one in said})}
        words = {
            given: [
                (names.get(one.person, ""), f"{one.purpose.value} by {one.channel}, {one.source}")
                for one in said
                if one.given is given
            ]
            for given in (True, False)
        }
        return told(
            "a sheet of consent",
            any=bool(said),
            table=[("Said yes", Counts(new=len(words[True]))), ("Said no", Counts(new=len(words[False])))],
            lists=[
                ("no", "Said no", "What is on its way to them by that way stops at once.", words[False]),
                ("yes", "Said yes", "", words[True]),
            ],
        )

    def take(self, work: Work, *, leaving: int | None, actor: Actor, finished: Finished) -> None:
        """Every word of it is kept."""
        consents.keep(work.ports, rows_of(work.text), actor=actor, also=finished)


class OfTerms:
    """The term calendar, as a table or as iCalendar."""

    def look(self, work: Work) -> dict[str, Any]:
        """Which stretches come and go."""
        spans, problems = _spans(work)
        check_spans(spans)
        with work.ports.ledger.look() as tx:
            before = set(tx.calendars.spans())
        new, gone = sorted(set(spans) - before, key=_in_time), sorted(before - set(spans), key=_in_time)
        counts = Counts(new=len(new), leaving=len(gone), unchanged=len(before) - len(gone))
        return told(
            "term dates",
            any=counts.any,
            table=[("Terms, half-terms, INSET days and closures", counts)],
            lists=[
                ("leaving", "Gone", "Not in this file.", [_stretch(one) for one in gone]),
                ("new", "New", "", [_stretch(one) for one in new]),
            ],
            problems=problems,
        )

    def take(self, work: Work, *, leaving: int | None, actor: Actor, finished: Finished) -> None:
        """In the place of those before."""
        _same(self.look(work), work)
        spans, problems = _spans(work)
        if problems:
            message = f"{len(problems)} of its rows cannot be read"
            raise NotToBeChanged(
                Problem("unreadable_rows", "", message, "mend them, and choose the file again")
            )
        terms.bring(work.ports, spans, actor=actor, also=finished)


KINDS: Mapping[StagedKind, Kind] = {
    StagedKind.PEOPLE: OfPeople(),
    StagedKind.GROUP: OfAGroup(),
    StagedKind.CONSENT: OfConsent(),
    StagedKind.TERMS: OfTerms(),
}


# --- files ----------------------------------------------------------------------------------------------------------


@contextmanager
def laid_out(files: Sequence[StagedFile]) -> Iterator[Sequence[Path]]:
    """Files on the disk, in a folder that only we can look into and that is gone at once: names lie in it."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for n, one in enumerate(files):
            within = Path(folder, str(n))
            within.mkdir()
            # What somebody calls it is told with every problem; it leads nowhere, and no system refuses it.
            path = within / (one.name.replace("/", "_").replace("\0", "").strip(". ")[-100:] or "file")
            path.write_bytes(one.data)
            paths.append(path)
        yield paths


def read_one(data: bytes, name: str, *, region: str, today: date) -> Roster:
    """The roster that one file holds as it is, whoever sent it. Raises RosterRefused."""
    with laid_out([StagedFile(name, data)]) as paths:
        return rosters.read(paths[0], region=region, today=today)


def _reports(work: Work, paths: Sequence[Path]) -> Sequence[Report] | None:
    """The reports with their mappings; None where there is one file that says itself what it holds."""
    named = [one.mapping for one in work.files]
    if not any(named) and len(named) == 1 and not work.row.asked.get("mapped"):
        return None
    if not all(named):
        raise NotMapped
    found = [mappings.named(work.ports, one) for one in named]
    return [Report(path, how) for path, how in zip(paths, found, strict=True)]


def _as_it_is(path: Path, region: str, today: date, tell: Tell) -> Roster:
    try:
        return rosters.read(path, region=region, today=today, tell=tell)
    except rosters.RosterRefused as refused:
        if refused.problem.code in PERHAPS_MAPPED and not _is_zip(path):
            raise NotMapped(refused.problem) from None
        raise


def _is_zip(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(2) == b"PK"


def _spans(work: Work) -> tuple[Sequence[Span], Sequence[RosterProblem]]:
    data = work.files[0].data
    spans, problems = spans_of_ics(data) if looks_like_ics(data) else spans_of_csv(data)
    name = work.files[0].name
    return spans, [
        RosterProblem(name, 0, one.where, one.code, f"{one.message}; {one.hint}") for one in problems
    ]


# --- words ----------------------------------------------------------------------------------------------------------


def _whoever(work: Work) -> Actor:
    return Actor(ActorKind.PERSON, work.row.made_by)


def _same(found: Mapping[str, Any], work: Work) -> None:
    """Raises ChangedSince where it is not what somebody has looked at."""
    if found["table"] != work.row.told["table"]:
        raise ChangedSince


def _named(people: Sequence[Any]) -> Sequence[tuple[str, str]]:
    return [(one.name, one.form or one.source_id) for one in people]


def _ids_problems(
    work: Work, rows: Sequence[tuple[int, str]], listed: groups.Listed
) -> Sequence[RosterProblem]:
    said = dict.fromkeys(listed.unknown, ("unknown_person", "Nobody at the school has this id."))
    lone = ("guardian_in_a_group", "A guardian is reached through the child, and is in no group.")
    said |= dict.fromkeys(listed.not_members, lone)
    name = work.files[0].name
    return [RosterProblem(name, row, "id", *said[one]) for row, one in rows if one in said]


def _in_time(span: Span) -> tuple[date, date]:
    return span.begins_on, span.ends_on


def _stretch(span: Span) -> tuple[str, str]:
    kind = span.kind.value.replace("_", "-")
    days = f"{span.begins_on:%-d %b %Y}"
    if span.ends_on != span.begins_on:
        days += f" to {span.ends_on:%-d %b %Y}"
    return span.name or kind, f"{kind}, {days}"


def _numbers(counts: Counts) -> list[int]:
    return [counts.new, counts.changed, counts.leaving, counts.returning, counts.unchanged]


def _told(one: Mapping[str, Any]) -> list[int]:
    return [one[name] for name in ("new", "changed", "leaving", "returning", "unchanged")]
