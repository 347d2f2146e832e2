"""The embedded host as a process: one for each user, found through its port file."""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from langchain_lmswitch.embedded import presence
from langchain_lmswitch.embedded.host import EmbeddedHost
from langchain_lmswitch.embedded.presence import PortFile
from langchain_lmswitch.errors import InvalidRequest

if TYPE_CHECKING:
    from pathlib import Path

    from langchain_lmswitch.settings import Settings
    from langchain_lmswitch.types.machine import Snapshot

__all__ = ["EmbeddedHost", "run"]

FIRST_CLIENT_S = 60.0
"""How long a host that was started for a client waits for it."""
LOOK_S = 1.0
"""Between two looks whether what the user loaded by hand is still there."""

ByHand = Callable[[], Collection[str]]

_log = logging.getLogger(__name__)


def run(
    settings: "Settings",
    *,
    port: int | None,
    child: bool,
    no_auth: bool,
    snapshot: Callable[[], "Snapshot"],
    by_hand: ByHand = tuple,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM, or, as a child, until the last client has been gone a while.

    What the user loaded by hand keeps a child serving for as long as it is in memory.

    A child that finds another host serving returns at once: its clients will find that one.

    Args:
        settings: Where the models are and how to load them.
        port: Where to listen; `None` takes a free port.
        child: Whether a client started it, in the background.
        no_auth: Whether to admit everybody on this machine.
        snapshot: Tells the memory there is.
        by_hand: Lists the references of the loads that the user made by hand.
        on_ready: Called with `host:port` once clients can connect.

    Raises:
        InvalidRequest: Another host of this user is serving already.
        MissingExtra: The packages of the extra `embedded` are not installed.
        OSError: The port is taken.
    """
    presence.make_home(settings.run_home)
    with _sole_host(settings.run_home) as sole:
        if sole:
            token = None if no_auth else presence.read_or_make_token(settings.run_home)
            host = EmbeddedHost(settings, snapshot=snapshot, token=token)
            deserted = partial(_deserted, host, settings.linger_s, by_hand) if child else None
            asyncio.run(
                _serve(host, settings, port=port or 0, deserted=deserted, on_ready=on_ready)
            )
        elif not child:
            raise InvalidRequest(_already(settings.run_home))


@contextmanager
def _sole_host(run_home: "Path") -> Iterator[bool]:
    """Whether this process is the one that may serve, for as long as it is in here."""
    lock = FileLock(presence.serving_lock_path(run_home), timeout=0)
    try:
        lock.acquire()
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def _already(run_home: "Path") -> str:
    found = presence.read_port(run_home)
    where = f" at {found.host_port} (process {found.pid})" if found else ""
    return f"An embedded host is serving already{where}. Use that one, or stop it first."


async def _serve(
    host: EmbeddedHost,
    settings: "Settings",
    *,
    port: int,
    deserted: Callable[[], Coroutine[Any, Any, None]] | None,
    on_ready: Callable[[str], None] | None,
) -> None:
    stop = _stop_signal()
    async with host.serve(port) as bound, _published(settings.run_home, bound) as found:
        if on_ready is not None:
            on_ready(found.host_port)
        waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(stop.wait())]
        if deserted is not None:
            waits.append(asyncio.ensure_future(deserted()))
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        _log.info("The host at %s stops", found.host_port)
        for wait in waits:
            wait.cancel()


async def _deserted(host: EmbeddedHost, linger_s: float, by_hand: ByHand) -> None:
    """Wait until nobody has come for a while, and nothing is left that was loaded by hand."""
    await host.attendance.useless(
        needed=lambda: any(one.reference in by_hand() for one in host.services.instances.all()),
        first_s=FIRST_CLIENT_S,
        linger_s=linger_s,
        look_s=LOOK_S,
    )


@asynccontextmanager
async def _published(run_home: "Path", port: int) -> AsyncIterator[PortFile]:
    """Let clients find the host for as long as it serves."""
    token_file = str(presence.token_path(run_home))
    found = PortFile(port=port, pid=os.getpid(), token_file=token_file)
    presence.write_port(run_home, found)
    try:
        yield found
    finally:
        presence.remove_port(run_home, pid=found.pid)


def _stop_signal() -> asyncio.Event:
    """An event that SIGINT and SIGTERM set."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, stop.set)
    return stop
