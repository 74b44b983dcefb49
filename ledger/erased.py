"""What stands where a value has to be there and is nobody's any more: a mark, and the number of its row."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Text, cast, literal

MARK = "erased~"


def is_erased(column: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a person's source id, or an address, was emptied."""
    return column.like(f"{MARK}%")


def erased_mark(id_: ColumnElement[Any]) -> ColumnElement[str]:
    """What an emptied row holds, unlike every other."""
    return literal(MARK).concat(cast(id_, Text))
