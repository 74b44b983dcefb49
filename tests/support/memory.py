"""A folder in memory, where this machine has one with room: what nobody pulls the plug of needs no disk."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

FOLDER = Path("/dev/shm")
ROOM = 3 * 2**30  # bytes: three PostgreSQL, and what tests leave that failed
LEFT = 2 * ROOM  # of the machine's memory, for the processes themselves


def folder_in_memory() -> Path | None:
    """None where there is none, or too little room in it or in the machine: a container often has 64 MB."""
    try:
        roomy = os.access(FOLDER, os.W_OK) and shutil.disk_usage(FOLDER).free >= ROOM
        told = Path("/proc/meminfo").read_text()
    except OSError:
        return None
    available = next((line.split()[1] for line in told.splitlines() if line.startswith("MemAvailable:")), "0")
    return FOLDER if roomy and int(available) * 1024 >= LEFT else None
