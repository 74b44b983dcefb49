"""The rules at work on whole announcements: at intake, in the preview, at fan-out and in the claim, by one function.

Facts come from one place (`tx.cases`), also for what is not accepted yet: it is stored first and judged in the same
transaction, which a refusal, or a preview, takes back. So no rule sees other facts before than after.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from broker.accounts import CANNOT_OPEN, cannot_open
from broker.actor import Actor
from broker.announcement import Announcement
from broker.channel import Traits
from broker.disclosure.roster_facts import with_roster
from broker.errors import BrokerError, ChannelFailed, InvalidAnnouncement, Problem, SetupError
from broker.licences.social import with_other_voices
from broker.policy import Allow, Hold, Refuse, Verdict, together, with_besides
from broker.ports import KeptVerdict, Ports, Standing, Transaction
from broker.record import Entry
from broker.rules import book
from broker.rules.case import AnnouncementCase
from broker.values import AccountRow

BROKEN_RECHECK = timedelta(minutes=1)  # of what a rule that raises holds: somebody is mending it
FAILED = "policy_failed"


class PolicyFailed(BrokerError):
    """Raised when a policy raised instead of answering; its account is paused, and nothing of it leaves."""


class RefusedByRule(InvalidAnnouncement):
    """Raised when a rule refuses an announcement before it is accepted; `ruling` has the evidence."""

    ruling: Ruling

    @classmethod
    def by(cls, ruling: Ruling, refusal: Refuse) -> RefusedByRule:
        """What the rule said, with the field it is about."""
        refused = cls(Problem(refusal.code, refusal.about or "via", refusal.why, refusal.hint))
        refused.ruling = ruling
        return refused


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the rules say to an announcement on one account, and what they said when last asked."""

    account: AccountRow
    case: AnnouncementCase
    verdict: Verdict
    last: tuple[int, str, str] | None = None

    @property
    def answer(self) -> str:
        """allow, hold or refuse."""
        return answer_of(self.verdict)

    @property
    def is_new(self) -> bool:
        """Whether it is another answer than before: by another version of the rules, or for another reason."""
        return self.last != (self.case.rules.version, self.answer, self.verdict.code)


def answer_of(verdict: Verdict) -> str:
    """A verdict in one word."""
    if isinstance(verdict, Hold):
        return "hold"
    return "allow" if isinstance(verdict, Allow) else "refuse"


def rulings(
    ports: Ports, tx: Transaction, announcement: Announcement, *, asked: bool = False, reworded: bool = False
) -> Sequence[Ruling]:
    """What the rules say to a stored announcement on each of its accounts.

    `asked`: it is not accepted yet, and this is the answer to whoever asks. `reworded`: so is its newest wording. A way
    without an account has no ruling.
    """
    return rulings_of_all(ports, tx, [announcement], asked=asked, reworded=reworded)[announcement.id]


def rulings_of_all(
    ports: Ports,
    tx: Transaction,
    announcements: Sequence[Announcement],
    *,
    asked: bool = False,
    reworded: bool = False,
    patient: bool = False,
) -> Mapping[int, Sequence[Ruling]]:
    """The same of many at once: their facts come in a few statements for each account.

    `patient`: no person asks, who could choose another way; what cannot be opened waits.
    """
    accounts: dict[str, AccountRow] = {}
    theirs: dict[str, list[int]] = {}
    for announcement in announcements:
        for channel in dict.fromkeys(name for step in announcement.ways for name in step.channels):
            account = tx.accounts.for_channel(channel, announcement.department)
            if account is not None:
                accounts[account.name] = account
                theirs.setdefault(account.name, []).append(announcement.id)
    found: dict[int, list[Ruling]] = {announcement.id: [] for announcement in announcements}
    whole = tx.cases.whole_on([(account, theirs[name]) for name, account in accounts.items()])
    for name, account in accounts.items():
        standing = whole[account.id]
        for number in theirs[name]:
            try:
                ruling = _ruling(ports, tx, account, number, standing[number], asked=asked, reworded=reworded)
            except SetupError as fault:
                if asked and not patient:
                    raise
                ruling = _unopened(tx, account, standing[number], fault)
            found[number].append(ruling)
    return found


def _ruling(
    ports: Ports,
    tx: Transaction,
    account: AccountRow,
    announcement: int,
    standing: Standing,
    *,
    asked: bool,
    reworded: bool,
) -> Ruling:
    case = known_of_channel(standing.case, ports.channels.traits(account.channel), asked=asked)
    case = with_other_voices(tx, account, announcement, case, reworded=reworded)
    case = with_roster(ports, tx, account, announcement, case)
    return Ruling(account, case, _judged(tx, book.judged, case), standing.last)


def _unopened(tx: Transaction, account: AccountRow, standing: Standing, fault: SetupError) -> Ruling:
    """What needs no look at the account is judged, and the rest when it opens: nothing leaves by it until then."""
    waits = Hold(
        standing.case.now + BROKEN_RECHECK,
        CANNOT_OPEN,
        cannot_open(tx, account, fault),
        {"code": fault.problems[0].code},
    )
    verdict = together((_judged(tx, book.judged_each_time, standing.case), waits))
    return Ruling(account, standing.case, verdict, standing.last)


def refusal_in(found: Iterable[Ruling]) -> RefusedByRule | None:
    """The first refusal, as an error for whoever asked."""
    for ruling in found:
        if isinstance(ruling.verdict, Refuse):
            return RefusedByRule.by(ruling, ruling.verdict)
    return None


def hold_of(found: Sequence[Ruling]) -> Hold | None:
    """What keeps the announcement as a whole from being planned, if anything does.

    The latest of what holds it on every way; else the earliest of its ways' own holds, where all of them are held:
    planning later finds whom it then is about. A way that alone is held is planned, and waits in the claim.
    Whatever else holds it stands beside it.
    """
    verdicts = [ruling.verdict for ruling in found]
    holds = [verdict for verdict in verdicts if isinstance(verdict, Hold)]
    if whole := [hold for hold in holds if hold.whole]:
        return with_besides(max(whole, key=lambda hold: hold.until), whole)
    if holds and all(isinstance(verdict, Hold | Refuse) for verdict in verdicts):
        return with_besides(min(holds, key=lambda hold: hold.until), holds)
    return None


def keep(
    tx: Transaction, announcement: int, found: Iterable[Ruling], *, actor: Actor, after: Sequence[Entry] = ()
) -> None:
    """Keep the answers that are new, with their evidence, and tell the record, `after` what it is told besides."""
    keep_all(tx, [(announcement, ruling, actor) for ruling in found], after=after)


def keep_all(
    tx: Transaction, found: Iterable[tuple[int, Ruling, Actor]], *, after: Sequence[Entry] = ()
) -> None:
    """The same of many announcements at once."""
    new = [each for each in found if each[1].is_new]
    tx.verdicts.keep([_kept(tx, announcement, ruling) for announcement, ruling, _ in new])
    told = [_told(announcement, ruling, actor) for announcement, ruling, actor in new]
    tx.record.add([*after, *told])


def hold_back(tx: Transaction, announcement: Announcement, hold: Hold) -> None:
    """Keep it from being planned; never beyond its expiry, so that whoever is not told then is told why."""
    tx.cases.hold(announcement.id, min(hold.until, announcement.expires_at), hold.code, hold.told)


def refusal_told(refused: RefusedByRule, department: str, digest: str, actor: Actor) -> Entry:
    """What the record keeps of an announcement that was never accepted: whose, and which rule, never its words."""
    ruling = refused.ruling
    facts = {"department": department, "digest": digest, **_facts(ruling)}
    return Entry("announcement.refused", actor, facts)


def claimed(
    ports: Ports,
    tx: Transaction,
    announcements: Collection[int],
    account: AccountRow,
    traits: Traits,
) -> Mapping[int, Ruling]:
    """The rulings that a claim needs: one statement for facts that may change, one more for wordings not judged yet.

    Raises PolicyFailed when a rule raises, or the channel's own code.
    """
    if not announcements:
        return {}
    standing = tx.cases.standing(announcements, account)
    once = _once(ports, tx, standing, account, traits)
    found = {}
    for announcement, one in standing.items():
        case = known_of_channel(one.case, traits)
        verdict = together((once[announcement], _asked(book.judged_each_time, case)))
        found[announcement] = Ruling(account, case, verdict, one.last)
    return found


def allowed_still(case: AnnouncementCase, now: datetime) -> bool:
    """Whether what a claim was allowed may go at another moment; a rule that raises is no yes."""
    try:
        return isinstance(book.judged_each_time(case.but(now=now)), Allow)
    except Exception:  # noqa: BLE001 - the claim meets it next, and tells of it
        return False


def known_of_channel(case: AnnouncementCase, traits: Traits, *, asked: bool = False) -> AnnouncementCase:
    """The case with what only the channel's code knows; where it is only `asked`, as one that is not accepted yet."""
    if asked:
        return case.but(traits=traits, broadcast=traits.for_anybody, announcement=None, accepted_at=None)
    return case.but(traits=traits, broadcast=traits.for_anybody)


def _once(
    ports: Ports,
    tx: Transaction,
    standing: Mapping[int, Standing],
    account: AccountRow,
    traits: Traits,
) -> Mapping[int, Verdict]:
    known: dict[int, Verdict] = {}
    for announcement, one in standing.items():
        verdict = ports.memory.get(announcement, account.id, one.case.rules.version)
        if verdict is not None:
            known[announcement] = verdict
    missing = standing.keys() - known.keys()
    if missing:
        for announcement, whole in tx.cases.whole(missing, account).items():
            case = with_other_voices(tx, account, announcement, known_of_channel(whole.case, traits))
            try:
                case = with_roster(ports, tx, account, announcement, case)
            except ChannelFailed as fault:
                raise PolicyFailed(fault.problems[0].message) from fault
            verdict = _asked(book.judged_once, case)
            if not isinstance(verdict, Hold):  # a second person's yes ends it
                ports.memory.put(announcement, account.id, whole.case.rules.version, verdict)
            known[announcement] = verdict
    return known


def _asked(rules: Callable[[AnnouncementCase], Verdict], case: AnnouncementCase) -> Verdict:
    """A rule that raises is a fault of ours, told apart from a ledger that is away."""
    try:
        return rules(case)
    except Exception as error:
        # Whatever it is: nothing may leave by this account, and its claim is taken back whole.
        raise PolicyFailed(f"a rule failed with {type(error).__name__}") from error


def _judged(tx: Transaction, rules: Callable[[AnnouncementCase], Verdict], case: AnnouncementCase) -> Verdict:
    """A rule that raises holds its way and no other, and somebody is told."""
    try:
        return rules(case)
    except Exception as error:  # noqa: BLE001 - whatever it is, nothing may leave by this account, and nothing is lost
        why = f"a rule failed with {type(error).__name__}"
        tx.sweeps.raise_alarm(FAILED, case.account, why)
        return Hold(case.now + BROKEN_RECHECK, FAILED, why)


def _kept(tx: Transaction, announcement: int, ruling: Ruling) -> KeptVerdict:
    verdict = ruling.verdict
    return KeptVerdict(
        announcement=announcement,
        account=ruling.account.id,
        account_name=ruling.account.name,
        channel=ruling.account.channel,
        rules_version=ruling.case.rules.version,
        at=tx.now,
        answer=ruling.answer,
        code=verdict.code,
        why=verdict.told if isinstance(verdict, Hold) else verdict.why,
        until=verdict.until if isinstance(verdict, Hold) else None,
        evidence=verdict.evidence,
    )


def _told(announcement: int, ruling: Ruling, actor: Actor) -> Entry:
    return Entry("announcement.judged", actor, _facts(ruling), announcement)


def _facts(ruling: Ruling) -> dict[str, object]:
    return {
        "account": ruling.account.name,
        "rules": ruling.case.rules.version,
        "answer": ruling.answer,
        "code": ruling.verdict.code,
        "evidence": dict(ruling.verdict.evidence),
    }
