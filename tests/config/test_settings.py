"""Settings are read from three places, and every fault is told at once, in words that repeat no value."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.errors import MissingSetting, Problem
from config.settings import Settings, load

SECRET = "a-secret-that-nobody-may-ever-see-in-a-log"


def read(names: Mapping[str, str]) -> Settings:
    return load(environ=names, env_file=None)


def faults(names: Mapping[str, str]) -> dict[str, Problem]:
    with pytest.raises(MissingSetting) as caught:
        read(names)
    return {problem.field: problem for problem in caught.value.problems}


def test_nothing_configured_is_the_embedded_default() -> None:
    settings = read({})
    assert settings.embedded
    assert settings.sqlite
    assert settings.database_url == "sqlite:///var/carillon.sqlite3"
    assert settings.school.zone == "Europe/London"
    assert settings.worker.budget == timedelta(seconds=20)


def test_the_database_lies_in_the_data_folder() -> None:
    assert read({"CARILLON_DATA_DIR": "/srv/bells"}).database_url == "sqlite:////srv/bells/carillon.sqlite3"


@pytest.mark.parametrize("scheme", ["postgres://", "postgresql://", "postgresql+psycopg://"])
def test_postgresql_is_spoken_to_through_psycopg_however_it_is_written(scheme: str) -> None:
    settings = read({"CARILLON_DATABASE_URL": f"{scheme}u:p@h/n", "CARILLON_SECRET_KEY": SECRET})
    assert settings.database_url == "postgresql+psycopg://u:p@h/n"


def test_the_environment_wins_over_the_file_and_the_file_over_secrets(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "carillon_secret_key").write_text(f"{SECRET}\n")
    (secrets / "carillon_school__name").write_text("From the secrets")
    (secrets / "carillon_school__slug").write_text("from-secrets")
    (secrets / "somebody_elses").write_text("not ours")
    env_file = tmp_path / ".env"
    env_file.write_text(
        "CARILLON_SCHOOL__NAME='From the file'\nCARILLON_WEB__PORT=81\nPOSTGRES_PASSWORD=not$ours\n"
    )
    settings = load(
        environ={"CARILLON_WEB__PORT": "82", "CARILLON_SECRETS_DIR": str(secrets)}, env_file=env_file
    )
    assert settings.web.port == 82
    assert settings.school.name == "From the file"
    assert settings.school.slug == "from-secrets"
    assert settings.secret_key is not None
    assert settings.secret_key.get_secret_value() == SECRET


def test_a_dollar_sign_in_a_file_stays_a_dollar_sign(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("CARILLON_SCHOOL__NAME=Cash ${HOME} $5\n")
    assert load(environ={}, env_file=env_file).school.name == "Cash ${HOME} $5"


def test_every_fault_is_told_at_once() -> None:
    told = faults(
        {
            "CARILLON_DATABSE_URL": "sqlite:///x",
            "CARILLON_DATABASE_URL": "nonsense",
            "CARILLON_QUEUE_URL": "mqtt://h",
            "CARILLON_PUBLIC_URL": "http://school.example",
            "CARILLON_SECRET_KEY": "short",
            "CARILLON_SANDBOX": "perhaps",
            "CARILLON_SCHOOL__ZONE": "Europe/Lodnon",
            "CARILLON_SCHOOL__REGION": "UK",
            "CARILLON_SCHOOL__NMAE": "St Bride's",
            "CARILLON_WEB__PORT": "http",
            "CARILLON_WORKER__BUDGET": "soon",
            "CARILLON_ACCOUNTS__X__CHANNEL": "smz",
            "CARILLON_ACCOUNTS__Y__DEPARTMENT": "musik",
        }
    )
    assert set(told) == {
        "CARILLON_DATABSE_URL",
        "CARILLON_DATABASE_URL",
        "CARILLON_QUEUE_URL",
        "CARILLON_PUBLIC_URL",
        "CARILLON_SECRET_KEY",
        "CARILLON_SANDBOX",
        "CARILLON_SCHOOL__ZONE",
        "CARILLON_SCHOOL__REGION",
        "CARILLON_SCHOOL__NMAE",
        "CARILLON_WEB__PORT",
        "CARILLON_WORKER__BUDGET",
        "CARILLON_ACCOUNTS__X__CHANNEL",
        "CARILLON_ACCOUNTS__Y__CHANNEL",
        "CARILLON_ACCOUNTS__Y__DEPARTMENT",
    }
    assert told["CARILLON_DATABSE_URL"].hint == "did you mean CARILLON_DATABASE_URL?"
    assert told["CARILLON_SCHOOL__NMAE"].hint == "did you mean CARILLON_SCHOOL__NAME?"
    assert told["CARILLON_SCHOOL__ZONE"].hint == "did you mean Europe/London?"
    assert told["CARILLON_WEB__PORT"].message == "must be a whole number"
    assert told["CARILLON_WORKER__BUDGET"].message == "must be a number of seconds"


def test_what_two_settings_say_together_is_told_beside_the_faults_of_others() -> None:
    """A second round of faults, after the first was mended, would be a second evening."""
    told = faults(
        {
            "CARILLON_DATABASE_URL": "postgresql://u:hush@h/n",
            "CARILLON_SCHOOL__SLUG": "office",
            "CARILLON_WEB__PORT": "http",
            "CARILLON_ACCOUNTS__MAIL__CHANNEL": "email",
            "CARILLON_ACCOUNTS__MAIL__PER_SECOND": "-1",
            "CARILLON_ACCOUNTS__MAIL__HOST": "smtp.example.org",
            "CARILLON_ACCOUNTS__MAIL__SECURITY": "none",
            "CARILLON_ACCOUNTS__MAIL__USERNAME": "office",
            "CARILLON_ACCOUNTS__SMS__CHANNEL": "sms",
            "CARILLON_ACCOUNTS__SMS__ACCOUNT_SID": "AC1",
            "CARILLON_ACCOUNTS__FAX__PER_SECOND": "1",
        }
    )
    assert set(told) == {
        "CARILLON_SECRET_KEY",  # there is none, and this is no SQLite
        "CARILLON_DEPARTMENTS",  # one has the school's slug
        "CARILLON_WEB__PORT",
        "CARILLON_ACCOUNTS__MAIL__PER_SECOND",
        "CARILLON_ACCOUNTS__MAIL__SECURITY",  # none, to another machine
        "CARILLON_ACCOUNTS__MAIL__PASSWORD",  # the username's
        "CARILLON_ACCOUNTS__MAIL__SENDER",
        "CARILLON_ACCOUNTS__MAIL__REPLY_TO",
        "CARILLON_ACCOUNTS__SMS__ACCOUNT_SID",
        "CARILLON_ACCOUNTS__SMS__AUTH_TOKEN",
        "CARILLON_ACCOUNTS__SMS__SENDER",  # neither a sender nor a pool of them
        "CARILLON_ACCOUNTS__FAX__CHANNEL",
    }


def test_an_account_is_read_with_its_channels_own_settings(bell: Path) -> None:
    settings = read(
        {
            "CARILLON_DEPARTMENTS": "office, music",
            "CARILLON_ACCOUNTS__TOWER__CHANNEL": "bell",
            "CARILLON_ACCOUNTS__TOWER__DEPARTMENT": "music",
            "CARILLON_ACCOUNTS__TOWER__PER_SECOND": "2.5",
            "CARILLON_ACCOUNTS__TOWER__TRUTH": str(bell),
            "CARILLON_ACCOUNTS__TOWER__TOKEN": "00123456789012345678901234567890",
        }
    )
    tower = settings.accounts["tower"]
    assert (tower.channel, tower.department, tower.per_second) == ("bell", "music", 2.5)
    assert tower.own.truth == bell
    # Digits stay text: as a number they would lose their zeros.
    assert tower.own.token.get_secret_value() == "00123456789012345678901234567890"


def test_accounts_may_be_one_json_object(bell: Path) -> None:
    settings = read({"CARILLON_ACCOUNTS": f'{{"tower": {{"channel": "bell", "truth": "{bell}"}}}}'})
    assert settings.accounts["tower"].own.truth == bell


def test_faults_of_an_account_are_told_with_its_name(bell: Path) -> None:
    told = faults(
        {
            "CARILLON_ACCOUNTS__TOWER__CHANNEL": "bell",
            "CARILLON_ACCOUNTS__TOWER__DEPARTMENT": "ofice",
            "CARILLON_ACCOUNTS__TOWER__TOKEN": "abc",
            "CARILLON_ACCOUNTS__TOWER__TRUHT": str(bell),
            "CARILLON_ACCOUNTS__CRYPT__CHANNEL": "bel",
        }
    )
    assert told["CARILLON_ACCOUNTS__TOWER__DEPARTMENT"].hint == "did you mean office?"
    assert told["CARILLON_ACCOUNTS__TOWER__TRUTH"].message == "is missing"
    assert told["CARILLON_ACCOUNTS__TOWER__TRUHT"].hint == "did you mean CARILLON_ACCOUNTS__TOWER__TRUTH?"
    assert told["CARILLON_ACCOUNTS__TOWER__TOKEN"].message == "a token is longer"
    assert told["CARILLON_ACCOUNTS__CRYPT__CHANNEL"].hint == "did you mean bell?"


def test_postgresql_wants_a_secret_key_of_the_schools_own() -> None:
    told = faults({"CARILLON_DATABASE_URL": "postgresql://u:hush@h/n"})
    assert "token_urlsafe" in told["CARILLON_SECRET_KEY"].hint


def test_no_secret_shows_in_settings_or_in_their_faults(bell: Path) -> None:
    names = {
        "CARILLON_DATABASE_URL": f"postgresql://u:{SECRET}@h/n",
        "CARILLON_QUEUE_URL": f"redis://:{SECRET}@h/0",
        "CARILLON_SECRET_KEY": SECRET,
        "CARILLON_ACCOUNTS__TOWER__CHANNEL": "bell",
        "CARILLON_ACCOUNTS__TOWER__TRUTH": str(bell),
        "CARILLON_ACCOUNTS__TOWER__TOKEN": SECRET,
    }
    assert SECRET not in repr(read(names))
    wrong = {**names, "CARILLON_QUEUE_URL": f"mqtt://:{SECRET}@h", "CARILLON_WEB__PORT": SECRET}
    with pytest.raises(MissingSetting) as caught:
        read(wrong)
    assert SECRET not in repr(caught.value.problems)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "school.example",
        "ftp://school.example",
        "https://u:p@school.example",
        "https://school.example/?a=b",
        "https://",
    ],
)
def test_a_public_address_is_a_plain_web_address(url: str) -> None:
    assert "CARILLON_PUBLIC_URL" in faults({"CARILLON_PUBLIC_URL": url})


def test_a_public_address_may_have_a_path_and_loses_its_last_slash() -> None:
    assert read({"CARILLON_PUBLIC_URL": "https://s.example/bells/"}).public_url == "https://s.example/bells"
    assert read({"CARILLON_PUBLIC_URL": "http://127.0.0.1:8000"}).public_url == "http://127.0.0.1:8000"


def test_a_secrets_folder_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    assert "CARILLON_SECRETS_DIR" in faults({"CARILLON_SECRETS_DIR": str(tmp_path / "none")})


def test_an_empty_value_counts_as_not_set() -> None:
    assert read({"CARILLON_PUBLIC_URL": "", "CARILLON_QUEUE_URL": ""}).public_url is None


@given(
    st.dictionaries(
        st.sampled_from(["SCHOOL", "SCHOOL__ZONE", "ACCOUNTS", "ACCOUNTS__A", "ACCOUNTS__A__CHANNEL", "WEB__PORT__X",
                         "DEPARTMENTS", "DEPARTMENTS__M", "DATABASE_URL", "PUBLIC_URL", "WORKER", "__", "WEB__"]),
        st.text(max_size=20) | st.sampled_from(['{"a": 1}', "[1]", '{"a": {"channel": 1}}', "[[]]", "http://[", "//"]),
        max_size=4,
    )
)  # fmt: skip
def test_whatever_is_configured_is_either_settings_or_problems(names: dict[str, str]) -> None:
    told: tuple[Problem, ...] | None = None
    try:
        read({f"CARILLON_{name}": value for name, value in names.items()})
    except MissingSetting as faulty:
        told = faulty.problems
    assert told is None or told
    assert all(problem.field and problem.message for problem in told or ())


def test_a_setting_that_is_wrong_is_told_what_it_is() -> None:
    account = {"channel": "sms", "account_sid": "AC123", "auth_token": "t", "sender": "School"}
    with pytest.raises(MissingSetting) as caught:
        Settings.of(accounts={"texts": account})
    [problem] = caught.value.problems
    assert problem.message == "is not written as it should be"
    assert problem.hint == "it is the account at Twilio: AC and 32 more"
