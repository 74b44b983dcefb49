"""What the ledger must hold by itself: accepted, planned, counted, moved by the rules, sealed."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Row

from broker.announcement import FollowUp, People
from broker.delivery import Event, Evidence, State, fold_delivery
from tests.support.invariants.seen import Seen, Told

ASLEEP = timedelta(milliseconds=100)  # what the database's clock and our guess of it may differ by
RATE_LIMITS = frozenset(
    {"429", "421", "rate_limited", "429 RateLimitError", "429 TooManyRequestsError"}
)  # told by the provider for how long: no wait of ours


def an_accepted_announcement_is_durable(seen: Seen) -> Iterator[str]:
    """Whatever somebody was told is accepted is in the ledger."""
    there = {announcement.public_id for announcement in seen.announcements.values()}
    yield from (f"announcement {lost} was accepted and is gone" for lost in set(seen.accepted) - there)


def one_delivery_for_each_announcement_channel_and_address(seen: Seen) -> Iterator[str]:
    """Whoever plans, and however often: nobody is to get one announcement twice by one way."""
    ways = Counter((r.announcement_id, r.channel, r.address_id) for r in seen.deliveries.values())
    yield from (f"{n} deliveries of announcement {way[0]} by {way[1]}" for way, n in ways.items() if n > 1)


def fan_out_is_complete(seen: Seen) -> Iterator[str]:
    """Once planned, every duty is covered by each way its addresses allow, or explained."""
    duties: dict[int, list[Row[Any]]] = defaultdict(list)
    for duty in seen.tables["duty"]:
        duties[duty.announcement_id].append(duty)
    covers: dict[int, set[tuple[str, int]]] = defaultdict(set)
    for cover in seen.tables["delivery_covers"]:
        delivery = seen.deliveries[cover.delivery_id]
        covers[cover.duty_id].add((delivery.channel, delivery.address_id))
    public = {(r.announcement_id, r.channel) for r in seen.in_state(*State) if r.address_id is None}
    for announcement in seen.announcements.values():
        if announcement.fanned_out_at is None:
            continue
        # What tells of a withdrawal goes where something came from, and nowhere else.
        whole = seen.roster_stood_still and announcement.follow_up is not FollowUp.WITHDRAWAL
        reach = _reach(seen, announcement.people) if whole else {}
        for channel in announcement.ways[0].channels:
            kind = seen.traits[channel].address_kind
            if kind is None and (announcement.id, channel) not in public:
                yield f"announcement {announcement.id} was planned without its {channel}"
            for duty in duties[announcement.id] if kind is not None else ():
                wanted = {
                    (channel, address) for known, address in reach.get(duty.person_id, ()) if known == kind
                }
                if lacking := wanted - covers[duty.id]:
                    yield f"duty {duty.id} is not covered at {len(lacking)} addresses by {channel}"
        if any(seen.traits[channel].address_kind for channel in announcement.ways[0].channels):
            bare = (d for d in duties[announcement.id] if not covers[d.id] and not d.unreached)
            yield from (f"duty {duty.id} is neither covered nor explained" for duty in bare)


def counts_conserve(seen: Seen) -> Iterator[str]:
    """The kept counters, folded and not, say what counting would."""
    counted: Counter[tuple[int, str, str]] = Counter()
    for row in (*seen.tables["tally"], *seen.tables["tally_delta"]):
        counted[row.announcement_id, row.channel, row.state] += row.n
    there = Counter((r.announcement_id, r.channel, r.state) for r in seen.deliveries.values())
    wrong = {key for key in counted.keys() | there.keys() if counted[key] != there[key]}
    yield from (f"counted {counted[key]} of {key}, and there are {there[key]}" for key in sorted(wrong))


def not_started_is_queued_and_started_is_uncertain(seen: Seen) -> Iterator[str]:
    """Of a lease that ran out: every try that began is answered for, and none that did not is called uncertain."""
    for delivery, attempts in seen.attempts.items():
        row, told = seen.deliveries[delivery], seen.told.get(delivery, ())
        in_hand = row.state == State.SENDING and attempts[-1].fence == row.fence
        tried = sum(line.kind == "tried" for line in told)
        lost = sum(line.kind == "recovered" and line.facts[1] == State.UNCERTAIN for line in told)
        overtaken = sum(line.kind == "moved" and line.facts[0] == State.SENDING for line in told)
        if len(attempts) - in_hand > tried + lost + overtaken:
            yield f"delivery {delivery} was begun {len(attempts)} times and answered for {tried + lost} times"
        if lost > len(attempts) - tried:
            yield f"delivery {delivery} was called uncertain though it had not begun"
    for delivery, told in seen.told.items():
        if delivery not in seen.attempts and any(
            line.kind == "recovered" and line.facts[1] == State.UNCERTAIN for line in told
        ):
            yield f"delivery {delivery} was called uncertain and was never begun"


def only_the_holder_of_the_fence_changes_state_by_its_outcome(seen: Seen) -> Iterator[str]:
    """A try's outcome stands in the record once, and never after its delivery was taken from it."""
    for delivery, told in seen.told.items():
        fences = {attempt.id: attempt.fence for attempt in seen.attempts.get(delivery, ())}
        begun = {attempt.id: attempt.started_at for attempt in seen.attempts.get(delivery, ())}
        newest = 0
        for place, line in enumerate(told):
            if line.kind != "tried":
                continue
            attempt = line.facts[0]
            if fences[attempt] <= newest:
                yield f"delivery {delivery} was moved by attempt {attempt}, whose fence was stale"
            newest = max(newest, fences[attempt])
            taken = (each for each in told[:place] if _takes_away(each) and each.at > begun[attempt])
            yield from (
                f"attempt {attempt} of {delivery} came after {each.kind} and counted" for each in taken
            )


def evidence_is_confluent(seen: Seen) -> Iterator[str]:
    """A delivery stands where all that is known of its attempts puts it, in whatever order it became known."""
    for delivery, attempts in seen.attempts.items():
        row = seen.deliveries[delivery]
        known = [(a.fence, Evidence(a.evidence) if a.evidence else None) for a in attempts]
        for order in itertools.islice(itertools.permutations(known), 6):
            folded = fold_delivery(State(row.state), order, requeued_fence=row.requeued_fence)
            if folded != row.state:
                yield f"delivery {delivery} is {row.state}, and what is known of it says {folded}"
                break


def whatever_began_anew_stands_in_the_record(seen: Seen) -> Iterator[str]:
    """A delivery is tried anew by a person's word, or by a proof that it had not left; the record has which."""
    for row in seen.deliveries.values():
        told = seen.told.get(row.id, ())
        if row.requeued_fence and not any(
            line.kind == "requeued" or State.QUEUED in line.facts for line in told
        ):
            yield f"delivery {row.id} was begun anew, and nobody knows why"


def what_a_try_learned_is_kept(seen: Seen) -> Iterator[str]:
    """However late its worker came: an accept or a rejection that it saw stands on its attempt as evidence."""
    for delivery, attempts in seen.attempts.items():
        for attempt in attempts:
            if attempt.outcome in (Event.ACCEPT, Event.REJECT) and not attempt.evidence:
                yield f"attempt {attempt.id} of {delivery} ended with {attempt.outcome}, and nothing is known of it"


def tries_are_bounded_and_spaced(seen: Seen) -> Iterator[str]:
    """No delivery burns more attempts than its channel's retry rule has, nor comes back sooner than it says.

    Where there is another gateway, what could not even be handed to one burns nothing and comes back at once.
    """
    several = {row.account_id for row in seen.tables["gateway"]}  # with one gateway nothing is noted of it
    for delivery, attempts in seen.attempts.items():
        row = seen.deliveries[delivery]
        retry = seen.retries[row.channel]
        if row.burned > retry.attempts:
            yield f"delivery {delivery} burned {row.burned} attempts of {retry.attempts}"
        if row.account_id in several and row.burned < len(attempts):
            continue
        for before, after in itertools.pairwise(attempts):
            if before.outcome != Event.RETRY or before.code in RATE_LIMITS:
                continue
            least = retry.wait(1, 0.0) - ASLEEP
            if after.started_at - before.started_at < least and not _judged_between(seen, delivery, before):
                yield f"delivery {delivery} came back {after.started_at - before.started_at} after a failure"


def the_record_verifies(seen: Seen) -> Iterator[str]:
    """Every seal covers what it covered when it was made."""
    if seen.record_fault is not None:
        yield f"the record does not verify: {seen.record_fault}"


def everything_is_settled(seen: Seen) -> Iterator[str]:
    """In the end: planned, not queued, not sending, not uncertain where somebody can still be asked."""
    for announcement in seen.announcements.values():
        over = announcement.withdrawn_at is not None or announcement.corrected_by is not None
        if announcement.fanned_out_at is None and not over:
            yield f"announcement {announcement.id} was never planned"
    for row in seen.in_state(State.QUEUED, State.SENDING):
        yield f"delivery {row.id} by {row.channel} is still {row.state} ({row.code})"
    for row in seen.in_state(State.UNCERTAIN):
        if row.lookup_at is not None or seen.traits[row.channel].settles_itself:
            yield f"delivery {row.id} by {row.channel} is uncertain, and it need not be"


def _takes_away(line: Told) -> bool:
    return line.kind == "recovered" or (line.kind == "moved" and line.facts[0] == State.SENDING)


def _judged_between(seen: Seen, delivery: int, before: Row[Any]) -> bool:
    """Whether something but the retry rule brought it back: a person, a proof, a resumed account."""
    others = {"requeued", "looked_up", "moved", "recovered"}
    return any(each.kind in others and each.at >= before.started_at for each in seen.told.get(delivery, ()))


def _reach(seen: Seen, people: People) -> Mapping[int, set[tuple[str, int]]]:
    """Person → (kind, address) by which they may be told: counted out by hand, to check the SQL that does it."""
    active = {p.id for p in seen.tables["person"] if p.active}
    held: dict[int, set[int]] = defaultdict(set)
    for link in seen.tables["person_address"]:
        held[link.person_id].add(link.address_id)
    kinds = {a.id: a.kind for a in seen.tables["address"]}
    holders: dict[int, set[int]] = defaultdict(set)
    barred: dict[int, set[int]] = defaultdict(set)
    for tie in seen.tables["guardianship"]:
        if tie.blocked:
            barred[tie.pupil_id] |= held[tie.guardian_id]
        else:
            holders[tie.pupil_id].add(tie.guardian_id)
    reach: dict[int, set[tuple[str, int]]] = {}
    for person in active:
        speak = set() if people in (People.PUPILS, People.STAFF) else set(holders[person])
        if people is not People.GUARDIANS:
            speak.add(person)
        addresses = {a for holder in speak & active for a in held[holder]}
        if people is not People.STAFF:
            addresses -= barred[person]
        reach[person] = {(kinds[a], a) for a in addresses}
    return reach


ALWAYS = (
    an_accepted_announcement_is_durable,
    one_delivery_for_each_announcement_channel_and_address,
    fan_out_is_complete,
    counts_conserve,
    not_started_is_queued_and_started_is_uncertain,
    only_the_holder_of_the_fence_changes_state_by_its_outcome,
    evidence_is_confluent,
    whatever_began_anew_stands_in_the_record,
    what_a_try_learned_is_kept,
    tries_are_bounded_and_spaced,
    the_record_verifies,
)
IN_THE_END = (everything_is_settled,)
