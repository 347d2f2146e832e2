"""The processes of a host on this computer, and what they hold in main memory."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

import psutil

from langchain_lmswitch.machine.files import read_text
from langchain_lmswitch.machine.nvml import HeldOnGpus, held_on_gpus
from langchain_lmswitch.types.readings import Tree


class Listener(NamedTuple):
    """A process that listens on a port."""

    port: int
    pid: int


ListListeners = Callable[[], Iterable[Listener]]
"""Lists who listens on TCP ports, as far as we may know."""


class Processes:
    """Finds the process that listens on a port, and reads what it and all below it hold.

    All that it does may take some milliseconds for each process of the computer: call it in a
    thread.

    Resident memory is summed over the processes. What two of them share is counted for both, but
    that is the engine's code, and the weights of a model that is loaded twice: to know better, the
    kernel would have to walk all of their pages, which takes 100 ms for 6 GB.

    Args:
        listeners: Lists who listens.
        on_gpus: Says what processes hold on GPUs.
    """

    def __init__(
        self, *, listeners: ListListeners | None = None, on_gpus: HeldOnGpus = held_on_gpus
    ) -> None:
        self._listeners = listeners or list_listeners
        self._on_gpus = on_gpus
        self._found: dict[int, psutil.Process] = {}

    def root(self, port: int) -> int | None:
        """Give the number of the process that listens; `None` if nobody is found."""
        found = self._root(port)
        return None if found is None else found.pid

    def tree(self, port: int) -> Tree | None:
        """Read it now; `None` if nobody is found, or one of them may not be looked at."""
        root = self._root(port)
        if root is None:
            return None
        try:
            processes = [root, *root.children(recursive=True)]
            held = [_held(process) for process in processes]
        except psutil.Error:
            self._found.pop(port, None)
            return None
        alive = [one for one in held if one is not None]
        private = [one.private_bytes for one in alive if one.private_bytes is not None]
        return Tree(
            root=root.pid,
            resident_bytes=sum(one.resident_bytes for one in alive),
            private_bytes=sum(private) if len(private) == len(alive) else None,
            vram_bytes=self._on_gpus({process.pid for process in processes}),
        )

    def _root(self, port: int) -> psutil.Process | None:
        known = self._found.get(port)
        if known is None or not known.is_running():
            known = _uppermost({one.pid for one in self._listeners() if one.port == port})
        if known is None:
            self._found.pop(port, None)
        else:
            self._found[port] = known
        return known


class _Held(NamedTuple):
    resident_bytes: int
    private_bytes: int | None


def _held(process: psutil.Process) -> _Held | None:
    """Read one process; `None` if it has ended meanwhile."""
    try:
        memory = process.memory_info()
    except psutil.NoSuchProcess:  # a zombie is one, too
        return None
    mapped_bytes = _mapped_bytes(process.pid)
    return _Held(memory.rss, None if mapped_bytes is None else max(0, memory.rss - mapped_bytes))


_MAPPED: Final = re.compile(r"^RssFile:\s+(\d+) kB$", re.MULTILINE)


def _mapped_bytes(pid: int) -> int | None:
    """Read which part of it is mapped from files; only Linux tells.

    psutil's `shared` has the memory that CUDA pins in it, too, which no file can give back: all
    that llama.cpp keeps in main memory for a GPU where it does not map the file.
    """
    told = _MAPPED.search(read_text(f"/proc/{pid}/status"))
    return None if told is None else int(told[1]) * 1024


def _uppermost(pids: set[int]) -> psutil.Process | None:
    """Give the one of them that started the others, which have its socket only as heirs."""
    for pid in sorted(pids):
        try:
            process = psutil.Process(pid)
            if not pids & {parent.pid for parent in process.parents()}:
                return process
        except psutil.Error:
            continue
    return None


def list_listeners() -> Iterator[Listener]:
    """List who listens; processes of others are left out where we may not look at them."""
    try:
        yield from _listening(psutil.net_connections(kind="tcp"))
    except psutil.AccessDenied:  # macOS gives the whole table to root only
        for process in psutil.process_iter():
            yield from _own_listening(process)


def _own_listening(process: psutil.Process) -> list[Listener]:
    try:
        return [
            one._replace(pid=process.pid)
            for one in _listening(process.net_connections(kind="tcp"), pid=process.pid)
        ]
    except psutil.Error:
        return []


_UNKNOWN_PID: Final = 0


def _listening(connections: Iterable[object], *, pid: int = _UNKNOWN_PID) -> Iterator[Listener]:
    for one in connections:
        owner = getattr(one, "pid", None) or pid
        if getattr(one, "status", "") == psutil.CONN_LISTEN and owner:
            yield Listener(port=one.laddr.port, pid=owner)  # type: ignore[attr-defined]
