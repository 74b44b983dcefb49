"""Each fault of the Twilio stand-in does what it says, and the truth log tells the truth of it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from sandbox.client import RunningSandbox
from sandbox.settings import BadSandbox
from sandbox.truth import Entry
from tests.sandbox.conftest import client_of

FROM = "+447700900999"
Accepted = Callable[[str], list[Entry]]


@pytest.mark.parametrize(
    ("kind", "status", "code", "truly_accepted"),
    [
        ("429", 429, 20429, 0),
        ("401", 401, 20003, 0),
        ("503", 503, 20503, 0),
        ("500-before-accept", 500, 20500, 0),
        ("500-after-accept", 500, 20500, 1),
        ("error:code=21614", 400, 21614, 0),
        ("error:code=21610,status=403", 403, 21610, 0),
    ],
)
def test_an_ordered_answer_comes_and_the_truth_is_told(
    sandbox: RunningSandbox, twilio: Client, to: str, accepted: Accepted,
    kind: str, status: int, code: int, truly_accepted: int,
) -> None:  # fmt: skip
    sandbox.control.order(f"twilio:{kind}")
    with pytest.raises(TwilioRestException) as refused:
        twilio.messages.create(to=to, from_=FROM, body="Hello")
    assert (refused.value.status, refused.value.code) == (status, code)
    assert len(accepted(to)) == truly_accepted


@pytest.mark.parametrize(
    ("kind", "expected", "truly_accepted"),
    [
        ("reset-before-accept", requests.ConnectionError, 0),
        ("reset-after-accept", requests.ConnectionError, 1),
        ("hang-before-accept", requests.Timeout, 0),
        ("hang-after-accept", requests.Timeout, 1),
        ("hang-before-accept:ms=50", requests.ConnectionError, 0),
        ("slow:ms=5000", requests.Timeout, 1),
        ("bad-json", json.JSONDecodeError, 1),
        ("truncated", requests.RequestException, 1),
    ],
)
def test_an_ordered_silence_comes_and_the_truth_is_told(
    sandbox: RunningSandbox, to: str, accepted: Accepted,
    kind: str, expected: type[Exception], truly_accepted: int,
) -> None:  # fmt: skip
    sandbox.control.order(f"twilio:{kind}")
    with client_of(sandbox, timeout_s=0.3) as client, pytest.raises(expected):
        client.messages.create(to=to, from_=FROM, body="Hello")
    assert len(accepted(to)) == truly_accepted


def test_429_says_when_to_come_back(sandbox: RunningSandbox, to: str) -> None:
    sandbox.control.order("twilio:429:retry_after=7")
    url = f"{sandbox.twilio_url}/2010-04-01/Accounts/{sandbox.account_sid}/Messages.json"
    form, auth = {"To": to, "From": FROM, "Body": "Hello"}, (sandbox.account_sid, sandbox.auth_token)
    assert requests.post(url, form, auth=auth, timeout=2).headers["Retry-After"] == "7"


def test_a_slow_accept_is_not_there_until_it_is(sandbox: RunningSandbox, to: str, accepted: Accepted) -> None:
    sandbox.control.order("twilio:slow-accept:ms=400")
    with client_of(sandbox, timeout_s=0.1) as client:
        with pytest.raises(requests.Timeout):
            client.messages.create(to=to, from_=FROM, body="Hello")
        assert client.messages.list(to=to) == []
    assert accepted(to) == []
    sandbox.wait_for(len(sandbox.truth()) + 1)
    (entry,) = accepted(to)
    assert datetime.fromisoformat(entry["at"]) - datetime.fromisoformat(entry["asked"]) > timedelta(
        milliseconds=390
    )


def test_faults_given_stay_counted_when_they_are_taken_back(
    sandbox: RunningSandbox, twilio: Client, to: str
) -> None:
    before = sandbox.control.counts()["struck"].get("twilio:429:create", 0)
    sandbox.control.order("twilio:429:next=1")
    with pytest.raises(TwilioRestException):
        twilio.messages.create(to=to, from_=FROM, body="Hello")
    sandbox.control.clear()
    assert sandbox.control.counts()["struck"]["twilio:429:create"] == before + 1


def test_a_lookup_finds_what_a_500_hid(sandbox: RunningSandbox, twilio: Client, to: str) -> None:
    sandbox.control.order("twilio:500-after-accept:next=1")
    with pytest.raises(TwilioRestException):
        twilio.messages.create(to=to, from_=FROM, body="Hello")
    (found,) = twilio.messages.list(to=to)
    assert found.body == "Hello"


def test_a_lookup_can_fail_as_well(sandbox: RunningSandbox, twilio: Client, to: str) -> None:
    sandbox.control.order("twilio:503:stage=list")
    twilio.messages.create(to=to, from_=FROM, body="Hello")
    with pytest.raises(Exception, match="Unable to fetch page"):
        twilio.messages.list(to=to)
    assert sandbox.control.faults()[0]["hits"] == 1


def test_a_fate_is_told_by_a_fetch(sandbox: RunningSandbox, twilio: Client, to: str) -> None:
    sandbox.control.order({"service": "twilio", "kind": "undelivered", "code": 30005, "to": [to]})
    sid = twilio.messages.create(to=to, from_=FROM, body="Hello").sid
    time.sleep(0.1)
    message = twilio.messages(sid).fetch()
    assert (message.status, message.error_code) == ("undelivered", 30005)


def test_latency_delays_the_answer_and_not_the_acceptance(
    sandbox: RunningSandbox, twilio: Client, to: str
) -> None:
    sandbox.control.order("twilio:latency:ms=150")
    start = time.monotonic()
    twilio.messages.create(to=to, from_=FROM, body="Hello")
    assert time.monotonic() - start >= 0.15


def outcomes(twilio: Client, recipients: list[str]) -> str:
    """One letter a create: a for accepted, x for refused."""
    told = ""
    for to in recipients:
        try:
            twilio.messages.create(to=to, from_=FROM, body="Hello")
            told += "a"
        except TwilioRestException:
            told += "x"
    return told


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("next=2", "xxaaaaaa"),
        ("every=3", "aaxaaxaa"),
        ("after=2,next=1", "aaxaaaaa"),
        ("after=2,every=2", "aaaxaxax"),
        ("rate=0", "aaaaaaaa"),
        ("rate=1", "xxxxxxxx"),
    ],
)
def test_a_fault_strikes_by_count(
    sandbox: RunningSandbox, twilio: Client, to: str, choice: str, expected: str
) -> None:
    sandbox.control.order(f"twilio:503:{choice}")
    assert outcomes(twilio, [to] * 8) == expected


def test_a_fault_strikes_each_recipient_so_often(sandbox: RunningSandbox, twilio: Client, to: str) -> None:
    sandbox.control.order("twilio:503:each=1")
    other = to + "1"
    assert outcomes(twilio, [to, other, to, other]) == "xxaa"


def test_a_fault_strikes_by_recipient(sandbox: RunningSandbox, twilio: Client, to: str) -> None:
    sandbox.control.order(f"twilio:503:to_ends=13|17,to={to}3")
    assert outcomes(twilio, [to + "2", to + "3", to + "4", to + "13", to + "17"]) == "axaxx"


def test_a_seed_chooses_the_same_again(sandbox: RunningSandbox, twilio: Client, to: str) -> None:
    runs = []
    for _ in range(2):
        sandbox.control.clear()
        sandbox.control.order("twilio:503:rate=0.5,seed=7")
        runs.append(outcomes(twilio, [to] * 20))
    assert runs[0] == runs[1]
    assert set(runs[0]) == {"a", "x"}


def test_a_fault_can_be_taken_back(sandbox: RunningSandbox, twilio: Client, to: str) -> None:
    first, second = sandbox.control.order("twilio:503:next=9", "twilio:429:stage=list")
    sandbox.control.clear(first)
    assert [fault["id"] for fault in sandbox.control.faults()] == [second]
    assert outcomes(twilio, [to]) == "a"
    with pytest.raises(BadSandbox):
        sandbox.control.clear(first)


@pytest.mark.parametrize(
    ("fault", "field"),
    [
        ("pigeon:429", "service"),
        ("twilio:boom", "kind"),
        ("twilio:429:stage=dot", "stage"),
        ("twilio:429:rate=2", "rate"),
        ("twilio:429:rate=lots", "rate"),
        ("twilio:429:next=0", "next"),
        ("twilio:429:colour=red", "colour"),
        ("twilio:429:nonsense", "nonsense"),
        ("twilio:slow:ms=99999999", "ms"),
        ("twilio:error:status=999", "status"),
        ("smtp:reply:text=a\r\nb", "text"),
        ({"service": "twilio", "kind": "429", "to": 7}, "to"),
        ({"kind": "429"}, "service"),
    ],
)
def test_a_wrong_order_is_refused_whole(
    sandbox: RunningSandbox, fault: str | dict[str, object], field: str
) -> None:
    with pytest.raises(BadSandbox) as refused:
        sandbox.control.order("twilio:503", fault)
    assert refused.value.field == field
    assert sandbox.control.faults() == []


def test_the_control_door_wants_the_accounts_credentials(sandbox: RunningSandbox) -> None:
    for what in ("truth", "counts", "faults"):
        assert requests.get(f"{sandbox.twilio_url}/sandbox/{what}", timeout=2).status_code == 401


def test_the_truth_can_be_asked_for_from_a_number_on(
    sandbox: RunningSandbox, twilio: Client, to: str
) -> None:
    before = len(sandbox.control.truth())
    twilio.messages.create(to=to, from_=FROM, body="Hello")
    assert sandbox.control.truth() == sandbox.truth()
    assert [entry["to"] for entry in sandbox.control.truth(since=before)] == [to]


def test_waiting_for_what_never_comes_ends(sandbox: RunningSandbox) -> None:
    with pytest.raises(TimeoutError):
        sandbox.wait_for(10**9, within=timedelta(milliseconds=50))
