"""Feeds kept as files, where an account names a folder for them: the same bytes that the web gives out."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from broker.errors import Problem, SetupError
from channels.rss.feed import Format
from channels.rss.files import remove_file, replace_file
from channels.rss.settings import Settings as FeedSettings
from config.faults import name_of
from config.feeds import PATH, Feeds, path_of
from config.settings import Settings
from ledger.connect import Ledger
from ledger.reads.feeds import CHANNEL

# What we put into a folder: so a group that is public no more loses its file, even when that changed while no worker
# ran, and nothing of anybody else's is ever touched.
MANIFEST = ".carillon-feeds.json"


class FeedFiles:
    """Every folder that an account names holds every feed of the school. Raises SetupError when one cannot."""

    def __init__(self, ledger: Ledger, settings: Settings) -> None:
        self._feeds = Feeds(ledger, settings)
        self._tags: dict[Path, dict[str, str]] = {folder: {} for folder in _folders(settings)}

    @property
    def wanted(self) -> bool:
        """Whether any account names a folder."""
        return bool(self._tags)

    def keep(self) -> None:
        """Make the files say what the feeds say now; a feed that is no more loses its file. Raises OSError."""
        bodies: dict[str, tuple[str, bytes]] = {}
        for scope in self._feeds.scopes():
            for form in Format:
                served = self._feeds.fetch(scope.kind, scope.slug, form)
                if served is not None:
                    bodies[path_of(scope, form)] = served.tag, served.body
        for folder in self._tags:
            self._keep(folder, bodies)

    def _keep(self, folder: Path, bodies: Mapping[str, tuple[str, bytes]]) -> None:
        tags = self._tags[folder]
        if tags.keys() != bodies.keys():
            ours = {*tags, *_ours(folder)}
            # The list first: a file that is on it and not there does no harm, the reverse would stay for ever.
            replace_file(folder / MANIFEST, json.dumps(sorted(ours | bodies.keys())).encode())
            for path in ours - bodies.keys():
                remove_file(folder / path)
            replace_file(folder / MANIFEST, json.dumps(sorted(bodies)).encode())
        for path, (tag, body) in bodies.items():
            if tags.get(path) != tag:
                replace_file(folder / path, body)
        self._tags[folder] = {path: tag for path, (tag, _) in bodies.items()}


def _ours(folder: Path) -> list[str]:
    try:
        found = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return []
    # Believed only as far as it could be ours: a path that led elsewhere would be deleted.
    return [path for path in found if isinstance(path, str) and PATH.fullmatch(path)]


def _folders(settings: Settings) -> list[Path]:
    named = {
        name: account.own.folder
        for name, account in settings.accounts.items()
        if account.channel == CHANNEL
        and isinstance(account.own, FeedSettings)
        and account.own.folder is not None
    }
    faulty = [
        Problem(
            "bad_folder",
            name_of(("accounts", name, "folder")),
            "is no folder that the worker can write to",
            "make it, and let the worker's user write there",
        )
        for name, folder in named.items()
        if not (folder.is_dir() and os.access(folder, os.W_OK))
    ]
    if faulty:
        raise SetupError(faulty)
    return sorted(set(named.values()))
