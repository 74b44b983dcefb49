"""The templates there are, each with its newest version."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from sqlalchemy import func, select

from broker.audience import fold
from broker.ports.office import TemplateRow
from ledger.hand import Hand
from ledger.tables import department, template
from ledger.templates import row_of, templates


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
    return [row_of(list(each)) for _, each in by_version]


def versions(hand: Hand, one: TemplateRow) -> Sequence[TemplateRow]:
    """Every version of a template in one language, the newest first."""
    query = (
        templates()
        .where(department.c.slug == one.department, template.c.language == one.language)
        .where(template.c.folded_name == fold(one.name))
        .order_by(template.c.version.desc(), template.c.id)
    )
    rows = hand.connection.execute(query).all()
    return [row_of(list(each)) for _, each in groupby(rows, key=lambda row: row.version)]
