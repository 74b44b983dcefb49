"""What a school has settled about its accounts, and what stands on them that did not come from here."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol

from broker.licences.licence import Licence


@dataclass(frozen=True, slots=True)
class LicenceRow:
    """One account's newest licence, and what it came to when it was last judged.

    `stands_until` is None while an angle does not hold; `lacking` then says which, in plain words. `lapsing` is the
    angle that lapses first. `lapsed_at` is when its lapse was noticed and told, None while it stands.
    """

    account: str
    version: int
    licence: Licence = field(repr=False)
    digest: str
    made_at: datetime
    made_by: str
    stands_until: datetime | None
    lacking: str
    lapsing: str
    lapsed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Judged:
    """What a licence comes to at one moment, as the claims will read it."""

    stands_until: datetime | None
    lacking: str
    lapsing: str


@dataclass(frozen=True, slots=True)
class FoundPost:
    """A post on one of the school's accounts that the ledger did not make (R18).

    `carried` is the announcement (its public id) that took it into the feeds; else `why_not` says why none did.
    """

    account: str
    provider_id: str
    text: str = field(repr=False)
    posted_at: datetime
    found_at: datetime
    carried: str | None
    why_not: str


class Licences(Protocol):
    """Licences of accounts, as versions that are added and never changed."""

    def of(self, account: int) -> LicenceRow | None:
        """An account's newest licence; None where nothing was ever settled about it."""

    def all(self) -> Sequence[LicenceRow]:
        """The newest licence of every account that is configured, by its name."""

    def lock(self, account: int) -> None:
        """Keep whoever else settles something about the account waiting until the end."""

    def add(self, account: int, licence: Licence, *, digest: str, by: str) -> int:
        """Keep a version that is new; returns its number."""

    def judge(self, account: int, judged: Judged, *, lapsed_at: datetime | None) -> None:
        """Keep what the newest version comes to."""

    def wake(self, account: int) -> int:
        """What waited for a licence of this account is due at once; returns how many deliveries."""

    def warn(self, account: int, lapses_on: date, days: int) -> bool:
        """Take a step of warning; False when somebody told it before."""

    def mailed(self, account: int, lapses_on: date, days: int, how: str) -> None:
        """Keep how a step was mailed, or why it was not."""

    def staff_with(self, emails: Sequence[str]) -> list[str]:
        """The roster's ids of the staff who have one of these emails."""

    def department(self) -> str:
        """Who speaks for the school as a whole: the office, where there is one; else the first department."""

    def drop_specimens(self) -> Sequence[str]:
        """Take away what the sandbox gave; returns of which accounts."""


class Posts(Protocol):
    """What stands on accounts that anybody may read, and who made it."""

    def watch_due(self, account: int, *, every: timedelta) -> datetime | None:
        """Take the turn of reading an account's posts: since when they are ours to judge; None when it is not due.

        One worker of all takes a turn; the next comes `every` so long, and later after failures.
        """

    def watch_failed(self, account: int) -> int:
        """It could not be read; returns how often that has failed in a row."""

    def put_off(self, account: int, *, by: timedelta) -> None:
        """Let the next turn come so much later than now."""

    def watched(self, account: int) -> None:
        """It was read: next time only what is new, and the last quarter of an hour."""

    def ours(self, account: int, ids: Collection[str], digests: Collection[str]) -> tuple[set[str], set[str]]:
        """Of these, the ids that an attempt of ours has, and the digests of attempts whose answer is not known."""

    def keep_found(self, account: int, provider_id: str, text: str, posted_at: datetime) -> bool:
        """Keep a post that is not ours; False when it was found before."""

    def carried(self, account: int, provider_id: str, *, into: str | None, why_not: str) -> None:
        """Keep which announcement carries a found post, or why none does."""

    def to_carry(self, account: int) -> Sequence[FoundPost]:
        """What was found there within a day and neither carried nor refused yet, the oldest first."""

    def found(self, account: int | None = None, *, limit: int = 100) -> Sequence[FoundPost]:
        """What was found, the newest first."""

    def said_elsewhere(
        self, account: int, *, besides: int, within: timedelta, reworded: bool = False
    ) -> Sequence[tuple[str, str]]:
        """What other accounts of the channel say lately in other announcements: (account, text), 500.

        Of earlier ones, and of later ones that have begun; `reworded`: of every one, for whoever changes their words
        comes last.
        """
