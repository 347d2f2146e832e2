"""Probe: processes of this computer that are model hosts, and where they listen."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final, Literal

import psutil

from langchain_lmswitch.cli.doctor.examination import Examination, aside

_LM_STUDIO: Final = re.compile(r"^(lm[ -]?studio|llmster)", re.IGNORECASE)
"""The app, its helpers, and the server without a window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostProcess:
    """A process that may serve models."""

    pid: int
    kind: Literal["lmstudio", "embedded"]
    ports: tuple[int, ...]
    """Where it listens; empty if nowhere, or if that may not be seen."""


async def read_processes(exam: Examination) -> tuple[HostProcess, ...]:  # noqa: ARG001 - as all
    """List the model hosts that run here, ours and LM Studio's."""
    return await aside(lambda: tuple(_hosts()))


def _hosts() -> Iterator[HostProcess]:
    for process in psutil.process_iter(["name", "cmdline"]):
        kind = _kind(process.info["name"] or "", process.info["cmdline"] or [])
        if kind is not None:
            yield HostProcess(pid=process.pid, kind=kind, ports=_ports(process))


def _kind(name: str, command: list[str]) -> Literal["lmstudio", "embedded"] | None:
    if "langchain_lmswitch" in command and "serve" in command:
        return "embedded"
    if len(command) > 1 and PurePath(command[1]).name == "lmswitch" and "serve" in command:
        return "embedded"
    names = [name, *(PurePath(one).name for one in command[:1])]
    return "lmstudio" if any(map(_LM_STUDIO.match, names)) else None


def _ports(process: psutil.Process) -> tuple[int, ...]:
    try:
        sockets = process.net_connections(kind="tcp")
    except (psutil.Error, OSError):
        return ()
    return tuple(sorted({one.laddr.port for one in sockets if one.status == psutil.CONN_LISTEN}))
