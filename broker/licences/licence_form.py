"""A licence as a form that an office fills in once: nested names and values in, a checked Licence out, and back.

The names are those of the nouns. TOML and JSON come to the same; the form that is given out says in a comment what
each line is for, so that it can be filled in without a manual.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, asdict, dataclass, fields, is_dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from broker.address import BadAddress, parse_email
from broker.errors import InvalidLicence, Problem
from broker.licences.licence import Angle, Liability, Licence, Owner, Policy, Risk, SafeUse, Technology
from broker.licences.licence_words import WHY, WORDS

N = TypeVar("N")
LONGEST = 500  # characters of a value: a mitigation may be a sentence or two
MOST = 50  # owners, risks
FURTHEST = timedelta(days=750)  # two years and a little: what is looked at more seldom is not looked at
EARLIEST = date(1990, 1, 1)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_URL = re.compile(r"https?://[^\s<>\"]{3,490}")


def read(form: Mapping[str, Any], before: Licence | None = None) -> Licence:
    """A licence from a form. Angles that the form leaves out stay as they were `before`.

    Raises InvalidLicence, naming the line; then nothing is meant by any of it.
    """
    unknown = next((name for name in form if name not in {a.value for a in Angle}), None)
    if unknown is not None:
        raise _bad("unknown_angle", str(unknown)[:40], "this is none of the four angles", ", ".join(Angle))
    read_ = {
        angle: _read(kind, form[angle], angle)
        for angle, kind in _KINDS.items()
        if angle in form and not _is_blank(form[angle])
    }
    before = before or Licence()
    if before.specimen:
        before = Licence()  # nothing of the sandbox's goes into one that counts
    given = {angle.value: read_.get(angle, getattr(before, angle.value)) for angle in Angle}
    licence = Licence(**given)
    _check_days(licence)
    return licence


def as_form(licence: Licence) -> dict[str, Any]:
    """The same names and values as plain data, without what is empty."""
    return {
        angle.value: _plain(asdict(part))
        for angle in Angle
        if (part := getattr(licence, angle.value)) is not None
    }


def digest_of(licence: Licence) -> str:
    """SHA-256 (hex) of what a licence says: what the record keeps of it."""
    said = json.dumps(as_form(licence), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(said.encode()).hexdigest()


def as_toml(licence: Licence, *, account: str, asks: Mapping[str, str] | None = None) -> str:
    """The form as TOML, each line with what it is for; what is not settled yet stands there to be filled in."""
    lines = [
        f"# The licence of the account {account}: the four angles that a school settles before it speaks by it."
    ]
    form, blank = as_form(licence), as_form(_BLANK)
    for angle in Angle:
        lines += ["", f"[{angle.value}]"]
        settled = form.get(angle.value)
        lines += _table(settled if settled is not None else blank[angle.value], _KINDS[angle], angle.value)
    for code, sentence in (asks or {}).items():
        lines.append(f"# to be assured under technology: {code}: {sentence}")
    return "\n".join(lines) + "\n"


# --- reading --------------------------------------------------------------------------------------------------------

_KINDS: Mapping[Angle, type[Any]] = {
    Angle.POLICY: Policy,
    Angle.LIABILITY: Liability,
    Angle.SAFE_USE: SafeUse,
    Angle.TECHNOLOGY: Technology,
}
_DAY = date(2000, 1, 1)
_BLANK = Licence(
    Policy("", "", _DAY, _DAY),
    Liability("", _DAY, _DAY, (Risk("", ""),)),
    SafeUse((Owner("", "", _DAY, _DAY, leadership=True), Owner("", "", _DAY, _DAY))),
    Technology("", _DAY, _DAY, ""),
)


def _is_blank(raw: object) -> bool:
    """Whether nothing of it is filled in, as in the form that was given out: such an angle stays as it was."""
    if isinstance(raw, Mapping):
        return all(_is_blank(each) for each in raw.values())
    return isinstance(raw, bool) or raw == "" or (isinstance(raw, list) and all(map(_is_blank, raw)))


def _read(kind: type[N], raw: object, path: str) -> N:
    """One noun from names and values, every one of them of the right kind and none unknown."""
    if not isinstance(raw, Mapping):
        raise _bad("not_a_table", path, "must hold names and values", f"begin it with [{path}]")
    known = {one.name: one for one in fields(kind)}  # type: ignore[arg-type]
    unknown = next((name for name in raw if name not in known), None)
    if unknown is not None:
        raise _bad("unknown_line", f"{path}.{str(unknown)[:40]}", "is no line of it", ", ".join(known))
    hints = get_type_hints(kind)
    values = {name: _value(raw, one, hints[name], f"{path}.{name}") for name, one in known.items()}
    return kind(**values)


def _value(raw: Mapping[str, Any], one: Field[Any], wanted: Any, path: str) -> Any:
    if one.name not in raw:
        if one.default is MISSING:
            raise _bad("missing", path, "is missing", f"it is {WORDS[path]}")
        return one.default
    given = raw[one.name]
    if get_origin(wanted) is tuple:
        return _several(given, get_args(wanted)[0], path)
    if wanted is date:
        return _day(given, path)
    if wanted is bool:
        if not isinstance(given, bool):
            raise _bad("not_a_bool", path, "must be true or false", "without quotes")
        return given
    return _text(given, path, needed=one.default is MISSING)


def _several(given: object, wanted: Any, path: str) -> tuple[Any, ...]:
    if not isinstance(given, list) or len(given) > MOST:
        raise _bad("not_a_list", path, f"must be a list of at most {MOST}", f"begin each with [[{path}]]")
    if not (is_dataclass(wanted) and isinstance(wanted, type)):
        return tuple(_text(each, path, needed=True) for each in given)
    found = []
    for place, each in enumerate(given):
        try:
            found.append(_read(wanted, each, path))
        except InvalidLicence as wrong:
            wrong.place = place
            raise
    return tuple(found)


def _day(given: object, path: str) -> date:
    if isinstance(given, str):
        try:
            given = date.fromisoformat(given.strip())
        except ValueError:
            given = None
    if not isinstance(given, date) or isinstance(given, datetime):
        raise _bad("not_a_day", path, "must be a day", "write it as 2027-09-01")
    if not EARLIEST <= given <= date(2200, 1, 1):
        raise _bad("odd_day", path, "cannot be the day that is meant", "check the year")
    return given


def _text(given: object, path: str, *, needed: bool) -> str:
    if not isinstance(given, str) or len(given) > LONGEST or not given.isprintable():
        message = f"must be one line of at most {LONGEST} printable characters"
        raise _bad("not_a_line", path, message, f"it is {WORDS.get(path, 'text')}")
    text = given.strip()
    if needed and not text:
        raise _bad("missing", path, "is empty", f"it is {WORDS.get(path, 'needed')}")
    name = path.rpartition(".")[2]
    if text and name == "url" and not _URL.fullmatch(text):
        raise _bad("not_an_address", path, "is no address of a page", "such as https://school.example/policy")
    if text and name == "digest" and not _DIGEST.fullmatch(text):
        raise _bad("not_a_digest", path, "is no SHA-256", "64 characters, as `sha256sum FILE` writes it")
    if text and name == "email":
        try:
            return parse_email(text)
        except BadAddress as bad:
            raise _bad("bad_email", path, bad.problem.message, bad.problem.hint) from None
    return text


def _check_days(licence: Licence) -> None:
    """Nothing is looked at again before it was made, nor so late that it never is."""
    for path, begun, again, place in _spans(licence):
        if again <= begun:
            hint = "check both days"
            raise _bad("wrong_way_round", path, "lies before the day that it counts from", hint, place)
        if again - begun > FURTHEST:
            message = "is more than two years on: by then nobody remembers"
            raise _bad("too_far", path, message, "choose a nearer day", place)
    names = [owner.name.casefold() for owner in licence.safe_use.owners] if licence.safe_use else []
    for place, name in enumerate(names):
        if name in names[:place]:
            hint = "an account has several owners (R7)"
            raise _bad("owner_twice", "safe_use.owners", "somebody is named twice", hint, place)


def _spans(licence: Licence) -> Iterator[tuple[str, date, date, int | None]]:
    if licence.policy:
        yield "policy.review", licence.policy.adopted, licence.policy.review, None
    if licence.liability:
        yield "liability.review", licence.liability.assessed, licence.liability.review, None
    if licence.technology:
        yield "technology.review", licence.technology.checked, licence.technology.review, None
    for place, owner in enumerate(licence.safe_use.owners if licence.safe_use else ()):
        yield "safe_use.owners.valid_until", owner.trained, owner.valid_until, place


# --- writing --------------------------------------------------------------------------------------------------------


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items() if each not in ("", (), [])}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value


def _table(values: Mapping[str, Any], kind: type[Any], path: str) -> Sequence[str]:
    """Its plain lines, then each of its lists as tables of their own."""
    plain: list[str] = []
    nested: list[str] = []
    hints = get_type_hints(kind)
    for one in fields(kind):
        here = f"{path}.{one.name}"
        inner = get_args(hints[one.name])[0] if get_origin(hints[one.name]) is tuple else None
        if inner is not None and is_dataclass(inner) and isinstance(inner, type):
            for each in values.get(one.name, ()):
                nested += ["", f"[[{here}]]", *_table(each, inner, here)]
            continue
        empty: Any = [] if inner is not None else False if hints[one.name] is bool else ""
        plain.append(f"{_line(one.name, values.get(one.name, empty))}  # {WORDS[here]}")
    return [*plain, *nested]


def _line(name: str, value: Any) -> str:
    if isinstance(value, str) and value == _DAY.isoformat():
        return f'{name} = ""'
    # A string of JSON is one of TOML's, too: the form may hold no control character.
    return f"{name} = {json.dumps(value, ensure_ascii=False)}"


def _bad(code: str, field: str, message: str, hint: str, place: int | None = None) -> InvalidLicence:
    wrong = InvalidLicence(Problem(code, field, message, hint))
    wrong.place = place
    return wrong


# --- asking ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the form, for whoever asks for them one by one; `inner` are the lines of each of several."""

    name: str
    words: str
    needed: bool
    yes_no: bool = False
    several: bool = False
    inner: tuple[Line, ...] = ()
    path: str = ""
    day: bool = False

    @property
    def why(self) -> str:
        """Why it is asked; "" where its words say it."""
        return WHY.get(self.path, "")


def lines_of(angle: Angle) -> Sequence[Line]:
    """The lines of an angle, in their order."""
    return _lines(_KINDS[angle], angle.value)


def _lines(kind: type[Any], path: str) -> tuple[Line, ...]:
    hints = get_type_hints(kind)
    found = []
    for one in fields(kind):
        wanted, here = hints[one.name], f"{path}.{one.name}"
        several = get_origin(wanted) is tuple
        of = get_args(wanted)[0] if several else None
        inner = _lines(of, here) if of is not None and is_dataclass(of) and isinstance(of, type) else ()
        words, needed = WORDS.get(here, one.name), one.default is MISSING
        found.append(Line(one.name, words, needed, wanted is bool, several, inner, here, day=wanted is date))
    return tuple(found)
