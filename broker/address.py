"""An address is a mobile number, an email or a subscribed browser: a thing of its own, which several people may share.

What a school's office types becomes one spelling here, or a `BadAddress` that says what is wrong in a
secretary's words. No message ever holds the number or the address itself, so every one is safe to log.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from functools import lru_cache
from typing import NoReturn

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import (
    NumberParseException,
    PhoneNumber,
    PhoneNumberFormat,
    PhoneNumberType,
    ValidationResult,
)
from phonenumbers.shortnumberinfo import connects_to_emergency_number, is_possible_short_number_for_region

from broker.errors import Problem, RuleBroken

# Characters: room for an address and a note to refuse by name, too few to make hostile input dear.
MAX_RAW = 1_000
MAX_LOCAL_PART = 64  # RFC 5321 §4.5.3.1.1, octets
MAX_EMAIL = 254  # RFC 5321 §4.5.3.1.3 less the angle brackets (RFC 3696 erratum 1690), octets


class AddressKind(StrEnum):
    """What an address is, and so which channels can use it."""

    MOBILE = "mobile"
    EMAIL = "email"
    PUSH = "push"  # a subscriber: nobody knows whose browser it is

    @property
    def of_people(self) -> bool:
        """Whether people at the school hold it, so that what is sent there tells somebody by name."""
        return self is not AddressKind.PUSH


class BadAddress(RuleBroken):
    """Raised when a mobile number or an email cannot be used; the message never repeats it."""


@lru_cache(maxsize=512)  # a text that comes in is asked by three verbs whose it is
def parse_mobile(raw: str, region: str) -> str:
    """A mobile number in E.164 (`+447911123456`), from whatever spelling a person or a spreadsheet gave it.

    `region` is the school's, as ISO 3166 alpha-2 (`GB`), and reads a number without a country code. Raises
    `BadAddress` for anything that is not one mobile number: a landline would be rung and read aloud, a
    premium number billed. Ranges come from `phonenumbers`; Ofcom's numbers for drama (07700 900000 to 900999)
    are refused.
    """
    if len(raw) > MAX_RAW:
        _refuse_number("too_long")
    text = _clean_number(raw)
    _refuse_what_is_not_one_number(text)
    _refuse_short_numbers(text, region)
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException as fault:
        _refuse_number(_PARSE_FAULTS.get(fault.error_type, "not_a_number"))
    if number.extension:
        _refuse_number("extension")
    if (code := _not_a_mobile(number)) is not None:
        _refuse_number(code)
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def parse_email(raw: str) -> str:
    """An email in its one spelling: domain in lower-case ASCII (IDNA), local part as it was written.

    Syntax alone is judged: nothing is looked up. `example.org` and its kin pass, as RFC 6761 asks, so that a
    sample school can be fanned out like a real one; `.test`, `.local`, `.invalid` and `localhost` can never
    receive mail and are refused. Raises `BadAddress`.
    """
    if len(raw) > MAX_RAW:
        _refuse_email("too_long")
    text = raw.strip(_EDGES)
    _refuse_what_is_not_one_email(text)
    try:
        parsed = validate_email(text, check_deliverability=False, allow_smtputf8=True, test_environment=False)
    except EmailNotValidError:
        _refuse_email("not_an_email")  # the library's own words quote parts of the address
    if parsed.ascii_email is None:
        # Only SMTPUTF8 could carry it, and one relay on the way without that turns it into a bounce.
        _refuse_email("not_ascii")
    if len(parsed.ascii_email) > MAX_EMAIL:
        _refuse_email("too_long")
    return parsed.ascii_email


def as_dialled(value: str, region: str) -> str:
    """A number in E.164 as somebody at the school dials it: 07911 123456 at home, +353 85 012 3456 elsewhere."""
    number = phonenumbers.parse(value)
    home = phonenumbers.country_code_for_region(region) == number.country_code
    style = phonenumbers.PhoneNumberFormat.NATIONAL if home else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(number, style)


def fold_email(value: str) -> str:
    """The form emails are compared and hashed in: RFC 5321 lets local parts differ by case, nobody's do."""
    return value.casefold()


def mask(kind: AddressKind, value: str) -> str:
    """What may be shown of an address: enough to tell two of a family's apart, never enough to use.

    `+44 ••• ••• 456`, `a•••@d•••.org` and `a browser`. Never raises; what cannot be read is masked whole.
    """
    if kind is AddressKind.PUSH:
        return "a browser"
    return _mask_mobile(value) if kind is AddressKind.MOBILE else _mask_email(value)


# ---- numbers ----

# Blanks, zero-width marks and marks of direction: what comes along when an address is pasted.
_EDGES = (
    " \t\r\n\u00a0\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)

_NUMBERS: dict[str, tuple[str, str]] = {
    "empty": ("There is no number here.", "Give a mobile number, such as one beginning with 07 or +44 7."),
    "not_a_number": (
        "This is not a telephone number.",
        "Give the number alone, without names or notes, such as one beginning with 07 or +44 7.",
    ),
    "too_short": ("This number has too few digits.", "Check it against the school's records."),
    "too_long": ("This number has too many digits.", "Check it against the school's records."),
    "unknown_country": (
        "This number's country code belongs to no country.",
        "Write a number from abroad with + and its country code.",
    ),
    "not_in_use": ("No telephone has a number in this range.", "Check it against the school's records."),
    "fictional": (
        "This number is from the range kept for films and examples.",
        "Ask for the person's real mobile number.",
    ),
    "landline": (
        "This is a landline, which cannot receive texts.",
        "Give a mobile number; a landline would be rung and the text read aloud.",
    ),
    "emergency": ("This is an emergency number.", "Give the person's own mobile number."),
    "short_code": (
        "This is a short code, not a person's number.",
        "Give the person's own mobile number in full.",
    ),
    "premium": ("This is a premium-rate number.", "Give the person's own mobile number."),
    "personal": (
        "This is a personal number (070), which is not a mobile and is dear to reach.",
        "Give a mobile number; 070 is not one.",
    ),
    "satellite": ("This is a satellite number.", "Give a mobile number of a country's network."),
    "pager": ("This is a pager.", "Give a mobile number."),
    "voip": ("This is an internet telephone number, which cannot receive texts.", "Give a mobile number."),
    "not_a_mobile": ("This is not a mobile number.", "Give a mobile number."),
    "extension": ("This number has an extension, so it is not a mobile.", "Give the mobile number alone."),
    "two_in_cell": (
        "There is more than one number here.",
        "Keep one number in each cell: a second person's number belongs to that person's row.",
    ),
    "spreadsheet_damaged": (
        "A spreadsheet has damaged this number, and its last digits are lost.",
        "Format the column as text before you type or export it, then type the number again.",
    ),
}

_PARSE_FAULTS = {
    NumberParseException.INVALID_COUNTRY_CODE: "unknown_country",
    NumberParseException.TOO_SHORT_AFTER_IDD: "too_short",
    NumberParseException.TOO_SHORT_NSN: "too_short",
    NumberParseException.TOO_LONG: "too_long",
}

_NOT_MOBILES = {
    PhoneNumberType.FIXED_LINE: "landline",
    PhoneNumberType.PREMIUM_RATE: "premium",
    PhoneNumberType.SHARED_COST: "premium",
    PhoneNumberType.PERSONAL_NUMBER: "personal",
    PhoneNumberType.PAGER: "pager",
    PhoneNumberType.VOIP: "voip",
}

# In North America a number does not tell whether it is mobile; refusing all of them would refuse every one.
_MOBILES = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}

# Inmarsat, the global mobile satellite system, international networks (ITU E.164).
_SATELLITE_CODES = {870, 881, 882}
_UK_DRAMA = re.compile(r"\A7700900\d{3}\Z")

_SCIENTIFIC = re.compile(r"\A[+-]?\d+(?:[.,]\d+)?\s?E\s?[+-]?\d+\Z", re.IGNORECASE)
_HASHES = re.compile(r"\A#+\Z|\A#(?:N/?A|REF!|VALUE!|NUM!|NAME\?|NULL!|DIV/0!)\Z", re.IGNORECASE)
_WHOLE_FLOAT = re.compile(r"\A(\+?\d{7,15})\.0+\Z")
_EXTENSION = re.compile(r"\d[\s,;.)]*(?:ext(?:ension|n)?|xtn|x|#|int)[\s.:=#]*\d{1,7}\s*\Z", re.IGNORECASE)
_PIECE = re.compile(r"\+?[\d\s().\-]+")
_ENOUGH_DIGITS = 9  # for one whole number: the shortest that anyone writes next to another


def _clean_number(raw: str) -> str:
    """Plain characters: NFKC for full-width digits, no invisible marks, no spreadsheet's apostrophe."""
    kept = raw if raw.isascii() else "".join(map(_plain, unicodedata.normalize("NFKC", raw)))
    kept = kept.strip().lstrip("'\u2019`").strip()
    # A number column read as floats by a data tool: nothing is lost, so nothing is refused.
    if (whole := _WHOLE_FLOAT.match(kept)) is not None:
        return whole.group(1)
    return kept


def _plain(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cf":  # zero-width and bidi marks, soft hyphens: pasted from chat and web pages
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(character))
    return "-" if category == "Pd" else character


def _refuse_what_is_not_one_number(text: str) -> None:
    if not text:
        _refuse_number("empty")
    if _SCIENTIFIC.match(text) or _HASHES.match(text):
        _refuse_number("spreadsheet_damaged")
    if _several_numbers(text):
        _refuse_number("two_in_cell")
    if _EXTENSION.search(text):
        _refuse_number("extension")
    # phonenumbers would read letters as keys of a telephone, and skip a name before a number.
    if any(character.isalpha() or unicodedata.category(character)[0] == "C" for character in text):
        _refuse_number("not_a_number")


def _several_numbers(text: str) -> bool:
    words = [piece for piece in text.split() if _digits(piece) >= _ENOUGH_DIGITS]
    pieces = [piece for piece in _PIECE.findall(text) if _digits(piece) >= _ENOUGH_DIGITS]
    return len(words) > 1 or len(pieces) > 1 or _digits(text) > 2 * _ENOUGH_DIGITS + 1


def _digits(text: str) -> int:
    return sum(character.isdecimal() for character in text)


def _refuse_short_numbers(text: str, region: str) -> None:
    if connects_to_emergency_number(text, region) or text in {"112", "911", "999", "000"}:
        _refuse_number("emergency")
    if len(text) <= 6 and text.isdecimal() and not text.startswith("0"):
        short = PhoneNumber(
            country_code=phonenumbers.country_code_for_region(region), national_number=int(text)
        )
        if is_possible_short_number_for_region(short, region):
            _refuse_number("short_code")


def _not_a_mobile(number: PhoneNumber) -> str | None:
    """Why this parsed number is not a mobile in use, or None when it is one."""
    national = phonenumbers.national_significant_number(number)
    if number.country_code in _SATELLITE_CODES:
        return "satellite"
    if number.country_code == 44 and _UK_DRAMA.match(national):
        return "fictional"
    kind = phonenumbers.number_type(number)
    # A kind says too that it is valid: asking that apart costs as much again.
    if kind != PhoneNumberType.UNKNOWN:
        return None if kind in _MOBILES else _NOT_MOBILES.get(kind, "not_a_mobile")
    # Measured against a mobile: a digit dropped from one must not be excused by a shorter kind of number.
    length = phonenumbers.is_possible_number_for_type_with_reason(number, PhoneNumberType.MOBILE)
    if length == ValidationResult.TOO_SHORT:
        return "too_short"
    if length == ValidationResult.TOO_LONG:
        return "too_long"
    return "not_in_use"


def _refuse_number(code: str) -> NoReturn:
    message, hint = _NUMBERS[code]
    raise BadAddress(Problem(code, AddressKind.MOBILE, message, hint)) from None


def _mask_mobile(value: str) -> str:
    try:
        number = phonenumbers.parse(value, None)
    except NumberParseException:
        return "••• •••"
    national = phonenumbers.national_significant_number(number)
    tail = national[-3:] if len(national) >= 9 else "•••"
    return f"+{number.country_code} ••• ••• {tail}"


# ---- emails ----

_EMAILS: dict[str, tuple[str, str]] = {
    "empty": ("There is no email here.", "Give one email, such as name@example.org."),
    "not_an_email": ("This is not an email.", "Give one email, such as name@example.org."),
    "two_in_cell": (
        "There is more than one email here.",
        "Keep one email in each cell: a second person's email belongs to that person's row.",
    ),
    "line_break": ("There is a line break inside this email.", "Type the email again on one line."),
    "control_character": (
        "There is an invisible character inside this email.",
        "Type the email again by hand.",
    ),
    "domain_literal": (
        "This email names a machine by its number instead of a domain.",
        "Give an email with a domain, such as name@example.org.",
    ),
    "display_name": (
        "There is a name around this email.",
        "Give the email alone: what stands between < and >, without them.",
    ),
    "quoted": (
        "The part before the @ is in quotation marks, which many mail servers refuse.",
        "Give another email of this person.",
    ),
    "not_ascii": (
        "The part before the @ has letters that many mail servers cannot deliver.",
        "Give an email with plain letters before the @; the part after it may have any.",
    ),
    "too_long": (
        "This email is too long.",
        "The part before the @ may have 64 characters, the whole email 254.",
    ),
}

_BETWEEN_EMAILS = re.compile(r"[\s,;/|<>&]+")


def _refuse_what_is_not_one_email(text: str) -> None:
    if not text:
        _refuse_email("empty")
    if sum("@" in piece for piece in _BETWEEN_EMAILS.split(text)) > 1:
        _refuse_email("two_in_cell")
    if any(character in "\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029" for character in text):
        _refuse_email("line_break")
    if any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co"} for character in text):
        _refuse_email("control_character")
    local, at, domain = text.rpartition("@")
    if text.endswith(">") or "<" in text:
        _refuse_email("display_name")
    if local.startswith('"'):
        _refuse_email("quoted")
    if domain.startswith("["):
        _refuse_email("domain_literal")
    if at and (len(local.encode()) > MAX_LOCAL_PART or len(text.encode()) > MAX_EMAIL):
        _refuse_email("too_long")


def _refuse_email(code: str) -> NoReturn:
    message, hint = _EMAILS[code]
    raise BadAddress(Problem(code, AddressKind.EMAIL, message, hint)) from None


def _mask_email(value: str) -> str:
    local, at, domain = value.rpartition("@")
    labels = domain.split(".")
    if not at or len(labels) < 2:
        return "•••@•••"
    return f"{_first_of(local)}@{_first_of(labels[0])}.{labels[-1]}"


def _first_of(text: str) -> str:
    """The first letter, unless so short a text would be half told by it."""
    return f"{text[0]}•••" if len(text) > 2 else "•••"
