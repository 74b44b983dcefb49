"""Feeds as files, for a school whose web server gives them out: a reader sees the old one or the new one, whole."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import NamedTemporaryFile

MODE = 0o644  # a web server under another name must be able to read it


def replace_file(path: Path, data: bytes) -> bool:
    """Put `data` at `path` in one step that a crash cannot halve; False when it stood there already. Raises OSError.

    Folders between are made; the temporary file lies beside its goal, for a rename works only within one file system.
    """
    if path.exists() and path.read_bytes() == data:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as temporary:
        made = Path(temporary.name)
        try:
            temporary.write(data)
            temporary.flush()
            os.fsync(temporary.fileno())
            made.chmod(MODE)
            made.replace(path)
        except BaseException:
            made.unlink(missing_ok=True)
            raise
    _sync(path.parent)
    return True


def remove_file(path: Path) -> None:
    """Take a feed's file away, when there is one."""
    if path.exists():
        path.unlink()
        _sync(path.parent)


def _sync(folder: Path) -> None:
    """Make the change of name last through a power cut."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
