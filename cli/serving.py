"""One process that is the whole of Carillon: the web and the embedded worker over one ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta

from config.assembly import House, assemble
from config.settings import Settings

LOOK_EVERY = timedelta(seconds=1)


@contextmanager
def running(
    settings: Settings,
    *,
    troubled: Callable[[str], None] | None = None,
    wall: Callable[[], datetime] | None = None,
) -> Iterator[tuple[House, str]]:
    """Serve and work while the block runs; gives the house and the web's address. Raises SetupError.

    `wall` tells a SQLite ledger the time in place of the machine.
    `troubled` is told, once a second from a thread of its own, what has gone wrong and will not mend by itself.

    A SQLite ledger is brought to the newest schema first: its one process is this one. When the block ends, what is
    in hand is finished, and only then the web lets go, for providers may be calling back.
    """
    # Here, for `carillon withdraw` is in a hurry and must not wait until a web framework is imported.
    from web.app import create_app  # noqa: PLC0415
    from web.serve import serving  # noqa: PLC0415
    from workers.embedded import EmbeddedWorker  # noqa: PLC0415
    from workers.every import Every  # noqa: PLC0415

    def look(worker: EmbeddedWorker) -> None:
        if (why := worker.trouble()) and troubled is not None:
            troubled(why)

    with (
        assemble(settings, serves=True, upgrade=settings.sqlite, wall=wall) as house,
        serving(create_app(house.ports, settings), settings.web.host, settings.web.port) as url,
        EmbeddedWorker(house) as worker,
        ExitStack() as watched,
    ):
        if troubled is not None:
            watch = Every("watch", LOOK_EVERY, lambda: look(worker))
            watch.start()
            watched.callback(watch.stop)
        yield house, url
