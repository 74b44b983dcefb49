"""Consent: who said yes or no to what, for which channel, when, by what way it came, and what proves it.

A history: nothing in it is changed, and what was said last stands. Promotion needs a yes; a service message needs none,
and yet does not go where it was taken back. For a pupil a guardian may speak, and must below the ages of the rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from broker.actor import Actor
from broker.address import AddressKind
from broker.announcement import Purpose
from broker.authority.operators import must
from broker.errors import Problem, RuleBroken, UnknownChannel
from broker.office.families import the
from broker.ports import Ports, Transaction
from broker.ports.approvals import OperatorRole
from broker.ports.consents import ConsentRow, Said
from broker.ports.office import PersonRow
from broker.record import Entry
from broker.rosters.roster import Role
from broker.values import StopKind

LONGEST = 300  # characters of a source, or of what proves it
OLDEST = timedelta(days=366 * 30)
MOST_ROWS = 50_000
PAGE = 1_000


class ConsentRefused(RuleBroken):
    """Raised when consent cannot be kept as it was told, and nothing of it has been.

    `problems` has every fault, `problem` the first.
    """

    def __init__(self, first: Problem, *more: Problem) -> None:
        self.problems = (first, *more)
        super().__init__(first)


@dataclass(frozen=True, slots=True)
class Told:
    """One yes or no as a door hands it in, unchecked. `where` names it in a problem: a row of a file, or nothing.

    `person` and `by` are the school's own ids, or whole names; `by` is the guardian who said it, "" for the person.
    """

    person: str
    channel: str
    given: bool
    source: str
    purpose: Purpose = Purpose.PROMOTIONAL
    said_on: date | None = None  # None for now
    evidence: str = field(default="", repr=False)
    by: str = ""
    where: str = ""


def keep(
    ports: Ports,
    told: Sequence[Told],
    *,
    actor: Actor,
    also: Callable[[Transaction], None] = lambda _: None,
) -> int:
    """Keep what was told, all of it or nothing; returns for how many people.

    What is taken back stops what is in hand within a second, and wants no role. `also` is done in the same transaction.
    Raises ConsentRefused, NotAllowed.
    """
    kinds = _kinds(ports, told)

    def work(tx: Transaction) -> int:
        if any(one.given for one in told):
            must(tx, actor, OperatorRole.AUTHOR)
        said = _checked(tx, told)
        tx.consents.say(said, actor=actor)
        for channel, kind in kinds.items():
            lost = {one.person for one in said if one.channel == channel and not one.given}
            tx.stops.add_all(StopKind.ADDRESS, tx.consents.addresses_of(lost, kind))
        tx.record.add([_entry(said, actor, sheet=any(one.where for one in told))])
        also(tx)
        return len({one.person for one in said})

    return ports.ledger.transact(work)


def check(ports: Ports, told: Sequence[Told]) -> Sequence[Said]:
    """What would be kept, person by person; nothing is. Raises ConsentRefused."""
    _kinds(ports, told)
    with ports.ledger.look() as tx:
        return _checked(tx, told)


def look(ports: Ports, told: Sequence[Told]) -> int:
    """For how many people these would be kept; nothing is. Raises ConsentRefused where `keep` would."""
    _kinds(ports, told)
    with ports.ledger.look() as tx:
        return len({one.person for one in _checked(tx, told)})


def history_of(tx: Transaction, word: str) -> tuple[PersonRow, Sequence[ConsentRow]]:
    """Somebody's consent, the oldest first. Raises NotFound."""
    person = the(tx, word, "who")
    return person, [row for _, row in _pages(tx, person.id)]


def everything(ports: Ports, *, actor: Actor) -> Sequence[ConsentRow]:
    """The whole history, to be taken out of the house: the record keeps who did. Raises NotAllowed."""

    def work(tx: Transaction) -> Sequence[ConsentRow]:
        must(tx, actor, OperatorRole.AUTHOR)
        rows = [row for _, row in _pages(tx, None)]
        tx.record.add([Entry("consent.exported", actor, {"entries": len(rows)})])
        return rows

    return ports.ledger.transact(work)


def _pages(tx: Transaction, person: int | None) -> Iterator[tuple[int, ConsentRow]]:
    last = 0
    while page := tx.consents.history(person=person, after=last, limit=PAGE):
        yield from page
        last = page[-1][0]


def _kinds(ports: Ports, told: Sequence[Told]) -> Mapping[str, AddressKind]:
    """The channels named, each with what it writes to. Raises ConsentRefused."""
    if not told or len(told) > MOST_ROWS:
        what = "there is nothing to keep" if not told else f"there are more than {MOST_ROWS:,} rows"
        raise ConsentRefused(Problem("bad_file", "rows", what, "one row for each yes or no"))
    kinds: dict[str, AddressKind] = {}
    problems = []
    for one in told:
        if one.channel in kinds:
            continue
        try:
            kind = ports.channels.traits(one.channel).address_kind
        except UnknownChannel as unknown:
            hint = unknown.problems[0].hint
            problems.append(_problem(one, "unknown_channel", "channel", "there is no such channel", hint))
            continue
        if kind is None or not kind.of_people:
            message = "nobody knows who reads this way, so nobody consents to it"
            problems.append(_problem(one, "not_personal", "channel", message, "name sms or email"))
            continue
        kinds[one.channel] = kind
    if problems:
        raise ConsentRefused(*problems)
    return kinds


def _checked(tx: Transaction, told: Sequence[Told]) -> list[Said]:
    known = tx.families.by_source_ids(sorted({word for one in told for word in (one.person, one.by) if word}))
    zone, problems, said = ZoneInfo(tx.school.zone), list[Problem](), list[tuple[Told, Said]]()
    for one in told:
        try:
            said.append((one, _one(tx, one, known, zone)))
        except RuleBroken as wrong:
            problem = wrong.problem
            problems.append(_problem(one, problem.code, problem.field, problem.message, problem.hint))
    problems += _strangers(tx, said)
    if problems:
        raise ConsentRefused(*problems)
    return [each for _, each in said]


def _one(tx: Transaction, one: Told, known: Mapping[str, PersonRow], zone: ZoneInfo) -> Said:
    person = known.get(one.person) or the(tx, one.person, "person")
    guardian = (known.get(one.by) or the(tx, one.by, "by")) if one.by else None
    if guardian is not None and Role.PUPIL not in person.roles:
        raise RuleBroken(Problem("not_a_pupil", "by", "others speak only for pupils", "leave it out"))
    for name, words, least in (("source", one.source, 1), ("evidence", one.evidence, 0)):
        if not least <= len(words.strip()) <= LONGEST or (words and not words.isprintable()):
            hint = f"one line of at most {LONGEST} characters, such as: form of 3 March"
            raise RuleBroken(Problem("bad_text", name, "this cannot be kept", hint))
    said_at = _moment(one, zone, tx.now)
    return Said(
        person.id,
        one.channel,
        one.purpose,
        one.given,
        said_at,
        one.source.strip(),
        one.evidence.strip(),
        guardian.id if guardian else None,
    )


def _moment(one: Told, zone: ZoneInfo, now: datetime) -> datetime:
    """Of one day's words the no stands: a yes counts from the day's beginning, a no from its end."""
    if one.said_on is None:
        return now
    today = now.astimezone(zone).date()
    if one.said_on > today or one.said_on < today - OLDEST:
        message = "this day is yet to come" if one.said_on > today else "this day is too long ago"
        raise RuleBroken(Problem("bad_date", "on", message, "the day on which it was said"))
    begins = datetime.combine(one.said_on, time(0), zone)
    ends = datetime.combine(one.said_on, time(23, 59, 59), zone)
    return begins if one.given else min(ends, now)


def _strangers(tx: Transaction, said: Sequence[tuple[Told, Said]]) -> Sequence[Problem]:
    """Nobody speaks for a pupil but a guardian, and none whom a court keeps from it."""
    may = tx.consents.guardians_of({one.person for _, one in said if one.guardian is not None})
    message, hint = (
        "this is no guardian of the pupil's, or one who is blocked",
        "see: carillon people show WHO",
    )
    return [
        _problem(told, "not_their_guardian", "by", message, hint)
        for told, one in said
        if one.guardian is not None and one.guardian not in may.get(one.person, ())
    ]


def _problem(one: Told, code: str, field: str, message: str, hint: str) -> Problem:
    return Problem(code, f"{one.where}.{field}" if one.where else field, message, hint)


def _entry(said: Sequence[Said], actor: Actor, *, sheet: bool) -> Entry:
    """Ids and the way it came; what proves it may name people, and stays in the history, which can be erased.

    `sheet`: the rows of a file, which the record tells from a word kept by hand.
    """
    told = [
        [one.person, one.channel, one.purpose.value, one.given, one.said_at.isoformat(), one.guardian]
        for one in said
    ]
    sources = sorted({one.source for one in said})[:5]
    facts: dict[str, object] = {"said": told, "sources": sources}
    return Entry("consent.kept", actor, facts | ({"sheet": True} if sheet else {}))
