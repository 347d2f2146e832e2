"""Addresses of model hosts."""

import ipaddress
import re
import socket
from typing import Final
from urllib.parse import urlsplit

import psutil

from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.machine.boundary import read_surroundings, scope_of_host
from langchain_lmswitch.types.machine import Scope

DEFAULT_PORT: Final = 1234
"""Of LM Studio's HTTP server, which serves the same sockets as the SDK's ports."""

_HOST = re.compile(r"[\w.:%-]+")


def parse_address(text: str) -> str:
    """Read an address as users write it and give `host:port`.

    1. `http://` and `ws://` are dropped, since the host speaks both on one port.
    2. `https://` and `wss://` are refused: LM Studio has no TLS, and its SDK cannot speak it.
    3. A path of `/` or `/v1`, as copied from an OpenAI client, is dropped; any other is refused.
    4. Without a port it is 1234.

    Raises:
        InvalidRequest: It is not such an address.
    """
    scheme, separator, rest = text.strip().rpartition("://")
    if separator and scheme.lower() in {"https", "wss"}:
        raise InvalidRequest(
            f"The address {text!r} asks for TLS, which LM Studio does not speak. Give it as "
            "`host:port`; over an untrusted network, tunnel the port, for example with ssh -L."
        )
    try:
        parts = urlsplit(f"//{rest}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    known = scheme.lower() in {"", "http", "ws"} and parts.path in {"", "/", "/v1", "/v1/"}
    if not host or not _HOST.fullmatch(host) or not known or parts.query or parts.username:
        raise InvalidRequest(f"{text!r} is not an address. Give it as `host:port`.")
    return f"{f'[{host}]' if ':' in host else host}:{port or DEFAULT_PORT}"


def scope_of(address: str) -> Scope:
    """Tell whose memory a host uses; a name is not looked up. See `machine.boundary`."""
    parts = urlsplit(f"//{address}")
    name = parts.hostname or ""
    return scope_of_host(name, parts.port, is_own=_is_own(name), here=read_surroundings())


def _is_own(name: str) -> bool:
    if name in {"localhost", socket.gethostname().lower()}:
        return True
    try:
        ip = ipaddress.ip_address(name)
    except ValueError:
        return False
    return ip.is_loopback or str(ip) in _own_addresses()


def _own_addresses() -> set[str]:
    return {
        # A link-local address comes as `fe80::1%eth0`.
        address.address.partition("%")[0]
        for interface in psutil.net_if_addrs().values()
        for address in interface
        if address.family in {socket.AF_INET, socket.AF_INET6}
    }
