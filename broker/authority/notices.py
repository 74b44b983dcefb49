"""Notices: from which templates a machine may speak to a single pupil, each by the version that somebody looked at.

A template's name proves nothing: whoever may save it could word it anew the next day. So the rule `adults.notices`
keeps with each name the digest of what was approved, and an announcement passes for a notice only where its own words
are that version's. A template with gaps is none: what fills them are words that nobody looked at.
"""

from __future__ import annotations

from collections.abc import Sequence

from broker.audience import fold
from broker.errors import Problem, RuleRefused
from broker.naming import gaps
from broker.ports import Transaction
from broker.ports.office import TemplateRow
from broker.rules.adults import NOTICES, Notice, notice
from broker.rules.case import AnnouncementCase
from broker.rules.values import Rules
from broker.scrutiny.audit import wording_digest


def digest_of(template: TemplateRow) -> str:
    """What an approval of a version is an approval of: its language, parts and files, hashed."""
    parts = [(template.language, part.value, text) for part, text in template.parts.items()]
    return wording_digest(parts, [(file.name, file.sha256) for file in template.attachments])


def bound(tx: Transaction, words: Sequence[str]) -> tuple[str, ...]:
    """What somebody typed (department/name), bound to the versions as they are now, one a language.

    With a digest it must be one of its versions. Raises RuleRefused for a template that there is not, or has gaps.
    """
    found: list[str] = []
    for word in words:
        said = notice(word)
        versions = tx.templates.versions(said.department.casefold(), fold(said.name))
        if said.digest:
            chosen = [each for each in versions if digest_of(each).startswith(said.digest)]
        else:
            newest = {each.language: each for each in reversed(versions)}
            chosen = [each for each in newest.values() if not each.retired]
        if not chosen:
            hint = f"save it first: carillon templates save {said.name[:40]}; see: carillon templates"
            raise RuleRefused(
                Problem("unknown_template", NOTICES, f"there is no template {word[:60]} to approve", hint)
            )
        if any(gaps(text) for each in chosen for text in each.parts.values()):
            why = f"the template {word[:60]} has gaps, and nobody has looked at what would fill them"
            raise RuleRefused(Problem("template_with_gaps", NOTICES, why, "save it without them"))
        found += [str(Notice(each.department, each.name, digest_of(each))) for each in chosen]
    return tuple(dict.fromkeys(found))


def is_approved(rules: Rules, template: TemplateRow) -> bool:
    """Whether the school lets a machine speak by this very version."""
    return _approves(rules, template.department, template.name, digest_of(template))


def was_approved(rules: Rules, department: str, name: str) -> bool:
    """Whether it does by any version of this template."""
    return any(each.is_of(department, fold(name)) for each in map(notice, rules.words(NOTICES)))


def worded_as(tx: Transaction, case: AnnouncementCase) -> tuple[str, ...]:
    """The digests of those versions of its template whose words an announcement has, and nothing more."""
    if case.template is None or len(case.contents) != 1:
        return ()
    [content] = case.contents
    said = {part: text for part, text in content.parts.items() if text}
    attached = {(file.name, file.sha256) for file in case.attachments}
    return tuple(
        digest_of(each)
        for each in tx.templates.versions(case.department, fold(case.template))
        if (each.language, each.parts) == (content.language, said)
        and attached <= {(file.name, file.sha256) for file in each.attachments}
    )


def _approves(rules: Rules, department: str, name: str, digest: str) -> bool:
    said = map(notice, rules.words(NOTICES))
    return any(each.is_of(department, fold(name)) and each.approves(digest) for each in said)
