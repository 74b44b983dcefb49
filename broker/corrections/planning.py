"""Planning a follow-up: what is decided of its thread becomes deliveries, what is not is looked at again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from broker.actor import Actor
from broker.announcement import AS_CORRECTION, RIGHT_TEXT, UNSETTLED, Announcement, FollowUp, Urgency
from broker.capabilities import Withdraws
from broker.corrections.law import AGAIN, OVER
from broker.duty import Unreached
from broker.errors import SetupError
from broker.house_rules import CORRECTED
from broker.ladders.in_order import waits_for_way
from broker.office.reach import Untold, in_one, kinds_of, nothing_there
from broker.ports import Ports, Transaction
from broker.record import Entry
from broker.values import AccountRow, DeliverHint, Lane

PARTITION = 20_000  # addresses a transaction
CHUNK = 2_000
RECHECK = timedelta(seconds=1)  # of what is being sent
LONGEST = timedelta(seconds=10)  # of what is only looked up: evidence may come before
TELLS = frozenset({FollowUp.CORRECTION, FollowUp.WITHDRAWAL})  # those who have it that it is wrong
ALONE = AGAIN | {FollowUp.EDIT}  # go out whatever became of the first
Still = Callable[[Transaction, UUID], Announcement | None]


def begin(ports: Ports, tx: Transaction, announcement: Announcement, *, actor: Actor) -> bool:
    """What is to be done once before it is planned; whether its duties are known by that. It takes effect now."""
    if announcement.follow_up is FollowUp.CORRECTION:
        before = tx.threads.before(announcement.id)
        for each in tx.threads.take_effect(before):
            tx.retractions.want(each, but=_in_place(ports))
            facts = {"by": str(announcement.public_id)}
            tx.record.add([Entry("announcement.corrected", actor, facts, each)])
        return bool(tx.threads.add_duties(announcement.id, before))
    return announcement.follow_up is not None


def is_begun(tx: Transaction, announcement: Announcement) -> bool:
    """Whether it was half planned before, and waited for its thread: the rules let it go then."""
    return announcement.follow_up is not None and announcement.hold_code == UNSETTLED


def plan(ports: Ports, announcement: Announcement, *, actor: Actor, still: Still) -> tuple[int, bool]:
    """Plan what can be planned; returns how many deliveries were added, and whether the rest has to wait.

    Resumable and safe to repeat, as all fan-out. `still` reads the announcement anew, locked, or None when it is over.
    """
    added, waits = 0, False
    if announcement.follow_up is FollowUp.CORRECTION:
        _end_queued(ports, announcement, actor)
    with ports.ledger.look() as tx:
        channels = _channels(tx, announcement)
        # Before anything is decided: what settles meanwhile may be of a way that was looked at already.
        unsettled, looked_up = _unsettled(tx, announcement)
    for channel in channels:
        while True:
            step = ports.ledger.transact(
                lambda tx, c=channel: _step(ports, tx, announcement, c, still),  # type: ignore[misc]
                ahead=announcement.urgency is Urgency.URGENT,
            )
            if step is None:
                return added, True
            count, account, done, later = step
            added, waits = added + count, waits or later
            if count:
                urgent = announcement.urgency is Urgency.URGENT
                ports.hints.publish(DeliverHint(account, channel, Lane.URGENT if urgent else Lane.ROUTINE))
            if done:
                break
    if unsettled:
        ports.ledger.transact(lambda tx: _wait(tx, announcement, looked_up, still))
    return added, waits or unsettled


def explain(ports: Ports, tx: Transaction, announcement: Announcement) -> int:
    """Say of those whom only a way had reached that there is no more that nothing goes to them; how many they are."""
    if announcement.follow_up not in TELLS:
        return 0
    before = tx.threads.before(announcement.id)
    gone = _gone(ports, tx, announcement, before)
    return tx.threads.lose(announcement, before, gone) if gone else 0


def untold(ports: Ports, tx: Transaction, announcement: Announcement) -> Sequence[Untold]:
    """Whom nothing of a rehearsed follow-up would reach, as it stands, and why: by group and name."""
    if announcement.follow_up not in TELLS:
        return ()
    explain(ports, tx, announcement)
    kinds = kinds_of(ports.channels, announcement)
    later = {kinds[name] for step in announcement.ways[1:] for name in step.channels if name in kinds}
    lost = tx.threads.untold(announcement, tx.threads.before(announcement.id), later)
    if not kinds:  # by ways alone that everybody reads: they miss nothing but the way that they had
        lost = {person: why for person, why in lost.items() if why is Unreached.WAY_GONE}
    lacking = tx.reaches.lacking(announcement.people, sorted(lost)) if lost else ()
    return [
        Untold(
            one.public_id,
            one.name,
            one.group,
            Unreached.WAY_GONE.value
            if lost[one.person] is Unreached.WAY_GONE
            else in_one((name, nothing_there(one, kind)) for name, kind in kinds.items()),
        )
        for one in lacking
    ]


def usable(ports: Ports, tx: Transaction, department: str) -> Callable[[str], bool]:
    """Whether a department has an account by a channel, and the channel is installed with all that it needs."""

    def is_usable(channel: str) -> bool:
        try:
            ports.channels.traits(channel)
        except SetupError:
            return False
        return tx.accounts.for_channel(channel, department) is not None

    return is_usable


def tell_if_over(tx: Transaction, announcement: Announcement, lost: int) -> None:
    """An alarm where a correction, or that something is taken back, had to wait until its time was over.

    From what the ledger keeps, so that it is told whichever planner ends it; `lost`: whom it waited for a way to tell
    that never came back. Whoever has the wrong text keeps it, which somebody has to know before all else.
    """
    if announcement.follow_up not in TELLS:
        return
    if tx.now < announcement.expires_at or not tx.threads.counted(announcement.id):
        return
    if tx.threads.came_late(announcement) or lost:
        why = "its time was over while it waited: whoever has the wrong text keeps it"
        tx.sweeps.raise_alarm(OVER, str(announcement.public_id), why)


def rehearse(ports: Ports, tx: Transaction, announcement: Announcement, *, actor: Actor) -> None:
    """Plan all that is decided in this one transaction, which somebody takes back."""
    begin(ports, tx, announcement, actor=actor)
    if announcement.follow_up is FollowUp.CORRECTION:
        for each in tx.threads.before(announcement.id):
            while _end(tx, each, actor):
                continue
    for channel in _channels(tx, announcement):
        while True:
            step = _step(ports, tx, announcement, channel, lambda *_: announcement)
            if step is None or step[2]:
                break


def _channels(tx: Transaction, announcement: Announcement) -> Sequence[str]:
    """The ways of its first step, and every way that something of its thread went; of what is said again, all."""
    first = announcement.ways[0].channels
    if announcement.follow_up in AGAIN:
        return [channel for step in announcement.ways for channel in step.channels]
    if announcement.follow_up not in TELLS:
        return first
    gone = tx.threads.channels(tx.threads.before(announcement.id))
    return tuple(dict.fromkeys((*first, *gone)))


def _end_queued(ports: Ports, announcement: Announcement, actor: Actor) -> None:
    """What waited of the thread never leaves. What is being sent ends by itself, within a second by the brake."""
    with ports.ledger.look() as tx:
        before = tx.threads.before(announcement.id)
    for each in before:
        while ports.ledger.transact(lambda tx, one=each: _end(tx, one, actor)):  # type: ignore[misc]
            continue


def _end(tx: Transaction, announcement: int, actor: Actor) -> int:
    ended = tx.moves.withdraw_queued(
        announcement, limit=CHUNK, code=CORRECTED, why="a correction says it rightly"
    )
    if ended:
        facts = {"deliveries": ended, "code": CORRECTED}
        tx.record.add([Entry("deliveries.withdrawn", actor, facts, announcement)])
    return len(ended)


def _step(
    ports: Ports, tx: Transaction, announcement: Announcement, channel: str, still: Still
) -> tuple[int, str, bool, bool] | None:
    """One transaction on one channel: how many were added, by which account, whether it is done, whether it waits."""
    first = _first(tx, announcement) if announcement.follow_up in AGAIN else None
    now = still(tx, announcement.public_id)
    if now is None:
        return None
    account = tx.accounts.for_channel(channel, now.department)
    if account is None:  # taken out of the settings: the other ways go on without it
        return 0, "", True, _is_one_of(now, channel) and waits_for_way(tx, now)
    before = tx.threads.before(now.id)
    try:
        kind = ports.channels.traits(channel).address_kind
        if kind is None:
            return _public(ports, tx, now, channel, account, before)
    # It cannot be had or opened now: the other ways go on, and its account's alarm says so.
    except SetupError:
        return 0, account.name, True, _is_one_of(now, channel) and waits_for_way(tx, now)
    if first is not None:
        # In order: by the ways that have opened for each. The ladder of the first goes on from there.
        step = _step_of(first, channel) if len(now.ways) > 1 else 0
        added = tx.threads.send_again(now, first.id, channel, account, kind, step=step)
        return added, account.name, True, False
    over = now.expires_at <= tx.now  # nothing of it leaves any more: all of it is explained
    followed = tx.threads.follow(now, before, channel, account, kind, limit=PARTITION, undecided=over)
    if followed == PARTITION or now.follow_up is FollowUp.WITHDRAWAL or channel not in now.ways[0].channels:
        return followed, account.name, followed < PARTITION, False
    progress = tx.plans.add_partition(now, channel, account, kind, size=PARTITION, before=before)
    if now.follow_up is FollowUp.CORRECTION and (gone := _gone(ports, tx, now, before)):
        tx.threads.say_so(now, before, gone)
    return followed + progress.deliveries, account.name, progress.done, False


def _is_one_of(announcement: Announcement, channel: str) -> bool:
    """Whether it goes by this way itself; another one is of its thread alone, and nobody waits for that."""
    return any(channel in step.channels for step in announcement.ways)


def _gone(ports: Ports, tx: Transaction, announcement: Announcement, before: Sequence[int]) -> Sequence[str]:
    """Ways of its thread that there are no more."""
    usable_still = usable(ports, tx, announcement.department)
    return [channel for channel in tx.threads.channels(before) if not usable_still(channel)]


def _first(tx: Transaction, announcement: Announcement) -> Announcement:
    """What is said again, locked, and before that which says it: as whoever withdraws it, and whoever climbs."""
    assert announcement.corrects is not None  # noqa: S101 - it follows something up
    first = tx.announcements.by_id(announcement.corrects)
    return tx.announcements.by_public_id(first.public_id, lock=True) or first


def _step_of(first: Announcement, channel: str) -> int:
    return next((place for place, step in enumerate(first.ways) if channel in step.channels), 0)


def _public(
    ports: Ports,
    tx: Transaction,
    now: Announcement,
    channel: str,
    account: AccountRow,
    before: Sequence[int],
) -> tuple[int, str, bool, bool]:
    """In place of what stands there, or in place of what is deleted; where neither can be, it says what it is."""
    left = tx.threads.public_left(before, channel)
    if left is None and now.follow_up is not FollowUp.EDIT and now.expires_at > tx.now:
        return 0, "", True, True
    replaced = channel in _in_place(ports) or isinstance(ports.channels.open(account.name), Withdraws)
    version = AS_CORRECTION if left and not replaced and now.follow_up is FollowUp.CORRECTION else RIGHT_TEXT
    return tx.plans.add_public(now, channel, account, version=version).deliveries, account.name, True, False


def _unsettled(tx: Transaction, announcement: Announcement) -> tuple[bool, datetime | None]:
    """Whether something of its thread is not settled, and when the first look-up is; nothing keeps it past its time."""
    if announcement.follow_up in ALONE or announcement.expires_at <= tx.now:
        return False, None
    count, looked_up = tx.threads.undecided(tx.threads.before(announcement.id))
    return bool(count), looked_up


def _wait(tx: Transaction, announcement: Announcement, looked_up: datetime | None, still: Still) -> None:
    """Have the sweep come back to it in a moment."""
    if still(tx, announcement.public_id) is not None:
        why = "it waits until all that went before it is settled"
        again = min(max(tx.now, looked_up) if looked_up else tx.now, tx.now + LONGEST) + RECHECK
        tx.cases.hold(announcement.id, min(again, announcement.expires_at), UNSETTLED, why)


def _in_place(ports: Ports) -> list[str]:
    """Public ways that show the last word under the first one's name: nothing is to be taken back there."""
    traits = {name: ports.channels.traits(name) for name in ports.channels.names()}
    return [name for name, each in traits.items() if each.broadcast and each.in_place]
