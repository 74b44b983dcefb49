"""How an account stands, in one mark and a sentence: what keeps it from speaking comes before what only may."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from broker.gateways import Stand
from broker.licences.licensing import Shown
from broker.ports.outside import GatewayAt
from broker.rules.switches import Switch, SwitchKind
from ledger.reads.accounts import Queue
from ledger.reads.health import Alarm, GatewayStands

STANDS: Mapping[Stand, tuple[str, str]] = {
    Stand.CLOSED: ("good", "Well"),
    Stand.OPEN: ("warn", "Passed over"),
    Stand.HALF_OPEN: ("wait", "On trial"),
    Stand.OUT: ("stop", "Refused by its provider"),
}
MEANS: Mapping[Stand, str] = {
    Stand.CLOSED: "It is used in its turn.",
    Stand.OPEN: "It failed. After a while a few messages that are not urgent are tried by it.",
    Stand.HALF_OPEN: "A few messages that are not urgent are tried by it now.",
    Stand.OUT: "Nothing goes by it until somebody takes it back.",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """A sign with its word, and a sentence where there is more to say."""

    kind: str
    text: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Provider:
    """A gateway of an account with several."""

    name: str
    stands: GatewayStands
    mark: Mark
    pace: str

    @property
    def out(self) -> bool:
        """Whether somebody has to take it back, or may at once."""
        return self.stands.stand is not Stand.CLOSED


@dataclass(frozen=True, slots=True)
class Seen:
    """An account with all that its page and the list show of it."""

    shown: Shown
    mark: Mark
    department: str
    pace: str
    queue: Queue
    providers: Sequence[Provider]
    used: datetime | None = None
    paused_by: str = ""
    alarms: Sequence[Alarm] = ()

    @property
    def name(self) -> str:
        """As the settings name it."""
        return self.shown.account.name

    @property
    def held(self) -> int:
        """How many of the four angles hold."""
        return sum(one.holds for one in self.shown.standings.values())

    @property
    def last_day(self) -> str:
        """The last day on which it may speak, as people say it; "" while it may not."""
        return day_of(self.shown, self.shown.until)


def day_of(shown: Shown, until: datetime | None) -> str:
    """The last day before an instant at which something lapses."""
    if until is None:
        return ""
    return f"{(until - timedelta(microseconds=1)).astimezone(shown.terms.zone):%-d %B %Y}"


def mark_of(
    shown: Shown, providers: Sequence[Provider], off: Sequence[Switch], now: datetime, *, placed: bool
) -> Mark:
    """The one thing to say first about an account."""
    silent = _silent(shown, off)
    if silent is not None:
        return silent
    if not placed:
        return Mark("warn", "Not set up here", "The settings of this computer do not name it.")
    if providers and all(one.stands.stand is Stand.OUT for one in providers):
        return Mark("bad", "No provider is left", "Take one back, or nothing goes by it.")
    passed = [one.name for one in providers if one.stands.stand is not Stand.CLOSED]
    if passed:
        return Mark("warn", "Speaks by another provider", f"Not used at the moment: {', '.join(passed)}.")
    if shown.until is not None and shown.until - now <= shown.terms.warn:
        why = "Something is to be looked at again by then."
        return Mark("warn", f"Speaks until {day_of(shown, shown.until)}", why)
    return Mark("good", "Speaks")


def _silent(shown: Shown, off: Sequence[Switch]) -> Mark | None:
    """What keeps it from speaking at all, a person's word before what lapsed by itself."""
    for switch in off:
        if what := _stops(switch, shown):
            return Mark("stop", "Stopped", f"{what}: {switch.why}")
    if shown.account.paused_at is not None:
        return Mark("stop", "Paused", shown.account.paused_why)
    if shown.row is None:
        return Mark("bad", "May not speak", "Nobody has settled anything about it yet.")
    return None if shown.until is not None else Mark("bad", "May not speak", shown.lacking)


def providers_of(placed: Sequence[GatewayAt], stands: Sequence[GatewayStands]) -> Sequence[Provider]:
    """The gateways of an account that has several, with how each stands."""
    paces = {one.name: one.pace for one in placed}
    return [Provider(one.gateway, one, _mark_of_provider(one), paces.get(one.gateway, "")) for one in stands]


def _mark_of_provider(one: GatewayStands) -> Mark:
    kind, text = STANDS[one.stand]
    if one.held_by:
        text = f"Held out by {one.held_by}"
    return Mark(kind, text, MEANS[one.stand])


def _stops(switch: Switch, shown: Shown) -> str:
    """What a switch stops of this account; "" where it is none of its own."""
    if switch.kind is SwitchKind.EVERYTHING:
        return "Everything is stopped"
    if switch.kind is SwitchKind.CHANNEL and switch.subject == shown.account.channel:
        return "This channel is stopped"
    if switch.kind is SwitchKind.DEPARTMENT and switch.subject == shown.account.department:
        return "Its department is stopped"
    return ""
