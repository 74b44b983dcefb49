"""How the school's staff sign in, as settings: passwords, and providers with what their domains and groups give."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from broker.authority.identities import Granted
from broker.errors import Problem
from broker.ports.approvals import OperatorRole
from config.answering import Names
from config.faults import Faults

GOOGLE = "https://accounts.google.com"
ENTRA = "https://login.microsoftonline.com/{tenant}/v2.0"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
TENANT = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
MOST = 100  # domains or groups


class Kind(StrEnum):
    """Whose rules a provider's tokens follow."""

    GOOGLE = "google"
    ENTRA = "entra"
    OTHER = "other"


class ProviderAt(BaseModel):
    """One OpenID Connect provider; the name of the setting is its name here."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    kind: Kind = Field(description="google, entra or other")
    label: str = Field("", max_length=40, description="on its button; left out, Google or Microsoft")
    tenant: str = Field("", description="of entra: the directory (tenant) id, never common or organizations")
    issuer: str = Field("", description="of other: the issuer; google and entra know theirs")
    client_id: str = Field(min_length=1, max_length=300, description="what the provider calls Carillon")
    client_secret: SecretStr = Field(description="and the secret that goes with it")
    domains: dict[str, str] = Field(
        description='as JSON: the school\'s own domains, each with what everybody of it gets, or "" for nothing:'
        ' {"school.example": "author office", "sixth.school.example": ""}'
    )
    groups: dict[str, str] = Field(
        {},
        description='as JSON: groups of the token, each with what its members get: {"<id>": "author,approver music"};'
        " the first that fits counts, before any domain",
    )
    groups_claim: str = Field(
        "groups", pattern="^[A-Za-z_]{1,40}$", description="the claim that names groups; or roles"
    )

    @field_validator("domains", "groups")
    @classmethod
    def _grants(cls, value: dict[str, str]) -> dict[str, str]:
        if len(value) > MOST:
            raise Faults(Problem("too_many", "", f"names more than {MOST}", ""))
        for what in value.values():
            granted_of(what)
        return value

    @field_validator("domains")
    @classmethod
    def _domains(cls, value: dict[str, str]) -> dict[str, str]:
        if not value or any(not DOMAIN.fullmatch(domain) for domain in value):
            raise Faults(
                Problem("bad_domain", "", "needs the school's own domains", "such as school.example")
            )
        return value

    @model_validator(mode="after")
    def _whose(self) -> ProviderAt:
        if self.kind is Kind.ENTRA and not self.issuer and not TENANT.fullmatch(self.tenant):
            hint = "the directory (tenant) id of the school, as its portal shows it"
            raise Faults(Problem("bad_tenant", "", "needs the school's own tenant", hint))
        if self.kind is Kind.OTHER and not self.issuer:
            raise Faults(Problem("no_issuer", "", "needs an issuer", "such as https://id.school.example"))
        if self.issuer and not is_safe(self.issuer):
            raise Faults(
                Problem("insecure_issuer", "", "must begin with https", "but for this machine alone")
            )
        return self

    @property
    def where(self) -> str:
        """The issuer."""
        if self.issuer:
            return self.issuer.rstrip("/")
        return GOOGLE if self.kind is Kind.GOOGLE else ENTRA.format(tenant=self.tenant.lower())

    @property
    def called(self) -> str:
        """What its button says."""
        return self.label or {Kind.GOOGLE: "Google", Kind.ENTRA: "Microsoft"}.get(
            self.kind, "your school account"
        )

    def grants(self, domain: str, groups: frozenset[str]) -> Granted | None:
        """What somebody of this domain and these groups gets; None for nothing."""
        given = next((what for group, what in self.groups.items() if group in groups), None)
        return granted_of(self.domains.get(domain, "") if given is None else given)

    @property
    def departments(self) -> frozenset[str]:
        """Every department that a mapping names."""
        said = (granted_of(what) for what in (*self.domains.values(), *self.groups.values()))
        return frozenset(one.department for one in said if one is not None and one.department is not None)


class SignIn(BaseModel):
    """How staff sign in."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    passwords: bool = Field(True, description="false: by a provider or a link alone")
    proxies: Names = Field(
        (),
        description="addresses of reverse proxies before the web, whose X-Forwarded-For is believed when tries to"
        " sign in are counted",
    )
    providers: dict[str, ProviderAt] = Field({}, description="OpenID Connect providers, by name")


def granted_of(text: str) -> Granted | None:
    """ "author,approver music": roles, and the department that they are for; "" for nothing. Raises Faults."""
    roles, _, department = text.strip().partition(" ")
    if not roles:
        return None
    hint = f"write {', '.join(OperatorRole)} with commas, then a department or nothing: author,approver music"
    try:
        named = frozenset(OperatorRole(role.strip()) for role in roles.split(","))
    except ValueError:
        raise Faults(Problem("bad_mapping", "", "gives what is no role", hint)) from None
    return Granted(named, department.strip() or None)


def is_safe(url: str) -> bool:
    """Whether secrets may go there: by https, or on this machine alone."""
    parts = urlsplit(url)
    if parts.username is not None or parts.query or parts.fragment or not parts.hostname:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


def faults_of(sign_in: SignIn, departments: Mapping[str, str]) -> str:
    """What does not fit the rest of the settings, in words; "" where it all does."""
    for name, provider in sign_in.providers.items():
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,30}", name):
            return f"names a provider {name[:31]}: small letters, digits, hyphens"
        if strange := provider.departments - departments.keys():
            return f"maps {name} to a department {min(strange)} that there is not"
    return ""
