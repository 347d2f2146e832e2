"""Probe: proxies of the environment."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass_environment

from langchain_lmswitch.cli.doctor.examination import Examination

_KINDS: Final = ("http", "https", "all")
_KNOCK_S: Final = 1.0
_PORTS: Final = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080, "socks4": 1080}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxies:
    """Which proxies are set, and for what."""

    variables: tuple[str, ...] = ()
    """The variables that set them."""
    dead: tuple[str, ...] = ()
    """Proxies that do not answer."""
    loopback_excepted: bool = False
    """Whether `NO_PROXY` keeps programs from asking a proxy for this very machine."""


async def read_proxies(exam: Examination) -> Proxies:  # noqa: ARG001 - the form of a probe
    """Read the variables, and knock at each proxy."""
    set_ = {kind: url for kind, url in getproxies_environment().items() if kind in _KINDS}
    urls = list(dict.fromkeys(set_.values()))
    answers = await asyncio.gather(*map(_answers, urls))
    return Proxies(
        variables=tuple(_variables()),
        dead=tuple(url for url, answer in zip(urls, answers, strict=True) if not answer),
        loopback_excepted=_excepted(),
    )


def _variables() -> list[str]:
    names = {f"{kind}_proxy" for kind in _KINDS}
    return sorted(name for name, value in os.environ.items() if value and name.lower() in names)


def _excepted() -> bool:
    told: Mapping[str, str] = getproxies_environment()
    return all(proxy_bypass_environment(name, dict(told)) for name in ("localhost", "127.0.0.1"))


async def _answers(url: str) -> bool:
    parts = urlsplit(url if "://" in url else f"http://{url}")
    try:
        port = parts.port or _PORTS.get(parts.scheme, 80)
        async with asyncio.timeout(_KNOCK_S):
            _, writer = await asyncio.open_connection(parts.hostname, port)
    except (OSError, ValueError, TimeoutError):
        return False
    writer.close()
    return True
