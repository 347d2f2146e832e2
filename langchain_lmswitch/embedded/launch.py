"""Finding the embedded host that this user's processes share, and starting it if there is none."""

import asyncio
import importlib.util
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil
from filelock import AsyncFileLock

from langchain_lmswitch.embedded import presence
from langchain_lmswitch.embedded.greeting import direct_client, greets
from langchain_lmswitch.embedded.presence import Address
from langchain_lmswitch.errors import HostNotFound, MissingExtra
from langchain_lmswitch.settings.files import CONFIG

if TYPE_CHECKING:
    from pathlib import Path

    from langchain_lmswitch.settings import Settings

COMMAND = (sys.executable, "-m", "langchain_lmswitch", "serve", "--child")
START_S = 30.0
"""Longest wait for a host that was started."""
GREETING_S = 2.0
POLL_S = 0.02
LOG_TAIL_CHARS = 600

_OURS = frozenset({"base_url", "api_key", "allow", "deny", "roles", "models"})
"""Settings of a client that a host has no use for."""


async def ensure_embedded(settings: "Settings", *, command: Sequence[str] = COMMAND) -> Address:
    """Find the host, or start one in the background, and tell where it is.

    One process at a time looks and starts, so that a hundred at once end with one host.

    Args:
        settings: Its `run_home` is where the host is looked for; the child gets all of it.
        command: What starts a host; the default is `lmswitch serve --child`.

    Raises:
        MissingExtra: There is none, and the packages to run one are not installed.
        HostNotFound: It was started and did not come up.
    """
    presence.make_home(settings.run_home)
    async with AsyncFileLock(presence.starting_lock_path(settings.run_home)):
        if (found := await find_running(settings)) is not None:
            return found
        _check_extra()
        return await _started(settings, command)


async def find_running(settings: "Settings") -> Address | None:
    """Tell where the host is that serves now, or `None`; nothing is started."""
    found = presence.read_port(settings.run_home)
    if found is None or not psutil.pid_exists(found.pid) or not await _greets(found.host_port):
        return None
    return presence.read_address(found)


async def _greets(host_port: str) -> bool:
    async with direct_client(within_s=GREETING_S) as client:
        return await greets(client, host_port, within_s=GREETING_S)


async def _started(settings: "Settings", command: Sequence[str]) -> Address:
    log = presence.log_path(settings.run_home)
    process = await asyncio.to_thread(_spawn, settings, command, log)
    deadline_s = time.monotonic() + START_S
    while time.monotonic() < deadline_s:
        if (found := await find_running(settings)) is not None:
            return found
        if process.poll() not in (None, 0):
            break
        await asyncio.sleep(POLL_S)
    raise HostNotFound(
        [f"the embedded host ({' '.join(command)})"], remedy=_remedy(process.poll(), log)
    )


def _spawn(settings: "Settings", command: Sequence[str], log: "Path") -> "subprocess.Popen[bytes]":
    """Start a host that outlives us and holds nothing of ours open."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter, or the caller's command
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            close_fds=True,
            start_new_session=True,
            env=os.environ | environment(settings),
        )
    finally:
        os.close(descriptor)
    threading.Thread(target=process.wait, daemon=True, name="embedded-host-reaper").start()
    return process


def environment(settings: "Settings") -> dict[str, str]:
    """Write settings as the variables they are read from, for another process.

    It reads no files: what its parent has read counts, though they may change in between.
    """
    values = settings.model_dump(exclude=set(_OURS), exclude_none=True)
    values["model_folders"] = os.pathsep.join(map(str, settings.model_folders))
    variables = {f"LMSWITCH_{name.upper()}": str(value) for name, value in values.items()}
    return {**variables, CONFIG: "off"}


def _check_extra() -> None:
    missing = [name for name in ("websockets", "xllamacpp") if not importlib.util.find_spec(name)]
    if missing:
        raise MissingExtra("embedded", why=f"The embedded host needs {' and '.join(missing)}")


def _remedy(exit_code: int | None, log: "Path") -> str:
    what = "did not come up in time" if exit_code is None else f"ended with code {exit_code}"
    tail = ""
    with suppress(OSError):
        tail = log.read_text(encoding="utf-8", errors="replace")[-LOG_TAIL_CHARS:].strip()
    return f"It {what}; its log ({log}) ends with: {tail or '(nothing)'}"
