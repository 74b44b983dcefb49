"""The usual way, as its worker knows it: one Celery task for each recipient, which works on rows by an ORM.

    celery --app bench.peers.each_tasks worker

Written as one would in earnest. A message is marked as being sent before the call, for a worker that dies must not send
twice; what it says stands in a row of its own; connections to the provider are kept, one a thread; no results are
stored, and a task is acknowledged early. `bench.peers.task_each` says where the database, the queue and the
providers are.
"""

from __future__ import annotations

import os
import smtplib
import threading
import warnings
from datetime import UTC, datetime
from email.message import EmailMessage
from functools import cache

from celery import Celery
from sqlalchemy import DateTime, Engine, ForeignKey, String, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship
from twilio.rest import Client

from bench.words import MAIL_SENDER, SENDER

warnings.simplefilter("ignore", DeprecationWarning)

app = Celery("each", broker=os.environ.get("EACH_QUEUE_URL", "memory://"))
app.conf.update(task_ignore_result=True, broker_connection_retry_on_startup=True)


class Base(DeclarativeBase):
    pass


class Notice(Base):
    """What is said."""

    __tablename__ = "notice"

    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(String(4000))
    html: Mapped[str] = mapped_column(String(8000))


class Message(Base):
    """To one number or address."""

    __tablename__ = "message"

    id: Mapped[int] = mapped_column(primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notice.id"))
    address: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(20), index=True)
    provider_id: Mapped[str | None] = mapped_column(String(40))
    sent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    notice: Mapped[Notice] = relationship()


@cache
def engine() -> Engine:
    """One a process, made when the first task needs it: a forked worker must not share its parent's."""
    return create_engine(os.environ["EACH_DATABASE_URL"], pool_size=16, max_overflow=2)


_own = threading.local()


def _client() -> Client:
    if not hasattr(_own, "client"):
        _own.client = Client(os.environ["EACH_ACCOUNT_SID"], os.environ["EACH_AUTH_TOKEN"])
        _own.client.api.base_url = os.environ["EACH_TWILIO_URL"]
    client: Client = _own.client
    return client


def _line() -> smtplib.SMTP:
    if not hasattr(_own, "line"):
        host, port = os.environ["EACH_SMTP"].split(":")
        _own.line = smtplib.SMTP(host, int(port), timeout=20)
    line: smtplib.SMTP = _own.line
    return line


@app.task
def send_text(message_id: int) -> None:
    """One text."""
    with Session(engine()) as session:
        message = session.get_one(Message, message_id)
        if message.state != "queued":
            return
        message.state = "sending"
        session.commit()
        made = _client().messages.create(
            to=message.address,
            from_=SENDER,
            body=message.notice.body,
            status_callback=f"http://127.0.0.1:9/callbacks/texts/{message_id}",
        )
        message.state, message.provider_id, message.sent_at = "sent", made.sid, datetime.now(UTC)
        session.commit()


@app.task
def send_mail(message_id: int) -> None:
    """One mail."""
    with Session(engine()) as session:
        message = session.get_one(Message, message_id)
        if message.state != "queued":
            return
        message.state = "sending"
        session.commit()
        mail = EmailMessage()
        mail["From"], mail["Reply-To"], mail["To"] = MAIL_SENDER, MAIL_SENDER, message.address
        mail["Subject"] = message.notice.subject
        mail.set_content(message.notice.body)
        mail.add_alternative(message.notice.html, subtype="html")
        _line().send_message(mail)
        message.state, message.sent_at = "sent", datetime.now(UTC)
        session.commit()
