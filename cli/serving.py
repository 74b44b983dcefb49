"""One process that is the whole of Carillon: the web and the embedded worker over one ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from config.assembly import House, assemble
from config.settings import Settings


@contextmanager
def running(settings: Settings) -> Iterator[tuple[House, str]]:
    """Serve and work while the block runs; gives the house and the web's address. Raises SetupError.

    A SQLite ledger is brought to the newest schema first: its one process is this one. When the block ends, what is
    in hand is finished, and only then the web lets go, for providers may be calling back.
    """
    # Here, for `carillon withdraw` is in a hurry and must not wait until a web framework is imported.
    from web.app import create_app  # noqa: PLC0415
    from web.serve import serving  # noqa: PLC0415
    from workers.embedded import EmbeddedWorker  # noqa: PLC0415

    with (
        assemble(settings, serves=True, upgrade=settings.sqlite) as house,
        serving(create_app(house.ports, settings), settings.web.host, settings.web.port) as url,
        EmbeddedWorker(house),
    ):
        yield house, url
