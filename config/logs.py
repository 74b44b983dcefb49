"""Logs that may be shown to anybody: ids only, and no text that somebody else's library put into an error.

An exception's message may hold a row's values (a database's DETAIL), a request's address or a body. So a log shows its
type and where it happened; what it said stays in the process.
"""

from __future__ import annotations

import json
import logging
import re
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Literal

OURS = ("broker", "channels", "cli", "config", "ledger", "sources", "web", "workers")
# At INFO these write parameters, addresses or tokens; at DEBUG, Authorization headers.
LOUD = (
    "aiohttp", "aiosmtpd", "alembic", "amqp", "asyncio", "celery", "httpcore", "httpx", "kombu", "mastodon", "oauthlib",
    "redis", "requests", "requests_oauthlib", "sqlalchemy", "tweepy", "twilio", "urllib3", "uvicorn",
)  # fmt: skip
_BEFORE_ANY_VALUE = re.compile(r"[(<:\n]")
FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class Discreet(logging.Formatter):
    """Shows an exception as its types and frames, never its words."""

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802 - logging's own name
        """The frames of an exception and of what it came from."""
        return "" if ei[1] is None else told(ei[1])

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        """The line; an exception among another library's arguments loses its words too, or with which it came."""
        library = record.name.partition(".")[0]
        # Shows what a task was given and ended with, shortened so that nothing is found in it.
        if library == "asyncio":
            record.message = _BEFORE_ANY_VALUE.split(record.message, maxsplit=1)[0].rstrip()
        elif library not in OURS:
            errors = [part for part in _parts(record) if isinstance(part, BaseException)]
            errors += [record.exc_info[1]] if record.exc_info and record.exc_info[1] is not None else []
            for said in filter(None, map(str, errors)):
                record.message = record.message.replace(said, "…").replace(repr(said), "…")
        return super().formatMessage(record)


class AsJson(Discreet):
    """The same as one JSON object a line, whatever stands in it: nobody can forge a second line."""

    def format(self, record: logging.LogRecord) -> str:
        """Keys: at (UTC), level, from, message, and for an exception where."""
        record.message = record.getMessage()
        said = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "from": record.name,
            "message": self.formatMessage(record),
        }
        if record.exc_info:
            said["where"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=True)


class OursOrSerious(logging.Filter):
    """Lets our own lines through, and of other libraries only warnings and worse."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a line may be written."""
        return record.levelno >= logging.WARNING or record.name.split(".")[0] in OURS


def set_up(
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO", form: Literal["text", "json"] = "text"
) -> None:
    """Log to stderr, discreetly. Safe to call again."""
    handler = logging.StreamHandler()
    handler.setFormatter(AsJson("%(message)s") if form == "json" else Discreet(FORMAT))
    handler.addFilter(OursOrSerious())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in LOUD:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)


def told(error: BaseException) -> str:
    """One error and its causes: type and place of each, no message."""
    lines: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        frames = traceback.extract_tb(current.__traceback__)[-6:]
        places = " < ".join(
            f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in reversed(frames)
        )
        lines.append(f"{type(current).__name__} at {places}")
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return "\n  from ".join(lines)


def _parts(record: logging.LogRecord) -> list[object]:
    if isinstance(record.args, dict):
        return list(record.args.values())
    return list(record.args or ())
