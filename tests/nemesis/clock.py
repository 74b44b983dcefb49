"""A wall clock that jumps, for one process and its children: their C library's clock is read through a shim.

libfaketime would do, but it answers EINVAL to the sleeps of Python 3.11, which name a moment of the monotonic clock.
Ours moves CLOCK_REALTIME alone, as an operator or a time server does; what is monotonic stays so.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from tests.support import apt
from tests.support.servers import CannotBeHadError

JUMPS = tuple(timedelta(seconds=s) for s in (0, 20, -20, 240, -240, 3600, -3600))
SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
static long offset(void) {
    const char *path = getenv("NEMESIS_CLOCK");
    FILE *file = path ? fopen(path, "r") : NULL;
    long seconds = 0;
    if (!file) return 0;
    if (fscanf(file, "%ld", &seconds) != 1) seconds = 0;
    fclose(file);
    return seconds;
}
int clock_gettime(clockid_t id, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(id, now);
    if (!failed && id == CLOCK_REALTIME) now->tv_sec += offset();
    return failed;
}
int gettimeofday(struct timeval *now, void *zone) {
    struct timespec read;
    int failed = clock_gettime(CLOCK_REALTIME, &read);
    now->tv_sec = read.tv_sec;
    now->tv_usec = read.tv_nsec / 1000;
    return failed;
}
time_t time(time_t *now) {
    struct timespec read;
    clock_gettime(CLOCK_REALTIME, &read);
    if (now) *now = read.tv_sec;
    return read.tv_sec;
}
"""


class JumpingClock:
    """`environ` for the processes that see it; `jump()` moves it."""

    def __init__(self, folder: Path) -> None:
        self._offset = folder / "clock"
        self._shim = folder / "clock.so"
        source = folder / "clock.c"
        source.write_text(SHIM)
        done = subprocess.run(
            [_compiler(), "-shared", "-fPIC", "-O2", "-o", str(self._shim), str(source), "-ldl"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode:
            raise CannotBeHadError(f"the jumping clock cannot be had: {done.stderr.strip()[-300:]}")
        self.jump(0.0)

    @property
    def environ(self) -> Mapping[str, str]:
        return {"LD_PRELOAD": str(self._shim), "NEMESIS_CLOCK": str(self._offset)}

    def jump(self, draw: float) -> timedelta:
        """By how much it is off from now on."""
        by = JUMPS[int(draw * len(JUMPS))]
        whole = self._offset.with_suffix(".new")
        whole.write_text(f"{by.total_seconds():.0f}\n")
        whole.replace(self._offset)
        return by


def _compiler() -> str:
    found = shutil.which("cc") or shutil.which("gcc")
    if found is None and shutil.which("apt-get"):
        apt.install("gcc", "libc6-dev", why="the nemesis moves one worker's clock by a few lines of C")
        found = shutil.which("gcc")
    if found is None:
        raise CannotBeHadError("a C compiler cannot be had: install gcc, or say --without-clock")
    return found
