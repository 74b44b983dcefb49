"""The doctor: everything that Carillon stands on, each with a sign, what was found and what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from config.findings import Finding, Health
from config.looking import Bedside, Looked
from web.watch import words
from web.watch.desk import At, Desk, Form, of_the_school, posted
from web.watch.navigation import LOOKS

router = APIRouter()

MOST_FORM = 4 * 1024
MARKS: Mapping[Health, tuple[str, str]] = {
    Health.WRONG: ("bad", "Wrong"),
    Health.DOUBTFUL: ("warn", "Look at it"),
    Health.WELL: ("good", "Well"),
}
ORDER = (Health.WRONG, Health.DOUBTFUL, Health.WELL)
# Where something is dealt with on a page, by how its subject begins; what comes first wins.
PAGES: Sequence[tuple[str, str, str]] = (
    ("licence ", "watch/accounts/{}/licence", "Settle what is missing"),
    ("account ", "watch/accounts/{}", "To the account"),
    ("alarm stopped", "watch/switches", "To what is stopped"),
    ("alarm answers", "watch/answers", "To the answers"),
    ("alarm safeguarding", "watch/answers", "To the answers"),
    ("alarm licence", "watch/accounts", "To the accounts"),
    ("alarm account", "watch/accounts", "To the accounts"),
    ("alarm posture", "watch/accounts", "To the accounts"),
    ("alarm found_post", "watch/accounts", "To the accounts"),
    ("alarm gateway", "watch/accounts", "To the accounts"),
    ("alarm webhook", "watch/school/webhooks", "To the programs that are told"),
    ("alarm rules", "watch/rules", "To the rules"),
    ("approval", "watch/staff", "To the staff"),
    ("record", "watch/record", "To the record"),
    ("departments", "watch/school", "To the school"),
)
SUBJECTS: Mapping[str, str] = {
    "import names": "Carillon's own parts",
    "zone": "The time zone",
    "departments": "The departments",
    "secret key": "The secret key",
    "disk": "Room on the disk",
    "ledger": "The database",
    "clock": "The clock",
    "queue": "The queue",
    "worker": "Whoever sends",
    "accounts": "The accounts",
    "approval": "Second persons",
    "record": "The record",
    "answers": "Answers",
    "permissions": "Who may read the files",
}
_COMMAND = re.compile(r"\bcarillon [a-z]|\bCARILLON_|\bpip |\bchmod |\bdocs/|maxmemory|appendonly")


@dataclass(frozen=True, slots=True)
class Told:
    """One finding as the page shows it. `machine`: what to do is for whoever runs the computer."""

    subject: str
    kind: str
    word: str
    says: str
    do: str
    machine: bool
    page: str = ""
    link: str = ""


@router.get("/watch/doctor")
def doctor(at: Desk) -> Response:
    """What was found last."""
    _must(at)
    return _page(at, bedside(at).last())


@router.post("/watch/doctor")
async def look(request: Request) -> Response:
    """Look again now."""
    return await posted(request, _look, most=MOST_FORM)


def bedside(at: At) -> Bedside:
    """The one of this process, made when it is first asked for."""
    state = at.request.app.state
    if not hasattr(state, "bedside"):
        state.bedside = Bedside(at.settings)
    found: Bedside = state.bedside
    return found


def told(finding: Finding) -> Told:
    """A finding in the page's words."""
    kind, word = MARKS[finding.health]
    subject = finding.subject
    name = subject.partition(" ")[2]
    for begins, page, link in PAGES:
        if finding.health is not Health.WELL and subject.startswith(begins):
            return Told(
                _named(subject),
                kind,
                word,
                finding.says,
                finding.hint,
                bool(finding.hint),
                page.format(name),
                link,
            )
    return Told(_named(subject), kind, word, finding.says, finding.hint, bool(_COMMAND.search(finding.hint)))


def _look(at: At, form: Form) -> Response:
    _must(at)
    looked = bedside(at).look()
    return at.done("watch/doctor", "" if looked.since else "doctor_looked")


def _page(at: At, looked: Looked) -> Response:
    found = [told(one) for health in ORDER[:2] for one in looked.findings if one.health is health]
    well = [told(one) for one in looked.findings if one.health is Health.WELL]
    counts = {health: sum(one.health is health for one in looked.findings) for health in ORDER}
    return at.page("school/doctor", looked=looked, found=found, well=well, counts=counts, Health=Health)


def _must(at: At) -> None:
    """It is about the whole house. Raises NoPage."""
    of_the_school(at, *LOOKS)


def _named(subject: str) -> str:
    """What it is about, as people say it."""
    if subject.startswith("alarm "):
        return words.alarm(subject.removeprefix("alarm "))
    return SUBJECTS.get(subject) or subject[:1].upper() + subject[1:]
