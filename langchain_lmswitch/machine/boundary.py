"""Whether we are inside of something that hides the computer, and who is outside of it."""

import ipaddress
import re
import socket
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from langchain_lmswitch.machine.files import read_text
from langchain_lmswitch.types.machine import Scope

Enclosure = Literal["none", "container", "wsl"]

_OUTSIDE: Final = frozenset(
    {
        "host.docker.internal",
        "gateway.docker.internal",
        "host.containers.internal",
        "host.lima.internal",
        "host.orb.internal",
        "host.minikube.internal",
    }
)
"""Names by which container engines know the computer they run on."""

_CONTAINER_PATH: Final = re.compile(r"docker|kubepods|containerd|libpod|/lxc|machine\.slice")
_WSL_2: Final = re.compile(r"microsoft-standard|wsl2", re.IGNORECASE)
"""In the kernel's version. WSL 1 has no kernel of its own, and shows the memory of Windows."""
_ROUTE: Final = re.compile(r"^\S+\s+00000000\s+([0-9A-F]{8})\s", re.MULTILINE)
_ROUTE_V6: Final = re.compile(r"^0{32} 00 0{32} 00 ([0-9a-f]{32}) ", re.MULTILINE)
_LISTENER: Final = re.compile(
    r"^ *\d+: [0-9A-F]{8,32}:([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} 0A ", re.MULTILINE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What tells on which side of a boundary an address is."""

    enclosure: Enclosure = "none"
    """What we are inside of."""
    gateways: frozenset[str] = frozenset()
    """Addresses of the default gateways: from inside, the computer around us."""
    listening: frozenset[int] | None = None
    """TCP ports that somebody inside listens on; `None` if unknown."""


def scope_of_host(name: str, port: int | None, *, is_own: bool, here: Surroundings) -> Scope:
    """Tell whose memory a host uses, from facts only: no name is looked up.

    1. One of our own addresses is local. But in WSL 2 whose network mirrors that of Windows,
       a port that nobody inside listens on is answered by Windows.
    2. From inside, the engine's name for the computer around us and the default gateway are
       shared: the same hardware, while our view of main memory is the enclosure's.
    3. All else is remote; so is the computer around us under an address of its own network.

    A container with the network of its computer (`--network host`) cannot be told by this from
    the computer: a host outside passes for local there, with the container's limits.

    Args:
        name: A host name in lower case, or an IP address without brackets.
        port: Its TCP port.
        is_own: Whether it is a name or an address of this system, loopback included.
        here: What we are inside of.
    """
    if is_own:  # 1
        mirrored = here.enclosure == "wsl" and here.listening is not None
        return "shared" if mirrored and port not in (here.listening or ()) else "local"
    outside = name in _OUTSIDE or name.partition("%")[0] in here.gateways
    return "shared" if outside and here.enclosure != "none" else "remote"  # 2, 3


def read_surroundings(*, root: Path = Path("/")) -> Surroundings:
    """Look around; on systems without procfs there is nothing to be seen, and no enclosure.

    Args:
        root: The root of the file system, for tests.
    """
    proc = root / "proc"
    enclosure = _enclosure(root)
    if enclosure == "none":
        return Surroundings()
    routes, routes_v6 = _read_whole(proc / "net/route"), _read_whole(proc / "net/ipv6_route")
    sockets = _read_whole(proc / "net/tcp") + _read_whole(proc / "net/tcp6")
    return Surroundings(
        enclosure=enclosure,
        gateways=default_gateways(routes) | default_gateways_v6(routes_v6),
        listening=listening_ports(sockets) if sockets else None,
    )


def _enclosure(root: Path) -> Enclosure:
    # In a container on WSL 2 both are true, and the nearer one limits us.
    marks = (root / ".dockerenv", root / "run/.containerenv", root / "run/systemd/container")
    if any(mark.exists() for mark in marks):
        return "container"
    if _CONTAINER_PATH.search(read_text(root / "proc/self/cgroup")):
        return "container"
    return "wsl" if _WSL_2.search(read_text(root / "proc/version")) else "none"


def default_gateways(routes: str) -> frozenset[str]:
    """Read `/proc/net/route`: addresses as hexadecimal numbers in the processor's byte order."""
    found = _ROUTE.findall(routes)
    return frozenset(_ipv4(gateway) for gateway in found if int(gateway, 16))


def default_gateways_v6(routes: str) -> frozenset[str]:
    """Read `/proc/net/ipv6_route`: the next hop is the fifth field, 32 hexadecimal digits."""
    found = _ROUTE_V6.findall(routes)
    return frozenset(_ipv6(gateway) for gateway in found if int(gateway, 16))


def listening_ports(tables: str) -> frozenset[int]:
    """Read `/proc/net/tcp` and `/proc/net/tcp6`: `address:port` in hexadecimal, then a state."""
    return frozenset(int(port, 16) for port in _LISTENER.findall(tables))


def _read_whole(path: Path) -> str:
    # `read_text` reads once, and the kernel gives these tables page by page.
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _ipv4(hexadecimal: str) -> str:
    return socket.inet_ntoa(struct.pack("=L", int(hexadecimal, 16)))


def _ipv6(hexadecimal: str) -> str:
    return str(ipaddress.IPv6Address(int(hexadecimal, 16)))
