"""What is printed for those whom nothing reaches: slips to cut apart, and whom to ring, a sheet for each form.

Each is one HTML file that needs nothing else: no script, no picture, nothing from anywhere. It prints on A4, and reads
well on a screen and aloud.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup

from broker.address import as_dialled
from broker.announcement import Content
from broker.errors import Problem, RuleBroken
from broker.licences.letter import Block, Heading
from broker.naming import fill
from broker.office.reach import Untold
from broker.ports import Transaction
from broker.scrutiny.heads import Left, written
from ledger.connect import Ledger
from ledger.reads.phones import Call
from web.templating import templates_in

NO_FORM = "Without a form"

_templates = templates_in()
STYLE = _templates.get_template("papers.css").render().strip()
# Its one style by its hash: nothing else of it may run, load, or be sent.
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class Paper:
    """What stands on every sheet: whose it is, in which language, from which day, and what it is about."""

    school: str
    language: str
    day: str
    title: str
    region: str = "GB"  # whose numbers are dialled without a country code
    head: str = ""  # of the record, as of that day: whoever keeps the sheet holds it


@dataclass(frozen=True, slots=True)
class Slip:
    """One slip: for whom, and the words; no words leave lines to write on."""

    name: str = field(repr=False)
    form: str
    words: str = field(repr=False)


def paper_about(ledger: Ledger, title: str, zone: str, *, printed: bool) -> Paper:
    """What each sheet bears. The head of the record leaves the house with what is printed: the ledger remembers it."""
    with ledger.look() as tx:
        school, day, newest = tx.school, tx.now.astimezone(ZoneInfo(zone)), tx.record.newest()
        head = written(newest, school.slug, tx.now) if newest else ""
    if printed and newest:
        with ledger.begin() as tx:
            tx.record.gave(newest, Left.PRINTED)
    return Paper(school.name, school.locale, f"{day.day} {day:%B %Y}", title, school.region, head)


def wording_of(tx: Transaction, announcement: int) -> Content:
    """What an announcement said, for a paper about it. Raises RuleBroken once its words are of age and gone."""
    kept = tx.announcements.content(announcement, 1)
    if not kept:
        hint = "who was told, and how: carillon status ID --who"
        raise RuleBroken(Problem("no_words", "id", "its words are not kept any more", hint))
    return kept[0]


def slips(paper: Paper, untold: Sequence[Untold], words: str) -> str:
    """The slips of everybody who is not reached: name and message, never why. A page begins with each form."""
    forms = [
        (group or NO_FORM, [Slip(one.name, one.group, _filled(words, one)) for one in each])
        for group, each in groupby(untold, key=lambda one: one.group)
    ]
    return _page("slips.html", paper, forms=forms)


def phones(paper: Paper, untold: Sequence[Untold], calls: Sequence[Call]) -> str:
    """Whom to ring about everybody who is not reached, in the order to ask in. A page begins with each form."""
    of = _by_pupil(paper, calls)
    forms = [
        (group or NO_FORM, [(one, of.get(one.person, [])) for one in each])
        for group, each in groupby(untold, key=lambda one: one.group)
    ]
    return _page("phones.html", paper, forms=forms)


def letters(paper: Paper, untold: Sequence[Untold], words: str) -> str:
    """A letter for everybody who is not reached, each on its own sheet: to hand over, or to post."""
    each = [Slip(one.name, one.group, _filled(words, one)) for one in untold]
    return _page("letters.html", paper, forms=each, letters=each)


def blocks(paper: Paper, blocks: Sequence[Block]) -> str:
    """The letter to parents, or the licence of an account. Each heading begins a part."""
    parts: list[list[tuple[str, Block]]] = [[]]
    for block in blocks:
        if isinstance(block, Heading):
            parts.append([])
        parts[-1].append((type(block).__name__, block))
    return _page("blocks.html", paper, parts=parts)


def _by_pupil(paper: Paper, calls: Sequence[Call]) -> dict[Any, list[Call]]:
    found: dict[Any, list[Call]] = {}
    for call in calls:
        dialled = as_dialled(call.number, paper.region) if call.number else ""
        found.setdefault(call.pupil, []).append(replace(call, number=dialled))
    return found


def _filled(words: str, one: Untold) -> str:
    first = one.name.split(" ")[0]
    return fill(words, (first,), (), (one.group,) if one.group else ())


def _page(template: str, paper: Paper, **values: Any) -> str:
    return _templates.get_template(template).render(paper=paper, style=Markup(STYLE), **values)  # noqa: S704 - ours
