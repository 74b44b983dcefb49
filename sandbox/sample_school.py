"""A sample school to try everything on: St Cecilia's, which is nowhere, as a OneRoster 1.1 export.

Its mobiles are of real ranges, because a number kept for fiction is one that no checker accepts. They may
belong to somebody: the sandbox's gateways refuse to send anywhere but to loopback. Its emails end in
example.org (RFC 2606).
"""

from __future__ import annotations

import csv
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from sandbox.sample_addresses import Addresses

T = TypeVar("T")

YEARS = range(7, 14)
FORM_SIZE = 26
PUPILS_PER_TEACHER = 14
DOMAIN = "stcecilias.example.org"
HOME_DOMAINS = ("post.example.org", "letters.example.org", "home.example.org")
# Each with the share of pupils who are in it.
ENSEMBLES = (("Choir", 0.18), ("Orchestra", 0.10), ("Jazz Band", 0.04))
SUBJECTS = (
    ("En", "English"),
    ("Ma", "Mathematics"),
    ("Sc", "Science"),
    ("Mu", "Music"),
    ("Pe", "Physical Education"),
)

_GIVEN = """
Aaliyah Adam Aisha Alfie Amelia Amir Ángela Anjali Aoife Archie Ayşe Beatrice Ben Björn Callum Carys
Charlie Chloë Daisy Daniel Dafydd Deepa Eilidh Elif Ella Emeka Ethan Evie Farah Femi Finley Florence
Freya George Grace Gwen Hamza Hannah Harper Harry Ibrahim Imogen Isaac Isla Ivy Jack Jaya José Joshua
Kwame Lachlan Leila Leo Liam Lily Łukasz Lucía Maisie Mateusz Maya Mia Mohammed Nadia Ngọc Niamh Noah
Noor Oisín Oliver Olivia Oluwaseun Oscar Poppy Priya Rafael Renée Rhys Rohan Rosie Rowan Ruby Ruairí
Samir Saoirse Sebastian Seren Siân Sofia Søren Tariq Thea Theo Tomasz Uma Violet William Yasmin Yusuf
Zainab Zofia Zoë
"""
_FAMILY = """
Adeyemi Ahmed Al-Farsi Ali Armitage Baker Banerjee Begum Bennett Blackwood Carter Chaudhry Chen Clarke
Cohen Cooper d'Souza Davies Dąbrowski Edwards Evans Fernández Fitzgerald Fletcher García Gill Green
Griffiths Hall Harris Hughes Hussain Iqbal Jackson Jones Kaur Kaya Khan Kowalczyk Lewis MacLeod Mahmood
Martin Mensah Mitchell Moore Morgan Müller Murphy Nguyễn Novák Nowak O'Connor Okonkwo Osei Owusu Parker
Patel Pereira Phillips Popescu Price Rahman Roberts Robinson Rossi Şahin Sharma Shaw Silva Singh Smith
Taylor Thompson Turner Walker Ward Watson Williams Wójcik Wood Wright Yılmaz Young Żak Zhang
"""


@dataclass(frozen=True, slots=True)
class SampleSchool:
    """What was written, and where the interesting families are."""

    folder: Path
    pupils: int
    guardians: int
    staff: int
    four_children: tuple[str, ...]  # ids of four siblings
    their_guardians: tuple[str, ...]  # ids of their two guardians, with one number each
    their_mobiles: tuple[str, ...]  # E.164
    shared_by_parents: str  # E.164: both parents of a family gave this one number
    office_mobile: str  # E.164: three guardians who have nothing else in common gave it
    unreadable: tuple[str, ...]  # ids of guardians whose number is a landline, damaged, or two in a cell

    @property
    def people(self) -> int:
        """Everybody."""
        return self.pupils + self.guardians + self.staff


def write_sample_school(folder: Path, *, pupils: int = 420, seed: int = 1) -> SampleSchool:
    """Write the school's OneRoster files into `folder`, which is made; same arguments, same bytes.

    `pupils` (20 or more) sets the size: with guardians and staff there are about 2.3 times as many people.
    """
    if pupils < 20:
        raise ValueError("a sample school has 20 pupils or more")
    school = _School(random.Random(seed), pupils)
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in school.files().items():
        with (folder / name).open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows(rows)
    return school.told(folder)


@dataclass(slots=True)
class _User:
    id: str
    role: str
    given: str
    family: str
    email: str = ""
    sms: str = ""
    grades: str = ""
    agents: list[str] = field(default_factory=list)
    status: str = "active"
    enabled: str = "TRUE"
    form: str = ""

    def row(self) -> tuple[str, ...]:
        return (
            *(
                self.id,
                self.status,
                "2026-09-01",
                self.enabled,
                "school",
                self.role,
                "",
                "",
                self.given,
                self.family,
            ),
            *("", "", self.email, self.sms, "", ",".join(self.agents), self.grades, ""),
        )


class _School:
    """Grows the school in one fixed order, so that a seed decides all of it."""

    def __init__(self, rng: random.Random, pupils: int) -> None:
        self._rng = rng
        self._given, self._family_names = _GIVEN.split(), _FAMILY.split()
        self._addresses = Addresses(rng)
        self._pupils: list[_User] = []
        self._guardians: list[_User] = []
        self._left: list[_User] = []
        self._forms = max(1, -(-pupils // (len(YEARS) * FORM_SIZE)))  # in each year
        self._family_of_four()
        self._parents_with_one_number()
        while len(self._pupils) < pupils:
            self._family(min(self._pick((1, 2, 3, 4), (62, 28, 8, 2)), pupils - len(self._pupils)))
        self._staff = [self._teacher(n) for n in range(1, max(8, pupils // PUPILS_PER_TEACHER) + 1)]
        self._oddities()

    # ---- people ----

    def _family_of_four(self) -> None:
        """Four children, two guardians, one number each: two texts are right, eight are not."""
        children = [self._pupil(given, "Okafor-Whitby") for given in ("Ada", "Chidi", "Ngozi", "Zoë")]
        numbers = (self._addresses.number(), self._addresses.number())
        for given, number in zip(("Ifeoma", "Martin"), numbers, strict=True):
            guardian = self._guardian(given, "Okafor-Whitby", number)
            for child in children:
                child.agents.append(guardian.id)
        self._four = tuple(child.id for child in children)
        self._of_four = tuple(guardian.id for guardian in self._guardians)
        self._mobiles_of_four = tuple(f"+44{number}" for number in numbers)

    def _parents_with_one_number(self) -> None:
        children = [self._pupil(given, "Trevithick") for given in ("Jowan", "Tamsin")]
        self._shared = self._addresses.number()
        for given in ("Morwenna", "Petroc"):
            guardian = self._guardian(given, "Trevithick", self._shared)
            for child in children:
                child.agents.append(guardian.id)

    def _family(self, size: int) -> None:
        family = self._rng.choice(self._family_names)
        children = [self._pupil(self._rng.choice(self._given), family) for _ in range(size)]
        mobile = ""
        for _ in range(self._pick((1, 2), (30, 70))):
            name = family if self._rng.random() < 0.8 else self._rng.choice(self._family_names)
            # A few couples gave one number; some guardians gave none.
            shares = bool(mobile) and self._rng.random() < 0.06
            mobile = mobile if shares else self._addresses.number() if self._rng.random() < 0.94 else ""
            guardian = self._guardian(self._rng.choice(self._given), name, mobile)
            # OneRoster may join the two from either side; both happen in the same export.
            joined_by_guardian = self._rng.random() < 0.2
            for child in children:
                if joined_by_guardian:
                    guardian.agents.append(child.id)
                else:
                    child.agents.append(guardian.id)

    def _pupil(self, given: str, family: str) -> _User:
        count = len(self._pupils)
        year = YEARS[count % len(YEARS)]
        form = f"{year}{'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[count // len(YEARS) % self._forms % 26]}"
        number = self._addresses.number() if year >= 12 and self._rng.random() < 0.85 else ""
        email = self._addresses.email(given, family, f"pupils.{DOMAIN}") if self._rng.random() < 0.97 else ""
        pupil = _User(
            f"p-{count + 1:05}",
            "student",
            given,
            family,
            email,
            self._addresses.spelt(number),
            f"{year:02}",
            form=form,
        )
        self._pupils.append(pupil)
        return pupil

    def _guardian(self, given: str, family: str, mobile: str) -> _User:
        domain = self._rng.choice(HOME_DOMAINS)
        email = self._addresses.email(given, family, domain) if self._rng.random() < 0.92 else ""
        role = self._pick(("parent", "guardian", "relative"), (90, 7, 3))
        guardian = _User(
            f"g-{len(self._guardians) + 1:05}", role, given, family, email, self._addresses.spelt(mobile)
        )
        self._guardians.append(guardian)
        return guardian

    def _teacher(self, number: int) -> _User:
        given, family = self._rng.choice(self._given), self._rng.choice(self._family_names)
        mobile = self._addresses.spelt(self._addresses.number()) if self._rng.random() < 0.85 else ""
        return _User(
            f"t-{number:04}", "teacher", given, family, self._addresses.email(given, family, DOMAIN), mobile
        )

    def _oddities(self) -> None:
        """What every real export has: an office number, slips of the keyboard, people who have left."""
        ordinary = self._guardians[4:]
        self._office = self._addresses.number()
        for guardian in ordinary[2:11:4]:
            guardian.sms = f"+44{self._office}"
        slips = ("020 7946 0123", "4.47912E+11", f"0{self._addresses.number()} / 0{self._addresses.number()}")
        self._slipped = tuple(ordinary[3:6])
        for guardian, slip in zip(self._slipped, slips, strict=True):
            guardian.sms = slip
        self._silence(self._pupils[0 :: len(YEARS)][-2:])
        # A teacher who is a parent is two users in OneRoster 1.1, with one number.
        self._staff[0].sms = ordinary[0].sms = self._addresses.spelt(self._addresses.number())
        self._left = [
            _User("p-left", "student", "Edith", "Hathaway", grades="09", status="tobedeleted"),
            _User("t-left", "teacher", "Percival", "Drake", enabled="FALSE"),
        ]

    def _silence(self, pupils: Sequence[_User]) -> None:
        """Two of year 7 whose families gave no number and no email: no announcement finds them."""
        ids = {pupil.id for pupil in pupils}
        named = {agent for pupil in pupils for agent in pupil.agents}
        for guardian in self._guardians:
            if guardian.id in named or ids & set(guardian.agents):
                guardian.sms = guardian.email = ""

    def _pick(self, choices: Sequence[T], weights: Sequence[int]) -> T:
        return self._rng.choices(choices, weights)[0]

    # ---- files ----

    def files(self) -> dict[str, list[Sequence[str]]]:
        """Every file's rows, headers first."""
        classes, enrolments = self._classes()
        courses = [(code, "active", "", "", name, code, "", _DEPARTMENT_IDS[name]) for code, name in SUBJECTS]
        users = [*self._staff, *self._guardians, *self._pupils, *self._left]
        return {
            "manifest.csv": [("propertyName", "value"), *_manifest()],
            "orgs.csv": [_headers("name,type,identifier,parentSourcedId"), *_orgs()],
            "courses.csv": [_headers("schoolYearSourcedId,title,courseCode,grades,orgSourcedId"), *courses],
            "classes.csv": [
                _headers(
                    "title,grades,courseSourcedId,classCode,classType,location,schoolSourcedId,termSourcedIds"
                ),
                *classes,
            ],
            "users.csv": [
                _headers(
                    "enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,middleName,identifier,"
                    "email,sms,phone,agentSourcedIds,grades,password"
                ),
                *(user.row() for user in users),
            ],
            "enrollments.csv": [
                _headers("classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate"),
                *enrolments,
            ],
        }

    def _classes(self) -> tuple[list[Sequence[str]], list[Sequence[str]]]:
        """A form and five subjects for each form, and the music department's ensembles across the school."""
        classes: list[Sequence[str]] = []
        enrolments: list[Sequence[str]] = []

        def enrol(class_id: str, user: _User, role: str) -> None:
            enrolments.append(
                (f"e-{len(enrolments) + 1:06}", "active", "", class_id, "school", user.id, role, "", "", "")
            )

        members: dict[str, list[_User]] = {}
        for pupil in self._pupils:
            members.setdefault(pupil.form, []).append(pupil)
        for place, (form, pupils) in enumerate(sorted(members.items())):
            year = pupils[0].grades
            taught = [(f"form-{form}", form, "", "homeroom")]
            taught += [(f"{form}-{code}", f"{form} {name}", code, "scheduled") for code, name in SUBJECTS]
            for at, (class_id, title, course, kind) in enumerate(taught):
                classes.append((class_id, "active", "", title, year, course, title, kind, "", "school", ""))
                enrol(class_id, self._staff[(place + at) % len(self._staff)], "teacher")
                for pupil in pupils:
                    enrol(class_id, pupil, "student")
        for place, (name, share) in enumerate(ENSEMBLES):
            class_id = f"music-{name.split()[0].casefold()}"
            classes.append((class_id, "active", "", name, "", "Mu", "", "scheduled", "", "school", ""))
            enrol(class_id, self._staff[place], "teacher")
            for pupil in self._pupils:
                # The four sing together, so that one reminder for the choir must find one text a number.
                if (name == "Choir" and pupil.id in self._four) or self._rng.random() < share:
                    enrol(class_id, pupil, "student")
        return classes, enrolments

    def told(self, folder: Path) -> SampleSchool:
        """The summary."""
        return SampleSchool(
            folder,
            pupils=len(self._pupils),
            guardians=len(self._guardians),
            staff=len(self._staff),
            four_children=self._four,
            their_guardians=self._of_four,
            their_mobiles=self._mobiles_of_four,
            shared_by_parents=f"+44{self._shared}",
            office_mobile=f"+44{self._office}",
            unreadable=tuple(guardian.id for guardian in self._slipped),
        )


_DEPARTMENT_IDS = {name: f"department-{code.casefold()}" for code, name in SUBJECTS}
_FILES = (
    "academicSessions",
    "categories",
    "classes",
    "courses",
    "demographics",
    "enrollments",
    "orgs",
    "users",
)


def _headers(columns: str) -> list[str]:
    return ["sourcedId", "status", "dateLastModified", *columns.split(",")]


def _manifest() -> list[tuple[str, str]]:
    # No academicSessions: terms would end one day, and the sample school would fall silent.
    present = {"classes", "courses", "enrollments", "orgs", "users"}
    return [
        ("manifest.version", "1.0"),
        ("oneroster.version", "1.1"),
        *((f"file.{name}", "bulk" if name in present else "absent") for name in _FILES),
        ("source.systemName", "Carillon sample school"),
        ("source.systemCode", "sample"),
    ]


def _orgs() -> list[tuple[str, ...]]:
    departments = [
        (key, "active", "", name, "department", "", "school") for name, key in _DEPARTMENT_IDS.items()
    ]
    return [("school", "active", "", "St Cecilia's School", "school", "", ""), *departments]
