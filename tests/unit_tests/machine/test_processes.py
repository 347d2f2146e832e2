"""Processes that listen, real ones, and what they hold."""

import subprocess
import sys
from collections.abc import Collection, Iterator

import psutil
import pytest

from langchain_lmswitch.machine.processes import Listener, Processes, list_listeners

MIB = 2**20

SERVER = """
import socket, subprocess, sys
door = socket.create_server(("127.0.0.1", 0))
door.set_inheritable(True)
print(door.getsockname()[1], flush=True)
hold = "import sys; held = bytearray(b'x') * int(sys.argv[1]); print(flush=True); input()"
for line in sys.stdin:
    child = subprocess.Popen(
        [sys.executable, "-c", hold, line.strip()],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[door.fileno()],
    )
    child.stdout.readline()
    print(child.pid, flush=True)
"""
"""Listens; for each number that it reads, a child holds as many bytes, and has the socket too."""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a socket is passed on")


class Server:
    def __init__(self) -> None:
        self.process = subprocess.Popen(  # noqa: S603 - our own interpreter
            [sys.executable, "-c", SERVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port = self._read()

    def hold(self, size_bytes: int) -> int:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{size_bytes}\n")
        self.process.stdin.flush()
        return self._read()

    def _read(self) -> int:
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture(name="server")
def _server() -> Iterator[Server]:
    server = Server()
    yield server
    server.end()


def test_children_count(server: Server) -> None:
    processes = Processes()
    before = processes.tree(server.port)
    server.hold(64 * MIB)
    after = processes.tree(server.port)

    assert before is not None
    assert after is not None
    assert (before.root, after.root) == (server.process.pid, server.process.pid)
    grown = after.resident_bytes - before.resident_bytes
    assert 64 * MIB < grown < 96 * MIB


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells it")
def test_mapped_files_are_resident_and_not_private(server: Server) -> None:
    """A child's own memory is what it was told to hold, and the interpreter's."""
    processes = Processes()
    before = processes.tree(server.port)
    server.hold(64 * MIB)
    after = processes.tree(server.port)

    assert before is not None
    assert after is not None
    assert before.private_bytes is not None
    assert after.private_bytes is not None
    assert before.private_bytes < before.resident_bytes
    grown = after.private_bytes - before.private_bytes
    assert 64 * MIB < grown < after.resident_bytes - before.resident_bytes


PINNED = """
import mmap, sys
held = mmap.mmap(-1, int(sys.argv[1]))
held.write(b"x" * len(held))
print(flush=True)
sys.stdin.read()
"""
"""Memory that could be shared and is in no file, as what CUDA pins."""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells it")
def test_pinned_memory_is_private() -> None:
    command = [sys.executable, "-c", PINNED, str(64 * MIB)]
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as host:
        assert host.stdout is not None
        host.stdout.readline()
        tree = Processes(listeners=lambda: [Listener(1, host.pid)]).tree(1)
        host.kill()

    assert tree is not None
    assert tree.private_bytes is not None
    assert tree.private_bytes > 64 * MIB


def test_all_processes_are_looked_for_on_gpus(server: Server) -> None:
    asked: list[set[int]] = []

    def on_gpus(pids: Collection[int]) -> int:
        asked.append(set(pids))
        return 5 * MIB

    processes = Processes(on_gpus=on_gpus)
    processes.tree(server.port)
    child = server.hold(MIB)
    tree = processes.tree(server.port)

    assert tree is not None
    assert tree.vram_bytes == 5 * MIB
    assert asked == [{server.process.pid}, {server.process.pid, child}]


def test_heirs_of_the_socket_are_not_the_root(server: Server) -> None:
    child = server.hold(MIB)
    listening = [Listener(server.port, child), Listener(server.port, server.process.pid)]
    tree = Processes(listeners=lambda: listening).tree(server.port)

    assert tree is not None
    assert tree.root == server.process.pid


def test_nobody_listens(server: Server) -> None:
    port = server.port
    processes = Processes()
    assert processes.tree(port) is not None
    server.end()

    assert processes.tree(port) is None


def test_root_is_looked_for_once_as_long_as_it_lives(server: Server) -> None:
    asked = 0

    def listeners() -> list[Listener]:
        nonlocal asked
        asked += 1
        return [Listener(server.port, server.process.pid)]

    processes = Processes(listeners=listeners)
    for _ in range(3):
        assert processes.tree(server.port) is not None
    server.end()
    gone = processes.tree(server.port)

    assert (asked, gone) == (2, None)


def denied(*_: object, **__: object) -> object:
    raise psutil.AccessDenied


@pytest.mark.parametrize("method", ["memory_info", "children"])
def test_process_of_another_user(
    server: Server, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """As on macOS: found, and not to be looked at."""
    processes = Processes()
    assert processes.tree(server.port) is not None
    monkeypatch.setattr(psutil.Process, method, denied)

    assert processes.tree(server.port) is None


def test_without_the_whole_table_our_own_processes_are_asked(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on macOS without root."""
    monkeypatch.setattr(psutil, "net_connections", denied)

    assert Listener(server.port, server.process.pid) in list(list_listeners())


def test_processes_of_others_are_left_out() -> None:
    """Linux lists their sockets without telling whose they are."""
    table = psutil.net_connections(kind="tcp")

    def hidden(**_: object) -> list[object]:
        return [one._replace(pid=None) for one in table]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psutil, "net_connections", hidden)
        assert list(list_listeners()) == []
