"""What the ledger says against what providers truly have: nothing lost, nothing twice, nothing after a stop."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from broker.delivery import REACHED, State
from tests.support.invariants.seen import Seen

WITHIN = timedelta(seconds=1)  # of a stop's commit, nothing starts any more
PACE_WINDOW = timedelta(seconds=10)
LEFT = frozenset({State.SENT, State.DELIVERED, State.REJECTED, State.RETRACTED, State.UNCERTAIN})


def a_provider_with_look_up_accepts_each_delivery_at_most_once(seen: Seen) -> Iterator[str]:
    """Whatever crashes: who can be asked is asked before anything goes out again."""
    yield from _twice(seen, can_reconcile=True)


def without_look_up_at_most_once_unless_more_is_recorded(seen: Seen) -> Iterator[str]:
    """A mail goes out once; again only where a person decided so, or the channel says that it does no harm."""
    yield from _twice(seen, can_reconcile=False)


def sent_means_that_the_provider_has_it(seen: Seen) -> Iterator[str]:
    """`sent` and `delivered` are never said of what no provider took."""
    for row in seen.in_state(*REACHED):
        if not seen.had[row.id] and not seen.traits[row.channel].duplicates_harmless:
            yield f"delivery {row.id} by {row.channel} is {row.state} and the provider lacks it"


def what_a_provider_has_is_explained(seen: Seen) -> Iterator[str]:
    """Every message that a provider took belongs to a delivery whose try began."""
    for one in seen.had[None]:
        yield f"{one.channel} has {one.provider_id or one.announcement}, which no delivery explains"
    for delivery in seen.had.keys() - {None}:
        if not seen.attempts.get(delivery or 0):
            yield f"delivery {delivery} left, and no start of it was committed"


def what_a_provider_has_ends_as_told(seen: Seen) -> Iterator[str]:
    """In the end: sent, delivered, rejected, retracted or uncertain. Never waiting, given up or called withdrawn."""
    for delivery in seen.had.keys() - {None}:
        row = seen.deliveries[delivery or 0]
        # Where duplicates are harmless nobody is asked, for there is nobody: a feed shows what the ledger calls sent.
        if row.state not in LEFT and not seen.traits[row.channel].duplicates_harmless:
            yield f"delivery {delivery} by {row.channel} is {row.state} ({row.code}), and the provider has it"


def nothing_starts_after_a_stop(seen: Seen) -> Iterator[str]:
    """No more than a second after a withdrawal, an expiry, an opt-out or a pause was committed."""
    opted_out = {(bytes(row.hash), row.channel): row.at for row in seen.tables["suppression"]}
    paused = {row.id: row.paused_at for row in seen.tables["account"]}
    for delivery, messages in seen.had.items():
        if delivery is None:
            continue
        row = seen.deliveries[delivery]
        announcement = seen.announcements[row.announcement_id]
        stops = {
            "withdrawal": announcement.withdrawn_at,
            "correction": announcement.corrected_at,
            "expiry": announcement.expires_at,
            "opt-out": opted_out.get((bytes(row.hash or b""), row.channel)),
            "pause": paused[row.account_id],
        }
        for one in messages:
            for what, at in stops.items():
                if at is not None and one.at is not None and one.at > at + WITHIN + seen.slack:
                    yield f"delivery {delivery} left {one.at - at} after its {what}"


def pace_is_kept(accepted: Iterable[datetime], per_second: float) -> Iterator[str]:
    """In no ten seconds more than ten seconds' quota and one."""
    times = sorted(accepted)
    most = per_second * PACE_WINDOW.total_seconds() + 1
    for place, begin in enumerate(times):
        within = bisect_left(times, begin + PACE_WINDOW) - place
        if within > most:
            yield f"{within} accepted in {PACE_WINDOW} where {most:.0f} may be"
            return


def every_paced_account_keeps_its_pace(seen: Seen) -> Iterator[str]:
    """The provider's own clock is the judge."""
    paces = {row.id: (row.name, row.per_second) for row in seen.tables["account"] if row.per_second}
    times: dict[int, list[datetime]] = defaultdict(list)
    for delivery, messages in seen.had.items():
        if delivery is not None and seen.deliveries[delivery].account_id in paces:
            times[seen.deliveries[delivery].account_id] += [one.at for one in messages if one.at is not None]
    for account, accepted in times.items():
        name, per_second = paces[account]
        yield from (f"{name}: {broken}" for broken in pace_is_kept(accepted, per_second))


def the_same_outcome(one: Seen, other: Seen) -> Iterator[str]:
    """Losing Redis changes no outcome: who was reached by which way is the same with it and without it."""
    first, second = (Counter((r.channel, r.value) for r in seen.in_state(*REACHED)) for seen in (one, other))
    if first != second:
        yield f"{sum(((first - second) + (second - first)).values())} were reached in one run and not in the other"


def _twice(seen: Seen, *, can_reconcile: bool) -> Iterator[str]:
    for delivery, messages in seen.had.items():
        if delivery is None:
            continue
        channel = seen.deliveries[delivery].channel
        traits = seen.traits[channel]
        if traits.can_reconcile is not can_reconcile or traits.duplicates_harmless:
            continue
        decided = sum(line.kind == "requeued" for line in seen.told.get(delivery, ()))
        if len(messages) > 1 + decided:
            yield f"delivery {delivery} left {len(messages)} times by {channel}"


ALWAYS = (
    a_provider_with_look_up_accepts_each_delivery_at_most_once,
    without_look_up_at_most_once_unless_more_is_recorded,
    sent_means_that_the_provider_has_it,
    what_a_provider_has_is_explained,
    nothing_starts_after_a_stop,
    every_paced_account_keeps_its_pace,
)
IN_THE_END = (what_a_provider_has_ends_as_told,)
