"""Where an account may connect to: out, to what is listed, and never to the machines beside this one."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_network

import pytest
from pydantic import BaseModel, ValidationError

from broker.errors import AccountRejected, Unreachable
from broker.outward import Reach
from channels.calling import Caller
from channels.reach import OwnNetwork, connect


class Listed(BaseModel):
    own_network: OwnNetwork = ()


def test_machines_are_listed_parted_by_commas():
    listed = Listed(own_network="10.20.0.7, 10.20.4.0/24,fd12::/64")
    assert [str(one) for one in listed.own_network] == ["10.20.0.7/32", "10.20.4.0/24", "fd12::/64"]


@pytest.mark.parametrize(
    "wrong",
    [
        "10.20.0.7/8",
        "screens",
        "0.0.0.0/0",
        "169.254.169.254",
        "::/0",
        "224.0.0.1",
        ",".join(["10.0.0.1"] * 21),
    ],
)
def test_what_can_be_no_machine_of_the_schools_is_not_listed(wrong: str):
    with pytest.raises(ValidationError):
        Listed(own_network=wrong)


# --- at the connection


@pytest.fixture
def listener() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        yield server.getsockname()[1]
        with pytest.raises(TimeoutError):
            server.accept()


def test_a_name_that_leads_inwards_is_refused_before_any_byte(listener: int):
    """`localhost` is such a name wherever this runs."""
    for base in (f"http://localhost:{listener}", f"http://127.0.0.1:{listener}"):
        caller = Caller(base, timedelta(seconds=1), "the receiver", reach=Reach())
        with pytest.raises(AccountRejected) as refused:
            caller.ask("POST", "hook", body=b"{}")
        caller.close()
        assert refused.value.code == "private_address"
        assert "own_network" in refused.value.why


def test_a_name_of_which_one_address_leads_inwards_is_refused_whole(
    monkeypatch: pytest.MonkeyPatch, listener: int
):
    both = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (number, listener))
        for number in ("93.184.215.14", "127.0.0.1")
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    with pytest.raises(AccountRejected):
        connect(Reach(), "rebinding.example", listener, 1.0)


def test_what_was_judged_is_what_is_connected_to(monkeypatch: pytest.MonkeyPatch):
    """A resolver that changes its mind is asked once."""
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def once(host: str, *_: object, **__: object) -> list[object]:
            asked.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

        monkeypatch.setattr(socket, "getaddrinfo", once)
        made = connect(Reach((ip_network("127.0.0.1/32"),)), "screen.school.example", port, 1.0)
        assert made.getpeername() == ("127.0.0.1", port)
        made.close()
    assert asked == ["screen.school.example"]


def test_a_proxy_of_the_environments_is_passed_by(monkeypatch: pytest.MonkeyPatch, listener: int):
    """It would look the name up where nobody sees."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{listener}")
    caller = Caller("http://nowhere.invalid", timedelta(seconds=1), "the receiver", reach=Reach())
    with pytest.raises(Unreachable):
        caller.ask("POST", "hook", body=b"{}")
    caller.close()


def test_nobody_at_the_port_is_unreachable_and_proves_that_nothing_left():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Unreachable):
        connect(Reach(here=True), "127.0.0.1", port, 1.0)
