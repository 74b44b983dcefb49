"""X is optional: without its extra everything else runs, and an account of X's is refused with what to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What the extra brings besides what other packages bring too.
BARRED = """
import sys

class Barred:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"tweepy", "oauthlib", "requests_oauthlib"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name.partition(".")[0])
        return None

sys.meta_path.insert(0, Barred())
"""
ACCOUNT = """
import pathlib, tempfile
from broker.errors import MissingExtra
from config.assembly import assemble
from config.registry import Registry
from config.settings import Settings
from broker.announcement import Content, Part
from broker.channel import PUBLIC, Surroundings
from channels.twitter import kit
from channels.twitter.render import Style, check, render

own = dict(consumer_key="k", consumer_secret="s", access_token="1-t", access_token_secret="s", notice_route="the gate")
with tempfile.TemporaryDirectory() as folder:
    settings = Settings.of(data_dir=pathlib.Path(folder), accounts={"x": {"channel": "twitter", **own}})
    try:
        assemble(settings, serves=True, upgrade=True)
    except MissingExtra as fault:
        raise SystemExit("missing extra is hidden")
    except Exception as fault:
        problem, = fault.problems
        print(problem.code, problem.message, problem.hint)
assert Registry().kit("twitter").traits.never_alone
content = Content(1, "", {Part.SHORT: "Concert."})
assert not check(content, Style())
assert render(content, PUBLIC, Style()).fields["text"] == "Concert."
"""


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-c", BARRED + code, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_an_account_of_xs_without_the_extra_is_refused_with_what_to_do() -> None:
    ended = run(ACCOUNT)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("missing_extra ")
    assert "carillon[x]" in ended.stdout
    assert "tweepy" in ended.stdout


@pytest.mark.parametrize(
    "room", ["cli.app", "web.app", "workers.app", "sandbox.server", "carillon", "channels.twitter"]
)
def test_every_door_opens_without_it(room: str) -> None:
    ended = run(f"import {room}; assert 'tweepy' not in sys.modules")
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("room", ["cli.app", "web.app", "workers.app", "channels.twitter"])
def test_no_door_loads_it_before_an_account_is_opened(room: str) -> None:
    code = f"import sys, {room}; assert not {{'tweepy', 'oauthlib'}} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60, check=True)


def test_the_demo_is_all_accounted_for_without_it() -> None:
    ended = run(
        "from cli.app import main; sys.argv = ['carillon', 'demo', '--once', '--json', '--pupils', '20']; main()"
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert '"ok": true' in ended.stdout
