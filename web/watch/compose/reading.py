"""What stands beside the form while somebody writes: what each way would give to read, and whom it would reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from broker import audience as audiences
from broker.announcement import Draft
from broker.errors import Problem, RuleBroken, SetupError
from broker.money import written
from broker.office import expressions
from broker.office.reach import Question, Statement, before
from broker.wording import check_parts
from config.rehearsal import Reading, readings
from web.watch import words as shared
from web.watch.compose import asked, looking, words
from web.watch.compose.choices import Choices
from web.watch.compose.looking import Looked
from web.watch.desk import At, Form, acting


@dataclass(frozen=True, slots=True)
class Shown:
    """One way's rendering; a problem instead where it cannot be written at all."""

    name: str
    reading: Reading | None = None
    problems: Sequence[Problem] = ()
    each: str = ""


@dataclass(frozen=True, slots=True)
class Read:
    """Every way's; `problem` is of the words themselves."""

    ways: Sequence[Shown] = ()
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom it would reach; with what the rules say where all of it is there to be judged."""

    statement: Statement | None = None
    looked: Looked | None = None
    problem: Problem | None = None
    told: str = ""


def read(at: At, form: Form, offered: Choices) -> Read:
    """What each way would give to read, of what stands there so far; empty while nothing does."""
    draft = asked.begun(form, offered)
    if not any(draft.parts.values()):
        return Read()
    try:
        parts = check_parts(draft.parts, gaps=offered.template is not None)
    except RuleBroken as broken:
        return Read(problem=words.told(broken.problem))
    known = {way.name for way in offered.ways}
    draft = _by_known(replace(draft, parts=parts), known)
    currency = at.settings.school.currency
    return Read([shown(name, one, currency) for name, one in readings(at.ports, draft).items()])


def reach(at: At, form: Form, offered: Choices, *, names: bool = False) -> Reach:
    """Whom it would reach, and what the rules say; empty while nobody is chosen."""
    draft = asked.begun(form, offered)
    if not draft.audience or not asked_ways(draft):
        return Reach()
    told = shared.audience(draft)
    try:
        looked = looking.look(at, asked.draft_of(at, form, offered))
    except (RuleBroken, SetupError):  # not whole yet: it is looked at in full before it is sent
        return _of_people(at, draft, told)
    return Reach(looked.reach, looked, told=told)


def asked_ways(draft: Draft) -> Sequence[str]:
    """Every way that is named."""
    return [name for step in draft.ways for name in step.channels]


def _of_people(at: At, draft: Draft, told: str) -> Reach:
    """Whom alone: the words are still to be written."""
    try:
        tree = audiences.parse(draft.audience)
        with at.ports.ledger.look() as tx:
            expressions.must_see(tx, tree, acting(at))
            channels = tuple(
                name
                for name in asked_ways(draft)
                if tx.accounts.for_channel(name, draft.department) is not None
            )
            question = Question(
                expressions.resolve(tx, tree),
                draft.people,
                channels,
                draft.department,
                draft.purpose,
                draft.urgency,
            )
            return Reach(before(at.ports, tx, question), told=told)
    except RuleBroken as broken:
        return Reach(problem=words.told(broken.problem), told=told)
    except SetupError as fault:
        return Reach(problem=words.told(fault.problems[0]), told=told)


def shown(name: str, one: Reading | Problem, currency: str) -> Shown:
    """One way, as a page has it."""
    if isinstance(one, Problem):
        return Shown(name, problems=[words.told(one)])
    each = written(one.each, currency) if one.each > Decimal(0) else ""
    return Shown(name, one, [words.told(problem) for problem in one.problems], each)


def _by_known(draft: Draft, known: set[str]) -> Draft:
    steps = tuple(
        replace(step, channels=tuple(name for name in step.channels if name in known)) for step in draft.ways
    )
    return replace(draft, ways=steps)
