"""Who is signed in to the pages: links that work once, and sessions, found by the digests of their secrets."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import ColumnElement, delete, insert, or_, select, update

from ledger.hand import Hand
from ledger.tables import session, sign_in_link

KEPT = timedelta(days=1)  # after its end, so that "used already" can still be told from the record


class Sessions:
    """See broker.ports.Sessions."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand

    def add_link(self, digest: bytes, operator: str, *, lasts: timedelta) -> None:
        """Keep a link that signs `operator` in once."""
        now = self._hand.now
        row = {"digest": digest, "operator": operator, "made_at": now, "expires_at": now + lasts}
        self._hand.connection.execute(insert(sign_in_link).values(row))

    def use_link(self, digest: bytes) -> str | None:
        """One statement, so that of two who come at once only one gets in."""
        now, link = self._hand.now, sign_in_link.c
        used = (
            update(sign_in_link)
            .where(link.digest == digest, link.used_at.is_(None), link.expires_at > now)
            .values(used_at=now)
            .returning(link.operator)
        )
        return self._hand.connection.execute(used).scalar_one_or_none()

    def add(self, digest: bytes, operator: str, *, lasts: timedelta) -> None:
        """Begin a session."""
        now = self._hand.now
        row = {"digest": digest, "operator": operator, "began_at": now, "expires_at": now + lasts}
        self._hand.connection.execute(insert(session).values(row))

    def holder(self, digest: bytes) -> str | None:
        """Whose session this is; None when it is unknown, ended or too old."""
        alive = select(session.c.operator).where(session.c.digest == digest, *self._alive())
        return self._hand.connection.execute(alive).scalar_one_or_none()

    def end(self, digest: bytes) -> str | None:
        """End one session; whose it was, None when there was nothing to end."""
        ended = (
            update(session)
            .where(session.c.digest == digest, *self._alive())
            .values(ended_at=self._hand.now)
            .returning(session.c.operator)
        )
        return self._hand.connection.execute(ended).scalar_one_or_none()

    def end_all(self, operator: str | None) -> int:
        """End every session of an operator, or of everybody, and their unused links; how many sessions."""
        run, now = self._hand.connection.execute, self._hand.now
        links = update(sign_in_link).where(sign_in_link.c.used_at.is_(None)).values(used_at=now)
        sessions = update(session).where(*self._alive()).values(ended_at=now)
        if operator is not None:
            links = links.where(sign_in_link.c.operator == operator)
            sessions = sessions.where(session.c.operator == operator)
        run(links)
        return run(sessions).rowcount

    def prune(self) -> None:
        """Drop links and sessions that are long over."""
        before = self._hand.now - KEPT
        run = self._hand.connection.execute
        run(delete(sign_in_link).where(sign_in_link.c.expires_at < before))
        run(delete(session).where(or_(session.c.expires_at < before, session.c.ended_at < before)))

    def alive(self, digests: frozenset[bytes]) -> frozenset[bytes]:
        """Those of the sessions that still hold, in one question for all who watch."""
        held = select(session.c.digest).where(session.c.digest.in_(digests), *self._alive())
        return frozenset(bytes(found) for found in self._hand.connection.execute(held).scalars())

    def _alive(self) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return session.c.ended_at.is_(None), session.c.expires_at > self._hand.now
