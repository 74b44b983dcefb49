"""What the broker needs from the world: the ledger, the hints, and a signer. Ids and values cross, never rows.

A verb opens a transaction (`ledger.begin()`), calls these, and leaves it. Which database answers is nobody's
business here; one port suite holds every implementation to the same behaviour.
"""

from broker.ports.announcements import Announcements, NewAnnouncement
from broker.ports.answers import Answers, Bounces, Notes
from broker.ports.calendar import Schedules, TermCalendars
from broker.ports.consents import Consents, OptOuts
from broker.ports.events import Events
from broker.ports.ladders import Ladders
from broker.ports.licences import Licences, Posts
from broker.ports.money import BudgetRow, Money, SpendRow
from broker.ports.office import Families, Groups, Reaches, Templates
from broker.ports.outside import Channels, Hints, Signer
from broker.ports.people import Imports, Mappings, People, StagedImports
from broker.ports.privacy import Privacy, Prunings, Redactions
from broker.ports.proofs import Proof, Proofs, Session, Sessions, Stage, Vault
from broker.ports.rules import Cases, KeptVerdict, RuleBook, RulesVersion, Standing, Switches, Verdicts
from broker.ports.running import Accounts, Gateways, Records, Sweeps
from broker.ports.sending import Deliveries, Moves, Pace, Plans, Receipts, Retractions, Stops
from broker.ports.threads import Threads
from broker.ports.transaction import ImportTransaction, Ledger, Ports, Transaction

__all__ = [
    "Accounts",
    "Announcements",
    "Answers",
    "Bounces",
    "BudgetRow",
    "Cases",
    "Channels",
    "Consents",
    "Deliveries",
    "Events",
    "Families",
    "Gateways",
    "Groups",
    "Hints",
    "ImportTransaction",
    "Imports",
    "KeptVerdict",
    "Ladders",
    "Ledger",
    "Licences",
    "Mappings",
    "Money",
    "Moves",
    "NewAnnouncement",
    "Notes",
    "OptOuts",
    "Pace",
    "People",
    "Plans",
    "Ports",
    "Posts",
    "Privacy",
    "Proof",
    "Proofs",
    "Prunings",
    "Reaches",
    "Receipts",
    "Records",
    "Redactions",
    "Retractions",
    "RuleBook",
    "RulesVersion",
    "Schedules",
    "Session",
    "Sessions",
    "Signer",
    "SpendRow",
    "Stage",
    "StagedImports",
    "Standing",
    "Stops",
    "Sweeps",
    "Switches",
    "Templates",
    "TermCalendars",
    "Threads",
    "Transaction",
    "Vault",
    "Verdicts",
]
