"""The usual way, played: rows in a table, a real Celery worker, and who publishes a task for each row."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped] # its stubs lag behind it
from sqlalchemy import create_engine, func, insert, select
from sqlalchemy.orm import Session

from bench.words import HTML, LETTER, SUBJECT, TEXT, email, mobile

POOLS = {
    "prefork": ["--pool", "prefork"],  # as Celery comes: a process for each core
    "threads": ["--pool", "threads", "--concurrency", "16"],
}
READY_WITHIN, LIMIT = 60.0, 120.0
_ROOT = Path(__file__).resolve().parent.parent.parent


class Peer:
    """Publishes, and watches the table. The worker runs from the first round to the end, and is idle in between."""

    def __init__(self, *, pool: str, **known: str) -> None:
        os.environ.update({f"EACH_{name.upper()}": value for name, value in known.items()})
        from bench.peers import each_tasks  # noqa: PLC0415 - it reads its queue from the environment

        self._tasks = each_tasks
        self._engine = create_engine(known["database_url"])
        each_tasks.Base.metadata.create_all(self._engine)
        with Session(self._engine) as session:
            notice = each_tasks.Notice(subject=SUBJECT, body=TEXT, html="")
            letter = each_tasks.Notice(subject=SUBJECT, body=LETTER * 2, html=HTML)
            session.add_all([notice, letter])
            session.commit()
            self._notices = {"texts": notice.id, "mails": letter.id}
        command = [sys.executable, "-m", "celery", "--app", "bench.peers.each_tasks", "worker"]
        self._worker = subprocess.Popen(
            [*command, *POOLS[pool], "--loglevel", "ERROR"],
            cwd=_ROOT,
            env=os.environ | {"PYTHONWARNINGS": "ignore:You're running the worker with superuser"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        self._warm_up()

    def play(self, *, account: str, size: int) -> dict[str, Any]:
        """One round: the rows are there before the clock; from the first publish to the last commit."""
        ids = self._rows(account, size)
        task = self._tasks.send_text if account == "texts" else self._tasks.send_mail
        cpu, began, used = time.process_time(), time.time(), self._used()
        for message_id in ids:
            task.delay(message_id)
        until = time.monotonic() + LIMIT
        while (left := self._left()) and time.monotonic() < until and self._worker.poll() is None:
            time.sleep(0.02)
        return {
            "sent": size - left,
            "seconds": self._ended().timestamp() - began,
            "cpu": time.process_time() - cpu + self._used() - used,
        }

    def close(self) -> None:
        """Stop the worker."""
        self._worker.terminate()
        try:
            self._worker.wait(10)
        except subprocess.TimeoutExpired:
            for child in psutil.Process(self._worker.pid).children(recursive=True):
                child.kill()
            self._worker.kill()
            self._worker.wait()

    def _warm_up(self) -> None:
        """Wait until it works, with nothing sent: such a message is passed over."""
        with Session(self._engine) as session:
            row = {"notice_id": self._notices["texts"], "address": mobile(0), "state": "warm"}
            number = session.scalars(
                insert(self._tasks.Message).returning(self._tasks.Message.id), [row]
            ).one()
            session.commit()
        for _ in range(40):
            self._tasks.send_text.delay(number)
        until = time.monotonic() + READY_WITHIN
        with self._tasks.app.connection_for_read() as connection:
            queue: Any = connection.default_channel
            while queue.client.llen("celery"):
                if time.monotonic() > until or self._worker.poll() is not None:
                    raise RuntimeError("the Celery worker did not begin to work")
                time.sleep(0.1)
        time.sleep(0.5)

    def _rows(self, what: str, size: int) -> list[int]:
        to, notice = (mobile if what == "texts" else email), self._notices[what]
        with Session(self._engine) as session:
            rows = [{"notice_id": notice, "address": to(n), "state": "queued"} for n in range(size)]
            ids = session.scalars(insert(self._tasks.Message).returning(self._tasks.Message.id), rows).all()
            session.commit()
        return list(ids)

    def _left(self) -> int:
        message = self._tasks.Message
        with Session(self._engine) as session:
            busy = message.state.in_(("queued", "sending"))
            return session.scalar(select(func.count()).where(busy)) or 0

    def _ended(self) -> datetime:
        with Session(self._engine) as session:
            return session.scalar(select(func.max(self._tasks.Message.sent_at))) or datetime.now(UTC)

    def _used(self) -> float:
        """CPU seconds of the worker's processes."""
        worker = psutil.Process(self._worker.pid)
        times = [worker.cpu_times(), *(child.cpu_times() for child in worker.children(recursive=True))]
        return float(sum(each.user + each.system for each in times))
