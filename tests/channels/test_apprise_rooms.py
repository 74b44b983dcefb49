"""Which rooms the bridge posts to and which not, what a no comes to, and what runs without its extra."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import apprise
import pytest
import requests
from pydantic import ValidationError

from broker.announcement import Content, Part
from broker.channel import Key, Surroundings
from broker.errors import AccountRejected, DeliveryFailure, RateLimited, SetupError, Uncertain, Unreachable
from broker.outward import Reach
from channels.apprise import kit
from channels.apprise.line import STAND_FOR_REQUESTS, Line, take_over
from channels.apprise.settings import ROOMS, Settings
from sandbox.client import RunningSandbox
from sandbox.stand_ins.apprise import TOKEN
from tests.channels.stand_in_bench import AROUND, closed_port, open_at, public

ROOT = Path(__file__).parents[2]
OUTSIDE = Surroundings("St Cecilia's", "GB", None, timeout=timedelta(seconds=1))
CONTENT = Content(1, "en", {Part.TITLE: "Fire drill", Part.LONG: "At **ten** today."})
SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
GOOD = [
    "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
    "gchat://workspace/key/token",
    "mmosts://chat.school.example/abcdefghijklmnop",
    "mmosts://chat.school.example/abcdefghijklmnop/staff-room",
    "rockets://web%2Fhook@chat.school.example/%23staff",
    SLACK,
    f"{SLACK}/%23staff",
    "wxteams://0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "zulip://carillon@school/a6k4sbe6ul2awlx1twlhszwhmzpckpib/staff",
]


@pytest.fixture
def room(stand_ins: RunningSandbox) -> Iterator[RunningSandbox]:
    yield stand_ins
    stand_ins.control.clear()


def post(sandbox: RunningSandbox, content: Content = CONTENT, **changed: Any) -> str:
    channel = open_at("apprise", kit, sandbox, **changed)
    to = public(61_001)
    return channel.send(channel.render(content, to), to, key=Key(1, 1, 1)).provider_id


@pytest.mark.parametrize("address", GOOD)
def test_a_room_opens(address: str):
    kit.open("staff", Settings(address=address), OUTSIDE).close()


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("mailto://user:password@school.example", "rooms alone"),
        ("twilio://AC123:token@+447700900123/+447700900456", "rooms alone"),
        ("tgram://123456789:abcdefg_hijklmnop/12315544", "rooms alone"),
        ("json://127.0.0.1/", "rooms alone"),
        ("file:///etc/passwd", "rooms alone"),
        ("mmosts://chat.school.example/abcdefghijklmnop/@headmaster", "a person"),
        (f"{SLACK}/%40mrs.bell", "a person"),
        (f"{SLACK}/mrs.bell@school.example", "a person"),
        ("mmosts://chat.school.example/abcdefghijklmnop?to=@headmaster", "without ?"),
        ("mmosts://10.0.0.8/abcdefghijklmnop", "own_network"),
        ("mmost://chat.school.example/abcdefghijklmnop", "own_network"),
        ("zulip://carillon@10.0.0.8/a6k4sbe6ul2awlx1twlhszwhmzpckpib/staff", "own_network"),
        ("mmosts://chat.school.example:99999/abcdefghijklmnop", "port"),
    ],
)
def test_what_leads_to_a_person_or_anywhere_else_is_refused_where_it_is_set(address: str, word: str):
    with pytest.raises(ValidationError) as refused:
        Settings(address=address)
    assert word in str(refused.value)
    assert "abcdefghijklmnop" not in str(refused.value)


@pytest.mark.parametrize(
    "address",
    [
        f"{SLACK}/+U024BE7LH",
        f"{SLACK}/+D024BE7LH",
        f"{SLACK}/%23staff/%23heads",
        "slack://xoxb-1234-1234-4ddbaae6f3523ada2d/%23staff",
        "rockets://user:password@chat.school.example/%23staff",
        "rockets://web%2Fhook@chat.school.example/GENERAL4ja8",
        "mmosts://hook@10.0.0.8@chat.school.example/abcdefghijklmnop",
        "mmosts://hook@chat.school.example@10.0.0.8.example/abcdefghijklmnop",
        "zulip://carillon@school/a6k4sbe6ul2awlx1twlhszwhmzpckpib/staff/heads",
        "mmosts://chat.school.example/",
    ],
)
def test_a_person_several_rooms_or_a_sign_in_is_refused_before_anything_is_sent(address: str):
    with pytest.raises(SetupError) as refused:
        kit.open("staff", Settings(address=address), OUTSIDE)
    (problem,) = refused.value.problems
    assert problem.code in {"not_a_room", "bad_room"}
    assert problem.hint


def test_no_other_service_has_found_its_way_onto_the_list():
    """Whoever adds one looks first whether it can lead to a person, or post by more than one request."""
    assert set(ROOMS) == {
        "discord",
        "gchat",
        "mmost",
        "mmosts",
        "rocket",
        "rockets",
        "slack",
        "webex",
        "wxteams",
        "zulip",
    }


def test_a_notice_says_title_words_and_page(room):
    name = post(room)
    entry = room.truth("apprise")[-1]
    assert entry["id"] == name
    assert entry["body"].startswith("Fire drill\nAt ten today.\nhttps://news.stcecilias.org.uk/a/")


def test_a_title_that_is_the_texts_own_beginning_is_said_once(room):
    post(room, Content(1, "", {Part.SHORT: "The hall is closed today."}))
    assert room.truth("apprise")[-1]["body"].count("closed") == 1


@pytest.mark.parametrize(
    ("kind", "failure"),
    [
        ("401", AccountRejected),
        ("403", AccountRejected),
        ("404", AccountRejected),
        ("429", RateLimited),
        ("html", Uncertain),
        ("400", Uncertain),
        ("500-before-accept", Uncertain),
        ("reset-before-accept", Uncertain),
    ],
)
def test_a_no_is_uncertain_unless_the_service_itself_refused_the_account(
    room, kind: str, failure: type[DeliveryFailure]
):
    room.control.order(f"apprise:{kind}")
    with pytest.raises(failure) as caught:
        post(room)
    assert TOKEN not in caught.value.why


def test_nobody_at_the_address_proves_that_nothing_was_posted(room):
    with pytest.raises(Unreachable):
        post(room, address=f"mmost://127.0.0.1:{closed_port()}/{TOKEN}")


def test_an_answer_that_drips_ends_with_the_time_limit(room):
    room.control.order("apprise:hang-after-accept:ms=4000")
    began = time.monotonic()
    with pytest.raises(Uncertain) as caught:
        post(room)
    assert time.monotonic() - began < 3
    assert "in time" in caught.value.why


def test_a_host_that_leads_inwards_is_not_asked(room):
    port = room.url("apprise").rpartition(":")[2]
    channel = kit.open("staff", Settings(address=f"mmosts://localhost:{port}/{TOKEN}"), OUTSIDE)
    to = public(61_002)
    with pytest.raises(AccountRejected) as refused:
        channel.send(channel.render(CONTENT, to), to, key=Key(1, 1, 1))
    assert refused.value.code == "private_address"


def test_a_zulip_of_the_schools_own_is_judged_like_any_host(monkeypatch: pytest.MonkeyPatch):
    """Where its organisation has a dot, Apprise takes all of it for the server's name."""
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.8", 443))],
    )
    address = "zulip://carillon@chat.school.example/a6k4sbe6ul2awlx1twlhszwhmzpckpib/staff"
    channel = kit.open("staff", Settings(address=address), OUTSIDE)
    to = public(61_003)
    with pytest.raises(AccountRejected) as refused:
        channel.send(channel.render(CONTENT, to), to, key=Key(1, 1, 1))
    assert refused.value.code == "private_address"
    assert Settings(address="zulip://carillon@school/a6k4sbe6ul2awlx1twlhszwhmzpckpib/staff").host == (
        "school.zulipchat.com"
    )


def test_one_notice_is_one_request_and_without_a_notice_there_is_none(room):
    """Some plug-ins try once more by themselves, and one that looks something up first would be told two truths."""
    url = f"{room.url('apprise')}/hooks/{TOKEN}"
    before = room.control.counts()["apprise"].get("post", 0)
    with pytest.raises(requests.ConnectionError):
        STAND_FOR_REQUESTS.post(url, data='{"text": "Nobody posts this."}')
    line = Line("http", timedelta(seconds=1), Reach(here=True))
    with line.taken():
        assert STAND_FOR_REQUESTS.post(url, data='{"text": "Once."}').status_code == 200
        with pytest.raises(requests.ConnectionError):
            STAND_FOR_REQUESTS.post(url, data='{"text": "Twice."}')
    assert (line.status, line.failure) == (200, None)
    assert room.control.counts()["apprise"]["post"] == before + 1


def test_a_plug_in_that_asks_in_another_way_is_not_taken_over():
    assert not take_over(str)
    assert {type(one).__name__: take_over(type(one)) for one in map(apprise.Apprise.instantiate, GOOD)} == {
        "NotifyDiscord": True,
        "NotifyGoogleChat": True,
        "NotifyMattermost": True,
        "NotifyRocketChat": True,
        "NotifySlack": True,
        "NotifyWebexTeams": True,
        "NotifyZulip": True,
    }


def test_in_the_sandbox_no_real_room_is_posted_to():
    for address in (SLACK, "mmosts://chat.school.example/abcdefghijklmnop"):
        with pytest.raises(SetupError) as refused:
            kit.open("staff", Settings(address=address), AROUND)
        assert [problem.code for problem in refused.value.problems] == ["not_loopback"]


def test_without_its_extra_an_account_is_refused_with_what_to_do_and_all_else_runs():
    code = """
import sys
class Barred:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "apprise":
            raise ModuleNotFoundError(f"No module named {name!r}", name="apprise")
        return None
sys.meta_path.insert(0, Barred())
import cli.app, web.app, workers.app
from broker.errors import MissingExtra
from channels.apprise import kit
from channels.apprise.settings import Settings
from broker.channel import Surroundings
try:
    kit.open("staff", Settings(address="gchat://workspace/key/token"), Surroundings("s", "GB"))
except MissingExtra as fault:
    print(fault.problems[0].hint)
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert "carillon[apprise]" in ended.stdout
