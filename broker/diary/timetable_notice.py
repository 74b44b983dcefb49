"""The announcement of a push: to the classes concerned, in the words that the school has approved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from broker import intake
from broker.actor import Actor, ActorKind
from broker.announcement import Draft, Part, Step
from broker.audience import LONGEST, fold
from broker.authority import notices
from broker.diary.timetable_outlook import News
from broker.diary.timetable_sources import TimetableSource
from broker.errors import Problem, RuleBroken
from broker.moments import today_of
from broker.naming import CHANGES
from broker.office import templates
from broker.ports import Ports, Transaction
from broker.record import Entry
from broker.rules.adults import NOTICES


def announce(
    ports: Ports, tx: Transaction, source: TimetableSource, news: Sequence[News], actor: Actor
) -> intake.Accepted:
    """Make it, and keep who is told which line. Raises RuleBroken."""
    audience, chosen = _audience(news, tx.timetables.names({each.line.group for each in news}))
    lines = [each.line for each in chosen]
    _must_be_personal(ports, source)
    draft = Draft(
        department=source.department,
        audience=audience,
        people=source.people,
        ways=(Step(source.ways),),
        parts=_wording(tx, source),
        key=f"timetable {source.name} {tx.now.isoformat()}",
        expires_at=max(each.until for each in lines),
        template=source.template,
    )
    machine = Actor(ActorKind.TOKEN, f"timetable {source.name}", on_behalf_of=actor.id, token=actor.token)
    made = intake.accept_within(ports, tx, draft, actor=machine)
    today = today_of(tx)
    tx.timetables.add(made.announcement, source.name, lines, today)
    facts = {"source": source.name, "lines": len(lines), "changes": changes_in(chosen)}
    tx.record.add([Entry("timetable.told", actor, facts, made.announcement.id)])
    return made


def changes_in(news: Sequence[News]) -> int:
    """How many changes they are about; one of two classes is one."""
    return len({each.change or each.line.key for each in news})


def is_approved(tx: Transaction, source: TimetableSource) -> bool:
    """Whether the school lets a machine speak by this template as it is worded now."""
    found = tx.templates.newest(source.department, fold(source.template), "")
    return found is not None and not found.retired and notices.is_approved(tx.rules.current(), found)


def _audience(news: Sequence[News], names: Mapping[int, str]) -> tuple[str, Sequence[News]]:
    """The groups that fit into one expression, the first days first; what is left over the next push tells."""
    chosen: dict[int, str] = {}
    room = LONGEST
    for each in news:
        if each.line.group not in chosen:
            quoted = f'"{names[each.line.group]}"'
            room -= len(quoted) + len(" + ")
            if room < 0:
                break
            chosen[each.line.group] = quoted
    return " + ".join(chosen.values()), [each for each in news if each.line.group in chosen]


def _must_be_personal(ports: Ports, source: TimetableSource) -> None:
    """Each family reads its own children's changes: nothing of that is for everybody."""
    for way in source.ways:
        if ports.channels.traits(way).for_anybody:
            raise _bad(
                "public_way",
                "via",
                f"changes are told to each family, and nobody knows who reads {way}",
                "name sms or email",
            )


def _wording(tx: Transaction, source: TimetableSource) -> Mapping[Part, str]:
    """The newest version of the template, which the school has approved and which says where the changes belong."""
    said = f"{source.department}/{source.template}"
    template, rules = templates.the(tx, source.department, source.template), tx.rules.current()
    if not notices.is_approved(rules, template):
        hint = f'look at its words, then: carillon rules set {NOTICES} "{said}" --why "…"'
        changed = notices.was_approved(rules, source.department, source.template)
        how = "was worded anew since it was approved" if changed else "is not approved"
        raise _bad("template_not_approved", "template", f"the template {said} {how} for notices", hint)
    parts = templates.filled(template, {})
    spoken = [text for part, text in parts.items() if part in {Part.SHORT, Part.LONG}]
    if not all(CHANGES in text for text in spoken):
        hint = f"save it anew with {CHANGES} where the changes belong, in the short text too if it has one"
        raise _bad("template_without_changes", "template", f"the template {said} has no {CHANGES}", hint)
    return parts


def _bad(code: str, field: str, message: str, hint: str) -> RuleBroken:
    return RuleBroken(Problem(code, field, message, hint))
