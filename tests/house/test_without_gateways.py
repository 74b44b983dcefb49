"""GOV.UK Notify and Sinch are optional: without their extras all else runs, and their gateways say what to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BARRED = """
import sys

class Barred:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"notifications_python_client", "sinch", "docopt"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name.partition(".")[0])
        return None

sys.meta_path.insert(0, Barred())
"""
ACCOUNTS = """
from broker.channel import Surroundings
from broker.errors import MissingExtra
from channels import email, sms
from sandbox.stand_ins import notify, sinch
from sandbox.settings import ACCOUNT_SID, AUTH_TOKEN

around = Surroundings("school", "GB", "https://school.example", sandbox=True)
here = "http://127.0.0.1:1"
told = dict(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN, sender="+447400123456", api_base_url=here)
sms.kit.open("texts", sms.kit.settings(**told), around).close()
for kit, kind, own in (
    (sms.kit, "notify", notify.settings(here)),
    (sms.kit, "sinch", sinch.settings(here)),
    (email.kit, "notify", notify.mail_settings(here)),
):
    try:
        kit.open("account", kit.gateways[kind](**own), around)
    except MissingExtra as missing:
        (problem,) = missing.problems
        assert f"carillon[{kind}]" in problem.hint, problem
        print(kit.name, kind, problem.code)
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_their_gateways_say_what_to_install_and_the_others_open() -> None:
    ended = run(BARRED + ACCOUNTS)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split("\n")[:3] == [
        "sms notify missing_extra",
        "sms sinch missing_extra",
        "email notify missing_extra",
    ]


@pytest.mark.parametrize("room", ["cli.app", "channels.sms", "channels.email"])
def test_no_door_loads_them_before_an_account_is_opened(room: str) -> None:
    code = f"import sys, {room}; assert not {{'notifications_python_client', 'sinch'}} & set(sys.modules)"
    ended = run(code)
    assert ended.returncode == 0, ended.stderr
