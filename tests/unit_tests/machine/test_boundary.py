"""On which side of a container or a virtual machine a host is."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from langchain_lmswitch.machine.boundary import (
    Surroundings,
    default_gateways,
    default_gateways_v6,
    listening_ports,
    read_surroundings,
    scope_of_host,
)
from langchain_lmswitch.types.machine import Scope

# Recorded in a container of Docker Engine.
ROUTES = (
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
    "eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
    "eth0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
)
_ZERO = "0" * 32
ROUTES_V6 = (
    f"fd000000000000000000000000000000 40 {_ZERO} 00 {_ZERO} 00000100 1 0 00000001     eth0\n"
    f"{_ZERO} 00 {_ZERO} 00 fd000000000000000000000000000001 00000400 2 0 00000003     eth0\n"
    f"{_ZERO} 00 {_ZERO} 00 {_ZERO} ffffffff 1 0 00200200       lo\n"
)
SOCKETS = (
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
    "   0: 0100007F:04D2 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0\n"
    "   1: 0100007F:D431 0100007F:04D2 01 00000000:00000000 00:00000000 00000000     0\n"
    "  sl  local_address                         remote_address                        st\n"
    f"   0: 00000000000000000000000001000000:1F90 {_ZERO}:0000 0A 00000000:00000000 00:00000000\n"
)
KERNEL = "Linux version 6.8.0-49-generic (buildd@lcy02) #49-Ubuntu SMP"
KERNEL_WSL_2 = "Linux version 5.15.167.4-microsoft-standard-WSL2 (root@f9c826d3017f) (gcc 11.2.0)"
KERNEL_WSL_1 = "Linux version 4.4.0-19041-Microsoft (Microsoft@Microsoft.com) (gcc 5.4.0)"

GATEWAYS = frozenset({"172.17.0.1", "fd00::1"})
CONTAINER = Surroundings(enclosure="container", gateways=GATEWAYS, listening=frozenset({80}))
WSL = Surroundings(enclosure="wsl", gateways=GATEWAYS, listening=frozenset({1234}))
WSL_UNSEEN = Surroundings(enclosure="wsl", gateways=GATEWAYS)
OPEN = Surroundings(gateways=GATEWAYS)


@pytest.mark.parametrize(
    ("name", "is_own", "here", "scope"),
    [
        pytest.param("127.0.0.1", True, OPEN, "local", id="loopback"),
        pytest.param("127.0.0.1", True, CONTAINER, "local", id="in the same container"),
        pytest.param("127.0.0.1", True, WSL, "local", id="in the same WSL"),
        pytest.param("127.0.0.1", True, WSL_UNSEEN, "local", id="WSL that shows no sockets"),
        pytest.param("host.docker.internal", False, CONTAINER, "shared", id="Docker's name"),
        pytest.param("host.containers.internal", False, CONTAINER, "shared", id="Podman's name"),
        pytest.param("172.17.0.1", False, CONTAINER, "shared", id="a container's gateway"),
        pytest.param("fd00::1", False, CONTAINER, "shared", id="its other gateway"),
        pytest.param("172.17.0.1", False, WSL, "shared", id="WSL's gateway"),
        pytest.param("172.17.0.1", False, OPEN, "remote", id="the router at home"),
        pytest.param("host.docker.internal", False, OPEN, "remote", id="Docker's name, outside"),
        pytest.param("192.168.1.20", False, CONTAINER, "remote", id="another machine"),
        pytest.param("gpu-box", False, WSL, "remote", id="another machine's name"),
    ],
)
def test_scope_of_host(name: str, here: Surroundings, scope: Scope, *, is_own: bool) -> None:
    assert scope_of_host(name, 1234, is_own=is_own, here=here) == scope


def test_windows_answers_where_nobody_inside_listens() -> None:
    """WSL 2 with a mirrored network: loopback reaches LM Studio on Windows."""
    assert scope_of_host("127.0.0.1", 41343, is_own=True, here=WSL) == "shared"
    assert scope_of_host("127.0.0.1", 41343, is_own=True, here=CONTAINER) == "local"


def tree(root: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


NET = {"proc/net/route": ROUTES, "proc/net/ipv6_route": ROUTES_V6, "proc/net/tcp": SOCKETS}


@pytest.mark.parametrize(
    ("files", "enclosure"),
    [
        pytest.param({"proc/version": KERNEL, "proc/self/cgroup": "0::/\n"}, "none", id="Linux"),
        pytest.param({}, "none", id="no procfs"),
        pytest.param({".dockerenv": ""}, "container", id="Docker"),
        pytest.param({"run/.containerenv": ""}, "container", id="Podman"),
        pytest.param({"run/systemd/container": "lxc"}, "container", id="LXC"),
        pytest.param(
            {"proc/self/cgroup": "4:memory:/kubepods/burstable/pod7c/1f\n"},
            "container",
            id="Kubernetes",
        ),
        pytest.param(
            {"proc/self/cgroup": "0::/user.slice/user-1000.slice/session-2.scope\n"},
            "none",
            id="a desktop session",
        ),
        pytest.param({"proc/version": KERNEL_WSL_2}, "wsl", id="WSL 2"),
        pytest.param({"proc/version": KERNEL_WSL_1}, "none", id="WSL 1"),
        pytest.param(
            {"proc/version": KERNEL_WSL_2, ".dockerenv": ""}, "container", id="Docker on WSL 2"
        ),
    ],
)
def test_enclosure(tmp_path: Path, files: dict[str, str], enclosure: str) -> None:
    assert read_surroundings(root=tree(tmp_path, NET | files)).enclosure == enclosure


def test_surroundings_of_a_container(tmp_path: Path) -> None:
    here = read_surroundings(root=tree(tmp_path, NET | {".dockerenv": ""}))

    assert here == Surroundings(
        enclosure="container", gateways=GATEWAYS, listening=frozenset({1234, 8080})
    )


def test_surroundings_without_network_tables(tmp_path: Path) -> None:
    """What cannot be read is unknown."""
    here = read_surroundings(root=tree(tmp_path, {".dockerenv": ""}))

    assert here == Surroundings(enclosure="container", gateways=frozenset(), listening=None)


@pytest.mark.parametrize("damage", ["", "garbage", "eth0\t00000000\n", "0: 1 2 0A\n\n\x00"])
def test_damaged_tables(damage: str) -> None:
    found = default_gateways(damage) | default_gateways_v6(damage)

    assert (found, listening_ports(damage)) == (frozenset(), frozenset())


@pytest.fixture(name="ports")
def _ports() -> Iterator[set[int]]:
    """Listen on enough ports for a table of more than one page."""
    servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(100)]
    yield {server.getsockname()[1] for server in servers}
    for server in servers:
        server.close()


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="reads procfs")
def test_all_listeners_of_this_system_are_seen(tmp_path: Path, ports: set[int]) -> None:
    """The kernel gives the table in parts."""
    (tmp_path / ".dockerenv").touch()
    (tmp_path / "proc").symlink_to("/proc")

    here = read_surroundings(root=tmp_path)

    assert here.listening is not None
    assert ports <= here.listening
