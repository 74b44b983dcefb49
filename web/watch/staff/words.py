"""What operators may do, in words."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from broker.ports.approvals import OperatorRole

ROLES: Mapping[OperatorRole, tuple[str, str]] = {
    OperatorRole.AUTHOR: (
        "writes",
        "Writes and sends announcements, keeps groups and templates, answers parents.",
    ),
    OperatorRole.APPROVER: ("agrees", "Says yes or no to what others wrote; never to their own."),
    OperatorRole.ADMIN: (
        "administers",
        "Adds and removes staff, changes rules and budgets, looks after accounts, lets go on what was stopped.",
    ),
    OperatorRole.AUDITOR: (
        "looks",
        "Looks at everything, the record too, and changes nothing. For governors.",
    ),
}
OPTIONS = {role.value: about for role, (_, about) in ROLES.items()}


def roles(have: Collection[OperatorRole]) -> str:
    """What somebody may do: "writes, agrees"."""
    return ", ".join(called for role, (called, _) in ROLES.items() if role in have)


def chosen(values: Sequence[str]) -> list[OperatorRole]:
    """Roles as a form names them; what is none is left out."""
    return [role for role in OperatorRole if role.value in values]
