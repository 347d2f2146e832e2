"""Probe: where model hosts answer, and which of them would be used."""

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

from langchain_lmswitch.cli.doctor.examination import Examination
from langchain_lmswitch.cli.doctor.probes.knobs import settings_of
from langchain_lmswitch.cli.doctor.probes.processes import HostProcess, read_processes
from langchain_lmswitch.embedded import presence
from langchain_lmswitch.hosts.addresses import DEFAULT_PORT, parse_address
from langchain_lmswitch.hosts.finding import Found, greetings, lmstudio_ports, look
from langchain_lmswitch.machine.boundary import read_surroundings

_GREETING_S: Final = 1.2
_KNOCK_S: Final = 1.0

Silence = Literal["refused", "no answer", "another server", "no such name"]
"""Why a host that was named does not greet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """Who answers where."""

    given: str | None = None
    """The address that the user has named."""
    bad_address: str = ""
    """What is wrong with it, if it is none."""
    used: Found | None = None
    """The host that would be used; `None` if none runs."""
    silence: Silence | None = None
    """Why the given address is not used."""
    greeting: tuple[str, ...] = ()
    """All addresses that greet as LM Studio does, other than the one used."""
    looked_at: tuple[str, ...] = ()
    """Where LM Studio is looked for."""
    processes: tuple[HostProcess, ...] = ()
    can_start: bool = False
    """Whether what it takes to run the embedded host is installed."""

    @property
    def would_start(self) -> bool:
        """Whether the embedded host would be started when it is needed."""
        named = self.given is not None or bool(self.bad_address)
        return self.used is None and self.can_start and not named

    @property
    def is_embedded(self) -> bool:
        """Whether the host that is used is an embedded one, whoever's."""
        port = int(self.used.address.rpartition(":")[2]) if self.used else 0
        return any(one.kind == "embedded" and port in one.ports for one in self.processes)

    @property
    def elsewhere(self) -> tuple[str, ...]:
        """Addresses that greet and could be used: an embedded host is its home's alone."""
        private = {port for one in self.processes if one.kind == "embedded" for port in one.ports}
        return tuple(one for one in self.greeting if int(one.rpartition(":")[2]) not in private)


async def read_servers(exam: Examination) -> Servers:
    """Ask all likely addresses at once."""
    if exam.session.host is not None:
        return Servers(used=Found(address=exam.session.host.address, kind="explicit"))
    settings, processes = await exam.of(settings_of), await exam.of(read_processes)
    usual = tuple(f"127.0.0.1:{port}" for port in lmstudio_ports(Path.home()))
    given, bad_address = _given(settings.base_url)
    usable = [given] if given else [*usual, *_noted(settings.run_home)]
    others = [f"127.0.0.1:{port}" for one in processes for port in one.ports]
    greeting = await _greeting([*usable, *usual, *others])
    # Looking takes long where a host has stopped answering.
    greets = not bad_address and not set(usable).isdisjoint(greeting)
    used = await look(settings) if greets else None
    if used is None:
        greeting += await _greeting(_outside(exam.root))
    return Servers(
        given=given,
        bad_address=bad_address,
        used=used,
        silence=await _silence(given) if given and used is None else None,
        greeting=tuple(one for one in greeting if used is None or not same(one, used.address)),
        looked_at=usual,
        processes=processes,
        can_start=all(find_spec(name) for name in ("websockets", "xllamacpp")),
    )


def same(one: str, other: str) -> bool:
    """Tell whether two addresses are one, `localhost` being 127.0.0.1."""
    names = {"localhost": "127.0.0.1", "[::1]": "127.0.0.1"}
    (name, _, port), (other_name, _, other_port) = one.rpartition(":"), other.rpartition(":")
    return (names.get(name, name), port) == (names.get(other_name, other_name), other_port)


async def _greeting(addresses: Sequence[str]) -> list[str]:
    return await greetings(list(dict.fromkeys(addresses)), within_s=_GREETING_S)


def _given(base_url: str | None) -> tuple[str | None, str]:
    from langchain_lmswitch.errors import InvalidRequest

    try:
        return (None if base_url is None else parse_address(base_url)), ""
    except InvalidRequest as error:
        return None, str(error)


def _noted(run_home: Path) -> Sequence[str]:
    found = presence.read_port(run_home)
    return [found.host_port] if found else []


def _outside(root: Path) -> list[str]:
    """From inside of a container or WSL 2: the computer around us."""
    here = read_surroundings(root=root)
    names = [*here.gateways, *(["host.docker.internal"] if here.enclosure == "container" else [])]
    return [
        f"[{name}]:{DEFAULT_PORT}" if ":" in name else f"{name}:{DEFAULT_PORT}" for name in names
    ]


async def _silence(address: str) -> Silence:
    """Knock at an address that does not greet."""
    name, _, port = address.rpartition(":")
    try:
        async with asyncio.timeout(_KNOCK_S):
            _, writer = await asyncio.open_connection(name.strip("[]"), int(port))
    except socket.gaierror:
        return "no such name"
    except ConnectionRefusedError:
        return "refused"
    except (TimeoutError, OSError):
        return "no answer"
    writer.close()
    return "another server"
