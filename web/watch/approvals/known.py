"""What every page about one announcement asks first: whether it is there for whoever asks, and how it stands."""

from __future__ import annotations

from dataclasses import dataclass

from broker.authority.approvals import SHORT
from broker.ports.approvals import Decided, Decision
from ledger.reads.approvals import Looked, department_of, looked_at
from web.watch.desk import At, uuid_of
from web.watch.signing_in import NoPage


@dataclass(frozen=True, slots=True)
class Known:
    """An announcement as somebody decides about it. `without`: it went without a yes, not reviewed yet."""

    looked: Looked
    department: str
    without: Decision | None

    @property
    def seen(self) -> str:
        """What a decision says that it is about."""
        return self.looked.binding.digest[:SHORT]


def known(at: At, public_id: str) -> Known:
    """Raises NoPage where there is none, or it is another department's."""
    wanted = uuid_of(public_id)
    with at.reading() as hand:
        department = department_of(hand, wanted, at.department)
        looked = looked_at(hand, wanted) if department is not None else None
    if department is None or looked is None:
        raise NoPage(404, "not_found")
    went = (one for one in looked.decisions if one.decided is Decided.OVERRIDDEN and one.reviewed_at is None)
    return Known(looked, department, next(went, None))
