"""What stands on the school's accounts for everybody to read, and which of it came from here."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, exists, insert, or_, select, true, update

from broker.announcement import Part
from broker.delivery import State
from broker.ports.licences import FoundPost
from ledger.accounts import Accounts
from ledger.announcements import newest_version
from ledger.hand import Hand
from ledger.tables import (
    account,
    account_watch,
    announcement,
    attempt,
    content,
    delivery,
    department,
    found_post,
)

MOST_SAID = 500
CARRIED_WITHIN = timedelta(days=1)  # older ones are no news
_MAY_STAND_THERE = tuple(s.value for s in (State.SENDING, State.SENT, State.DELIVERED, State.UNCERTAIN))
OVERLAP = timedelta(minutes=15)  # a timeline lags, and our own answers may be lost for a while


class Posts:
    """See broker.ports.Posts."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def watch_due(self, account_id: int, *, every: timedelta) -> datetime | None:
        """Take the turn of reading an account's posts, where it is due; the first turn only says since when."""
        run, now = self._hand.connection.execute, self._hand.now
        taken = run(
            update(account_watch)
            .where(account_watch.c.account_id == account_id, account_watch.c.due_at <= now)
            .values(due_at=now + every)
            .returning(account_watch.c.since)
        ).scalar_one_or_none()
        if taken is not None:
            since: datetime = taken
            return since
        known = run(select(account_watch.c.due_at).where(account_watch.c.account_id == account_id)).first()
        if known is None:
            run(insert(account_watch).values(account_id=account_id, since=now, due_at=now + every))
        return None

    def watch_failed(self, account_id: int) -> int:
        """How often that has failed in a row."""
        failures: int = self._hand.connection.execute(
            update(account_watch)
            .where(account_watch.c.account_id == account_id)
            .values(failures=account_watch.c.failures + 1)
            .returning(account_watch.c.failures)
        ).scalar_one()
        return failures

    def put_off(self, account_id: int, *, by: timedelta) -> None:
        """Let the next turn come so much later than now."""
        self._hand.connection.execute(
            update(account_watch)
            .where(account_watch.c.account_id == account_id)
            .values(due_at=self._hand.now + by)
        )

    def watched(self, account_id: int) -> None:
        """It was read: from now on only what is new, and the last quarter of an hour."""
        of = update(account_watch).where(account_watch.c.account_id == account_id)
        self._hand.connection.execute(of.values(failures=0))
        known_to = self._hand.now - OVERLAP
        self._hand.connection.execute(of.where(account_watch.c.since < known_to).values(since=known_to))

    def ours(
        self, account_id: int, ids: Collection[str], digests: Collection[str]
    ) -> tuple[set[str], set[str]]:
        """Ids that an attempt of ours has; digests of attempts of ours whose id nobody knows yet."""
        run = self._hand.connection.execute
        known = run(
            select(attempt.c.provider_id).where(
                attempt.c.account_id == account_id, attempt.c.provider_id.in_(list(ids))
            )
        ).scalars()
        waiting = run(
            select(attempt.c.digest).where(
                attempt.c.account_id == account_id,
                attempt.c.provider_id.is_(None),
                attempt.c.digest.in_(list(digests)),
            )
        ).scalars()
        return set(known), set(waiting)

    def keep_found(self, account_id: int, provider_id: str, text: str, posted_at: datetime) -> bool:
        """Keep a post that is not ours; False when it was found before."""
        run = self._hand.connection.execute
        same = (found_post.c.account_id == account_id, found_post.c.provider_id == provider_id)
        if run(select(found_post.c.id).where(*same)).first() is not None:
            return False
        values = {"account_id": account_id, "provider_id": provider_id, "text": text, "posted_at": posted_at}
        run(insert(found_post).values(**values, found_at=self._hand.now))
        return True

    def carried(self, account_id: int, provider_id: str, *, into: str | None, why_not: str) -> None:
        """Keep which announcement carries a found post, or why none does."""
        same = (found_post.c.account_id == account_id, found_post.c.provider_id == provider_id)
        self._hand.connection.execute(update(found_post).where(*same).values(carried=into, why_not=why_not))

    def to_carry(self, account_id: int) -> Sequence[FoundPost]:
        """What was found there within a day and neither carried nor refused yet, the oldest first."""
        query = _found().where(
            found_post.c.account_id == account_id,
            found_post.c.carried.is_(None),
            found_post.c.why_not == "",
            found_post.c.found_at > self._hand.now - CARRIED_WITHIN,
        )
        rows = self._hand.connection.execute(query.order_by(found_post.c.posted_at, found_post.c.id))
        return [_post(row) for row in rows]

    def found(self, account_id: int | None = None, *, limit: int = 100) -> Sequence[FoundPost]:
        """What was found, the newest first."""
        query = _found().order_by(found_post.c.posted_at.desc(), found_post.c.id.desc()).limit(limit)
        if account_id is not None:
            query = query.where(found_post.c.account_id == account_id)
        return [_post(row) for row in self._hand.connection.execute(query)]

    def said_elsewhere(
        self, account_id: int, *, besides: int, within: timedelta, reworded: bool = False
    ) -> Sequence[tuple[str, str]]:
        """What other accounts of the same channel said lately, or are about to say."""
        run = self._hand.connection.execute
        channel: str = run(select(account.c.channel).where(account.c.id == account_id)).scalar_one()
        begun = exists().where(
            delivery.c.announcement_id == announcement.c.id,
            delivery.c.channel == channel,
            delivery.c.state.in_(_MAY_STAND_THERE),
        )
        rows = run(
            select(
                announcement.c.ways,
                department.c.slug,
                content.c.announcement_id,
                content.c.part,
                content.c.text,
            )
            .join(department, department.c.id == announcement.c.department_id)
            .join(content, content.c.announcement_id == announcement.c.id)
            .where(
                announcement.c.accepted_at > self._hand.now - within,
                announcement.c.id != besides,
                or_(true() if reworded else announcement.c.id < besides, begun),
                announcement.c.withdrawn_at.is_(None),
                announcement.c.ways.contains(json.dumps(channel)),
                content.c.part.in_((Part.SHORT.value, Part.LONG.value)),
                content.c.version == newest_version(),
            )
            # "short" sorts after "long", so that of one announcement the text of a post comes last and stands.
            .order_by(announcement.c.id.desc(), content.c.language, content.c.part)
            .limit(MOST_SAID)
        ).all()
        accounts, of = Accounts(self._hand), {}
        said: dict[tuple[int, str], tuple[str, str]] = {}
        for row in rows:
            if row.slug not in of:
                of[row.slug] = accounts.for_channel(channel, row.slug)
            by = of[row.slug]
            if by is not None and by.id != account_id:
                said[row.announcement_id, row.slug] = (by.name, row.text)
        return list(said.values())


def _found() -> Select[Any]:
    return select(found_post, account.c.name.label("account")).join(
        account, account.c.id == found_post.c.account_id
    )


def _post(row: Row[Any]) -> FoundPost:
    return FoundPost(
        row.account, row.provider_id, row.text, row.posted_at, row.found_at, row.carried, row.why_not
    )
