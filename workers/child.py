"""The worker process under a supervisor: `python -m workers.child NAME QUEUE…`. People start it by `carillon worker`.

Its stdin is a leash: when it ends, the supervisor is gone, however that happened, and the child stops warmly. On
stdout it tells the supervisor that it is up, and which beats it heard.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from types import FrameType

from broker.errors import SetupError
from config import logs
from config.assembly import House, assemble
from config.queue import beat_queue
from config.settings import load
from workers.app import Consumer, stop_all
from workers.mailroom import LookingAfter
from workers.nights import Nights
from workers.publishing import Publishing
from workers.sole import sole_worker
from workers.workshop import Workshop, threads_for

log = logging.getLogger(__name__)

WRONG_SETUP = os.EX_CONFIG
ORPHAN_GRACE = timedelta(seconds=30)


def main(argv: Sequence[str] = sys.argv) -> int:
    """Work on the queues until told to stop; the exit code says whether a restart could help."""
    _, name, *queues = argv
    try:
        settings = load()
        logs.set_up(settings.log_level, settings.log_format)
        with sole_worker(settings.database_url), assemble(settings, serves=True) as house:
            _work(house, name, queues)
    except SetupError as fault:
        for problem in fault.problems:
            log.error("%s: %s (%s)", problem.field, problem.message, problem.hint)
        return WRONG_SETUP
    return os.EX_OK


def _work(house: House, name: str, queues: Sequence[str]) -> None:
    settings = house.settings
    channels = house.ways_out.names()
    workshop = Workshop(
        house.ports,
        name=name,
        budget=settings.worker.budget,
        stalled_after=settings.worker.stalled_after,
    )
    publishing = Publishing(house)
    looking_after = LookingAfter(house, name=name)
    nights = Nights(house, name=name)
    consumer = Consumer(
        settings.queue_url,
        channels,
        workshop,
        names=(*queues, beat_queue(name)),
        threads=settings.worker.threads or threads_for(len(settings.accounts)),
        heard=lambda beat: _tell(beat, workshop),
    )

    def stop(_signal: int, _frame: FrameType | None) -> None:
        workshop.wind_down()
        stop_all()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    threading.Thread(target=_on_leash, name="carillon-leash", daemon=True).start()
    house.hints.fall_back(workshop.by_hand)
    workshop.start(alone=settings.sqlite)
    publishing.start()
    looking_after.start()
    nights.start()
    _say(b"up")
    try:
        consumer.run()
    finally:
        workshop.stop()
        publishing.stop()
        looking_after.stop()
        nights.stop()


def _tell(beat: str, workshop: Workshop) -> None:
    """Answer a beat, unless work here has stalled: to hear and do nothing is as bad as to be deaf."""
    if why := workshop.stalled():
        log.error("%s", why)
    else:
        _say(b"heard %d" % int(beat))


def _say(word: bytes) -> None:
    with suppress(BrokenPipeError):  # the supervisor is gone, and the leash says so
        os.write(sys.stdout.fileno(), word + b"\n")


def _on_leash() -> None:
    # os.read, not sys.stdin: a daemon thread inside a buffered read would hold its lock when the interpreter ends.
    while os.read(0, 64):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(ORPHAN_GRACE.total_seconds())
    os._exit(os.EX_UNAVAILABLE)


if __name__ == "__main__":
    sys.exit(main())
