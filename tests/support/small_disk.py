"""A disk so small that it is full in a moment: a tmpfs of a few megabytes, mounted for a test and gone after it."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.servers import CannotBeHadError

PIECE = 4096


class SmallDisk:
    """Where it is mounted; `fill` it and `free` it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ballast = path / "ballast"

    def fill(self) -> None:
        """Not a byte is left."""
        with self._ballast.open("ab", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(PIECE))

    def free(self) -> None:
        """Somebody made room."""
        self._ballast.unlink()


@contextmanager
def small_disk(*, megabytes: int) -> Iterator[SmallDisk]:
    """Mount one at a new folder. Raises CannotBeHadError where that is not allowed."""
    if os.geteuid() != 0:
        raise CannotBeHadError("a small disk cannot be had here: only root may mount one")
    # Not under a test's own folder: PostgreSQL's user must be able to look into it. A new name each time, since
    # a run that was killed leaves its disk behind.
    path = Path(tempfile.mkdtemp(prefix="carillon-test-disk-", dir="/tmp"))
    path.chmod(0o755)
    options = f"size={megabytes}m,mode=0777"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "carillon-test", str(path)],
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    if mounted.returncode:
        path.rmdir()
        raise CannotBeHadError(f"a small disk cannot be had here: {mounted.stderr.strip()}")
    try:
        yield SmallDisk(path)
    finally:
        # Lazily: a process that was killed a moment ago may still hold a file there.
        subprocess.run(["umount", "--lazy", str(path)], timeout=10, check=True)
        path.rmdir()
