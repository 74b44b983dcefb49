"""Templates: named wordings of a department, as versions that never change.

A wording may hold the personal parts, which each family gets its own words for, and gaps of its own such as {time},
which are filled in once, when it is announced.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from broker.actor import Actor
from broker.announcement import Attachment, Part
from broker.audience import fold
from broker.authority import operators
from broker.drafts import check_files
from broker.errors import InvalidAnnouncement, NotFound, NotToBeChanged, Problem
from broker.naming import fill_gaps, gaps
from broker.ports import Ports, Transaction
from broker.ports.office import TemplateRow
from broker.record import Entry, digest_of
from broker.wording import check_parts

LONGEST_NAME = 100
LONGEST_VALUE = 500


def save(
    ports: Ports,
    department: str,
    name: str,
    parts: Mapping[Part, str],
    *,
    language: str = "",
    attachments: tuple[Attachment, ...] = (),
    actor: Actor,
) -> TemplateRow:
    """Keep a wording with its files under a name: a new version, or the newest where it says the same already.

    Raises InvalidAnnouncement for what could not be announced, NotToBeChanged for a name that cannot be used, and
    NotAllowed.
    """
    check_files(attachments)
    checked = {part: text for part, text in check_parts(parts, gaps=True).items() if text}
    called = " ".join(name.split())
    if not (called and called.isprintable() and len(called) <= LONGEST_NAME):
        message = f"a template's name is 1 to {LONGEST_NAME} printable characters"
        raise NotToBeChanged(Problem("bad_name", "name", message, "such as Rehearsal"))

    def work(tx: Transaction) -> TemplateRow:
        _check_department(tx, department)
        operators.must_have(tx, actor, operators.ACTS, department)
        known = tx.templates.newest(department, fold(called), language)
        same = (
            known is not None
            and known.parts == checked
            and _digests(known.attachments) == _digests(attachments)
        )
        if known is not None and same and not known.retired:
            return known
        version = known.version + 1 if known is not None else 1
        made = TemplateRow(
            department, called, version, language, checked, tx.now, actor.id, attachments=attachments
        )
        tx.templates.add(made)
        tx.record.add([_entry("template.saved", made, actor)])
        return made

    return ports.ledger.transact(work)


def retire(ports: Ports, department: str, name: str, *, actor: Actor) -> int:
    """Offer a template no more, in no language; its versions stay. Returns how many were offered.

    Raises NotFound, NotAllowed.
    """

    def work(tx: Transaction) -> int:
        operators.must_have(tx, actor, operators.ACTS, department)
        retired = tx.templates.retire(department, fold(name)) if name.isprintable() else 0
        if not retired:
            raise _unknown()
        facts = {"department": department, "name": digest_of(name), "versions": retired}
        tx.record.add([Entry("template.retired", actor, facts)])
        return retired

    return ports.ledger.transact(work)


def the(
    tx: Transaction, department: str, name: str, *, language: str = "", version: int | None = None
) -> TemplateRow:
    """A template's newest version, or the one asked for. Raises NotFound."""
    if not (name.isprintable() and department.isprintable() and language.isprintable()):
        raise _unknown()
    if version is None:
        found = tx.templates.newest(department, fold(name), language)
        found = None if found is not None and found.retired else found
    else:
        found = tx.templates.version(department, fold(name), language, version)
    if found is None:
        raise _unknown()
    return found


def gaps_of(template: TemplateRow) -> tuple[str, ...]:
    """What somebody fills in when it is announced."""
    return tuple(dict.fromkeys(gap for text in template.parts.values() for gap in gaps(text)))


def begun(template: TemplateRow, values: Mapping[str, str]) -> dict[Part, str]:
    """The wording with what is filled in so far: a gap without a value stands as it is. For what nobody sends yet."""
    return {part: fill_gaps(text, values) for part, text in template.parts.items()}


def filled(template: TemplateRow, values: Mapping[str, str]) -> dict[Part, str]:
    """The wording with its own gaps filled; the personal parts stay for each family.

    Raises InvalidAnnouncement when a gap has no value, or a value no gap.
    """
    wanted = gaps_of(template)
    if missing := [gap for gap in wanted if not values.get(gap, "").strip()]:
        hint = f"add --fill {missing[0]}=…"
        raise _bad("missing_fill", f"nothing is given for {', '.join(missing)}", hint)
    if strange := sorted(values.keys() - set(wanted)):
        has = f"it has {', '.join(wanted)}" if wanted else "it has none"
        raise _bad("unknown_fill", f"this template has no {{{strange[0][:40]}}}", has)
    if any(len(value) > LONGEST_VALUE for value in values.values()):
        raise _bad("fill_too_long", f"a value has more than {LONGEST_VALUE} characters", "shorten it")
    return {part: fill_gaps(text, values) for part, text in template.parts.items()}


def worded(
    tx: Transaction,
    department: str,
    name: str,
    *,
    language: str = "",
    fills: Mapping[str, str],
    typed: Mapping[Part, str],
    files: Sequence[Attachment] = (),
) -> tuple[dict[Part, str], tuple[Attachment, ...]]:
    """A template's words with its gaps filled, but for the parts that were typed; and its files with those beside.

    Raises NotFound, NotToBeChanged, InvalidAnnouncement.
    """
    found = the(tx, department, name, language=language)
    return {**filled(found, fills), **typed}, with_files(found, files)


def with_files(template: TemplateRow, more: Sequence[Attachment]) -> tuple[Attachment, ...]:
    """The template's files and further ones; one of the same name stands in the place of the template's."""
    named = {file.name: file for file in (*template.attachments, *more)}
    return tuple(named.values())


def _digests(files: Sequence[Attachment]) -> Mapping[str, str]:
    return {file.name: file.sha256 for file in files}


def _entry(kind: str, made: TemplateRow, actor: Actor) -> Entry:
    facts = {
        "department": made.department,
        "name": digest_of(made.name),
        "version": made.version,
        "language": made.language,
        "files": [file.sha256 for file in made.attachments],
    }
    return Entry(kind, actor, facts)


def _check_department(tx: Transaction, department: str) -> None:
    if not (department.isprintable() and tx.announcements.department_exists(department)):
        message = "this department is not known"
        raise NotToBeChanged(Problem("unknown_department", "department", message, "see `carillon doctor`"))


def _unknown() -> NotFound:
    hint = "list them with: carillon templates"
    return NotFound(Problem("unknown_template", "template", "this department has no such template", hint))


def _bad(code: str, message: str, hint: str) -> InvalidAnnouncement:
    return InvalidAnnouncement(Problem(code, "fill", message, hint))
