"""What the pages of imports share: who may open them, the worker that reads, and one staged import."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from broker.errors import NotFound, Problem
from broker.ports.approvals import OperatorRole
from broker.rosters import staging
from broker.rosters.staged import StagedRow
from config.importing import Importing
from web.door import MOST_BODY
from web.watch.desk import At, of_the_school, uuid_of
from web.watch.signing_in import NoPage

# Bytes of a file with its form: a large school's OneRoster zip has five million. Below what the door lets in at all, so
# that somebody whose file is larger is told so by a page.
MOST_UPLOAD = MOST_BODY * 3 // 4
SLOWEST_UPLOAD = timedelta(minutes=3)  # a school's line may be slow; signed in is whoever sends it


def may(at: At) -> None:
    """An import is the whole school's. Raises NoPage."""
    of_the_school(at, OperatorRole.AUTHOR, OperatorRole.ADMIN)


def importing(at: At) -> Importing:
    """What reads and takes in; one for a process."""
    found: Importing = at.request.app.state.importing
    return found


def staged(at: At, public_id: str) -> tuple[StagedRow, bool]:
    """One staged import, and whether whoever worked on it has died. Raises NoPage."""
    may(at)
    try:
        return staging.one(at.ports, uuid_of(public_id))
    except NotFound:
        raise NoPage(404, "not_found") from None


def refused_of(row: StagedRow) -> Sequence[Problem]:
    """Why it was refused, as far as it was: sentences without the full stop that a page puts there."""
    found = [Problem(**one) for one in row.told.get("refused", ())]
    return [replace(one, message=one.message.removesuffix(".")) for one in found]


def address_of(public_id: UUID) -> str:
    """Where a staged import is looked at."""
    return f"watch/import/{public_id}"
