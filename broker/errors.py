"""Every way in which Carillon says no: one tree, one sentence each, one shape for people.

`Problem` is the shape that every door shows (CLI, HTTP, pages): which rule, which field, what is wrong, what to do.
No message here ever holds a number, an address, a name, a token or a body (design: ids only in logs).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Problem:
    """One clear error: `{code, field, message, hint}`, in the words a school secretary uses."""

    code: str
    field: str
    message: str
    hint: str = ""

    def as_dict(self) -> dict[str, str]:
        """The four fields, for JSON."""
        return asdict(self)


class BrokerError(Exception):
    """The root of every error that Carillon raises on purpose."""


class SetupError(BrokerError):
    """Raised at start-up when the configuration cannot work; never retried."""

    def __init__(self, problems: Sequence[Problem] | Problem) -> None:
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("; ".join(f"{p.field}: {p.message}" for p in self.problems))


class MissingSetting(SetupError):
    """Raised when settings are missing or cannot be read; it names all of them at once."""


class UnknownChannel(SetupError):
    """Raised when a channel is named that no installed package provides."""


class MissingExtra(SetupError):
    """Raised when a channel needs an optional package that is not installed."""


class ChannelFailed(SetupError):
    """Raised when a channel's own code raised where it was only asked; it never tells in what words."""

    def __init__(self, channel: str, error: Exception) -> None:
        message = f"the channel {channel} failed with {type(error).__name__}"
        super().__init__(Problem("channel_failed", "via", message, "see: carillon doctor"))


class RuleBroken(BrokerError):
    """Raised when what was asked for breaks a rule; nothing has been written."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.message)


class IllegalTransition(RuleBroken):
    """Raised when a delivery is asked to make a step that the state table does not hold."""


class InvalidAnnouncement(RuleBroken):
    """Raised when an announcement's wording, times, ways or key cannot be accepted."""


class RuleRefused(RuleBroken):
    """Raised when a rule is set to what it cannot be; the one before stays."""


class RulesUnreadable(RuleBroken):
    """Raised when the ledger cannot tell the school's rules: nothing leaves until it can."""

    @classmethod
    def because(cls, what: str) -> RulesUnreadable:
        """What cannot be read, told with where to look."""
        hint = "look: carillon rules history; to begin anew with the defaults: carillon rules reset --all"
        return cls(Problem("rules_unreadable", "rules", f"the school's rules cannot be read: {what}", hint))


class UnknownAudience(RuleBroken):
    """Raised when an audience expression names a group that the ledger does not hold."""


class BadMapping(RuleBroken):
    """Raised when a mapping does not fit its report, or lacks what an import needs."""


class InvalidLicence(RuleBroken):
    """Raised when what is to be settled about an account cannot be what is meant.

    `place`: which of several lines of the same name it is about, from 0; None for one that is there once.
    """

    place: int | None = None


class KeyConflict(RuleBroken):
    """Raised when an idempotency key is used again for something else."""


class NotFound(RuleBroken):
    """Raised when an id names nothing in this ledger, or nothing that this actor may see."""


class NotToBeChanged(RuleBroken):
    """Raised when a group, a person or a template may not be changed in this way, or not by hand."""


class AlreadyThere(NotToBeChanged):
    """Raised when something of this name, or to this address, is there already."""


class NotAllowed(RuleBroken):
    """Raised when an operator has not the role, or not the department, that this wants."""


class FeedTaken(RuleBroken):
    """Raised when a group's feed would have an address that belongs to another feed, or none."""


class LinkSpent(RuleBroken):
    """Raised when a sign-in link is unknown, was used already, or is too old."""


class NotProved(RuleBroken):
    """Raised when a password, a code or an identity does not sign anybody in; it never says which part was wrong."""


class TooManyTries(RuleBroken):
    """Raised when so many have tried to sign in from one place, or as one operator, that the next has to wait."""


class ProofWanted(RuleBroken):
    """Raised when what is asked for wants its operator to have proved just now who they are."""


class RecordBroken(BrokerError):
    """Raised when the sealed record does not verify; it says where the first fault is."""


class DeliveryFailure(BrokerError):
    """Raised by a channel's send: the one try did not end in a receipt.

    `code` is the provider's own (`21610`, `550 5.1.1`), `why` a sentence that is safe to show and to log.
    """

    def __init__(self, why: str, *, code: str = "") -> None:
        self.why = why
        self.code = code
        super().__init__(why)


class Transient(DeliveryFailure):
    """Raised when the provider provably did not accept the message, and may do so later."""


class Unreachable(Transient):
    """Raised when no connection was made, so that no byte of the message left."""


class RateLimited(Transient):
    """Raised when the provider asks us to slow down; it burns no attempt."""

    def __init__(self, why: str, *, code: str = "", retry_after: timedelta | None = None) -> None:
        super().__init__(why, code=code)
        self.retry_after = retry_after


class Permanent(DeliveryFailure):
    """Raised when the provider said no and would say no again."""


class AddressRejected(Permanent):
    """Raised when the provider refuses this address for good; `opt_out` when its owner asked for no more."""

    def __init__(self, why: str, *, code: str = "", opt_out: bool = False) -> None:
        super().__init__(why, code=code)
        self.opt_out = opt_out


class ContentRejected(Permanent):
    """Raised when the provider refuses this text, whoever it is for."""


class AccountRejected(Permanent):
    """Raised when the provider refuses the account itself: it is paused, and its deliveries wait."""


class Uncertain(DeliveryFailure):
    """Raised when the message may have left and no answer tells: never retried blindly."""
