"""What the school laid down, as the record tells it: its rules, who may act, licences, budgets, what is off. Pure.

None of it is about one announcement, and everything hangs on it: whoever made themselves an approver behind the
record's back would need nobody's yes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from broker.announcement import Draft

Thing = tuple[str, str]  # what kind of thing, and which of them
Told = dict[Thing, str]  # how each must stand; what is not in it is not there
There = Mapping[Thing, tuple[str, datetime]]  # how each stands in the ledger, and since when

IN_FORCE, OFF, NAMED = "in force", "off", "named"  # how a pause, a switch and a governor stand
SCHEDULE_VERBS = (
    "saved",
    "changed",
    "approved",
    "moved",
    "cancelled",
    "put_back",
    "paused",
    "resumed",
    "ended",
)
UNSURE = "?"  # how nobody can tell any more that something stands
RULES: Thing = ("rules", "in force")


def paused(account: str) -> Thing:
    """An account's pause."""
    return "pause of", account


def budget(department: str, month: str) -> Thing:
    """What a department may spend; the month "" stands for every month without one of its own."""
    return "budget of", f"{department} {month}".strip()


def rule(key: str) -> Thing:
    """One of the school's rules, where it differs from its default."""
    return "rule", key


def operator(name: str) -> Thing:
    """Somebody who may act; stands as their roles."""
    return "operator", name


def licence(account: str, version: int | None = None) -> Thing:
    """One version of what is settled about an account; without a number, which version is in force."""
    return "licence of", account if version is None else f"{account}, version {version}"


def switch(kind: str, subject: str) -> Thing:
    """A kill switch."""
    return "switch of", f"{kind} {subject}".strip()


def governor(name: str) -> Thing:
    """Who is mailed heads of the record."""
    return "governor", name


def schedule(public_id: str) -> Thing:
    """What a schedule says, to whom and by which ways, until it has ended."""
    return "schedule", public_id


def reminder_rule(number: int) -> Thing:
    """The same of a reminder rule, until it is retired."""
    return "reminder", str(number)


def agreed(said: Thing) -> Thing:
    """A second person's yes to all that one of these says; stands as their name."""
    return "yes to", " ".join(said)


def as_roles(roles: Iterable[str]) -> str:
    """How an operator stands."""
    return ", ".join(sorted(roles))


def as_version(version: int) -> str:
    """How rules and a licence stand."""
    return f"version {version}"


def as_licence(digest: str, *, specimen: bool) -> str:
    """How one version of a licence stands."""
    return f"{digest} (of the sandbox)" if specimen else digest


def as_said(draft: Draft) -> str:
    """How what is announced again and again stands: what a second person's yes to all of it is about."""
    parts = {part.value: words for part, words in draft.parts.items()}
    ways = [list(step.channels) for step in draft.ways]
    files = sorted([file.name, file.sha256] for file in draft.attachments)
    told = [
        draft.department,
        draft.audience,
        draft.people,
        ways,
        draft.purpose,
        draft.urgency,
        draft.language,
    ]
    body = json.dumps([*told, draft.template, parts, files], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(body.encode()).hexdigest()[:32]


def rules_changed(
    before: Mapping[str, str], version: int, after: Mapping[str, str], why: str
) -> Mapping[str, Any]:
    """What an entry tells of a new version of the rules."""
    differs = {key: [before.get(key), after.get(key)] for key in sorted({*before, *after})}
    changed = {key: pair for key, pair in differs.items() if pair[0] != pair[1]}
    return {"version": version, "why": why, "changed": changed}


def hear(told: Told, body: Mapping[str, Any]) -> None:
    """One entry about no announcement. Raises KeyError, TypeError or ValueError for what Carillon never wrote."""
    if body["kind"] == "person.erased":
        # They may have been struck out of words and names of groups, and no entry tells what these became.
        told.update({thing: UNSURE for thing in told if thing[0] in {"schedule", "reminder"}})
    listens = _LISTENS.get(body["kind"])
    if listens is None:
        return
    heard = listens(body["facts"])
    if rule("") in heard:  # rules that nobody could read were begun anew
        for thing in [each for each in told if each[0] == "rule"]:
            del told[thing]
    for thing, stands in heard.items():
        if stands:
            told[thing] = stands
        else:
            told.pop(thing, None)


def differences(told: Told, there: There, *, pruned_at: datetime | None) -> Iterator[tuple[str, str]]:
    """Where and what does not agree. What has been so since before `pruned_at` may have been told by what is gone."""
    for thing in sorted(told.keys() | there.keys()):
        stands, since = there.get(thing, ("", None))
        says = told.get(thing, "")
        if stands == says or (stands and says == UNSURE):
            continue
        if not says and since is not None and pruned_at is not None and since <= pruned_at:
            continue  # what told of it is gone
        yield (
            " ".join(thing),
            f"it is {stands or 'not there'}, and the record says {says or 'that it is not'}",
        )


def _rules(facts: Mapping[str, Any]) -> Told:
    changed = {rule(key): after or "" for key, (_, after) in facts["changed"].items()}
    return {RULES: as_version(facts["version"]), **changed}


def _licence_set(facts: Mapping[str, Any]) -> Told:
    account, version = facts["account"], facts["version"]
    settled = as_licence(facts["digest"], specimen=facts["specimen"])
    return {licence(account, version): settled, licence(account): as_version(version)}


def _roles(facts: Mapping[str, Any]) -> Told:
    return {operator(facts["operator"]): as_roles(facts["roles"])}


def _again_and_again(thing: Thing, facts: Mapping[str, Any]) -> Told:
    if facts.get("ended"):
        return {thing: "", agreed(thing): ""}
    # An entry of before version 0009 tells neither.
    return {thing: facts.get("says", UNSURE), agreed(thing): facts.get("agreed", UNSURE) or ""}


def _schedule(facts: Mapping[str, Any]) -> Told:
    return _again_and_again(schedule(facts["schedule"]), facts)


def _reminder_rule(facts: Mapping[str, Any]) -> Told:
    return _again_and_again(reminder_rule(facts["rule"]), facts)


def _amount(facts: Mapping[str, Any]) -> str:
    return "" if facts["amount"] is None else str(facts["amount"])


# What an entry of this kind tells of each thing: how it stands from then on, "" for not any more.
_LISTENS: Mapping[str, Callable[[Mapping[str, Any]], Told]] = {
    "account.paused": lambda facts: {paused(facts["account"]): IN_FORCE},
    "account.resumed": lambda facts: {paused(facts["account"]): ""},
    "budget.set": lambda facts: {budget(facts["department"], facts["month"]): _amount(facts)},
    "rules.changed": _rules,
    "operator.added": _roles,
    "operator.roles_changed": _roles,
    "operator.removed": lambda facts: {operator(facts["operator"]): ""},
    "licence.set": _licence_set,
    "licence.taken": lambda facts: {licence(facts["account"]): ""},
    "switch.off": lambda facts: {switch(facts["kind"], facts["subject"]): OFF},
    "switch.on": lambda facts: {switch(facts["kind"], facts["subject"]): ""},
    "governor.added": lambda facts: {governor(facts["governor"]): NAMED},
    **dict.fromkeys((f"schedule.{verb}" for verb in SCHEDULE_VERBS), _schedule),
    **dict.fromkeys((f"reminder_rule.{verb}" for verb in ("added", "changed", "approved")), _reminder_rule),
    "reminder_rule.retired": lambda facts: _reminder_rule({**facts, "ended": True}),
    "governor.removed": lambda facts: {governor(facts["governor"]): ""},
}
