"""Templates: a row for each part of a version; versions are added and never changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, insert, select, update

from broker.announcement import Attachment, Part
from broker.audience import fold
from broker.ports.office import TemplateRow
from ledger.announcements import keep_file
from ledger.hand import Hand
from ledger.tables import attachment, department, template, template_attachment


class Templates:
    """See broker.ports.office.Templates."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def newest(self, slug: str, folded_name: str, language: str) -> TemplateRow | None:
        """The newest version that there is."""
        return self._one(_called(slug, folded_name, language), None)

    def version(self, slug: str, folded_name: str, language: str, version: int) -> TemplateRow | None:
        """One version."""
        return self._one(_called(slug, folded_name, language), version)

    def versions(self, slug: str, folded_name: str) -> Sequence[TemplateRow]:
        """Every version in every language, the newest first; files without their bytes."""
        which = (department.c.slug == slug, template.c.folded_name == folded_name)
        newest = (
            templates().where(*which).order_by(template.c.version.desc(), template.c.language, template.c.id)
        )
        rows = self._hand.connection.execute(newest).all()
        files: dict[int, list[Attachment]] = defaultdict(list)
        kept = template_attachment.c
        for file in self._hand.connection.execute(
            select(template_attachment).where(kept.template_id.in_([row.id for row in rows]))
        ):
            files[file.template_id].append(Attachment(file.sha256, file.name, "", b""))
        by_version = groupby(rows, key=lambda row: (row.version, row.language))
        found = [list(parts) for _, parts in by_version]
        return [replace(row_of(parts), attachments=tuple(files[parts[0].id])) for parts in found]

    def add(self, template_: TemplateRow) -> None:
        """Keep a version that is new."""
        run = self._hand.connection.execute
        owner = run(select(department.c.id).where(department.c.slug == template_.department)).scalar_one()
        rows = [
            {
                "department_id": owner,
                "name": template_.name,
                "folded_name": fold(template_.name),
                "version": template_.version,
                "language": template_.language,
                "part": part.value,
                "text": text,
                "made_at": self._hand.now,
                "made_by": template_.made_by,
            }
            for part, text in template_.parts.items()
        ]
        first = run(insert(template).values(rows[0]).returning(template.c.id)).scalar_one()
        if rows[1:]:
            run(insert(template), rows[1:])
        for file in template_.attachments:
            keep_file(self._hand, file)
            run(insert(template_attachment).values(template_id=first, name=file.name, sha256=file.sha256))

    def retire(self, slug: str, folded_name: str) -> int:
        """No version of it is offered any more."""
        owner = select(department.c.id).where(department.c.slug == slug).scalar_subquery()
        retired = self._hand.connection.execute(
            update(template)
            .where(template.c.department_id == owner, template.c.folded_name == folded_name)
            .where(template.c.retired_at.is_(None))
            .values(retired_at=self._hand.now)
            .returning(template.c.version)
        )
        return len(set(retired.scalars()))

    def _one(self, which: Sequence[ColumnElement[bool]], version: int | None) -> TemplateRow | None:
        if version is None:
            version = self._hand.connection.execute(
                select(func.max(template.c.version)).select_from(_OWNED).where(*which)
            ).scalar_one()
        rows = self._hand.connection.execute(
            templates().where(*which, template.c.version == version).order_by(template.c.id)
        ).all()
        return replace(row_of(rows), attachments=self._files(rows[0].id)) if rows else None

    def _files(self, first: int) -> tuple[Attachment, ...]:
        rows = self._hand.connection.execute(
            select(template_attachment.c.name, attachment)
            .join(attachment, attachment.c.sha256 == template_attachment.c.sha256)
            .where(template_attachment.c.template_id == first)
            .order_by(template_attachment.c.name)
        )
        return tuple(Attachment(row.sha256, row.name, row.media_type, row.bytes) for row in rows)


_OWNED = template.join(department, department.c.id == template.c.department_id)


def templates() -> Select[Any]:
    """Every part of every version, with the slug of its department."""
    return select(template, department.c.slug.label("department")).select_from(_OWNED)


def row_of(parts: Sequence[Row[Any]]) -> TemplateRow:
    """One version from the rows of its parts."""
    one = parts[0]
    return TemplateRow(
        one.department,
        one.name,
        one.version,
        one.language,
        {Part(row.part): row.text for row in parts},
        one.made_at,
        one.made_by,
        retired=one.retired_at is not None,
    )


def _called(slug: str, folded_name: str, language: str) -> Sequence[ColumnElement[bool]]:
    return (
        department.c.slug == slug,
        template.c.folded_name == folded_name,
        template.c.language == language,
    )
