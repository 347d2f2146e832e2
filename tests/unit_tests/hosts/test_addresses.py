"""Addresses as users write them."""

import socket

import psutil
import pytest

from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.hosts.addresses import parse_address, scope_of


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("localhost:1234", "localhost:1234"),
        ("http://localhost:1234/v1", "localhost:1234"),
        ("ws://10.0.0.2:41343/", "10.0.0.2:41343"),
        ("Studio.local", "studio.local:1234"),
        (" 127.0.0.1:80 ", "127.0.0.1:80"),
        ("[::1]:1234", "[::1]:1234"),
    ],
)
def test_addresses_are_read_as_users_write_them(text: str, address: str) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["https://box:1234", "wss://box"])
def test_tls_is_refused_with_the_way_out(text: str) -> None:
    with pytest.raises(InvalidRequest, match="TLS"):
        parse_address(text)


@pytest.mark.parametrize(
    "text",
    ["", "http://", "box:port", "ftp://box:1", "box:1234/api", "a@box:1", "box:99999", "a box"],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="host:port"):
        parse_address(text)


def test_this_machines_addresses_are_local() -> None:
    own = [
        one.address
        for interface in psutil.net_if_addrs().values()
        for one in interface
        if one.family == socket.AF_INET
    ]
    for name in ("localhost", "127.0.0.1", "127.8.8.8", "[::1]", *own):
        assert scope_of(f"{name}:1234") == "local"


def test_other_addresses_are_remote() -> None:
    for name in ("203.0.113.7", "elsewhere.example", "[2001:db8::1]"):
        assert scope_of(f"{name}:1234") == "remote"
