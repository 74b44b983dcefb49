"""Plain words for what became of an announcement and of each person it is about."""

from __future__ import annotations

from collections.abc import Mapping

from broker.announcement import FollowUp, Stage
from broker.delivery import EVIDENCE_STATE, STATES, Evidence, State
from broker.duty import DutyState
from broker.ladders.ladder import Need, Outcome
from ledger.reads.timeline import Turn
from ledger.reads.watch import Shown
from web.watch import words
from web.watch.stages import look_of

FOLLOWS = {
    FollowUp.CORRECTION: "a correction of another one",
    FollowUp.EDIT: "mends a slip of the pen in another one",
    FollowUp.WITHDRAWAL: "tells that another one was taken back",
    FollowUp.RESEND: "says another one again",
    FollowUp.REDIRECT: "says another one again, to new addresses",
}
# How a person's duty stands: its mark and its words.
STANDS = {
    DutyState.MET: ("good", "told"),
    DutyState.OPEN: ("wait", "still open"),
    DutyState.LAPSED: ("bad", "could not be told"),
}
OUTCOMES = {
    Outcome.CLOSED: ("info", "not its turn yet"),
    Outcome.NOT_APPLICABLE: ("info", "nothing to use"),
    Outcome.WAITING: ("wait", "under way"),
    Outcome.SENT: ("good", "sent"),
    Outcome.DELIVERED: ("good", "delivered"),
    Outcome.UNCERTAIN: ("question", "uncertain"),
    Outcome.FAILED: ("bad", "did not arrive"),
    Outcome.ON_SHEET: ("warn", "on the slip sheet"),
}
UNLESS = {
    Need.REACHED: "unless a message was sent by then",
    Need.DELIVERED: "unless a message has arrived by then",
    Need.SEEN: "unless somebody has said by then that it was seen",
}
DID: Mapping[str, tuple[str, str]] = {
    "announcement.accepted": ("pen", "Announced"),
    "announcement.approved": ("good", "A second person said yes"),
    "announcement.being_corrected": ("wait", "A correction was written; what had not left waits for it"),
    "announcement.corrected": ("pen", "Corrected: the right text speaks instead from now on"),
    "announcement.expected": ("tick", "The number of people was confirmed"),
    "announcement.follows": ("list", "It follows up an earlier announcement"),
    "announcement.overridden": ("warn", "Sent as urgent without a second person"),
    "announcement.planned": ("list", "Everybody it is for was found, and their messages made ready"),
    "announcement.rejected": ("bad", "A second person said no"),
    "announcement.reworded": ("pen", "Its words were changed, before anything left"),
    "announcement.withdrawn": ("stop", "Withdrawn"),
    "approval.reviewed": ("tick", "Looked at afterwards by somebody who may approve"),
    "approval.void": ("warn", "The yes does not count any more"),
    "delivery.cannot_be_retracted": ("bad", "A post could not be deleted"),
    "delivery.requeued": ("send", "Tried again"),
    "delivery.retracted": ("bin", "A post was deleted"),
    "delivery.settled": ("tick", "An uncertain message was left as it is"),
    "hold.placed": ("lock", "Held for the law"),
    "ladder.ended": ("info", "No further way opens"),
}


def stage_kind(shown: Shown) -> str:
    """The mark of a stage; its words stand beside."""
    if shown.stage is Stage.SENDING and not shown.settled:
        return "wait"
    return look_of(shown.stage, went_out=bool(shown.channels)).mark


def way_names(channels: str) -> str:
    """The ways of one step: "sms and email" as people call them."""
    if channels == "sheet":
        return "Slip sheet"
    return " and ".join(words.channel(each) for each in channels.split(" and "))


def tried(outcome: State | None) -> str:
    """What came of one try: the state it brought its delivery to; nothing is known while it goes on."""
    if outcome is None:
        return "no answer yet"
    return "to be tried again" if outcome is State.QUEUED else STATES[outcome].label


def who(turn: Turn) -> str:
    """Who did it: a person by name, and for whom; what the house does by itself is nobody's."""
    actor = turn.actor
    if actor.get("kind") == "system":
        return ""
    behalf = actor.get("on_behalf_of")
    return f"{actor['id']} for {behalf}" if behalf else str(actor["id"])


def proved(evidence: Evidence) -> State:
    """The state that what a provider said later brings a delivery to."""
    return EVIDENCE_STATE[evidence]


def as_sentence(text: str) -> str:
    """Words of the ledger as a sentence."""
    words_ = text.strip()
    return (
        f"{words_[:1].upper()}{words_[1:]}{'' if words_.endswith(('.', '!', '?')) else '.'}" if words_ else ""
    )
