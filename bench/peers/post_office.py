"""django-post_office over mails: its own queue on PostgreSQL, and its own command that sends what is queued."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

import django
from django.core.management import call_command

from bench.words import HTML, LETTER, MAIL_SENDER, SUBJECT, email


class Peer:
    """A Django project with nothing but post_office in it (bench.peers.post_office_settings)."""

    def __init__(self, *, database_url: str, host: str, port: int) -> None:
        os.environ["POST_OFFICE_DATABASE_URL"] = database_url
        os.environ["POST_OFFICE_SMTP"] = f"{host}:{port}"
        os.environ["DJANGO_SETTINGS_MODULE"] = "bench.peers.post_office_settings"
        django.setup()
        call_command("migrate", verbosity=0)
        self._folder = tempfile.TemporaryDirectory(prefix="carillon-bench-post-office-")
        self._lock = str(Path(self._folder.name) / "lock")

    def play(self, *, size: int, batch: int, threads: int) -> dict[str, Any]:
        """One round: queued before the clock, as ours is planned before it; then `manage.py send_queued_mail`."""
        from django.conf import settings  # noqa: PLC0415 - Django's modules want it set up first
        from post_office import mail, models  # noqa: PLC0415

        settings.POST_OFFICE.update({"BATCH_SIZE": batch, "THREADS_PER_PROCESS": threads})
        before = models.Email.objects.filter(status=models.STATUS.sent).count()
        mail.send_many(
            [
                {
                    "recipients": email(n),
                    "sender": MAIL_SENDER,
                    "subject": SUBJECT,
                    "message": LETTER * 2,
                    "html_message": HTML,
                    "headers": {"Reply-To": MAIL_SENDER},
                }
                for n in range(size)
            ]
        )
        cpu, began = time.process_time(), time.monotonic()
        call_command("send_queued_mail", processes=1, lockfile=self._lock)
        spent = {"seconds": time.monotonic() - began, "cpu": time.process_time() - cpu}
        sent = models.Email.objects.filter(status=models.STATUS.sent).count() - before
        return {"sent": sent, **spent}
