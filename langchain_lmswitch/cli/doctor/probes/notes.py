"""Probe: the files in which hosts tell where they are."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from langchain_lmswitch.cli.doctor.examination import Examination
from langchain_lmswitch.cli.doctor.probes.knobs import settings_of
from langchain_lmswitch.embedded import presence
from langchain_lmswitch.hosts.finding import greetings, noted_port, port_note

_GREETING_S = 1.0

Fate = Literal["serves", "absent", "unreadable", "dead", "somebody else", "frozen", "no token"]
"""What has become of the host that wrote its port down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """The port files of the embedded host and of LM Studio."""

    ours: Path
    fate: Fate = "absent"
    pid: int = 0
    host_port: str = ""
    log: Path
    lmstudio: Path
    lmstudio_port: int | None = None
    lmstudio_greets: bool = False


async def read_notes(exam: Examination) -> Notes:
    """Read both, and see who is there."""
    settings = await exam.of(settings_of)
    home = settings.run_home
    ours = presence.read_port(home)
    port = next(iter(noted_port(Path.home())), None)
    asked = [*([ours.host_port] if ours else []), *([f"127.0.0.1:{port}"] if port else [])]
    greeting = await greetings(asked, within_s=_GREETING_S)
    return Notes(
        ours=presence.port_path(home),
        fate=_fate(home, ours, greets=bool(ours) and asked[0] in greeting),
        pid=ours.pid if ours else 0,
        host_port=ours.host_port if ours else "",
        log=presence.log_path(home),
        lmstudio=port_note(Path.home()),
        lmstudio_port=port,
        lmstudio_greets=f"127.0.0.1:{port}" in greeting,
    )


def _fate(home: Path, ours: presence.PortFile | None, *, greets: bool) -> Fate:
    if ours is None:
        return "unreadable" if presence.port_path(home).exists() else "absent"
    if not psutil.pid_exists(ours.pid):
        return "dead"
    if not _is_host(ours.pid):
        return "somebody else"
    if not greets:
        return "frozen"
    return "serves" if presence.read_address(ours) else "no token"


def _is_host(pid: int) -> bool:
    """Tell whether a process may be a host of ours; who may not be looked at, may be."""
    try:
        command = psutil.Process(pid).cmdline()
    except psutil.AccessDenied:
        return True
    except psutil.Error:
        return False
    return any("lmswitch" in one for one in command)
