"""What everybody may read names nobody, gives no way to reach anybody, and leads only where it says (R5, R12).

Judged for public ways alone, on every part of the wording and the names of its files. A verdict says what was found, in
which part and where in it; never the thing itself, for verdicts are kept and shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from broker.announcement import Part
from broker.disclosure.exposed import Allowed, exposed, squashed
from broker.disclosure.names import NameIndex, Naming
from broker.policy import ALLOW, Evidence, Hold, Refuse, Verdict
from broker.rules.case import AnnouncementCase, Family
from broker.rules.parameters import Kind, Parameter
from broker.rules.values import Rules

_HOST = re.compile(r"(?:[\w-]{1,63}\.)+[\w-]{2,63}")
_NUMBER = re.compile(r"\+[\d ]{8,20}")
_EMAIL = re.compile(r"[^\s@]{1,64}@[^\s@]{3,190}")
_POSTCODE = re.compile(r"[A-Za-z]{1,2}\d[A-Za-z\d]? ?\d[A-Za-z]{2}")


def _each(shape: re.Pattern[str], such_as: str) -> Callable[[Sequence[str]], str]:
    """Says what is wrong with the first word that has not this shape."""

    def check(words: Sequence[str]) -> str:
        wrong = next((word for word in words if not shape.fullmatch(word)), None)
        return f"cannot read {wrong[:40]}: write {such_as}" if wrong is not None else ""

    return check


PARAMETERS = (
    Parameter(
        "public.names",
        Kind.YES_NO,
        "yes",
        "Whether a full name from the roster keeps a text from the public. A first name with a form or an initial then"
        " waits for a second person.",
        "R5: it is such a public thing; UK GDPR art. 5(1)(c); DfE, Data protection in schools: photographs and names",
    ),
    Parameter(
        "public.hosts",
        Kind.WORDS,
        "",
        "The only hosts that public texts may link to, each with what is under it (school.example allows"
        " www.school.example). Without any, every host may be linked to that is not made to look like another.",
        "R12: followers are two clicks from anything the account touches",
        check=_each(_HOST, "school.example"),
    ),
    Parameter(
        "public.numbers",
        Kind.WORDS,
        "",
        "The school's own telephone numbers, with the country's code (+44…), which public texts may give.",
        "R5; the office's number is no secret",
        check=_each(_NUMBER, "+44 20 7946 0000"),
    ),
    Parameter(
        "public.emails",
        Kind.WORDS,
        "",
        "The school's own emails, which public texts may give.",
        "R5; the office's email is no secret",
        check=_each(_EMAIL, "office@school.example"),
    ),
    Parameter(
        "public.postcodes",
        Kind.WORDS,
        "",
        "Postcodes of the school and of halls and fields it goes to: an address there is nobody's home.",
        "R5; a concert has a place",
        check=_each(_POSTCODE, "LS1 4AB"),
    ),
)


@dataclass(frozen=True, slots=True)
class _Sight:
    """One thing that was found: its code, in which part of the announcement, from which character on."""

    code: str
    part: str
    at: int
    length: int


REFUSED = {
    "full_name": "it gives the full name of somebody in the roster",
    "phone_number": "it gives a telephone number",
    "email_address": "it gives an email address",
    "home_address": "it gives what looks like somebody's home address",
    "link_not_listed": "it links to a host that the school has not listed",
    "look_alike": "it has letters or a link made to look like others",
}
_HINTS = {
    "full_name": "leave the name out, or give the first name alone",
    "phone_number": "leave it out; the school's own: carillon rules explain public.numbers",
    "email_address": "leave it out; the school's own: carillon rules explain public.emails",
    "home_address": "leave it out; a place the school goes to: carillon rules explain public.postcodes",
    "link_not_listed": "link to a listed host: carillon rules explain public.hosts",
    "look_alike": "type that passage again by hand",
}
DOUBTED = {
    "first_name": "it gives a pupil's first name with a form or an initial",
    "street_address": "it gives a house in a street, which may be somebody's home",
}
_NAMINGS = {Naming.FULL: "full_name", Naming.FORM: "first_name", Naming.INITIAL: "first_name"}
_PARTS = {"title": "the title", "short": "the short text", "long": "the text", "file": "the name of a file"}


def fit_for_the_public(case: AnnouncementCase) -> Verdict:
    """A full name, a number, an email, a home, an unlisted or disguised link is never published (R5, R12).

    What may point to one pupil is looked at by a second person before everybody can read it.
    """
    if not case.broadcast:
        return ALLOW
    seen = list(_sights(case))
    if private := [sight for sight in seen if sight.code in REFUSED]:
        about = private[0].part if private[0].part in set(Part) else "attachments"
        return Refuse(
            private[0].code, _told(REFUSED, private[0]), _evidence(private), about, _HINTS[private[0].code]
        )
    if case.second_person or not seen:
        return ALLOW
    why = f"{_told(DOUBTED, seen[0])}: a second person has to agree"
    return Hold(case.expires_at, seen[0].code, why, _evidence(seen), whole=True)


def gives_away(texts: Iterable[str], rules: Rules, names: NameIndex | None, region: str) -> bool:
    """Whether words outside any announcement, such as a calendar's, have what would be refused or held (R5)."""
    return any(_seen((("", text) for text in texts), rules, names, region))


def _sights(case: AnnouncementCase) -> Iterator[_Sight]:
    return _seen(_texts(case), case.rules, case.names, case.region)


def _seen(
    texts: Iterable[tuple[str, str]], rules: Rules, names: NameIndex | None, region: str
) -> Iterator[_Sight]:
    allowed = _allowed(rules)
    named = names if rules.yes("public.names") else None
    for part, text in texts:
        for found in exposed(text, allowed, region):
            yield _Sight(found.code, part, found.at, found.length)
        for name in named.named(text) if named is not None else ():
            yield _Sight(_NAMINGS[name.naming], part, name.at, name.length)


def _texts(case: AnnouncementCase) -> Iterator[tuple[str, str]]:
    for content in case.contents:
        for part, text in content.parts.items():
            if part is not Part.QUOTE:
                yield part.value, text
        for file in content.attachments:
            yield "file", file.name
    for file in case.attachments:
        yield "file", file.name


def _allowed(rules: Rules) -> Allowed:
    hosts = frozenset(host.casefold() for host in rules.words("public.hosts"))
    return Allowed(
        numbers=frozenset(number.replace(" ", "") for number in rules.words("public.numbers")),
        emails=frozenset(email.casefold() for email in rules.words("public.emails")),
        postcodes=frozenset(squashed(code) for code in rules.words("public.postcodes")),
        hosts=hosts or None,
    )


def _told(words: Mapping[str, str], sight: _Sight) -> str:
    return f"{words[sight.code]} ({_PARTS.get(sight.part, sight.part)}, character {sight.at + 1})"


def _evidence(seen: list[_Sight]) -> Evidence:
    first = seen[0]
    return {"part": first.part, "at": first.at + 1, "length": first.length, "found": len(seen)}


FAMILY = Family("public_text", PARAMETERS, once=(fit_for_the_public,))
