"""The kill switches: what is stopped, and a page for each that says what stops before it asks once more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fastapi import APIRouter, Request, Response

from broker.authority import departments, switching
from broker.errors import NotFound, NotToBeChanged, Problem, RuleBroken
from broker.ports.approvals import OperatorRole
from broker.rules.switches import Switch, SwitchKind
from ledger.reads.accounts import paused_by
from ledger.reads.stopping import stopping
from web.watch import words
from web.watch.accounts.forms import MOST_FORM, WHY
from web.watch.accounts.pages import STOPS
from web.watch.desk import At, Desk, Form, acting, posted
from web.watch.forms import reason
from web.watch.signing_in import NoPage

router = APIRouter()

ALL = "all"  # stands in an address for what has no name
LONGEST_NAME = 63
# Within a sentence; what is not here is a name of its own.
WAYS = {"sms": "text messages", "email": "emails", "rss": "the feed"}
WHAT_STOPS: Mapping[SwitchKind, str] = {
    SwitchKind.EVERYTHING: "Within a second nothing more leaves the school by any way: no text, no email, no post,"
    " nothing new in the feeds, urgent announcements among it.",
    SwitchKind.CHANNEL: "Within a second nothing more leaves by this way, of any department, urgent announcements among"
    " it. Other ways go on; who is told by several ways in order is not told by the next one because of it.",
    SwitchKind.DEPARTMENT: "Within a second nothing more of this department leaves by any way, urgent announcements"
    " among it. Other departments go on.",
    SwitchKind.ACCOUNT: "Within a second nothing more goes by this account, urgent announcements among it. Other"
    " accounts go on.",
}


@dataclass(frozen=True, slots=True)
class Lever:
    """Something that can be stopped or let go on; `off`: since when, by whom and why it is stopped."""

    kind: SwitchKind
    subject: str
    name: str
    off: Switch | None = None
    own: bool = True  # whether this operator may throw it

    @property
    def called(self) -> str:
        """In a sentence, after "stop": one way and one account may bear the same name."""
        match self.kind:
            case SwitchKind.EVERYTHING:
                return "everything"
            case SwitchKind.CHANNEL:
                return WAYS.get(self.subject, self.name)
            case SwitchKind.DEPARTMENT:
                return f"all that {self.name} sends"
        return f"the account {self.name}"

    @property
    def address(self) -> str:
        """Below `watch/switches`."""
        return f"{self.kind}/{self.subject or ALL}"


@router.get("/watch/switches")
def switches(at: Desk) -> Response:
    """What is stopped, and what can be."""
    levers = _levers(at)
    return at.page(
        "school/switches",
        levers=levers,
        kinds=list(SwitchKind),
        stops=at.may(*STOPS),
        goes=_may_let_go(at),
        switch_words=words.switch,
    )


@router.get("/watch/switches/{kind}/{subject}")
def ask(kind: str, subject: str, at: Desk) -> Response:
    """What exactly stops, or goes on."""
    return _page(at, _the(at, kind, subject))


@router.post("/watch/switches/{kind}/{subject}")
async def throw(kind: str, subject: str, request: Request) -> Response:
    """Stop it, or let it go on."""
    return await posted(request, lambda at, form: _throw(at, form, kind, subject), most=MOST_FORM)


def _throw(at: At, form: Form, kind: str, subject: str) -> Response:
    lever = _the(at, kind, subject)
    at.must(*STOPS)
    try:
        if form["do"] == "stop":
            if not lever.own:
                departments.must_own(acting(at), None)
            why = reason(form["why"], **WHY)
            thrown = switching.stop(at.ports, lever.kind, lever.subject, why, actor=acting(at))
            return at.done("watch/switches", "switch_stopped" if thrown else "switch_stopped_already")
        if form["do"] != "go":
            raise NotToBeChanged(Problem("nothing_said", "", "nothing was said", "choose a button"))
        why = reason(form["why"])
        thrown = switching.go(at.ports, lever.kind, lever.subject, why, actor=acting(at))
    except NotFound:
        raise NoPage(404, "not_found") from None
    except RuleBroken as refused:
        return _page(at, lever, 422, problem=refused.problem, form=form)
    return at.done("watch/switches", "switch_going" if thrown else "switch_going_already")


def _page(
    at: At, lever: Lever, status: int = 200, *, problem: Problem | None = None, form: Form | None = None
) -> Response:
    with at.reading() as hand:
        counts = stopping(hand, lever.kind, lever.subject)
    return at.page(
        "school/switch",
        status,
        lever=lever,
        counts=counts,
        what_stops=WHAT_STOPS[lever.kind],
        stops=at.may(*STOPS) and lever.own,
        goes=_may_let_go(at),
        problem=problem,
        form=form or Form(),
    )


def _levers(at: At) -> Sequence[Lever]:
    """Everything that somebody may know of: of one department its own, and what is the whole school's."""
    with at.ledger.look() as tx:
        every = tx.accounts.all()
        by = paused_by(tx.hand, every)
        off = {
            (one.kind, one.subject): replace(one, off_by=one.off_by or by.get(one.subject, ""))
            for one in tx.switches.off()
        }
    accounts = [one for one in every if departments.sees(acting(at), one.department)]
    mine, whole = at.department, at.department is None
    found = [(SwitchKind.EVERYTHING, "", "Everything", whole)]
    channels = dict.fromkeys(one.channel for one in accounts)
    found += [(SwitchKind.CHANNEL, name, words.channel(name), whole) for name in channels]
    for slug, name in at.settings.departments.items():
        if mine in {None, slug}:
            found.append((SwitchKind.DEPARTMENT, slug, name, True))
    found += [(SwitchKind.ACCOUNT, one.name, one.name, mine in {None, one.department}) for one in accounts]
    return [Lever(kind, subject, name, off.get((kind, subject)), own) for kind, subject, name, own in found]


def _the(at: At, kind: str, subject: str) -> Lever:
    """One of them. Raises NoPage."""
    wanted = "" if subject == ALL and kind == SwitchKind.EVERYTHING else subject[:LONGEST_NAME]
    found = next((one for one in _levers(at) if (one.kind, one.subject) == (kind, wanted)), None)
    if found is None:
        raise NoPage(404, "not_found")
    return found


def _may_let_go(at: At) -> bool:
    """Letting go on is for those who answer for it."""
    return at.may(OperatorRole.ADMIN) and at.department is None
