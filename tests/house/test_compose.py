"""The compose file keeps to the specification, and all that it names is there: commands, queues, settings, secrets."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from config import queue
from config.registry import Registry
from config.settings import Settings, load
from tests.support.compose import COMPOSE, PREFIX, Service, parsed, read, services

SERVICES = services()
OURS = [service for service in SERVICES.values() if service.ours]
PASSWORD, KEY = "p@ss/word of the tests", "a secret of the tests, and of nobody else's"
each = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
each_of_ours = pytest.mark.parametrize("service", OURS, ids=[service.name for service in OURS])


def keeps_to_the_specification(path: Path) -> bool:
    """By the specification's own schema, which check-jsonschema brings."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(path)]
    return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0


def settings_in(service: Service, folder: Path) -> Settings:
    """What a container of this service would read, its secrets in files."""
    values = {"carillon_database_password": PASSWORD, "carillon_secret_key": KEY}
    for name in service.secrets:
        (folder / name).write_text(f"{values[name]}\n")
    return load(environ={**service.environment, f"{PREFIX}SECRETS_DIR": str(folder)}, env_file=None)


def test_it_keeps_to_the_compose_specification(tmp_path: Path) -> None:
    assert keeps_to_the_specification(COMPOSE)
    (tmp_path / "wrong.yml").write_text(COMPOSE.read_text().replace("healthcheck:", "helthcheck:"))
    assert not keeps_to_the_specification(tmp_path / "wrong.yml")


def test_there_is_what_a_school_needs() -> None:
    assert set(SERVICES) == {"postgres", "redis", "migrate", "web", "worker", "worker-urgent"}
    assert SERVICES["migrate"].command == ["db", "upgrade"]


@each_of_ours
def test_every_command_is_one_that_carillon_has(service: Service) -> None:
    parsed(service.command)
    if "carillon" in service.healthcheck:
        parsed(service.healthcheck[2:])


def test_a_command_that_carillon_has_not_would_be_found_out() -> None:
    with pytest.raises(KeyError):
        parsed(["serve"])
    with pytest.raises(Exception, match="--queue"):
        parsed(["worker", "--queue", "urgent"])


def test_every_queue_that_hints_go_to_is_heard() -> None:
    every = set(queue.queues(Registry().names()))
    heard: dict[str, set[str]] = {}
    for service in OURS:
        if service.command[0] == "worker":
            named = parsed(service.command)["queues"]
            heard[service.name] = set(named.split(",")) if named else every
    assert set().union(*heard.values()) == every
    assert heard["worker-urgent"] == {queue.URGENT}


@each_of_ours
def test_every_setting_is_one_and_every_secret_a_file(service: Service, tmp_path: Path) -> None:
    settings = settings_in(service, tmp_path)
    assert not settings.embedded
    assert not settings.sqlite
    assert "p%40ss%2Fword" in settings.database_url
    assert settings.secret_key is not None
    assert settings.secret_key.get_secret_value() == KEY


def test_no_variable_of_ours_is_named_anywhere_that_is_no_setting() -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(rf"{PREFIX}[A-Z_]+", COMPOSE.read_text(), re.IGNORECASE)) <= known | {
        name.lower() for name in known
    }


@each
def test_nothing_secret_stands_in_the_file(service: Service) -> None:
    plain = [name for name in service.environment if re.search("PASSWORD|SECRET|TOKEN", name)]
    assert all(name.endswith("_FILE") for name in plain)
    assert set(service.secrets) <= set(read()["secrets"])
    assert all(secret["file"].startswith("./secrets/") for secret in read()["secrets"].values())
    assert "/secrets/" in (COMPOSE.parent / ".gitignore").read_text().split()
    assert "secrets" in (COMPOSE.parent / ".dockerignore").read_text().split()


@each
def test_nobody_is_root_and_nothing_is_written_outside_its_places(service: Service) -> None:
    told = service.told
    assert told["read_only"] is True
    assert told["cap_drop"] == ["ALL"]
    assert told["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in told
    assert service.ours or told["user"] in {"postgres", "redis"}
    dockerfile = (COMPOSE.parent / "Dockerfile").read_text()
    assert re.findall(r"^USER (.+)$", dockerfile, re.MULTILINE) == ["carillon"]


@each
def test_everything_that_runs_on_says_how_it_is(service: Service) -> None:
    assert bool(service.healthcheck) == (service.name != "migrate")


@each_of_ours
def test_nothing_of_ours_starts_before_the_tables_are_there(service: Service) -> None:
    waits = {name: how["condition"] for name, how in service.told["depends_on"].items()}
    assert waits.pop("postgres") == "service_healthy"
    if service.name == "migrate":
        assert service.told["restart"] == "on-failure"  # and else once
    else:
        assert waits == {"migrate": "service_completed_successfully", "redis": "service_healthy"}


@each
def test_what_ends_is_started_again(service: Service) -> None:
    """A worker's process is its supervisor, which replaces what died, went deaf or stalled (tests/workers)."""
    if service.name != "migrate":
        assert service.told["restart"] == "unless-stopped"
    if service.name.startswith("worker"):
        assert service.command[0] == "worker"


def test_the_worker_scales() -> None:
    assert not {"container_name", "ports"} & set(SERVICES["worker"].told)


def test_only_this_machine_reaches_a_port() -> None:
    ports = [port for service in SERVICES.values() for port in service.told.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_redis_drops_nothing_and_keeps_what_it_has() -> None:
    words = SERVICES["redis"].command
    told = dict(zip(words[1::2], words[2::2], strict=True))
    assert told["--maxmemory-policy"] == "noeviction"
    assert told["--appendonly"] == "yes"
    assert "/data" in SERVICES["redis"].told["volumes"][0]


def test_a_warm_stop_is_given_longer_than_a_worker_takes() -> None:
    from workers.supervisor import GRACE

    for service in OURS:
        assert int(service.told["stop_grace_period"].removesuffix("s")) > GRACE.total_seconds()
