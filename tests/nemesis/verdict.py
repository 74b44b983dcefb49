"""The verdict: what the ledgers say against what the providers truly have, and what must hold whatever happened.

The invariants are those of every proof (tests.support.invariants). Here they are sorted into what was lost, what came
twice and what else is broken; beside them stand those that need to know what a school said, or what faults there were.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import feedparser
from sqlalchemy import func, select

from broker.announcement import Announcement
from broker.delivery import REACHED, State
from ledger import tables as t
from ledger.announcements import Announcements
from ledger.connect import Ledger
from ledger.hand import Hand
from ledger.reads import duties
from sandbox.truth import Entry
from tests.nemesis.eavesdrop import said
from tests.nemesis.ground import School
from tests.nemesis.town import FAMILY, FIRST, WORDS
from tests.support.installed import SECRET
from tests.support.invariants import ALWAYS, IN_THE_END, Had, Invariant, Seen, broken, followed, kept, sent

UNCERTAIN_FOR_A_KILL = 40  # two windows of mails
# From asking the brake to the sandbox's own look at its clock, on a busy machine.
IN_FLIGHT = timedelta(milliseconds=750)
CODE = re.compile(r"\b([A-Z])(\d{4})\b")
SHOWN = 8

TWICE: tuple[Invariant, ...] = (
    kept.one_delivery_for_each_announcement_channel_and_address,
    sent.a_provider_with_look_up_accepts_each_delivery_at_most_once,
    sent.without_look_up_at_most_once_unless_more_is_recorded,
)
# Beyond the grace a wrong text may arrive after it was proven absent, and the right one does not call it wrong then.
WRONG_TEXT = followed.a_correction_goes_to_whom_something_left_before_and_to_nobody_else
LOST: tuple[Invariant, ...] = (
    kept.an_accepted_announcement_is_durable,
    kept.fan_out_is_complete,
    kept.everything_is_settled,
    sent.sent_means_that_the_provider_has_it,
    sent.what_a_provider_has_is_explained,
    sent.what_a_provider_has_ends_as_told,
)


@dataclass
class Verdict:
    """What was found, in words, by kind."""

    deliveries: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    twice: int = 0  # how many deliveries: most are seen both in the ledger and in the truth alone
    broken: list[str] = field(default_factory=list)
    uncertain: Counter[str] = field(default_factory=Counter)
    texts: Counter[str] = field(default_factory=Counter)  # by whichever provider had them

    def add(self, school: School, ledger: Ledger, truth: Sequence[Entry], feed: bytes) -> None:
        """Judge one school."""
        mine = _of_school(school, truth)
        seen = Seen.of(
            ledger,
            [Had.by_sandbox({**entry, "at": entry.get("asked", entry["at"])}) for entry in mine],
            accepted={one.id for one in school.speaker.said},
            slack=IN_FLIGHT,
        )
        self.deliveries += len(seen.deliveries)
        self.uncertain.update(row.channel for row in seen.in_state(State.UNCERTAIN))
        where = f"school {school.letter}: "
        rest = [each for each in (*ALWAYS, *IN_THE_END) if each not in (*TWICE, *LOST, WRONG_TEXT)]
        self.doubled += (where + each for each in broken(seen, WRONG_TEXT))
        self.lost += (where + each for each in (*broken(seen, *LOST), *_nobody_forgotten(school, seen)))
        in_ledger, in_truth = broken(seen, *TWICE), list(_nobody_told_twice(seen, mine))
        in_feed = list(_once_in_the_feed(school, seen, feed))
        self.doubled += (where + each for each in (*in_ledger, *in_truth, *in_feed))
        self.twice += max(len(in_ledger), len(in_truth)) + len(in_feed)
        self.broken += (where + each for each in (*broken(seen, *rest), *_taken_back(school, seen, ledger)))
        self.broken += (where + each for each in school.speaker.faults)

    def listen(self, logs: Iterable[Path], heard: Path, truth: Sequence[Entry]) -> None:
        """Nothing private in any log, nor in what went through Redis."""
        tokens = {
            str(entry["key"]).rpartition("/")[2]
            for entry in truth
            if entry["channel"] == "sms" and entry["key"]
        }
        for name, text in [
            *((each.name, each.read_text(errors="replace")) for each in logs),
            (heard.name, said(heard)),
        ]:
            self.broken += (f"{name}: {fault}" for fault in _private(text, tokens))

    @property
    def uncertain_left(self) -> dict[str, int]:
        return {channel: self.uncertain[channel] for channel in ("sms", "twitter", "email")}

    def judge_uncertain(self, allowed: int) -> None:
        """None where the provider can be asked; of mails no more than replies were lost and kills may leave."""
        for channel in ("sms", "twitter", "rss"):
            if n := self.uncertain[channel]:
                self.broken.append(f"{n} deliveries by {channel} are left uncertain, and 0 may be")
        if (n := self.uncertain["email"]) > allowed:
            self.broken.append(f"{n} mails are left uncertain, and {allowed} may be")

    def words(self, *, beyond: bool = False) -> Iterator[str]:
        """What is wrong, a few of each kind. Beyond the grace what came twice is told, and is not wrong."""
        for name in ("lost", "broken") if beyond else ("lost", "doubled", "broken"):
            faults: list[str] = getattr(self, name)
            yield from (f"{name}: {fault}" for fault in faults[:SHOWN])
            if len(faults) > SHOWN:
                yield f"{name}: … and {len(faults) - SHOWN} more"


def unsettled(ledger: Ledger) -> int:
    """How much of a ledger is under way still: planned, sent, looked up or read from the inbox."""
    waiting = {State.QUEUED.value, State.SENDING.value}
    with ledger.reading() as hand:
        run = hand.connection.execute
        moving = run(
            select(t.delivery.c.id).where(
                t.delivery.c.state.in_(waiting)
                | (t.delivery.c.state == "uncertain") & t.delivery.c.lookup_at.is_not(None)
            )
        ).all()
        unplanned = run(
            select(t.announcement.c.id).where(
                t.announcement.c.fanned_out_at.is_(None),
                t.announcement.c.withdrawn_at.is_(None),
                t.announcement.c.corrected_by.is_(None),
            )
        ).all()
        climbing = sum(_climbing(hand, Announcements(hand).by_id(each)) for each in run(_LADDERS).scalars())
        unread = run(select(t.receipt.c.id).where(t.receipt.c.confirmed_at.is_(None))).all()
    return len(moving) + len(unplanned) + len(unread) + climbing


_LADDERS = select(t.ladder.c.announcement_id).where(t.ladder.c.ended_at.is_(None))


def _climbing(hand: Hand, announcement: Announcement) -> int:
    """How many of its duties are neither met nor on the slip sheet."""
    if announcement.corrected_by is not None or duties.is_over(hand, announcement):
        return 0
    each = duties.facts(announcement.id).subquery("each")
    between = each.c.climbing == 1, each.c.reached == 0, each.c.acknowledged == 0
    return int(hand.connection.execute(select(func.count()).select_from(each).where(*between)).scalar_one())


def _of_school(school: School, truth: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in truth if (found := _code(entry)) and found.startswith(school.letter)]


def _code(entry: Mapping[str, Any]) -> str:
    """The announcement's own code, read from what the provider took: from a text's words, a mail's subject."""
    found = CODE.search(str(entry["subject"] if entry["channel"] == "email" else entry["body"]))
    return found[0] if found else ""


def _nobody_forgotten(school: School, seen: Seen) -> Iterator[str]:
    """Whoever is to be told by the school's own reckoning has a delivery; it went out, or says why it did not."""
    there: dict[UUID, dict[tuple[str, str], Any]] = defaultdict(dict)
    for row in seen.deliveries.values():
        there[seen.announcements[row.announcement_id].public_id][row.channel, row.value or ""] = row
    unsent = {State.WITHDRAWN, State.REFUSED, State.EXHAUSTED}
    for one in school.speaker.said:
        taken_back = school.speaker.withdrawn | school.speaker.corrected
        cut_short = one.id in taken_back or one.expires_at is not None
        for channel in one.via:
            wanted = school.town.expected(channel, one.group)
            rows = {address: there[one.id].get((channel, address)) for address in wanted}
            lacking = sum(row is None for row in rows.values())
            if lacking and one.id not in taken_back:
                yield f"{one.code} was never planned for {lacking} of {len(wanted)} by {channel}"
            for row in filter(None, rows.values()):
                if not cut_short and row.state in unsent:
                    ended = f"{row.state} ({row.code})"
                    yield f"delivery {row.id} of {one.code} by {channel} ended {ended}, and nothing stopped it"


def _nobody_told_twice(seen: Seen, truth: Sequence[Entry]) -> Iterator[str]:
    """Counted in the truth alone, by the words that were sent: it needs no ledger to be seen."""
    told = Counter((entry["channel"], _code(entry), entry["to"]) for entry in truth)
    again = Counter(
        (row.channel, row.value or "") for row in seen.deliveries.values() if _decided(seen, row.id)
    )
    for (channel, code, address), n in told.items():
        if n > 1 and not again[channel, address]:
            yield f"{code} went {n} times to one address by {channel}"


def _decided(seen: Seen, delivery: int) -> bool:
    return any(line.kind == "requeued" for line in seen.told.get(delivery, ()))


def _once_in_the_feed(school: School, seen: Seen, feed: bytes) -> Iterator[str]:
    """The feed as anybody reads it: each once, and none that is not out."""
    items = Counter(UUID(entry.id) for entry in feedparser.parse(feed).entries)
    out = {
        seen.announcements[row.announcement_id].public_id
        for row in seen.in_state(*REACHED)
        if row.channel == "rss"
    } - school.speaker.withdrawn
    names = {each.id: each.public_id for each in seen.announcements.values()}
    first = {each.public_id: names[each.corrects] for each in seen.announcements.values() if each.corrects}
    # A correction stands under its name.
    out = {first[each] if first.get(each) in out else each for each in out}
    yield from (f"announcement {each} stands {n} times in the feed" for each, n in items.items() if n > 1)
    yield from (f"announcement {each} stands in the feed and is not out" for each in items.keys() - out)
    if len(out) <= 100 and (absent := out - items.keys()):
        yield f"{len(absent)} announcements are out and stand in no feed"


def _taken_back(school: School, seen: Seen, ledger: Ledger) -> Iterator[str]:
    """What was withdrawn is no longer public, or is on the list of what is to be taken back."""
    with ledger.reading() as hand:
        listed = set(hand.connection.execute(select(t.retraction.c.delivery_id)).scalars())
    for row in seen.in_state(*REACHED):
        announcement = seen.announcements[row.announcement_id]
        replaced = announcement.corrected_at is not None and row.channel == "twitter"
        over = replaced or announcement.public_id in school.speaker.withdrawn
        if row.address_id is None and over and row.id not in listed:
            yield f"delivery {row.id} is taken back and public, and nobody will delete it"


# One id in some ten thousand ends like a mobile number: 707d7d01-1934-4529-8167-448757925278.
_IDS = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")


def _private(text: str, tokens: Iterable[str]) -> Iterator[str]:
    text = _IDS.sub("", text)
    for what, pattern in (
        ("a number", r"44[78]\d{9}"),
        ("an email", r"parent\d+x\d+x\d|hearth\.example"),
        ("a name", rf"{FAMILY}|{FIRST}|Guardian\d+x"),
        ("a wording", re.escape(WORDS)),
        ("a secret", re.escape(SECRET)),
    ):
        if n := len(re.findall(pattern, text)):
            yield f"{what} can be read {n} times"
    if n := sum(token in text for token in tokens if token):
        yield f"{n} tokens can be read"
