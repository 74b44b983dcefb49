"""The settings: what a school tells Carillon about itself, all under the prefix CARILLON_.

`load()` reads the environment, then `.env`, then the secrets folder, and reports every fault at once. The models here
are plain values; nothing below `config` ever sees them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import phonenumbers
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from broker.channel import Surroundings
from broker.errors import InvalidAnnouncement, MissingSetting, Problem
from broker.moments import zone_named
from channels.seconds import Seconds
from config import reading
from config.accounts import Account, read_accounts
from config.answering import Answers, MailboxAt
from config.faults import Faults, plain_words
from config.registry import Registry
from config.timetables import TimetableAt

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
LOCALE = re.compile(r"[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-[A-Z]{2})?")
MEMORY = "memory://"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class _Group(BaseModel):
    """Settings that belong together; a name that is none of them is a fault, and no value is ever repeated."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class School(_Group):
    """The one school of this ledger."""

    slug: str = Field("school", description="short name in public addresses: small letters, digits, hyphens")
    name: str = Field(
        "The school", min_length=1, max_length=120, description="the name that people know it by"
    )
    zone: str = Field("Europe/London", description="time zone of its wall clocks")
    locale: str = Field("en-GB", description="language and country for dates and numbers")
    region: str = Field("GB", description="country whose telephone numbers may be written without a prefix")
    currency: str = Field("GBP", pattern="^[A-Z]{3}$", description="the one currency of prices and budgets")

    @field_validator("slug")
    @classmethod
    def _slug(cls, value: str) -> str:
        return _slug(value)

    @field_validator("zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            return zone_named(value).key
        except InvalidAnnouncement as unknown:
            raise Faults(Problem("unknown_zone", "", "is no time zone", unknown.problem.hint)) from None

    @field_validator("locale")
    @classmethod
    def _locale(cls, value: str) -> str:
        if not LOCALE.fullmatch(value):
            raise Faults(Problem("bad_locale", "", "is no locale", "write it as en-GB or cy-GB"))
        return value

    @field_validator("region")
    @classmethod
    def _region(cls, value: str) -> str:
        if value not in phonenumbers.SUPPORTED_REGIONS:
            raise Faults(
                Problem("unknown_region", "", "is no country code", "write two capitals, such as GB or IE")
            )
        return value


class Worker(_Group):
    """How a worker works."""

    threads: int = Field(
        0, ge=0, le=256, description="task threads of a process; 0 for two an account and four more"
    )
    budget: Seconds = Field(
        timedelta(seconds=20),
        ge=timedelta(seconds=1),
        le=timedelta(seconds=300),
        description="seconds that a turn of sending lasts before the account is looked at anew",
    )
    deaf_after: Seconds = Field(
        timedelta(seconds=60),
        ge=timedelta(seconds=2),
        le=timedelta(hours=1),
        description="seconds without hearing a hint, while Redis answers, after which a worker is replaced",
    )
    stalled_after: Seconds = Field(
        timedelta(minutes=15),
        ge=timedelta(seconds=2),
        le=timedelta(hours=24),
        description="seconds that one turn of work may take before its process is replaced; outcomes wait ten minutes"
        " for a ledger that is away, so not less than that",
    )


class Web(_Group):
    """Where the web door listens."""

    host: str = Field("127.0.0.1", description="address that the web listens on")
    port: int = Field(8000, ge=0, le=65535, description="port that the web listens on")
    metrics_token: SecretStr | None = Field(
        None,
        min_length=16,
        max_length=200,
        description="shown by whoever reads /metrics (Authorization: Bearer …); without one, only this machine may, and"
        " only while CARILLON_PUBLIC_URL leads nowhere else",
    )


class Settings(_Group):
    """Everything a school configures. Made by `load`; a value without environment by `Settings.of`."""

    data_dir: Path = Field(
        Path("var"), description="folder for the database file, the secret key and the like"
    )
    database_password: SecretStr | None = Field(
        None, description="the database's password, to keep it out of its address: as a file, say"
    )
    database_url: str = Field(
        default_factory=lambda data: f"sqlite:///{data['data_dir'] / 'carillon.sqlite3'}",
        repr=False,
        description="the ledger: sqlite:///path or postgresql://user:password@host/name",
    )
    retention_database_url: str | None = Field(
        None,
        repr=False,
        description="PostgreSQL: the ledger again, by the role that may prune the record",
    )
    queue_url: str = Field(
        MEMORY,
        repr=False,
        description="the queue of hints: memory://, redis://host:6379/0 or amqp://user:password@host:5672//",
    )
    public_url: str | None = Field(
        None, description="address at which the outside reaches the web: callbacks and links"
    )
    secret_key: SecretStr | None = Field(
        None,
        validate_default=True,
        description="signs what leaves the house, 32 characters or more; made by itself beside a SQLite ledger",
    )
    sandbox: bool = Field(
        False, description="true: providers may be loopback stand-ins only, and nothing real is sent"
    )
    operator: str | None = Field(
        None, max_length=80, description="who acts at this terminal, kept in the record"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="how much is logged; ids only"
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="json: a line is one JSON object, for a collector of logs"
    )
    school: School = Field(default_factory=School)
    departments: dict[str, str] = Field(
        {"office": "School office"},
        validate_default=True,
        description="name shown for each department's slug",
    )
    accounts: dict[str, Account] = Field({}, description="the configured ways out, by name")
    mailboxes: dict[str, MailboxAt] = Field({}, description="mailboxes to read, by name")
    timetables: dict[str, TimetableAt] = Field({}, description="sources of timetable changes, by name")
    answers: Answers = Field(default_factory=Answers)
    worker: Worker = Field(default_factory=Worker)
    web: Web = Field(default_factory=Web)

    @classmethod
    def of(cls, registry: Registry | None = None, **values: Any) -> Settings:
        """Settings from these values alone. Raises MissingSetting with every fault."""
        return _build(values, (), registry or Registry())

    @property
    def embedded(self) -> bool:
        """Whether hints stay in one process: `carillon up` then hosts the worker."""
        return self.queue_url == MEMORY

    @property
    def alone(self) -> bool:
        """Whether nobody reaches the web from elsewhere: it has no public address but this machine's."""
        return self.public_url is None or urlsplit(self.public_url).hostname in LOOPBACK

    @property
    def sqlite(self) -> bool:
        """Whether the ledger is a file, which allows one worker process."""
        return self.database_url.startswith("sqlite")

    def surroundings(self) -> Surroundings:
        """What a channel may know of the house."""
        return Surroundings(
            school=self.school.name,
            region=self.school.region,
            public_url=self.public_url,
            sandbox=self.sandbox,
        )

    @field_validator("retention_database_url")
    @classmethod
    def _retention_database_url(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None:
            return None
        found = make_url(cls._plain_url(value))
        ledger = make_url(info.data.get("database_url", "sqlite://"))
        if found.drivername == "sqlite" or ledger.drivername == "sqlite":
            hint = "leave it out on SQLite, which has no roles"
            raise Faults(Problem("no_roles", "", "is for PostgreSQL alone", hint))
        return found.render_as_string(hide_password=False)

    @field_validator("database_url")
    @classmethod
    def _database_url(cls, value: str, info: ValidationInfo) -> str:
        url = make_url(cls._plain_url(value))
        apart = info.data.get("database_password")
        if apart is not None and url.drivername != "sqlite":
            url = url.set(password=apart.get_secret_value())
        return url.render_as_string(hide_password=False)

    @classmethod
    def _plain_url(cls, value: str) -> str:
        hint = "write sqlite:///var/carillon.sqlite3 or postgresql://user:password@host/name"
        try:
            url = make_url(value)
        except ArgumentError:
            raise Faults(Problem("bad_database_url", "", "is no database address", hint)) from None
        if url.drivername in {"postgres", "postgresql"}:
            url = url.set(drivername="postgresql+psycopg")
        if url.drivername not in {"sqlite", "postgresql+psycopg"} or not url.database:
            raise Faults(Problem("bad_database_url", "", "names no database that Carillon can use", hint))
        return url.render_as_string(hide_password=False)

    @field_validator("queue_url")
    @classmethod
    def _queue_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if value != MEMORY and not (parts.scheme in {"redis", "rediss", "amqp", "amqps"} and parts.hostname):
            hint = "write memory://, redis://localhost:6379/0 or amqp://user:password@localhost:5672//"
            raise Faults(Problem("bad_queue_url", "", "is no queue", hint))
        return value

    @field_validator("public_url")
    @classmethod
    def _public_url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        hint = "write it as https://carillon.school.example, without anything after the path"
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
            raise Faults(Problem("bad_public_url", "", "is no web address", hint))
        if parts.query or parts.fragment:
            raise Faults(Problem("bad_public_url", "", "has something after its path", hint))
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise Faults(
                Problem(
                    "insecure_public_url", "", "must begin with https, for callbacks carry messages", hint
                )
            )
        return value.rstrip("/")

    @field_validator("secret_key")
    @classmethod
    def _secret_key(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None and not info.data.get("database_url", "sqlite").startswith("sqlite"):
            raise Faults(Problem("missing", "", "is missing", NEW_KEY))
        if value is not None and len(value.get_secret_value()) < 32:
            raise Faults(Problem("weak_secret_key", "", "is shorter than 32 characters", NEW_KEY))
        return value

    @field_validator("departments", mode="before")
    @classmethod
    def _departments(cls, value: Any) -> Any:
        if isinstance(value, str):
            value = [part.strip() for part in value.split(",") if part.strip()]
        if isinstance(value, list):
            value = {str(slug): str(slug).replace("-", " ").capitalize() for slug in value}
        return value

    @field_validator("departments")
    @classmethod
    def _department_slugs(cls, value: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        faulty = [slug for slug in value if not SLUG.fullmatch(slug)]
        if faulty or not value:
            raise Faults(
                Problem("bad_slug", "", "needs short names: small letters, digits, hyphens", "such as music")
            )
        school = info.data.get("school")
        if school is not None and school.slug in value:
            hint = f"{reading.name_of(('school', 'slug'))} and a department's slug must differ: each names one feed"
            raise Faults(Problem("slug_taken", "", "has the school's own slug", hint))
        return value

    @field_validator("accounts", mode="before")
    @classmethod
    def _accounts(cls, value: Any, info: ValidationInfo) -> Any:
        registry = info.context["registry"] if info.context else Registry()
        return read_accounts(value, registry, info.data.get("departments"))


NEW_KEY = "make one with: python -c 'import secrets; print(secrets.token_urlsafe(48))'"


def load(
    *,
    environ: Mapping[str, str] | None = None,
    env_file: Path | None = Path(".env"),
    registry: Registry | None = None,
    **overrides: Any,
) -> Settings:
    """The settings of this process: environment, then `.env`, then secrets folder; `overrides` win over all.

    Raises MissingSetting with every fault of the configuration at once.
    """
    names, faults = reading.gather(environ, env_file)
    raw = reading.nest(names, Settings)
    return _build({**raw, **overrides}, (*faults, *reading.unknown(names, Settings)), registry or Registry())


def _build(raw: Mapping[str, Any], faults: tuple[Problem, ...], registry: Registry) -> Settings:
    try:
        settings = Settings.model_validate(dict(raw), context={"registry": registry})
    except ValidationError as invalid:
        raise MissingSetting((*faults, *plain_words(invalid, Settings))) from None
    if faults:
        raise MissingSetting(faults)
    return settings


def _slug(value: str) -> str:
    if not SLUG.fullmatch(value):
        raise Faults(Problem("bad_slug", "", "must be small letters, digits and hyphens", "such as st-marys"))
    return value
