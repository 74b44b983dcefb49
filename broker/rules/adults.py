"""Adults and children: nobody writes to a child alone, and nobody's own telephone speaks for the school (R4, R9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from broker.actor import ActorKind
from broker.announcement import People
from broker.audience import fold
from broker.policy import ALLOW, Allow, Evidence, Refuse, Verdict
from broker.rules.case import AnnouncementCase, Family
from broker.rules.parameters import Kind, Parameter

NOTICES = "adults.notices"
SHORT = 16  # characters of a digest that are kept: nobody finds another wording with the same ones


@dataclass(frozen=True, slots=True)
class Notice:
    """A template that a machine may speak by, with the digest of the version that was approved; "" approves none."""

    department: str
    name: str
    digest: str = ""

    def __str__(self) -> str:
        return f"{self.department}/{self.name}" + (f"@{self.digest[:SHORT]}" if self.digest else "")

    def is_of(self, department: str, folded_name: str) -> bool:
        """Whether it is this template, in whichever version."""
        return self.department.casefold() == department.casefold() and fold(self.name) == folded_name

    def approves(self, digest: str) -> bool:
        """Whether it is the version with this digest."""
        return bool(self.digest) and digest.startswith(self.digest)


def notice(word: str) -> Notice:
    """What a word of the rule says."""
    department, _, name = word.partition("/")
    called, at, digest = name.rpartition("@")
    if at and len(digest) == SHORT and not digest.strip("0123456789abcdef"):
        return Notice(department.strip(), called.strip(), digest)
    return Notice(department.strip(), name.strip())


def _no_template(names: Sequence[str]) -> str:
    wrong = next((name for name in names if not (notice(name).department and notice(name).name)), None)
    return f"cannot read {wrong[:40]}: write department/name" if wrong is not None else ""


PARAMETERS = (
    Parameter(
        "adults.smallest",
        Kind.COUNT,
        "5",
        "What a member of staff writes goes to this many pupils or more; to fewer, only with their guardians"
        " (--people both) or a second adult (--copy) reading it too. 0 for no such number.",
        "R9: staff must not message pupils privately; KCSIE part 2; Guidance for Safer Working Practice (2022), 12",
        most="1000",
    ),
    Parameter(
        NOTICES,
        Kind.WORDS,
        "",
        "The templates, as department/name, from which a machine such as the timetable system may speak: to a single"
        " pupil too, and without a second person's yes or a typed number each time, for its words were agreed to. Each"
        " is kept with the digest of its words of that moment: worded anew, it has to be approved anew.",
        "R9; a cover notice is the school's word, not a person's",
        check=_no_template,
    ),
)


def not_alone_with_a_child(case: AnnouncementCase) -> Verdict:
    """A person's own text to very few pupils is read by a guardian or a second adult too (R9).

    Counted by the people it covers, not by messages, for two parents' numbers are not two pupils; nor by the audience,
    for of a whole form perhaps one pupil has a telephone.
    """
    smallest, pupils = case.rules.count("adults.smallest"), covered(case)
    if case.people not in {People.PUPILS, People.BOTH} or pupils is None or not 0 < pupils < smallest:
        return ALLOW
    evidence: Evidence = {"pupils": pupils, "smallest": smallest, "template": case.template}
    if case.author.kind is ActorKind.SYSTEM and case.author.on_behalf_of is None:
        return Allow("system_notice", "a notice of Carillon's own", evidence)
    if (digest := approved_version(case)) is not None:
        evidence = {**evidence, "version": digest[:SHORT]}
        return Allow("system_notice", "a notice of the school's own, from an approved template", evidence)
    if case.accompanied:
        return ALLOW
    if case.people is People.BOTH:
        why = "no guardian of one of these pupils would read it too: add a second adult with --copy"
    else:
        why = f"it would go to fewer than {smallest} pupils and no other adult: use --people both, or add --copy"
    return Refuse("alone_with_a_child", why, evidence, "people")


def covered(case: AnnouncementCase) -> int | None:
    """How many people would truly be told; the audience where nobody counted further."""
    return case.counted if case.covered is None else case.covered


def approved_version(case: AnnouncementCase) -> str | None:
    """The version that the school approved and that a machine speaks by, word for word."""
    approved = _approved(case)
    return next((one for one in case.worded_as if any(each.approves(one) for each in approved)), None)


def is_notice(case: AnnouncementCase) -> bool:
    """Whether a machine speaks by what the school approved; what goes out was compared word by word before it began."""
    return approved_version(case) is not None or (case.goes_out and bool(_approved(case)))


def _approved(case: AnnouncementCase) -> list[Notice]:
    """What the school approved of the template that a machine says it speaks by."""
    if case.author.kind is not ActorKind.TOKEN or case.template is None:
        return []
    folded = fold(case.template)
    return [each for each in map(notice, case.rules.words(NOTICES)) if each.is_of(case.department, folded)]


def sender_is_the_schools(case: AnnouncementCase) -> Verdict:
    """No account sends by a number or an email that one member of staff alone holds (R7, R9)."""
    if not case.sender_of:
        return ALLOW
    why = f"what {case.account} sends by is the own number or email of a {case.sender_of}, not the school's"
    return Refuse("private_sender", why, {"belongs_to": case.sender_of})


FAMILY = Family("adults", PARAMETERS, once=(sender_is_the_schools, not_alone_with_a_child))
