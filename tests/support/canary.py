"""Canaries: people, numbers, words and secrets that stand nowhere else, and the places that are searched for them.

Where a name or a wording belongs in an answer (who was told what) it is allowed there; a number, an email or a token
is allowed nowhere but in what was asked for with a reason.
"""

from __future__ import annotations

import io
import json
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import inspect, text

from cli.app import main
from sandbox.truth import Entry
from tests.support.installed import SECRET, Installed

MOBILE, EMAIL = "+447911876543", "wilhelmina.w@warblington.example.org"
PUPIL_MOBILE = "+447911876544"
WORDS = "Zwitscherlied rehearsal"
ANSWER = "Wilhelmina Warblington here, Barnaby has trillfever"
NOTED = "rang about trillfever"
PEOPLE = f"""id,role,given_name,family_name,mobile,email,groups,guardian_of
wp-88123,pupil,Barnaby,Warblington,{PUPIL_MOBILE},,Choir,
wg-88124,guardian,Wilhelmina,Warblington,{MOBILE},{EMAIL},,wp-88123
wp-88125,pupil,Nobody,Else,,,Choir,
wg-88126,guardian,Someone,Else,+447911222333,someone@else.example.org,,wp-88125
"""


@dataclass
class Aviary:
    """What was planted; `addresses` and `secrets` may be seen nowhere, `names` and `words` in few places."""

    addresses: Mapping[str, str]
    names: Mapping[str, str]
    words: Mapping[str, str]
    secrets: dict[str, str] = field(default_factory=dict)

    @classmethod
    def planted(cls, installed: Installed) -> Aviary:
        return cls(
            addresses={
                "mobile": MOBILE[1:],
                "national": f"0{MOBILE[3:]}",
                "grouped": f"{MOBILE[3:7]} {MOBILE[7:]}",
                "pupil's mobile": PUPIL_MOBILE[3:],
                "email": EMAIL,
            },
            names={"given": "Wilhelmina", "family": "Warblington", "pupil": "Barnaby"},
            words={"wording": "Zwitscherlied", "answer": "trillfever"},
            secrets={"secret key": SECRET, "provider's token": installed.sandbox.auth_token},
        )

    def with_tokens_of(self, truth: Iterable[Entry]) -> None:
        """The tokens that went out with messages: whoever has one may speak for an attempt."""
        for number, entry in enumerate(truth):
            key = str(entry.get("key") or "")
            if entry["channel"] == "sms" and "/callbacks/" in key:
                self.secrets[f"attempt's token {number}"] = key.rpartition("/")[2]

    def singing(self, said: str, *, everything: bool = True) -> list[str]:
        """Which of them can be read in what was said; not what they are."""
        planted = {**self.addresses, **self.secrets, **({**self.names, **self.words} if everything else {})}
        folded = said.casefold()
        return sorted(what for what, value in planted.items() if value.casefold() in folded)


@dataclass
class Overheard:
    """One thing that was said somewhere; `strict` ones may hold no name and no wording either."""

    where: str
    said: str = field(repr=False)
    strict: bool = True


def ask(installed: Installed, *words: str) -> Overheard:
    """Run a command to whatever end, in this process, for a day has dozens; both of what it says.

    Names may stand in an answer, never in a complaint.
    """
    told, handlers = io.StringIO(), logging.getLogger().handlers[:]
    environ, here = dict(os.environ), Path.cwd()
    try:
        os.environ.clear()
        os.environ.update(installed.environ)
        os.chdir(installed.folder)
        with redirect_stdout(told), redirect_stderr(told):
            code = main(words)
    finally:
        os.environ.clear()
        os.environ.update(environ)
        os.chdir(here)
        logging.captureWarnings(False)
        logging.getLogger().handlers[:] = handlers
    return Overheard(f"carillon {' '.join(words[:2])}", told.getvalue(), strict=code not in (0, 1))


def logs(folder: Path) -> Iterator[Overheard]:
    """Every log and every fault that was kept."""
    for file in sorted([*folder.glob("*.log"), *folder.glob("var/*.log")]):
        yield Overheard(f"log {file.name}", file.read_text(errors="replace"))


# What the ledger keeps for whoever watches and for the record: no name, number or word of anybody belongs there.
SILENT = (
    "record_entry",
    "stop",
    "tally",
    "tally_delta",
    "night",
    "alarm",
    "verdict",
    "worker",
    "school",
    "redaction",
)


def tables(installed: Installed) -> Iterator[Overheard]:
    """The record and whatever a page of figures is made of."""
    with installed.ledger() as ledger, ledger.reading() as hand:
        there = inspect(hand.connection).get_table_names()
        for name in SILENT:
            assert name in there
            rows = hand.connection.execute(text(f'SELECT * FROM "{name}"')).all()
            yield Overheard(f"table {name}", "\n".join(map(_row, rows)))


def _row(row: Any) -> str:
    return json.dumps(
        [bytes(v).decode(errors="replace") if isinstance(v, bytes | memoryview) else str(v) for v in row]
    )
