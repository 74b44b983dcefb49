"""Who is signed in to the pages: links that work once, and sessions, found by the digests of their secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, bindparam, delete, insert, or_, select, text, update

from broker.audience import fold
from broker.authority.passwords import NEED_SECOND
from broker.authority.signin import CLOCKS
from broker.ports.approvals import Operator, OperatorRole
from broker.ports.proofs import Session, Stage
from ledger.authority.approvals import Operators
from ledger.authority.proofs import Proofs
from ledger.hand import Hand
from ledger.tables import device, session, sign_in_link, sign_in_pace

KEPT = timedelta(days=1)  # after its end, so that "used already" can still be told from the record
HANDLE = 16  # characters of a digest that name a session in a list
# While a school has named nobody, whoever has a link looks at everything, as everybody may announce (R20).
UNNAMED = frozenset({OperatorRole.AUTHOR, OperatorRole.ADMIN, OperatorRole.AUDITOR})


class Sessions:
    """See broker.ports.Sessions."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def add_link(self, digest: bytes, operator: str, *, lasts: timedelta, invites: bool = False) -> None:
        """Keep a link that signs `operator` in once."""
        now = self._hand.now
        row = {"digest": digest, "operator": operator, "made_at": now, "expires_at": now + lasts}
        self._hand.connection.execute(insert(sign_in_link).values(**row, invites=invites))

    def link_holds(self, digest: bytes) -> bool:
        """Whether a link would sign somebody in."""
        there = select(sign_in_link.c.digest).where(*self._usable(digest))
        return self._hand.connection.execute(there).first() is not None

    def use_link(self, digest: bytes) -> tuple[str, bool] | None:
        """One statement, so that of two who come at once only one gets in."""
        now, link = self._hand.now, sign_in_link.c
        used = (
            update(sign_in_link)
            .where(*self._usable(digest))
            .values(used_at=now)
            .returning(link.operator, link.invites)
        )
        row = self._hand.connection.execute(used).one_or_none()
        return (row.operator, bool(row.invites)) if row else None

    def add(
        self,
        digest: bytes,
        operator: str,
        *,
        lasts: timedelta,
        idle: timedelta,
        how: str,
        stage: Stage,
        about: str,
        proved_at: datetime | None,
    ) -> None:
        """Begin a session."""
        now = self._hand.now
        row = {"digest": digest, "operator": operator, "began_at": now, "expires_at": now + lasts}
        said = {"how": how, "stage": stage.value, "about": about, "idle_seconds": int(idle.total_seconds())}
        self._hand.connection.execute(
            insert(session).values(**row, **said, seen_at=now, proved_at=proved_at or now)
        )

    def of(self, digest: bytes) -> Session | None:
        """A session that holds. Every page asks for one: with it comes the time, which they all ask for too."""
        hand = self._hand
        query = _by_digest(hand.dialect.now, hand.dialect.after("ahead"))
        row = hand.timed_row(query, digest=digest, ahead=hand.interval(CLOCKS))
        return self._found(row, self._operator(row.operator)) if row is not None else None

    def of_operator(self, operator: str) -> Sequence[Session]:
        """Every session of one operator, the newest first."""
        rows = self._hand.connection.execute(
            select(session).where(*self._alive()).order_by(session.c.began_at.desc())
        ).all()
        theirs = [row for row in rows if fold(row.operator) == fold(operator)]
        known = self._operator(operator) if theirs else None
        return [found for row in theirs if (found := self._found(row, known)) is not None]

    def seen(self, digest: bytes) -> None:
        """It was used now."""
        used = update(session).where(session.c.digest == digest).values(seen_at=self._hand.now)
        self._hand.connection.execute(used)

    def end(self, digest: bytes) -> str | None:
        """End one session; whose it was, None when there was nothing to end."""
        ended = (
            update(session)
            .where(session.c.digest == digest, *self._alive())
            .values(ended_at=self._hand.now)
            .returning(session.c.operator)
        )
        return self._hand.connection.execute(ended).scalar_one_or_none()

    def end_one(self, operator: str, handle: str) -> bool:
        """End one of an operator's sessions."""
        for row in self._hand.connection.execute(select(session).where(*self._alive())).all():
            if bytes(row.digest).hex()[:HANDLE] == handle and fold(row.operator) == fold(operator):
                return self.end(bytes(row.digest)) is not None
        return False

    def end_all(self, operator: str | None) -> int:
        """End every session of an operator, or of everybody, and their unused links; how many sessions."""
        run, now = self._hand.connection.execute, self._hand.now
        links = update(sign_in_link).where(sign_in_link.c.used_at.is_(None)).values(used_at=now)
        sessions = update(session).where(*self._alive()).values(ended_at=now)
        if operator is not None:
            links = links.where(sign_in_link.c.operator.in_(self._spellings(sign_in_link, operator)))
            sessions = sessions.where(session.c.operator.in_(self._spellings(session, operator)))
        run(links)
        return run(sessions).rowcount

    def prune(self) -> None:
        """Drop what is long over."""
        now = self._hand.now
        before, run = now - KEPT, self._hand.connection.execute
        run(delete(sign_in_link).where(sign_in_link.c.expires_at < before))
        run(delete(session).where(or_(session.c.expires_at < before, session.c.ended_at < before)))
        run(delete(device).where(device.c.expires_at < now))
        run(delete(sign_in_pace).where(sign_in_pace.c.free_at < now))

    def alive(self, digests: frozenset[bytes]) -> Mapping[bytes, Session]:
        """Those of the sessions that still hold, each as its operator stands now, for all who watch.

        What is open on a wall is not judged by its being used: nothing is asked for there.
        """
        rows = self._hand.connection.execute(
            select(session).where(session.c.digest.in_(digests), *self._alive())
        ).all()
        known = {name: self._operator(name) for name in {row.operator for row in rows}}
        found = {bytes(row.digest): self._found(row, known[row.operator], idle=False) for row in rows}
        return {digest: one for digest, one in found.items() if one is not None and one.stage is Stage.WHOLE}

    def _operator(self, name: str) -> Operator | None:
        """Who is named so; where the school has named nobody, somebody who may look at everything."""
        operators = Operators(self._hand)
        known = operators.named(fold(name))
        return known if known or operators.any() else Operator(name, UNNAMED, None, self._hand.now)

    def _found(self, row: Row[Any], known: Operator | None, *, idle: bool = True) -> Session | None:
        now, longest = self._hand.now, timedelta(seconds=row.idle_seconds)
        seen = row.seen_at or row.began_at
        if known is None or (idle and longest and abs(now - seen) > longest):
            return None
        stage = Stage(row.stage)
        if stage is Stage.WHOLE and row.how == "password" and known.roles & NEED_SECOND:
            # They were given the role after they had signed in.
            stage = Stage.WHOLE if self._has_second(known.name) else Stage.ENROL
        return Session(
            handle=bytes(row.digest).hex()[:HANDLE],
            operator=known.name,
            roles=known.roles,
            department=known.department,
            how=row.how,
            stage=stage,
            began_at=row.began_at,
            seen_at=seen,
            proved_at=row.proved_at or row.began_at,
            expires_at=row.expires_at,
            idle=longest,
            about=row.about,
            now=now,
        )

    def _has_second(self, operator: str) -> bool:
        found = Proofs(self._hand).of(operator)
        return found is not None and found.second is not None

    def _spellings(self, table: Any, operator: str) -> Sequence[str]:
        """However a name was typed when each began."""
        there = self._hand.connection.execute(select(table.c.operator).distinct()).scalars()
        return [name for name in there if fold(name) == fold(operator)]

    def _usable(self, digest: bytes) -> Sequence[ColumnElement[bool]]:
        link, now = sign_in_link.c, self._hand.now
        # What is from the future was made by a clock that was ahead: it would last for as long as that was wrong.
        return (
            link.digest == digest,
            link.used_at.is_(None),
            link.expires_at > now,
            link.made_at <= now + CLOCKS,
        )

    def _alive(self) -> Sequence[ColumnElement[bool]]:
        return _holds(self._hand.now, self._hand.now + CLOCKS)


def _holds(now: Any, ahead: Any) -> Sequence[ColumnElement[bool]]:
    """Neither ended nor over, nor from a future that no clock is `ahead` by; both as values or as SQL."""
    return session.c.ended_at.is_(None), session.c.expires_at > now, session.c.began_at <= ahead


@lru_cache(maxsize=2)  # a dialect each
def _by_digest(now: str, ahead: str) -> Select[Any]:
    query = select(session, text(f"{now} AS now")).where(session.c.digest == bindparam("digest"))
    return query.where(*_holds(text(now), text(ahead)))
