"""The ledger's rows against the record: whatever was changed behind its back, and where.

Announcement by announcement, a batch a transaction, so that neither memory nor a snapshot's age grows with the ledger.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, String, cast, false, func, select

from broker.scrutiny.audit import (
    AnnouncementTold,
    Fault,
    Judged,
    Standing,
    Story,
    delivery_fault,
    kept_digest,
    wording_digest,
)
from broker.scrutiny.laid_down import Told, differences, hear
from ledger import tables as t
from ledger.announcements import announcement_of, announcements_by
from ledger.connect import Ledger
from ledger.reads.laid_down import laid_down

AT_ONCE = 20_000  # deliveries of several announcements that are compared together, at the most
Wordings = dict[int, tuple[list[tuple[str, str, str]], list[tuple[str, str]]]]  # version → parts, files
MOST_FAULTS = 50
SAME_TIME = timedelta(minutes=1)  # a worker's guess of the database's time, and the database's own
_BATCH = 200  # announcements
_FETCHED = 5_000


@dataclass(slots=True)
class Compared:
    """What was compared, and what did not agree; beyond `MOST_FAULTS` faults are counted and not kept."""

    announcements: int = 0
    deliveries: int = 0
    transitions: int = 0
    fault_count: int = 0
    faults: list[Fault] = field(default_factory=list)

    def add(self, where: str, what: str | None) -> None:
        """A fault, where there is one."""
        if what is None:
            return
        self.fault_count += 1
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(where, what))


def compare(
    ledger: Ledger, *, pruned_at: datetime | None = None, heard: Callable[[int], None] = lambda _: None
) -> Compared:
    """Everything that the record tells of rows, against the rows. What was pruned is not missed before `pruned_at`.

    `heard` is told after each batch how many announcements were compared so far; what it raises ends the comparison.
    """
    found = Compared()
    after = 0
    while True:
        with ledger.snapshot() as connection:
            batch = _next(connection, after)
            if not batch:
                break
            _compare_batch(connection, batch, pruned_at, found)
        after = batch[-1]
        heard(found.announcements)
    with ledger.reading() as hand:
        now = hand.now
    with ledger.snapshot() as connection:
        _compare_laid_down(connection, now, pruned_at, found)
        _unexplained(connection, after, found)
    return found


def _next(connection: Connection, after: int) -> Sequence[int]:
    """Announcements to compare together: few where they have many deliveries."""
    a, n = t.announcement.c, t.tally.c
    size = select(func.sum(n.n)).where(n.announcement_id == a.id).scalar_subquery()
    rows = connection.execute(
        select(a.id, func.coalesce(size, 0)).where(a.id > after).order_by(a.id).limit(_BATCH)
    )
    chosen: list[int] = []
    together = 0
    for number, deliveries in rows:
        together += deliveries
        if chosen and together > AT_ONCE:
            break
        chosen.append(number)
    return chosen


def _compare_batch(
    connection: Connection, batch: Sequence[int], pruned_at: datetime | None, found: Compared
) -> None:
    first, last = batch[0], batch[-1]
    story = _heard(connection, first, last, found)
    found.transitions += story.transitions
    wordings = _wordings(connection, first, last)
    a = t.announcement.c
    n = t.note.c.announcement_id
    notes = set(connection.execute(select(n).where(n >= first, n <= last)).scalars())
    decided = _decisions(connection, first, last)
    judged = _verdicts(connection, first, last)
    for row in connection.execute(announcements_by(a.id >= first, a.id <= last)):
        found.announcements += 1
        told = story.announcements.pop(row.id, None)
        if told is None or told.actor is None:
            # The house's own words to one address nobody accepted; of others that may have been pruned.
            if row.id not in notes and (pruned_at is None or row.accepted_at > pruned_at):
                what = "it is there, and the record does not tell that it was accepted"
                found.add(f"announcement {row.public_id}", what)
            continue
        faults = _announcement_faults(told, row, wordings[row.id], decided.get(row.id))
        for what in (*faults, *_verdict_faults(told.judged, judged.get(row.id, ()))):
            found.add(f"announcement {row.public_id}", what)
    for lost in story.announcements:
        found.add(f"announcement number {lost}", "the record tells of it, and it is not there")
    _compare_deliveries(connection, first, last, story, pruned_at, found)
    _compare_attempts(connection, first, last, story, found)


def _heard(connection: Connection, first: int, last: int, found: Compared) -> Story:
    story, e = Story(), t.record_entry.c
    statement = (
        select(e.id, e.kind, e.at, e.announcement_id, e.body)
        .where(e.announcement_id >= first, e.announcement_id <= last)
        .order_by(e.announcement_id, e.id)
    )
    for row in _streamed(connection, statement):
        _hear(row, story.hear, found)
    return story


def _hear(row: Any, listen: Callable[[Mapping[str, Any]], None], found: Compared) -> None:
    """An entry's sealed bytes, held against the columns that stand beside them, and listened to."""
    number, kind, at, announcement, body = row
    try:
        told: Mapping[str, Any] = json.loads(body)
        beside = told["kind"] == kind and told.get("announcement") == announcement
        if not beside or abs(datetime.fromisoformat(told["at"]) - at) > SAME_TIME:
            found.add(f"entry {number}", "what stands beside its sealed bytes is not what they say")
        listen(told)
    except (AttributeError, LookupError, TypeError, ValueError):
        found.add(f"entry {number}", "it is not what Carillon wrote")


def _announcement_faults(
    told: AnnouncementTold, row: Row[Any], wordings: Wordings, decided: Standing | None
) -> Iterator[str]:
    if told.actor != (row.actor_kind, row.actor_id, row.on_behalf_of):
        yield "it was announced by somebody else, as the record says"
    if told.kept is not None and told.kept != kept_digest(announcement_of(row)):
        yield "its audience, ways, purpose, urgency or expiry is not what was accepted"
    # A wording may have been pruned as a whole; what is left of one is all of it.
    digests = {version: wording_digest(*wording) for version, wording in wordings.items() if wording[0]}
    if told.wording is not None and digests.get(1, told.wording) != told.wording:
        yield "its wording or its files are not what was accepted"
    for version in digests.keys() - {1}:
        if not told.struck and told.reworded.get(version) != digests[version]:
            yield f"version {version} of its wording is not what was written"
    if told.decided != decided:
        yield "it has a second person's yes or no that is not the one that the record tells of"
    if told.withdrawn is not (row.withdrawn_at is not None):
        yield (
            "it is withdrawn, and the record does not say so"
            if row.withdrawn_at
            else ("it is not withdrawn any more, and the record says it was")
        )
    if told.planned is not (row.fanned_out_at is not None):
        yield (
            "it is planned, and the record does not say so"
            if row.fanned_out_at
            else ("it is to be planned again, and the record says it was")
        )


def _verdict_faults(told: Sequence[Judged], there: Sequence[Judged]) -> Iterator[str]:
    for one in Counter(there) - Counter(told):
        yield f"it has a verdict that the record does not tell of: {_verdict(one)}"
    for one in Counter(told) - Counter(there):
        yield f"the record tells of a verdict that is not there: {_verdict(one)}"


def _verdict(judged: Judged) -> str:
    account, version, answer, code = judged
    return f"{account}, version {version} of the rules, {answer} {code}".rstrip()


def _compare_deliveries(
    connection: Connection,
    first: int,
    last: int,
    story: Story,
    pruned_at: datetime | None,
    found: Compared,
) -> None:
    d = t.delivery.c
    spared = false() if pruned_at is None else d.changed_at <= pruned_at
    rows = select(
        _text(d.id), d.announcement_id, d.state, d.code, d.settled_by, spared.label("spared")
    ).where(d.announcement_id.between(first, last))
    told = ((str(number), (*stands, False)) for number, stands in story.deliveries.items())
    count, there, missed = _unlike(connection, rows, told)
    found.deliveries += count
    for number, (announcement, state, code, settled_by, is_spared) in there.items():
        stands = story.deliveries.get(int(number))
        if stands is None and is_spared:
            continue
        what = delivery_fault(stands, state, code, settled_by)
        if what is None and stands is not None and stands.announcement != announcement:
            what = "it belongs to another announcement, as the record says"
        found.add(f"delivery {number}", what)
    for number in missed.keys() - there.keys():
        found.add(f"delivery {number}", "the record tells of it, and it is not there")


def _compare_attempts(connection: Connection, first: int, last: int, story: Story, found: Compared) -> None:
    d, at = t.delivery.c, t.attempt.c
    rows = (
        select(_text(at.id) + ":" + _text(at.delivery_id), at.outcome)
        .join(t.delivery, d.id == at.delivery_id)
        .where(d.announcement_id.between(first, last))
    )
    told = ((f"{number}:{delivery}", (said,)) for number, (delivery, said) in story.attempts.items())
    _, there, missed = _unlike(connection, rows, told)
    # One that nobody told of was lost with its worker, or its news came late: it moved nothing by its outcome.
    for one, (said,) in missed.items():
        number, _, delivery = one.partition(":")
        what = f"the record tells of it under delivery {delivery}, and it is not there"
        if one in there:
            what = f"it ended with {there[one][0] or 'nothing'}, and the record says {said}"
        found.add(f"attempt {number}", what)


Alike = tuple[Any, ...]  # what many rows have in common


def _unlike(
    connection: Connection, rows: Select[Any], told: Iterable[tuple[str, Alike]]
) -> tuple[int, Mapping[str, Alike], Mapping[str, Alike]]:
    """How many rows there are; and of those that are not as they are told, how each stands and how each is told.

    `rows` selects a row's name and what it is compared by. Few differ from each other in that: the database hands over
    the names of all that are alike as one text, at a quarter of what it costs to fetch and compare them one by one.
    """
    listed: dict[Alike, set[str]] = defaultdict(set)
    for name, alike in told:
        listed[alike].add(name)
    count = 0
    there: dict[str, Alike] = {}
    missed: dict[str, Alike] = {}
    named, *by = rows.subquery().c
    for text, *one in connection.execute(select(func.aggregate_strings(named, ","), *by).group_by(*by)):
        names, alike = set(text.split(",")), tuple(one)
        count += len(names)
        told_of = listed.pop(alike, set())
        there |= dict.fromkeys(names - told_of, alike)
        missed |= dict.fromkeys(told_of - names, alike)
    for alike, told_of in listed.items():
        missed |= dict.fromkeys(told_of, alike)
    return count, there, missed


def _text(number: Any) -> Any:
    return cast(number, String)


def _compare_laid_down(
    connection: Connection, now: datetime, pruned_at: datetime | None, found: Compared
) -> None:
    """What is about no announcement: the last that the record tells of each."""
    e, told = t.record_entry.c, Told()
    statement = select(e.id, e.kind, e.at, e.announcement_id, e.body).where(e.announcement_id.is_(None))
    for row in _streamed(connection, statement.order_by(e.id)):
        _hear(row, lambda body: hear(told, body), found)
    for where, what in differences(told, laid_down(connection, now), pruned_at=pruned_at):
        found.add(where, what)


def _unexplained(connection: Connection, last: int, found: Compared) -> None:
    """Entries about announcements beyond the last that there is."""
    e = t.record_entry.c
    beyond = select(func.count()).where(e.announcement_id > last)
    newest = connection.execute(select(func.max(t.announcement.c.id))).scalar_one() or 0
    if newest <= last and (count := connection.execute(beyond).scalar_one()):
        found.add("announcements", f"{count} entries tell of announcements that are not there")


def _decisions(connection: Connection, first: int, last: int) -> Mapping[int, Standing]:
    """What a second person decided, where that stands: what, who, and the digest of what it binds."""
    p = t.approval.c
    standing = select(p.announcement_id, p.decision, p.by, p.bound).where(p.void_at.is_(None))
    rows = connection.execute(standing.where(p.announcement_id.between(first, last)))
    return {announcement: (decision, by, bound) for announcement, decision, by, bound in rows}


def _verdicts(connection: Connection, first: int, last: int) -> Mapping[int, Sequence[Judged]]:
    found: dict[int, list[Judged]] = defaultdict(list)
    v, a = t.verdict.c, t.account.c
    query = select(v.announcement_id, a.name, v.rules_version, v.answer, v.code)
    there = query.join(t.account, a.id == v.account_id).where(v.announcement_id.between(first, last))
    for announcement, *judged in connection.execute(there):
        found[announcement].append(tuple(judged))
    return found


def _wordings(connection: Connection, first: int, last: int) -> Mapping[int, Wordings]:
    found: dict[int, Wordings] = defaultdict(lambda: defaultdict(lambda: ([], [])))
    c, f = t.content.c, t.content_attachment.c
    parts = select(c.announcement_id, c.version, c.language, c.part, c.text)
    for row in connection.execute(parts.where(c.announcement_id >= first, c.announcement_id <= last)):
        found[row.announcement_id][row.version][0].append((row.language, row.part, row.text))
    files = select(f.announcement_id, f.version, f.name, f.sha256)
    for file in connection.execute(files.where(f.announcement_id >= first, f.announcement_id <= last)):
        found[file.announcement_id][file.version][1].append((file.name, file.sha256))
    return found


def _streamed(connection: Connection, statement: Any) -> Iterable[Any]:
    """Rows through a cursor; untyped, for mypy counts the columns of a Row by its type."""
    return connection.execute(statement.execution_options(yield_per=_FETCHED))
