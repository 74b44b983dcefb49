"""What looking for names in a public text costs, and how often it is wrong: `python -m bench.names [--json]`.

Fifty thousand people, a tenth of them called like everyday words (Will Young, May Hill). The texts are the Python
documentation that every CPython carries (`pydoc_data.topics`, English, PSF licence): published, free, and there without
a download. It names none of these people, so whatever is found in it is a false alarm.
"""

from __future__ import annotations

import json
import pydoc_data.topics
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from broker.announcement import Content, Part, Purpose, Urgency
from broker.disclosure.names import NameIndex, RosterName
from broker.policy import Allow
from broker.rules.book import rules_of
from broker.rules.case import AnnouncementCase
from broker.rules.public_text import fit_for_the_public
from config.signer import HmacSigner
from ledger import migrate
from ledger import tables as t
from ledger.connect import Ledger, open_ledger
from ledger.rosters.names import name_index
from tests.support.postgres import PostgresServer

PEOPLE = 50_000
LONG = 2_000  # characters of a text whose check is timed
TURNS = 5
BUILT, CHECKED, WRONG = 0.5, 0.005, 0.02  # seconds, seconds, a part of the messages
_SYLLABLES = "an el mar ko tre wi sa bri lo der ham son ton ley ski ov ez wood field by".split()  # noqa: SIM905
_GIVEN = """
    Ada Ben Cara Dan Ella Femi Gita Hugo Isla Jan Kate Leo Mia Noor Omar Pia Quinn Rosa Sam Tara Uma Vik Wren Yusuf Zoë
    Ángel Łukasz Siân Niamh Mary-Jane Abdul Aisha Oliver Amelia Muhammad Harry Poppy Charlie Freya Jacob Evie
"""
_EVERYDAY_GIVEN = """
    Will May Mark Grace Rose Joy Hope Faith Dawn Bill Jack Drew Summer April June Robin Frank Grant Pat Sue
"""
_EVERYDAY_FAMILY = """
    Young Long Day King Price Hill Bell Hall Green White Brown Little Small Wood Field Waters Case Page Park Read Best
    Good Love Key Way Law Mann Reason Power Print Type Object Method Name Value Class Error Lambda
"""
T = TypeVar("T")


@dataclass(frozen=True)
class Found:
    """What it came to: seconds of CPU, the best of a few turns; and messages held though they name nobody."""

    names: int
    build: float
    build_from: dict[str, float]  # by database, the reading included
    check_median: float
    check_worst: float
    messages: int
    held: int

    @property
    def wrong(self) -> float:
        """The part of the messages that were held."""
        return self.held / self.messages

    @property
    def kept(self) -> bool:
        """Whether all is within what is asked."""
        built = max(self.build, *self.build_from.values())
        return built <= BUILT and self.check_median <= CHECKED and self.wrong <= WRONG


def rows(people: int = PEOPLE) -> list[dict[str, object]]:
    """People as the ledger keeps them; two in five are pupils, with a form."""
    dice = random.Random(7)
    return [_row(dice, n) for n in range(people)]


def _row(dice: random.Random, n: int) -> dict[str, object]:
    everyday = n % 10 == 0
    made = "".join(dice.choices(_SYLLABLES, k=dice.randint(2, 4))).title()
    pupil = n % 5 < 2
    return {
        "public_id": uuid4(),
        "source_id": f"n{n}",
        "is_pupil": pupil,
        "given_name": dice.choice((_EVERYDAY_GIVEN if everyday else _GIVEN).split()),
        "family_name": dice.choice(_EVERYDAY_FAMILY.split()) if everyday else made,
        "form": f"{dice.randint(7, 13)}{dice.choice('ABCDEF')}" if pupil else None,
        "changed_at": datetime(2026, 9, 1, tzinfo=UTC),
    }


def messages() -> list[str]:
    """The paragraphs of the documentation that are as long as an announcement."""
    text = "\n\n".join(pydoc_data.topics.topics.values())
    paragraphs = [" ".join(piece.split()) for piece in re.split(r"\n\s*\n", text)]
    return [piece for piece in paragraphs if 60 <= len(piece) <= LONG and " " in piece]


def measured() -> Found:
    """Build it, from the names alone and from both databases; time the check; count what is wrongly held."""
    people = rows()
    with tempfile.TemporaryDirectory() as folder, ended(PostgresServer(durable=False).start()) as server:
        urls = {"sqlite": f"sqlite:///{Path(folder) / 'names.sqlite3'}", "postgresql": server.fresh()}
        build_from = {name: _from_ledger(url, people) for name, url in urls.items()}
        ledger = open_ledger(urls["sqlite"], HmacSigner(b"a secret of the bench"))
        with ledger.reading() as hand:
            index = name_index(hand)
        ledger.close()
    names = _names(people)
    said = messages()
    whole = " ".join(said)
    long = [whole[at : at + LONG] for at in range(0, 200 * LONG, LONG)]
    times = sorted(min(_timed(lambda text=text: _check(index, text)) for _ in range(3)) for text in long)  # type: ignore[misc]
    return Found(
        len(people),
        min(_timed(lambda: NameIndex(names)) for _ in range(TURNS)),
        build_from,
        times[len(times) // 2],
        times[-1],
        len(said),
        sum(not _check(index, text) for text in said),
    )


@contextmanager
def ended(server: PostgresServer) -> Iterator[PostgresServer]:
    """A server that stops with the block."""
    try:
        yield server
    finally:
        server.stop()


def _names(people: Sequence[dict[str, object]]) -> list[RosterName]:
    return [
        RosterName(
            str(one["given_name"]), str(one["family_name"]), "", str(one["form"] or ""), bool(one["is_pupil"])
        )
        for one in people
    ]


def _from_ledger(url: str, people: Sequence[dict[str, object]]) -> float:
    migrate.upgrade(url)
    times = []
    for _ in range(TURNS):
        ledger = open_ledger(url, HmacSigner(b"a secret of the bench"))
        _fill(ledger, people)
        with ledger.reading() as hand:
            times.append(_timed(lambda hand=hand: name_index(hand)))  # type: ignore[misc]
        ledger.close()
    return min(times)


def _fill(ledger: Ledger, people: Sequence[dict[str, object]]) -> None:
    with ledger.begin() as tx:
        if tx.hand.connection.execute(t.person.select().limit(1)).first() is None:
            tx.hand.connection.execute(t.person.insert(), list(people))


_CASE = AnnouncementCase(
    now=datetime(2026, 11, 24, tzinfo=UTC),
    rules=rules_of({}),
    zone="Europe/London",
    department="office",
    channel="rss",
    account="feed",
    purpose=Purpose.SERVICE,
    urgency=Urgency.ROUTINE,
    due_at=datetime(2026, 11, 24, tzinfo=UTC),
    expires_at=datetime(2026, 11, 24, tzinfo=UTC) + timedelta(days=1),
    broadcast=True,
)


def _check(index: NameIndex, text: str) -> bool:
    """Whether the rule lets a text go."""
    case = replace(_CASE, names=index, contents=(Content(1, "", {Part.LONG: text}),))
    return isinstance(fit_for_the_public(case), Allow)


def _timed(work: Callable[[], T]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def main() -> int:
    """Measure, say, and fail where it is too slow or too often wrong."""
    found = measured()
    if "--json" in sys.argv:
        print(json.dumps(asdict(found)))
    else:
        by = ", ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in found.build_from.items())
        print(f"{found.names:,} names: {found.build * 1000:.0f} ms; from the ledger: {by}")
        print(
            f"a text of {LONG:,} characters: {found.check_median * 1000:.1f} ms, worst {found.check_worst * 1000:.1f}"
        )
        print(f"held for nothing: {found.held} of {found.messages:,} messages ({found.wrong:.2%})")
    return 0 if found.kept else 1


if __name__ == "__main__":
    sys.exit(main())
