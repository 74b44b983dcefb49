"""The letter to parents: which ways the school uses, what may go wrong, and that nobody is worse off (R16, R23).

Made from the licences and nothing else, so that what parents read is what the school settled. As blocks, so that the
printed page and the plain text say the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from broker.address import AddressKind
from broker.channel import Traits
from broker.licences.licence import Licence

_KINDS = {
    AddressKind.MOBILE: "text messages to mobile numbers",
    AddressKind.EMAIL: "emails",
    AddressKind.PUSH: "notifications to browsers that somebody subscribed by a link of the school's",
}

NEVER_THERE = (
    "Our accounts on {} send no private messages, and nobody can send them one.",
    "They follow nobody, and quote only accounts that the school has listed.",
)
NEVER = (
    "Staff do not write to pupils or parents from accounts or telephones of their own.",
    "What is public names no pupil in full and gives no telephone number or address.",
    "Everything that was sent is kept in a record that cannot be changed unnoticed, and can be looked into.",
)


@dataclass(frozen=True, slots=True)
class Heading:
    """The name of a part."""

    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Some sentences."""

    text: str


@dataclass(frozen=True, slots=True)
class Bullets:
    """Things one after the other."""

    items: tuple[str, ...]


Block = Heading | Paragraph | Bullets


@dataclass(frozen=True, slots=True)
class Way:
    """One account as the letter tells of it; `notice_route` is where those without an account hear the same."""

    account: str
    channel: str
    department: str | None
    traits: Traits
    licence: Licence
    posture: Mapping[str, str] | None = None
    notice_route: str = ""


def letter(school: str, ways: Sequence[Way]) -> Sequence[Block]:
    """The whole letter, in the order in which it is read."""
    return tuple(_blocks(school, ways))


def as_text(blocks: Sequence[Block]) -> str:
    """The letter as plain text."""
    lines: list[str] = []
    for block in blocks:
        if isinstance(block, Heading):
            lines += ["", block.text, "=" * len(block.text)]
        elif isinstance(block, Paragraph):
            lines += ["", block.text]
        else:
            lines += ["", *(f"* {item}" for item in block.items)]
    return "\n".join(lines).strip() + "\n"


def in_words(way: Way) -> str:
    """What a way is, to somebody who has never heard of channels."""
    kind = way.traits.address_kind
    if kind is not None:
        return _KINDS[kind]
    if way.traits.never_alone:
        locked = (way.posture or {}).get("protected") == "yes"
        seen_by = (
            "which only followers whom the school accepted can read" if locked else "which anybody can read"
        )
        return f"public posts on {_service(way)}, {seen_by}"
    return "pages and feeds on the school's own site, which anybody can read without an account"


def _blocks(school: str, ways: Sequence[Way]) -> Iterator[Block]:
    yield Paragraph("Dear parents and carers,")
    yield Paragraph(
        f"{school} tells families and pupils of rehearsals, changes and events by the ways below. This letter"
        " says which they are, what may go wrong with each, what we do about it, and how you hear the same"
        " without them."
    )
    yield from _never_alone(ways)
    for way in ways:
        yield from _about(way)
    yield Heading("What the school does not do")
    networks = _listed(dict.fromkeys(_service(way) for way in ways if way.traits.never_alone))
    yield Bullets((*(each.format(networks) for each in NEVER_THERE if networks), *NEVER))
    yield Paragraph(
        "If you have a question, or want to hear from us another way, please ask the school office."
    )
    signed = _leading(ways)
    if signed:
        yield Paragraph(signed)


def _never_alone(ways: Sequence[Way]) -> Iterator[Block]:
    yield Heading("No way is the only way")
    alone = [way for way in ways if way.traits.never_alone]
    others = [in_words(way).partition(",")[0] for way in ways if not way.traits.never_alone]
    if alone:
        names = _listed(dict.fromkeys(_service(way) for way in alone))
        yield Paragraph(
            f"Nothing is ever announced on {names} alone. Whatever stands there also goes by another way, to"
            " each family it is about, or to the school's own pages, which need no account."
        )
        routes = tuple(dict.fromkeys(way.notice_route for way in alone if way.notice_route))
        if routes:
            yield Paragraph(f"The same can also be read here: {_listed(routes)}.")
    other = f": by {_listed(dict.fromkeys(others), 'or')}" if others else ""
    yield Paragraph(
        "Nobody is worse off for having no account, no smartphone or no wish to use one of these: tell the"
        f" school office, and you hear the same another way{other}."
    )


def _about(way: Way) -> Iterator[Block]:
    licence = way.licence
    whose = f", for {way.department}" if way.department else ""
    yield Heading(f"{_named(way)}{whose}")
    said = [_to_whom(way)]
    if way.traits.age:
        said.append(
            f"To have an account there one must be {way.traits.age} or older, by its own terms; a younger pupil"
            " needs none, for everything reaches your family by the other ways."
        )
    if licence.policy:
        policy = licence.policy
        where = f" You can read it at {policy.url}." if policy.url else " Ask the office for a copy."
        said.append(
            f"Our policy for this is “{policy.title}”, version {policy.version}, adopted on {_day(policy.adopted)}"
            f" and looked at again by {_day(policy.review)}.{where}"
        )
    yield Paragraph(" ".join(said))
    if licence.liability:
        yield Paragraph("What may go wrong, and what we do about it:")
        yield Bullets(tuple(f"{each.risk}: {each.mitigation}" for each in licence.liability.risks))
        yield Paragraph(
            f"These risks were assessed by {licence.liability.reviewer} on {_day(licence.liability.assessed)}, and"
            f" will be again by {_day(licence.liability.review)}."
        )
    if licence.safe_use:
        owners = [f"{owner.name} ({owner.post})" for owner in licence.safe_use.owners]
        yield Paragraph(f"Who answers for it, and is trained in its use: {_listed(owners)}.")


def _to_whom(way: Way) -> str:
    kind = way.traits.address_kind
    if kind is None:
        return f"These are {in_words(way)}."
    if kind is AddressKind.PUSH:
        return "They go where somebody asked for them, who can end that there. The school does not learn whose it is."
    what = "mobile numbers" if kind is AddressKind.MOBILE else "email addresses"
    return f"They go to the {what} that the school has of you, and nowhere else."


def _named(way: Way) -> str:
    kind = way.traits.address_kind
    if kind is not None:
        return _KINDS[kind].partition(" to ")[0].capitalize()
    return f"Posts on {_service(way)}" if way.traits.never_alone else "Our own pages and feeds"


def _service(way: Way) -> str:
    return way.traits.service or way.channel


def _leading(ways: Sequence[Way]) -> str:
    """Who signs: those of the leadership who answer for one of them."""
    names = dict.fromkeys(
        f"{owner.name}, {owner.post}"
        for way in ways
        if way.licence.safe_use
        for owner in way.licence.safe_use.owners
        if owner.leadership
    )
    return "; ".join(names)


def _day(day: date) -> str:
    return f"{day:%-d %B %Y}"


def _listed(words: Sequence[str] | Mapping[str, object], joined: str = "and") -> str:
    *before, last = [*words] or [""]
    return f"{', '.join(before)} {joined} {last}" if before else last
