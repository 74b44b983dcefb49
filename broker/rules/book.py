"""The book of rules: every family, every parameter, and how a version of them is read and judged by."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from broker.errors import Problem, RuleRefused
from broker.policy import Verdict, judge
from broker.rules import (
    adults,
    ages,
    approval,
    blast,
    calendar,
    keeping,
    ladders,
    licence,
    money,
    public_text,
    purpose,
    record,
    sign_in,
    social,
    undo,
    windows,
)
from broker.rules.case import AnnouncementCase, Family
from broker.rules.parameters import Parameter
from broker.rules.values import Rules

FAMILIES: tuple[Family, ...] = (
    licence.FAMILY,
    social.FAMILY,
    public_text.FAMILY,
    adults.FAMILY,
    purpose.FAMILY,
    approval.FAMILY,
    blast.FAMILY,
    undo.FAMILY,
    windows.FAMILY,
    money.FAMILY,
    record.FAMILY,
    calendar.FAMILY,
    ladders.FAMILY,
    keeping.FAMILY,
    ages.FAMILY,
    sign_in.FAMILY,
)
RULES: Mapping[str, Parameter] = MappingProxyType(
    {parameter.key: parameter for family in FAMILIES for parameter in family.parameters}
)
ONCE = tuple(policy for family in FAMILIES for policy in family.once)
EACH_TIME = tuple(policy for family in FAMILIES for policy in family.each_time)
EACH_DELIVERY = tuple(policy for family in FAMILIES for policy in family.each_delivery)
SANDBOX: Mapping[str, str] = MappingProxyType(
    {key: parameter.sandbox for key, parameter in RULES.items() if parameter.sandbox is not None}
)
_DEFAULTS = MappingProxyType({key: parameter.read(parameter.default) for key, parameter in RULES.items()})


def rules_of(changed: Mapping[str, str], version: int = 0) -> Rules:
    """The rules with what a school changed, each value as written. Raises RuleRefused for nonsense."""
    values = dict(_DEFAULTS)
    written = {}
    for key, text in changed.items():
        parameter = parameter_named(key)
        values[key] = parameter.read(text)
        written[key] = parameter.written(values[key])
    return Rules(version, MappingProxyType(values), MappingProxyType(written))


def parameter_named(key: str) -> Parameter:
    """One parameter. Raises RuleRefused for a key that there is not."""
    if key not in RULES:
        raise RuleRefused(
            Problem("unknown_rule", "rule", f"there is no rule {key[:40]}", "list them with: carillon rules")
        )
    return RULES[key]


def judged_once(case: AnnouncementCase) -> Verdict:
    """What never changes for this announcement, account and version."""
    return judge(case, ONCE)


def judged_each_time(case: AnnouncementCase) -> Verdict:
    """What may be another answer a second later."""
    return judge(case, EACH_TIME)


def judged(case: AnnouncementCase) -> Verdict:
    """Both, for where there is one look: at intake, in the preview, at fan-out."""
    return judge(case, (*ONCE, *EACH_TIME))
