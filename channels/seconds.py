"""A duration in settings: a number of seconds, as an environment variable can hold it, or ISO 8601 (PT20S)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator

_NUMBER = re.compile(r"\d{1,9}(?:\.\d{1,6})?", re.ASCII)


def _number(value: Any) -> Any:
    # pydantic reads "20" as no duration, though it reads 20 as seconds.
    return float(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else value


Seconds = Annotated[timedelta, BeforeValidator(_number)]
