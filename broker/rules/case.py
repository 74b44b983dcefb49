"""The announcement's case: what the rules may look at when they judge a whole announcement on one account.

Two kinds of case: `broker.policy.Case` is one delivery's, this one is for announcement × account × rules version.
Facts only, `now` among them; SQL and the channels supply them, and no policy ever asks for more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from broker.actor import SYSTEM, Actor
from broker.announcement import Attachment, Content, People, Purpose, Urgency
from broker.channel import Traits
from broker.disclosure.names import NameIndex
from broker.policy import Policy, Verdict
from broker.rules.parameters import Parameter
from broker.rules.values import Rules


@dataclass(frozen=True)  # without slots, for `but`
class AnnouncementCase:
    """One announcement on one account, at one moment, under one version of the rules.

    A field that a family adds has a default which means "not known, nothing against it", so that a case made for
    another family's sake stays short. What is dear to find out (`contents` and below) is there wherever `once` policies
    are judged, and not in the claim's look at what may change from one second to the next.
    """

    now: datetime
    rules: Rules
    zone: str  # the school's
    department: str
    channel: str
    account: str
    purpose: Purpose
    urgency: Urgency
    due_at: datetime
    expires_at: datetime
    accepted_at: datetime | None = None  # None before it is accepted: now
    settled_at: datetime | None = None  # since when its words stand, where nobody has just written them
    announcement: int | None = None  # None before it is accepted
    author: Actor = SYSTEM
    audience: str = ""  # the expression
    people: People = People.GUARDIANS
    ways: tuple[str, ...] = ()  # every channel of the announcement
    broadcast: bool = False
    counted: int | None = None  # people it would tell, when last counted
    # Of them, those with an address by one of its ways; asked where pupils are written to.
    covered: int | None = None
    expected: int | None = None  # people, as somebody typed it
    second_person: bool = False  # somebody other than the author has said yes to it
    norm: int | None = None  # people whom the department usually tells; None while it has too little history
    stopped: str = ""  # by a kill switch: the reason, in a sentence
    account_paused: bool = False
    posture: Mapping[str, str] | None = None
    posture_age: timedelta | None = None
    licence_needed: bool = False  # always, where the facts come from a ledger
    licensed_until: datetime | None = None  # None: an angle of the account's licence does not hold
    unlicensed: str = ""  # which, in plain words
    same_text_on: str = ""  # another account of this channel that said the very same lately
    template: str | None = None  # the template that it says it was made from
    worded_as: tuple[str, ...] = ()  # digests of those versions of it whose words it truly has
    unit: Decimal = Decimal(0)  # what one message was reckoned to cost; 0 where nothing is charged
    messages: int = 0  # how many there would be, as reckoned
    begun: bool = False  # it is being planned, or was
    budget: Decimal | None = None  # its department's for this month
    spent: Decimal = Decimal(0)  # of it, by what has begun
    committed: Decimal = Decimal(0)  # of it, by what was accepted and waits
    traits: Traits | None = None
    contents: tuple[Content, ...] = field(default=(), repr=False)
    attachments: tuple[Attachment, ...] = ()
    region: str = "GB"  # the school's: whose numbers are written without a prefix
    names: NameIndex | None = field(default=None, repr=False)  # the roster's, where the public reads it
    accompanied: bool = False  # a guardian or a second adult reads what each of these pupils does
    sender_of: str = ""  # staff, guardian or pupil: whose own number or email the account sends by
    adds_opt_out: bool = False  # this way itself says how to have no more
    unapproved: bool = False  # it waited for somebody's yes when it was last looked at
    overridden: bool = False  # urgent, and sent without a second person, for a reason

    def but(self, **facts: Any) -> AnnouncementCase:
        """The same with other facts: `dataclasses.replace` walks all of its fields, and cost a sixth of judging."""
        unknown = facts.keys() - self.__dict__.keys()
        if unknown:
            raise TypeError(f"no facts of a case: {', '.join(sorted(unknown))}")
        other = object.__new__(AnnouncementCase)
        other.__dict__.update(self.__dict__, **facts)
        return other

    @property
    def starts(self) -> datetime:
        """When it would begin to leave, as far as its own times say."""
        return max(self.now, self.due_at)

    @property
    def goes_out(self) -> bool:
        """Whether it has begun to go out, as what was agreed to; not as what nobody agreed to in its time."""
        return self.begun and not self.unapproved

    @property
    def urgent(self) -> bool:
        """Whether it skips what design §9 lets urgent ones skip."""
        return self.urgency is Urgency.URGENT


AnnouncementPolicy = Callable[[AnnouncementCase], Verdict]


@dataclass(frozen=True, slots=True)
class Family:
    """The rules of one family and what may be set about them.

    `once` policies look at what never changes for one announcement, account and rules version (its wording above all):
    a worker asks them once and remembers. `each_time` policies look at the clock, switches, approvals, licences, spend:
    they are asked at every claim. `each_delivery` judge a delivery's own case, beside the house rules.
    """

    name: str
    parameters: tuple[Parameter, ...]
    once: tuple[AnnouncementPolicy, ...] = ()
    each_time: tuple[AnnouncementPolicy, ...] = ()
    each_delivery: tuple[Policy, ...] = ()
