"""Which host: the one that is named, else LM Studio, else the embedded one."""

import asyncio
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from langchain_lmswitch.embedded import launch
from langchain_lmswitch.embedded.greeting import direct_client, greets
from langchain_lmswitch.embedded.presence import Address
from langchain_lmswitch.errors import HostNotFound, MissingExtra
from langchain_lmswitch.hosts.addresses import DEFAULT_PORT, parse_address, scope_of
from langchain_lmswitch.hosts.base import Host
from langchain_lmswitch.settings import Settings

SDK_PORTS: Final = (41343, 52993, 16141, 39414, 22931)
"""Where LM Studio serves its SDKs, in the order they try."""
GREETING_S: Final = 1.0
"""Longest wait for a greeting from this machine."""
EXPLICIT_GREETING_S: Final = 5.0
"""Longest wait for a greeting from an address that was given: it may be far, or waking up."""

Kind = Literal["explicit", "lmstudio", "embedded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A host that answers."""

    address: str
    kind: Kind
    """How it was found: named by the user, a running LM Studio, or our own embedded one."""
    token: str | None = None
    """The token to present; `None` uses the settings' one."""


async def find_host(settings: Settings) -> Host:
    """Find the host to use, and start the embedded one if need be.

    1. `settings.base_url`, if it is set: nothing else then.
    2. A running LM Studio.
    3. The embedded host, running or not, if its extra is installed.

    Raises:
        HostNotFound: None of these answers.
        InvalidRequest: `settings.base_url` is not an address.
    """
    found = await _look_outside(settings) or await _start_embedded(settings)
    if found is None:
        raise _not_found()
    # The SDK is slow to import: not before there is somebody to talk to.
    from langchain_lmswitch.hosts.lmstudio import LMStudioHost  # noqa: PLC0415

    return LMStudioHost(found.address, settings=settings, token=found.token)


async def look(settings: Settings) -> Found | None:
    """Say which host `find_host` would use, without starting one; `None` if none runs.

    Raises:
        HostNotFound: The address that was given does not answer.
        InvalidRequest: It is not an address.
    """
    return await _look_outside(settings) or await _running_embedded(settings)


def lmstudio_ports(user_home: Path) -> list[int]:
    """List the ports of this machine where LM Studio may answer, the likeliest first.

    1. The one that the running app has written down.
    2. The SDK's.
    3. 1234, its HTTP server's.
    """
    return list(dict.fromkeys([*noted_port(user_home), *SDK_PORTS, DEFAULT_PORT]))


async def greetings(addresses: Sequence[str], *, within_s: float) -> list[str]:
    """Ask all addresses at once for LM Studio's greeting; list those that greet, in order."""
    async with direct_client(within_s=within_s) as client:
        answers = await asyncio.gather(
            *(greets(client, one, within_s=within_s) for one in addresses)
        )
    return [one for one, answer in zip(addresses, answers, strict=True) if answer]


async def first_greeting(addresses: Sequence[str], *, within_s: float) -> str | None:
    """Ask all addresses at once for LM Studio's greeting; give the first in order that greets."""
    async with direct_client(within_s=within_s) as client:
        asked = [asyncio.create_task(greets(client, one, within_s=within_s)) for one in addresses]
        try:
            for address, answer in zip(addresses, asked, strict=True):
                if await answer:
                    return address
        finally:
            for answer in asked:
                answer.cancel()
            await asyncio.gather(*asked, return_exceptions=True)
    return None


async def _look_outside(settings: Settings) -> Found | None:
    if settings.base_url is not None:
        return await _explicit(settings, parse_address(settings.base_url))
    addresses = [f"127.0.0.1:{port}" for port in lmstudio_ports(Path.home())]
    address = await first_greeting(addresses, within_s=GREETING_S)
    if address is None:
        return None
    return await _ours(settings, address) or Found(address=address, kind="lmstudio")


async def _explicit(settings: Settings, address: str) -> Found:
    if await first_greeting([address], within_s=EXPLICIT_GREETING_S) is None:
        raise HostNotFound(
            [address],
            remedy="Start its server (in LM Studio: Developer, Start server; or `lms server "
            "start`), or unset `base_url` and LMSWITCH_BASE_URL to look on this machine; `lmswitch "
            "doctor` says whether something else listens there.",
        )
    return await _ours(settings, address) or Found(address=address, kind="explicit")


async def _ours(settings: Settings, address: str) -> Found | None:
    """Recognize the embedded host by its address: it wants the token it keeps in its own file."""
    if settings.api_key is not None or scope_of(address) != "local":
        return None
    running = await _running_embedded(settings)
    if running is None or running.address.rpartition(":")[2] != address.rpartition(":")[2]:
        return None
    return running


async def _running_embedded(settings: Settings) -> Found | None:
    return _embedded(await launch.find_running(settings))


async def _start_embedded(settings: Settings) -> Found | None:
    try:
        return _embedded(await launch.ensure_embedded(settings))
    except MissingExtra:
        return None


def _embedded(address: Address | None) -> Found | None:
    if address is None:
        return None
    return Found(address=address.host_port, kind="embedded", token=address.token)


def _not_found() -> HostNotFound:
    ports = ", ".join(str(port) for port in lmstudio_ports(Path.home()))
    return HostNotFound(
        [f"LM Studio at 127.0.0.1 on ports {ports}", "the embedded host (not installed)"],
        remedy="Start LM Studio's server, set `base_url`, or install the embedded host: "
        "pip install 'langchain-lmswitch[embedded]'",
    )


def port_note(user_home: Path) -> Path:
    """Where the running LM Studio writes down its port."""
    named = os.environ.get("LMS_API_SERVER_INFO_PATH")
    return Path(named) if named else user_home / ".lmstudio" / ".internal" / "http-server.json"


def noted_port(user_home: Path) -> Iterable[int]:
    """Read the port that LM Studio has written down, if it has."""
    try:
        noted = json.loads(port_note(user_home).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ()
    port = noted.get("port") if isinstance(noted, dict) else None
    return (port,) if isinstance(port, int) and 0 < port < 2**16 else ()
