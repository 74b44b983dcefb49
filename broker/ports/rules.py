"""The school's rules, the facts they judge an announcement by, the verdicts they gave, and the kill switches."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from broker.actor import Actor
from broker.announcement import Announcement
from broker.policy import Evidence
from broker.rules.case import AnnouncementCase
from broker.rules.switches import Switch, SwitchKind
from broker.rules.values import Rules
from broker.values import AccountRow


@dataclass(frozen=True, slots=True)
class RulesVersion:
    """One version of the rules as it was kept: what differed from the defaults, when, by whom and why."""

    version: int
    changed: Mapping[str, str]
    at: datetime
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class KeptVerdict:
    """One answer of the rules about an announcement on an account. `answer` is allow, hold or refuse."""

    announcement: int
    account: int
    account_name: str
    channel: str
    rules_version: int
    at: datetime
    answer: str
    code: str
    why: str
    until: datetime | None
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Standing:
    """An announcement's case as it stands now, and the last answer kept about it: (rules version, answer, code)."""

    case: AnnouncementCase
    last: tuple[int, str, str] | None


class RuleBook(Protocol):
    """Versions of the rules."""

    def current(self) -> Rules:
        """The rules in force; read once a version and process. Raises RulesUnreadable."""

    def add(self, changed: Mapping[str, str], *, by: Actor, why: str, after: int | None = None) -> Rules:
        """Keep a new version, whole; nobody else's is lost. Raises RuleRefused for nonsense.

        `after`: the version that was changed, where one could be read; whoever changed it too at the same time fails on
        the number, and is tried again.
        """

    def history(self) -> Sequence[RulesVersion]:
        """Every version, the newest first."""


class Cases(Protocol):
    """Facts for the rules: a set of announcements on one account in one statement."""

    def standing(self, announcements: Collection[int], account: AccountRow) -> Mapping[int, Standing]:
        """What may change from one second to the next, without the wordings. Raises RulesUnreadable."""

    def whole_on(
        self, wanted: Sequence[tuple[AccountRow, Collection[int]]]
    ) -> Mapping[int, Mapping[int, Standing]]:
        """The same as `whole`, by the number of each account, of several at once."""

    def whole(self, announcements: Collection[int], account: AccountRow) -> Mapping[int, Standing]:
        """Everything, for what is judged once. Raises RulesUnreadable."""

    def count(self, announcement: int, counted: int, expected: int | None = None) -> None:
        """Keep how many people it tells; `expected` is kept when somebody typed it, and else left as it was."""

    def count_all(self, counts: Sequence[tuple[int, int, int | None, int | None]]) -> None:
        """(announcement, people, typed, norm) of announcements that were never counted."""

    def norm(self, department: str) -> int | None:
        """How many people the department usually tells; None while it has too little history."""

    def is_planned(self, announcement: int) -> bool:
        """Whether deliveries of it have been planned, so that something may have left."""

    def has_begun(self, announcement: int) -> bool:
        """Whether it is being planned, or was."""

    def look_again(self, announcement: int | None = None) -> None:
        """Whatever waits for a rule is due at once, and judged anew; of one announcement, or of all."""

    def readable(self) -> None:
        """Find out whether the facts can be had. Raises RulesUnreadable."""

    def hold(self, announcement: int, until: datetime | None, code: str = "", why: str = "") -> None:
        """Keep the whole announcement from being planned until then; None lets it go."""


class Verdicts(Protocol):
    """Answers that were new."""

    def keep(self, verdicts: Sequence[KeptVerdict]) -> None:
        """Keep them; who and why also go into the record, which is the caller's business."""

    def of(self, announcement: Announcement) -> Sequence[KeptVerdict]:
        """Every answer about an announcement, the oldest first."""


class Switches(Protocol):
    """Kill switches of channels, departments and everything."""

    def off(self) -> Sequence[Switch]:
        """What is switched off, paused accounts among it."""

    def stands_still(self, department: str) -> bool:
        """Whether nothing of a department may leave by any way: it is stopped, or everything is."""

    def let_go_at(self, department: str) -> datetime | None:
        """When that last ended; None where it never was."""

    def switch_off(self, kind: SwitchKind, subject: str, why: str, *, by: Actor) -> bool:
        """Switch it off and stop what is in hand; False when it was off already."""

    def switch_on(self, kind: SwitchKind, subject: str, *, by: Actor) -> bool:
        """Switch it on; what it held is due at once. False when it was not off."""
