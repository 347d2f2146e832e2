"""Probe: proxies of the environment."""

import asyncio
import os
import urllib.request
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final
from urllib.parse import urlsplit

from langchain_lmswitch.cli.doctor.examination import Examination

_KINDS: Final = ("http", "https", "all")
_KNOCK_S: Final = 1.0
_PORTS: Final = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080, "socks4": 1080}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxies:
    """Which proxies are set, and for what."""

    variables: tuple[tuple[str, str], ...] = ()
    """The variables that set them, each with its proxy."""
    dead: tuple[tuple[str, str], ...] = ()
    """Those whose proxy does not answer."""
    socks: bool = False
    """Whether one speaks SOCKS, and what we would need for that is not installed."""
    loopback_excepted: bool = False
    """Whether `NO_PROXY` keeps programs from asking a proxy for this very machine."""


async def read_proxies(exam: Examination) -> Proxies:  # noqa: ARG001 - the form of a probe
    """Read the variables, and knock at each proxy."""
    names = {f"{kind}_proxy" for kind in _KINDS}
    variables = sorted((name, url) for name, url in os.environ.items() if name.lower() in names)
    told = [(name, url) for name, url in variables if url]
    answers = await asyncio.gather(*(_answers(url) for _, url in told))
    return Proxies(
        variables=tuple(told),
        dead=tuple(one for one, answer in zip(told, answers, strict=True) if not answer),
        socks=any(url.startswith("socks") for _, url in told) and not find_spec("socksio"),
        loopback_excepted=_excepted(),
    )


def _excepted() -> bool:
    bypassed = urllib.request.proxy_bypass_environment  # type: ignore[attr-defined]  # not in typeshed
    told = urllib.request.getproxies_environment()
    return all(bypassed(name, told) for name in ("localhost", "127.0.0.1"))


async def _answers(url: str) -> bool:
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        port = parts.port or _PORTS.get(parts.scheme, 80)
        async with asyncio.timeout(_KNOCK_S):
            _, writer = await asyncio.open_connection(parts.hostname, port)
    except (OSError, ValueError, TimeoutError):
        return False
    writer.close()
    return True
