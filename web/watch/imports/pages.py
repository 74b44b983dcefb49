"""What waits and what was imported lately; one staged import: how far it is, its difference, or why it is refused."""

from __future__ import annotations

from fastapi import APIRouter, Response

from broker.ports.approvals import OperatorRole
from broker.rosters import staging
from broker.rosters.roster import Role, in_words
from broker.rosters.staged import LASTS, StagedKind, StagedRow, StagedStage
from ledger.reads.imported import imported, kept_groups
from web.watch.desk import At, Desk
from web.watch.imports.desk import MOST_UPLOAD, may, refused_of, staged
from web.watch.imports.mapping import asking
from web.watch.signing_in import NoPage

router = APIRouter()

ROWS = 100  # of a list of names on one page
KINDS = {
    StagedKind.PEOPLE.value: "The people of the school: pupils, guardians, staff, and their groups",
    StagedKind.GROUP.value: "The members of one group that is kept by hand",
    StagedKind.CONSENT.value: "Consent: who said yes or no",
    StagedKind.TERMS.value: "Term dates: terms, half-terms, INSET days",
}
# As the verbs want it: nobody chooses a file, looks it through, and is told at the end that it is for others.
TAKEN_BY = {
    StagedKind.PEOPLE: (OperatorRole.AUTHOR, OperatorRole.ADMIN),
    StagedKind.GROUP: (OperatorRole.AUTHOR, OperatorRole.ADMIN),
    StagedKind.CONSENT: (OperatorRole.AUTHOR,),
    StagedKind.TERMS: (OperatorRole.ADMIN,),
}
CALLED = {
    StagedKind.PEOPLE: "the people of the school",
    StagedKind.GROUP: "the members of a group",
    StagedKind.CONSENT: "consent",
    StagedKind.TERMS: "term dates",
}
SPEAKS_FOR = {
    "": "everybody it can: who is not in it has left",
    "staff": "the staff alone",
    "pupil,guardian": "pupils and their guardians alone",
    "pupil": "pupils alone",
}


@router.get("/watch/import")
def overview(at: Desk) -> Response:
    """Choose a file; what waits; what was imported lately."""
    may(at)
    return choosing(at)


@router.get("/watch/import/{public_id}")
def look(public_id: str, at: Desk) -> Response:
    """One staged import as it stands."""
    row, died = staged(at, public_id)
    return one(at, row, died)


@router.get("/watch/import/{public_id}/progress")
def progress(public_id: str, at: Desk) -> Response:
    """How far it is, for the page that waits; told to read itself again when there is something to see."""
    row, died = staged(at, public_id)
    answer = at.part("imports/progress", row=row, died=died)
    if not row.stage.busy or died:
        answer.headers["HX-Refresh"] = "true"
    return answer


@router.get("/watch/import/{public_id}/{which}")
def names(public_id: str, which: str, at: Desk) -> Response:
    """One list of names of a difference, a page at a time."""
    row, _ = staged(at, public_id)
    found = next((one for one in row.told.get("lists", ()) if one["key"] == which), None)
    if found is None or row.stage is not StagedStage.READ:
        raise NoPage(404, "not_found")
    after = at.number("after") or 0
    return at.page(
        "imports/names", row=row, list=found, after=after, size=ROWS, rows=found["rows"][after : after + ROWS]
    )


def choosing(at: At, status: int = 200, **known: object) -> Response:
    """The page on which a file is chosen."""
    waiting = staging.waiting(at.ports)
    with at.reading() as hand:
        lately = imported(hand)
        kept = [(name, name) for name in kept_groups(hand)]
    return at.page(
        "imports/overview",
        status,
        **{
            "waiting": waiting,
            "lately": lately,
            "kinds": {kind: words for kind, words in KINDS.items() if at.may(*TAKEN_BY[StagedKind(kind)])},
            "called": CALLED,
            "kept": kept,
            "speaks_for": SPEAKS_FOR,
            "stands": stands,
            "most": MOST_UPLOAD,
            "hours": int(LASTS.total_seconds() // 3600),
            **known,
        },
    )


def one(at: At, row: StagedRow, died: bool, status: int = 200, **known: object) -> Response:
    """A page of one staged import, whatever stage it is at."""
    if row.stage is StagedStage.ASKING:
        return asking(at, row, status, **known)
    name = PAGES[StagedStage.REFUSED if died and row.stage is StagedStage.READING else row.stage]
    return at.page(
        f"imports/{name}",
        status,
        **{
            "row": row,
            "died": died,
            "refused": refused_of(row),
            "called": CALLED[row.kind],
            "only": in_words([Role(role) for role in row.asked.get("only", ())]),
            **known,
        },
    )


PAGES = {
    StagedStage.READING: "working",
    StagedStage.READ: "difference",
    StagedStage.REFUSED: "refused",
    StagedStage.TAKING: "working",
    StagedStage.TAKEN: "over",
    StagedStage.THROWN_AWAY: "over",
}


def stands(row: StagedRow) -> tuple[str, str]:
    """How one stands, as a mark and its words."""
    return {
        StagedStage.ASKING: ("question", "say how its columns are read"),
        StagedStage.READING: ("wait", "being read"),
        StagedStage.READ: ("wait", "to be looked at and taken in"),
        StagedStage.REFUSED: ("bad", "cannot be read as it is"),
        StagedStage.TAKING: ("wait", "being taken in"),
        StagedStage.TAKEN: ("good", "taken in"),
        StagedStage.THROWN_AWAY: ("info", "thrown away"),
    }[row.stage]
