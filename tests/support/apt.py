"""What apt brings on Debian, as root, for tests that want a real program: said aloud, and never twice at once."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

from tests.support.servers import CannotBeHadError

LIMIT = 300  # seconds a step may take


def install(*packages: str, why: str) -> None:
    """Install packages. Raises CannotBeHadError with what apt said."""
    names = " ".join(packages)
    sys.stderr.write(f"installing {names} with apt-get: {why}\n")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    with Path("/tmp/carillon-test-apt.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for step in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *packages]):
            done = subprocess.run(
                ["apt-get", *step],
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=LIMIT,
                check=False,
            )
            if done.returncode:
                said = done.stderr.strip()[-300:]
                raise CannotBeHadError(f"{names} cannot be had: apt-get {step[0]} failed: {said}")
