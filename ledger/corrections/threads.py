"""What follows up what: the thread of an announcement, who is stopped for it, and whom a follow-up is about."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, CompoundSelect, Select, case, func, insert, literal, select, update

from broker.address import AddressKind, mask
from broker.announcement import AS_CORRECTION, Announcement, FollowUp, Part, People
from broker.audience import Audience
from broker.corrections.law import AGAIN, MAY_HAVE_LEFT
from broker.delivery import State
from broker.duty import Unreached
from broker.house_rules import BEING_CORRECTED
from broker.ports.threads import Named, PlannedFor, PlannedWay
from broker.values import AccountRow
from ledger import tables as t
from ledger.announcements import announcement_of, announcements_by
from ledger.audience import members
from ledger.authority.approvals import Approvals
from ledger.corrections import following, lost
from ledger.hand import Hand

said = t.announcement.c


class Threads:
    """See broker.ports.Threads."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def bind(self, announcement: int, first: int, kind: FollowUp) -> None:
        """Say what an announcement follows up, and as what."""
        self._update(said.id == announcement, corrects=first, follow_up=kind.value)
        if kind is FollowUp.CORRECTION:  # who read it too reads this too
            copied = t.announcement_copy.c
            theirs = select(literal(announcement, t.Id), copied.person_id).where(
                copied.announcement_id == first
            )
            self._hand.connection.execute(
                insert(t.announcement_copy).from_select(["announcement_id", "person_id"], theirs)
            )

    def word_twice(self, announcement: Announcement, parts: Mapping[Part, str], language: str) -> None:
        """Keep beside the right text the one for those who had a wrong one, as version 2."""
        Approvals(self._hand).reword(announcement, AS_CORRECTION, parts, language)

    def before(self, announcement: int) -> Sequence[int]:
        """Everything of its thread that was said earlier."""
        return [each for each in chain(self._hand, announcement) if each < announcement]

    def below(self, announcement: int) -> Sequence[Announcement]:
        """Everything that follows it up, and what follows that up."""
        under = select(said.id).where(said.corrects == announcement).cte("under", recursive=True)
        under = under.union(select(said.id).where(said.corrects == under.c.id))
        query = announcements_by(said.id.in_(select(under.c.id))).order_by(said.id)
        return [announcement_of(row) for row in self._hand.connection.execute(query)]

    def stop(self, these: Collection[int], *, by: int) -> Sequence[int]:
        """They wait for a correction, those that did not wait for another; returns which."""
        return self._update(said.id.in_(these), said.corrected_by.is_(None), corrected_by=by)

    def release(self, correction: int) -> Sequence[int]:
        """A correction that never took effect is over: what waited for it goes on; returns which."""
        waiting = said.id.in_(self.before(correction)), said.corrected_by == correction
        gone_on = self._update(*waiting, said.corrected_at.is_(None), corrected_by=None)
        held = t.delivery.c.state == State.QUEUED.value, t.delivery.c.code == BEING_CORRECTED
        self._hand.connection.execute(
            update(t.delivery)
            .where(t.delivery.c.announcement_id.in_(gone_on), *held)
            .values(due_at=self._hand.now)
        )
        return gone_on

    def take_effect(self, these: Collection[int]) -> Sequence[int]:
        """From now on their correction speaks instead; returns those for which it did not before."""
        return self._update(said.id.in_(these), said.corrected_at.is_(None), corrected_at=self._hand.now)

    def add_duties(self, announcement: int, before: Collection[int]) -> int:
        """A duty for everybody whom the thread had to tell, once it was begun; returns how many there are."""
        run = self._hand.connection.execute
        if run(self._duties(before).limit(1)).first() is not None:
            told = self._meant(before).subquery("told")
            known = select(t.duty.c.id).where(
                t.duty.c.announcement_id == announcement, t.duty.c.person_id == told.c.person_id
            )
            fresh = (
                select(literal(announcement, t.Id), told.c.person_id)
                .where(~known.exists())
                .order_by(told.c.person_id)
            )
            run(insert(t.duty).from_select(["announcement_id", "person_id"], fresh))
        counted = select(func.count()).where(t.duty.c.announcement_id == announcement)
        return int(run(counted).scalar_one())

    def undecided(self, before: Collection[int]) -> tuple[int, datetime | None]:
        """How many deliveries of it are not settled yet; and the first look-up, if that is all."""
        d = t.delivery.c
        moving = following.whether(d.state != State.UNCERTAIN.value)
        query = select(func.count().label("n"), moving.label("moving"), func.min(d.lookup_at).label("first"))
        mine = d.announcement_id.in_(before), following.undecided()
        row = self._hand.connection.execute(query.where(*mine)).one()
        return row.n, None if row.moving else row.first

    def channels(self, before: Collection[int]) -> Sequence[str]:
        """Every personal way that something of it was planned by."""
        d = t.delivery.c
        query = select(d.channel).where(d.announcement_id.in_(before), d.address_id.is_not(None)).distinct()
        return sorted(self._hand.connection.execute(query).scalars())

    def public_left(self, before: Collection[int], channel: str) -> bool | None:
        """Whether the public has, or may have, something of it by this way; None while that is not decided."""
        d = t.delivery.c
        mine = d.announcement_id.in_(before), d.channel == channel, func.coalesce(d.address_id, 0) == 0
        waits, left = following.whether(following.undecided()), following.whether(following.may_have_left())
        row = self._hand.connection.execute(
            select(waits.label("waits"), left.label("left")).where(*mine)
        ).one()
        return None if row.waits else bool(row.left)

    def follow(
        self,
        announcement: Announcement,
        before: Collection[int],
        channel: str,
        account: AccountRow,
        kind: AddressKind,
        *,
        limit: int,
        undecided: bool = False,
    ) -> int:
        """Plan up to `limit` addresses whose thread is decided on this channel; returns how many."""
        hand = self._hand
        return following.follow(
            hand, announcement, before, channel, account, kind, limit=limit, waits=not undecided
        )

    def send_again(
        self,
        announcement: Announcement,
        first: int,
        channel: str,
        account: AccountRow,
        kind: AddressKind,
        *,
        step: int = 0,
    ) -> int:
        """Plan a resend on one channel: deliveries that cover the first one's duties; returns how many."""
        return following.send_again(self._hand, announcement, first, channel, account, kind, step=step)

    # --- whom a follow-up is about ---------------------------------------------------------------------------------

    def name(self, announcement: int, people: Collection[UUID]) -> Sequence[Named]:
        """These people, and whether the announcement was about them."""
        told = select(t.duty.c.id).where(
            t.duty.c.announcement_id == announcement, t.duty.c.person_id == t.person.c.id
        )
        knows = following.knows(announcement, t.person.c.id)
        query = select(
            t.person.c.public_id,
            t.person.c.id,
            case((told.exists(), 1), else_=0).label("told_of"),
            case((knows, 1), else_=0).label("knows"),
        ).where(t.person.c.public_id.in_(people), t.person.c.active)
        known = {
            row.public_id: Named(row.public_id, row.id, bool(row.told_of), bool(row.knows))
            for row in self._hand.connection.execute(query)
        }
        return [known.get(each) or Named(each, None) for each in dict.fromkeys(people)]

    def joined(self, announcement: int, audience: Audience, people: People, today: date) -> Sequence[int]:
        """Those whom it means today and no duty of it is about."""
        told = members(audience, people, today).subquery("told")
        known = select(t.duty.c.id).where(
            t.duty.c.announcement_id == announcement, t.duty.c.person_id == told.c.person_id
        )
        query = select(told.c.person_id).where(~known.exists()).distinct().order_by(told.c.person_id)
        return list(self._hand.connection.execute(query).scalars())

    def list_people(self, announcement: int, people: Collection[int]) -> None:
        """Say whom a resend is about."""
        run, copied = self._hand.connection.execute, t.announcement_copy.c
        copies = run(select(copied.person_id).where(copied.announcement_id == announcement)).scalars()
        who = sorted({*people, *copies})
        run(insert(t.follow_up_person), [{"announcement_id": announcement, "person_id": one} for one in who])

    def planned(self, announcement: int) -> Mapping[str, Mapping[int, int]]:
        """How many deliveries of a follow-up there are, by way and version of its wording."""
        d = t.delivery.c
        query = (
            select(d.channel, d.content_version, func.count().label("n"))
            .where(d.announcement_id == announcement)
            .group_by(d.channel, d.content_version)
            .order_by(d.channel, d.content_version)
        )
        found: dict[str, dict[int, int]] = {}
        for row in self._hand.connection.execute(query):
            found.setdefault(row.channel, {})[row.content_version] = row.n
        return found

    def lose(self, announcement: Announcement, before: Collection[int], gone: Collection[str]) -> int:
        """Explain every duty about somebody who has, or may have, something of the thread by these ways alone."""
        return lost.lose(self._hand, announcement, before, gone)

    def say_so(self, announcement: Announcement, before: Collection[int], gone: Collection[str]) -> None:
        """What is queued of a correction says that it is one, where somebody has the wrong text by these ways."""
        lost.say_so(self._hand, announcement, before, gone)

    def untold(
        self, announcement: Announcement, before: Collection[int], later: Collection[AddressKind]
    ) -> Mapping[int, Unreached]:
        """About whom nothing was planned though all is decided, and why: by the number of the person."""
        return lost.untold(self._hand, announcement, before, later)

    def came_late(self, announcement: Announcement) -> bool:
        """Whether nothing of it, or not all, was planned before its time was over."""
        d = t.delivery.c
        last = select(func.max(d.created_at)).where(d.announcement_id == announcement.id)
        planned_at = self._hand.connection.execute(last).scalar_one()
        return planned_at is None or planned_at >= announcement.expires_at

    def planned_for(self, announcement: int) -> Sequence[PlannedFor]:
        """Whom a resend is about, by name, each with the ways that it was planned by."""
        d, duty, listed = t.delivery.c, t.duty.c, t.follow_up_person.c
        its = (
            select(duty.person_id, d.channel, d.replaces, t.address.c.kind, t.address.c.value)
            .join(t.delivery_covers, t.delivery_covers.c.delivery_id == d.id)
            .join(t.duty, duty.id == t.delivery_covers.c.duty_id)
            .join(t.address, t.address.c.id == d.address_id)
            .where(d.announcement_id == announcement)
            .subquery("its")
        )
        given = func.coalesce(t.person.c.preferred_name, t.person.c.given_name).label("given")
        first = select(said.corrects).where(said.id == announcement).scalar_subquery()
        knows = case((following.knows(first, t.person.c.id), 1), else_=0).label("knows")
        query = (
            select(t.person.c.public_id, given, t.person.c.family_name, knows, *its.c)
            .join(t.follow_up_person, listed.person_id == t.person.c.id)
            .outerjoin(its, its.c.person_id == t.person.c.id)
            .where(listed.announcement_id == announcement)
            .order_by(t.person.c.family_name, given, t.person.c.id, its.c.channel, its.c.value)
        )
        found: dict[UUID, PlannedFor] = {}
        for row in self._hand.connection.execute(query):
            name = f"{row.given} {row.family_name}".strip()
            one = found.get(row.public_id, PlannedFor(row.public_id, name, knows=bool(row.knows)))
            if row.channel is not None:
                masked = mask(AddressKind(row.kind), row.value)
                way = PlannedWay(row.channel, masked, row.replaces is not None)
                one = replace(one, ways=(*one.ways, way))
            found[row.public_id] = one
        return list(found.values())

    def counted(self, announcement: int) -> int | None:
        """How many people a follow-up is about; None where its audience says so."""
        who = self._who(announcement)
        if who is None:
            return None
        return int(
            self._hand.connection.execute(select(func.count()).select_from(who.subquery())).scalar_one()
        )

    def listed(self, announcement: int) -> set[int] | None:
        """Who they are."""
        who = self._who(announcement)
        return None if who is None else set(self._hand.connection.execute(who).scalars())

    def _who(self, announcement: int) -> Select[Any] | None:
        query = select(said.follow_up).where(said.id == announcement)
        follow_up = self._hand.connection.execute(query).scalar_one()
        if follow_up is None:
            return None
        kind = FollowUp(follow_up)
        if kind in AGAIN:
            listed = t.follow_up_person.c
            return select(listed.person_id).where(listed.announcement_id == announcement)
        before = self.before(announcement)
        duties = self._duties(before)
        if kind is FollowUp.CORRECTION:  # of what was not begun, its audience says whom it is about
            begun = self._hand.connection.execute(duties.limit(1)).first() is not None
            return select(self._meant(before).subquery("told").c.person_id) if begun else None
        if kind is FollowUp.WITHDRAWAL:
            pairs = following.pairs(before).subquery("pairs")
            reached = pairs.c.state.in_([state.value for state in MAY_HAVE_LEFT | {State.SENDING}])
            return select(pairs.c.person_id).where(reached).distinct()
        return duties.where(literal(False))  # an edit tells nobody

    def _duties(self, before: Collection[int]) -> Select[Any]:
        return select(t.duty.c.person_id).where(t.duty.c.announcement_id.in_(before))

    def _meant(self, before: Collection[int]) -> CompoundSelect[Any]:
        """SELECT person_id: whom its duties are about, and whom a resend that was stopped had yet to tell."""
        listed = t.follow_up_person.c
        again = (
            select(listed.person_id)
            .join(t.announcement, said.id == listed.announcement_id)
            .where(listed.announcement_id.in_(before), said.withdrawn_at.is_(None))
        )
        theirs = self._duties(before).join(t.person, t.person.c.id == t.duty.c.person_id)
        return theirs.where(following.is_somebody()).union(again)

    def _update(self, *which: ColumnElement[bool], **values: Any) -> Sequence[int]:
        changed = update(t.announcement).where(*which).values(**values).returning(said.id)
        return sorted(self._hand.connection.execute(changed).scalars())


def chain(hand: Hand, announcement: int) -> Sequence[int]:
    """The ids of an announcement, of all that it follows up, and of all that follow up one of them."""
    up = select(said.id, said.corrects).where(said.id == announcement)
    above = up.cte("above", recursive=True)
    above = above.union(select(said.id, said.corrects).where(said.id == above.c.corrects))
    below = select(above.c.id).cte("below", recursive=True)
    below = below.union(select(said.id).where(said.corrects == below.c.id))
    return sorted(hand.connection.execute(select(below.c.id)).scalars())
