"""The templates there are, each with its newest version."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from sqlalchemy import Row, func, select, text

from broker.announcement import Attachment
from broker.audience import fold
from broker.ports.office import TemplateRow
from ledger.hand import Hand
from ledger.office.templates import row_of, templates
from ledger.tables import attachment, department, template, template_attachment


def listed(hand: Hand, *, owner: str | None = None) -> Sequence[TemplateRow]:
    """The newest version of every template that is offered, by department, name and language."""
    newest = (
        select(
            template.c.department_id,
            template.c.folded_name,
            template.c.language,
            func.max(template.c.version).label("version"),
        )
        .group_by(template.c.department_id, template.c.folded_name, template.c.language)
        .subquery("newest")
    )
    query = (
        templates()
        .join(
            newest,
            (newest.c.department_id == template.c.department_id)
            & (newest.c.folded_name == template.c.folded_name)
            & (newest.c.language == template.c.language)
            & (newest.c.version == template.c.version),
        )
        .where(template.c.retired_at.is_(None))
        .order_by(department.c.slug, template.c.folded_name, template.c.language, template.c.id)
    )
    if owner is not None:
        query = query.where(department.c.slug == owner)
    rows = hand.connection.execute(query).all()
    by_version = groupby(rows, key=lambda row: (row.department, row.folded_name, row.language))
    return _with_names_of_files(hand, [list(each) for _, each in by_version])


def versions(hand: Hand, one: TemplateRow) -> Sequence[TemplateRow]:
    """Every version of a template in one language, the newest first."""
    query = (
        templates()
        .where(department.c.slug == one.department, template.c.language == one.language)
        .where(template.c.folded_name == fold(one.name))
        .order_by(template.c.version.desc(), template.c.id)
    )
    rows = hand.connection.execute(query).all()
    return _with_names_of_files(hand, [list(each) for _, each in groupby(rows, key=lambda row: row.version)])


def _with_names_of_files(hand: Hand, versions: Sequence[Sequence[Row[Any]]]) -> Sequence[TemplateRow]:
    """A file's bytes are read for one template alone, when it is used."""
    firsts = [rows[0].id for rows in versions]
    query = (
        select(template_attachment, attachment.c.media_type)
        .join(attachment, attachment.c.sha256 == template_attachment.c.sha256)
        .where(text(hand.dialect.any_of("template_attachment.template_id", "firsts")))
        .order_by(template_attachment.c.name)
    )
    files: defaultdict[int, list[Attachment]] = defaultdict(list)
    for row in hand.connection.execute(query, {"firsts": hand.dialect.ids(firsts)}) if firsts else ():
        files[row.template_id].append(Attachment(row.sha256, row.name, row.media_type, b""))
    return [replace(row_of(rows), attachments=tuple(files[rows[0].id])) for rows in versions]
