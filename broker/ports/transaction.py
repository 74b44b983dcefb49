"""One transaction of the ledger, the ledger itself, and everything a verb needs in one hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar

from broker.incoming.answering import Answering
from broker.ports.announcements import Announcements
from broker.ports.answers import Answers, Bounces, Notes
from broker.ports.api import Tokens, Webhooks
from broker.ports.approvals import Approvals, Operators
from broker.ports.calendar import Schedules, Subscriptions, TermCalendars
from broker.ports.consents import Consents, OptOuts
from broker.ports.events import Events
from broker.ports.figures import Figures
from broker.ports.ladders import Ladders
from broker.ports.licences import Licences, Posts
from broker.ports.links import PrivateLinks, Subscribers
from broker.ports.money import Money
from broker.ports.office import Families, Groups, Reaches, Templates
from broker.ports.outside import Calls, Channels, Hints, NoCalls, Signer
from broker.ports.people import Imports, Mappings, People, StagedImports
from broker.ports.privacy import Privacy, Prunings, Redactions
from broker.ports.proofs import Proofs, Sessions
from broker.ports.rules import Cases, RuleBook, Switches, Verdicts
from broker.ports.running import Accounts, Gateways, Records, Sweeps
from broker.ports.sending import Deliveries, Moves, Pace, Plans, Receipts, Retractions, Stops
from broker.ports.threads import Threads
from broker.ports.timetables import Timetables
from broker.record import Entry
from broker.rosters.roster import Roster
from broker.rules.memory import Memory
from broker.values import AccountRow, Result, SchoolRow, Starts

T = TypeVar("T")


class Transaction(Protocol):
    """One transaction of the ledger."""

    @property
    def now(self) -> datetime:
        """The transaction's time: the database's clock (a guarded process clock on SQLite)."""

    @property
    def school(self) -> SchoolRow:
        """Whose ledger this is."""

    def attempt(self) -> AbstractContextManager[None]:
        """A part of it that is taken back alone when it raises."""

    @property
    def announcements(self) -> Announcements:
        """What was said."""

    @property
    def people(self) -> People:
        """Who there is."""

    @property
    def consents(self) -> Consents:
        """Who said yes to what."""

    @property
    def opt_outs(self) -> OptOuts:
        """Who asked for no more."""

    @property
    def mappings(self) -> Mappings:
        """How reports are read."""

    @property
    def staged_imports(self) -> StagedImports:
        """What waits to be taken in."""

    @property
    def groups(self) -> Groups:
        """Groups kept by hand."""

    @property
    def links(self) -> PrivateLinks:
        """Private links to what a group is told."""

    @property
    def subscribers(self) -> Subscribers:
        """Browsers that asked to be told with a group."""

    @property
    def families(self) -> Families:
        """Who belongs to whom."""

    @property
    def ladders(self) -> Ladders:
        """Ways in order, and who has seen it."""

    @property
    def templates(self) -> Templates:
        """Named wordings."""

    @property
    def reaches(self) -> Reaches:
        """Facts about who can be told."""

    @property
    def plans(self) -> Plans:
        """Fan-out."""

    @property
    def deliveries(self) -> Deliveries:
        """The hot path."""

    @property
    def moves(self) -> Moves:
        """Recovery, evidence, look-ups, people's decisions."""

    @property
    def retractions(self) -> Retractions:
        """What is to be taken back."""

    @property
    def receipts(self) -> Receipts:
        """The inbox."""

    @property
    def answers(self) -> Answers:
        """What people wrote back."""

    @property
    def notes(self) -> Notes:
        """What the house itself sends to one address."""

    @property
    def bounces(self) -> Bounces:
        """What came back."""

    @property
    def accounts(self) -> Accounts:
        """Configured accounts."""

    @property
    def gateways(self) -> Gateways:
        """Health of the providers under them."""

    @property
    def licences(self) -> Licences:
        """What is settled about the accounts."""

    @property
    def posts(self) -> Posts:
        """What stands on them that did not come from here."""

    @property
    def pace(self) -> Pace:
        """Turns."""

    @property
    def stops(self) -> Stops:
        """The stop-list."""

    @property
    def rules(self) -> RuleBook:
        """The school's rules."""

    @property
    def cases(self) -> Cases:
        """Facts for the rules."""

    @property
    def verdicts(self) -> Verdicts:
        """What the rules answered."""

    @property
    def switches(self) -> Switches:
        """Kill switches."""

    @property
    def record(self) -> Records:
        """The history."""

    @property
    def sweeps(self) -> Sweeps:
        """What the sweep asks."""

    @property
    def figures(self) -> Figures:
        """What was sent, counted."""

    @property
    def money(self) -> Money:
        """Budgets and spend."""

    @property
    def operators(self) -> Operators:
        """Who may act."""

    @property
    def approvals(self) -> Approvals:
        """What a second person decided."""

    @property
    def sessions(self) -> Sessions:
        """Who is signed in to the pages."""

    @property
    def proofs(self) -> Proofs:
        """What operators prove who they are by."""

    @property
    def tokens(self) -> Tokens:
        """Tokens of programs."""

    @property
    def webhooks(self) -> Webhooks:
        """Programs that are told of deliveries."""

    @property
    def privacy(self) -> Privacy:
        """What there is of one person."""

    @property
    def prunings(self) -> Prunings:
        """What has had its time."""

    @property
    def redactions(self) -> Redactions:
        """What providers are to forget."""

    @property
    def timetables(self) -> Timetables:
        """What changed in the timetable, and who was told."""

    @property
    def threads(self) -> Threads:
        """What follows up what."""

    @property
    def calendars(self) -> TermCalendars:
        """The term calendar."""

    @property
    def subscriptions(self) -> Subscriptions:
        """Calendars elsewhere."""

    @property
    def schedules(self) -> Schedules:
        """What is announced when its time comes."""

    @property
    def events(self) -> Events:
        """What takes place, and who was reminded."""


class ImportTransaction(Transaction, Protocol):
    """A transaction beside which a roster lies staged."""

    @property
    def imports(self) -> Imports:
        """The staged roster against the ledger."""


class Ledger(Protocol):
    """The only truth."""

    def begin(self) -> AbstractContextManager[Transaction]:
        """A transaction: committed when the block ends, rolled back when it raises."""

    def look(self) -> AbstractContextManager[Transaction]:
        """A transaction that only reads, and waits for no writer: for what must be known while others write."""

    def begin_import(self, roster: Roster) -> AbstractContextManager[ImportTransaction]:
        """Stage a roster where nobody else sees it, then begin: one import at a time, and a short transaction."""

    def transact(self, work: Callable[[Transaction], T], *, ahead: bool = False) -> T:
        """Run `work` in a transaction, again from its start when it lost to another one.

        `ahead`: it is urgent; where writers queue (SQLite) it goes before the routine ones.

        Lost: a deadlock, a lock that was not to be had, or a row that the other wrote first.
        """

    def exchange(
        self,
        account: AccountRow,
        results: Sequence[Result],
        told: Sequence[Entry],
        starts: Starts,
        *,
        now: datetime,
    ) -> Mapping[int, int] | None:
        """`write_back`, its record `told` as of `now`, and `start`, committed at once where that can be done.

        None, with nothing changed, where it cannot: then they go in a transaction.
        """


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything a verb needs, in one hand."""

    ledger: Ledger
    hints: Hints
    signer: Signer
    channels: Channels
    answering: Answering = field(default_factory=Answering)
    public_url: str | None = None  # of the school, for links; None while it has none
    calls: Calls = field(default_factory=NoCalls)  # to programs elsewhere, which are told of deliveries
    memory: Memory = field(default_factory=Memory)  # of what the rules need be asked only once
