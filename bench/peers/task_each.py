"""The usual way: one Celery task for each recipient, which loads a row, sends, updates the row and commits.

Written as one would in earnest: a real Redis, no results kept, acknowledged early; threads, which suit waiting; the
SDK's synchronous client with its kept connections, one a thread as `requests` advises; pooled database connections.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import Any

from celery import Celery
from celery.worker import WorkController
from sqlalchemy import DateTime, String, create_engine, func, insert, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from twilio.rest import Client

from bench.ground import SENDER, TEXT, mobile

THREADS = 16


class Base(DeclarativeBase):
    pass


class Text(Base):
    """One text to one number."""

    __tablename__ = "text"

    id: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(String(20))
    body: Mapped[str] = mapped_column(String(1600))
    state: Mapped[str] = mapped_column(String(20), index=True)
    provider_id: Mapped[str | None] = mapped_column(String(40))
    sent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Peer:
    """A Celery worker in this process, as `celery worker -P threads` is; it hears nothing between rounds."""

    def __init__(
        self, *, url: str, account_sid: str, auth_token: str, database_url: str, queue_url: str
    ) -> None:
        self._engine = create_engine(database_url, pool_size=THREADS, max_overflow=2)
        Base.metadata.create_all(self._engine)
        self._app = Celery("each", broker=queue_url, set_as_current=True)
        self._app.conf.update(task_ignore_result=True, worker_enable_remote_control=False)
        own = threading.local()

        def client() -> Client:
            if not hasattr(own, "client"):
                own.client = Client(account_sid, auth_token)
                own.client.api.base_url = url
            return own.client

        engine = self._engine

        @self._app.task(name="send_one")
        def send_one(text_id: int) -> None:
            with Session(engine) as session:
                text = session.get_one(Text, text_id)
                made = client().messages.create(
                    to=text.address,
                    from_=SENDER,
                    body=text.body,
                    status_callback=f"http://127.0.0.1:9/callbacks/texts/{text_id}",
                )
                text.state, text.provider_id, text.sent_at = "sent", made.sid, datetime.now(UTC)
                session.commit()

        self._send = send_one
        self._app.finalize()
        self._app.set_default()
        worker = WorkController(
            app=self._app,
            pool_cls="threads",
            concurrency=THREADS,
            loglevel="ERROR",
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
        )
        threading.Thread(target=worker.start, name="celery", daemon=True).start()

    def play(self, *, size: int, database: bool) -> dict[str, Any]:
        """One round: the rows are there before the clock; from the first publish to the last commit."""
        with Session(self._engine) as session:
            rows = [{"address": mobile(n), "body": TEXT, "state": "queued"} for n in range(size)]
            ids = session.scalars(insert(Text).returning(Text.id), rows).all()
            session.commit()
        cpu, began = time.process_time(), time.monotonic()
        for text_id in ids:
            self._send.delay(text_id)
        while (left := self._left()) and time.monotonic() - began < 120:
            time.sleep(0.05)
        return {
            "sent": size - left,
            "seconds": time.monotonic() - began,
            "cpu": time.process_time() - cpu,
        }

    def _left(self) -> int:
        with Session(self._engine) as session:
            return session.scalar(select(func.count()).where(Text.state == "queued")) or 0
