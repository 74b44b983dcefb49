"""Papers written to files: whose they are, and for whoever made them alone."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from broker.announcement import Content
from broker.ports import Transaction
from broker.scrutiny.heads import Left, written
from cli import show
from cli.house import zone_of
from cli.reading import bad
from config.assembly import House
from web import papers


def write_private(path: Path, text: str) -> None:
    """Names and reasons lie in it: for whoever made it alone."""
    try:
        with open(path, "w", encoding="utf-8", newline="", opener=_private) as file:
            file.write(text)
    except OSError:
        raise bad(
            "cannot_write", "path", "this file cannot be written", "check the folder and the name"
        ) from None
    show.hint(f"written: {path}; it holds names, so throw it away when it has served")


def wording_of(tx: Transaction, announcement: int) -> Content:
    """What an announcement said, for a paper about it. Raises RuleBroken once its words are of age and gone."""
    kept = tx.announcements.content(announcement, 1)
    if not kept:
        hint = "who was told, and how: carillon status ID --who"
        raise bad("no_words", "id", "its words are not kept any more", hint)
    return kept[0]


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def paper_about(house: House, title: str, *, printed: bool) -> papers.Paper:
    """What each sheet bears. The head of the record leaves the house with what is printed: the ledger remembers it."""
    with house.ledger.look() as tx:
        school, day, newest = tx.school, tx.now.astimezone(zone_of(house)), tx.record.newest()
        head = written(newest, school.slug, tx.now) if newest else ""
    if printed and newest:
        with house.ledger.begin() as tx:
            tx.record.gave(newest, Left.PRINTED)
    return papers.Paper(school.name, school.locale, _day(day), title, school.region, head)


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"
