"""No number, address, name, token or body in any log, exception's words or Celery message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlalchemy import select

from ledger import tables as t
from ledger.connect import Ledger

SHORTEST = 4  # a name of three letters stands in many a word


def private_values(ledger: Ledger) -> frozenset[str]:
    """Every number, address, name and wording that this ledger holds."""
    columns = (
        t.address.c.value,
        t.person.c.given_name,
        t.person.c.family_name,
        t.person.c.preferred_name,
        t.content.c.text,
    )
    with ledger.reading() as hand:
        held = {value for column in columns for value in hand.connection.execute(select(column)).scalars()}
    return frozenset(value for value in held if value and len(value) >= SHORTEST)


def nothing_private(said: str, private: Iterable[str]) -> Iterator[str]:
    """What was said holds none of these; which one it held is not repeated."""
    found = sum(value in said or value.lstrip("+") in said for value in private)
    if found:
        yield f"{found} private values can be read in what was said"
