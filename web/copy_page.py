"""A person's copy as one page that needs nothing else: it is printed, or sent on a stick."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, TypedDict

from broker.rules.values import Rules
from ledger.hand import Hand
from ledger.privacy.registry import REGISTRY
from ledger.reads.copy import Copy

# What art. 15(1) UK GDPR wants told beside the data itself.
RIGHTS = (
    "You may ask for what is wrong to be put right, for it to be erased or used less; you may object to its use.",
    "You may complain to the Information Commissioner's Office: ico.org.uk, 0303 123 1113.",
    "Nothing here is decided about you by a machine alone.",
    "Other people's names, numbers and emails have been taken out.",
)
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#111}"
    "h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2rem}table{border-collapse:collapse;width:100%}"
    "th,td{border:1px solid #bbb;padding:.3rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}"
    "th{background:#f2f2f2}@media print{body{margin:0}}"
)


class Facts(TypedDict):
    """What stands in a copy beside the data: whose it is, who else received it, how long what is kept."""

    school: str
    recipients: tuple[str, ...]
    kept: Mapping[str, str]


def facts(hand: Hand, rules: Rules, school: str) -> Facts:
    """As the ledger and the school's own rules have them now."""
    lengths = {key: f"{rules.duration(key).days} days" for key in rules.values if key.startswith("keeping.")}
    accounts = hand.run("SELECT DISTINCT channel FROM account WHERE active ORDER BY channel")
    through = tuple(f"the school's provider of {row.channel} messages" for row in accounts)
    return {"school": school, "recipients": through, "kept": how_long(lengths)}


def as_json(found: Copy, told: Facts) -> str:
    """The copy as a file for programs."""
    return json.dumps(as_told(found, **told), indent=1, default=str) + "\n"


def file_name(source_id: str) -> str:
    """What a copy's file is called, without its ending: nothing in it that a folder could take for something else."""
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in source_id)
    return f"copy-{kept[:60]}"


def page(found: Copy, *, school: str, recipients: tuple[str, ...], kept: Mapping[str, str]) -> str:
    """The whole of it. `recipients` are the providers that messages went through, `kept` how long what is kept."""
    return "\n".join(_lines(found, school=school, recipients=recipients, kept=kept)) + "\n"


def as_told(
    found: Copy, *, school: str, recipients: tuple[str, ...], kept: Mapping[str, str]
) -> dict[str, Any]:
    """The same for programs."""
    return {
        "school": school,
        "person": found.name,
        "made_at": found.made_at.isoformat(),
        "recipients": list(recipients),
        "kept": dict(kept),
        "rights": list(RIGHTS),
        "sections": [{"title": one.title, "rows": list(one.rows)} for one in found.sections],
        "messages_not_shown": found.more,
    }


def _lines(
    found: Copy, *, school: str, recipients: tuple[str, ...], kept: Mapping[str, str]
) -> Iterator[str]:
    title = f"What {school} holds of {found.name}"
    yield '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width,initial-scale=1">'
    yield f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>"
    yield f"<h1>{escape(title)}</h1>"
    yield f"<p>Made on {found.made_at:%d %B %Y}, from the ledger of the school's announcements.</p>"
    for section in found.sections:
        yield f"<h2>{escape(section.title)}</h2>"
        yield from _table(section.rows)
    if found.more:
        yield f"<p>And {found.more:,} older messages.</p>"
    yield "<h2>Who else received it</h2>"
    yield f"<p>{escape(', '.join(recipients) or 'Nobody')}.</p>"
    yield "<h2>How long it is kept</h2>"
    yield from _table([{"what": what, "how long": length} for what, length in kept.items()])
    yield "<h2>Your rights</h2><ul>"
    yield from (f"<li>{escape(one)}</li>" for one in RIGHTS)
    yield "</ul></body></html>"


def _table(rows: Any) -> Iterator[str]:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    yield "<table><thead><tr>"
    yield "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    yield "</tr></thead><tbody>"
    for row in rows:
        yield "<tr>" + "".join(f"<td>{escape(_said(row.get(name)))}</td>" for name in columns) + "</tr>"
    yield "</tbody></table>"


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def how_long(lengths: Mapping[str, str]) -> Mapping[str, str]:
    """For each kind of data that is kept for a while: what it is, and for how long by the school's rules."""
    told: dict[str, list[str]] = {}
    for held in REGISTRY.values():
        if held.title and held.kept.rule:
            told.setdefault(lengths[held.kept.rule], []).append(held.title[0].lower() + held.title[1:])
    return {", ".join(titles): length for length, titles in told.items()}
