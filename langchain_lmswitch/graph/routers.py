"""Routers by what they route to; compiling a graph takes a millisecond, so each is kept."""

from functools import cache
from typing import Any

from langchain_lmswitch.graph.router import Router
from langchain_lmswitch.hosts.base import Host
from langchain_lmswitch.ledger.base import Ledger
from langchain_lmswitch.machine.monitor import Monitor
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.switch.boards import boards


@cache
def router(settings: Settings, *, retries: int) -> Router:
    """Give the router for the host that `settings` lead to."""

    async def find() -> Any:
        return await boards().find(settings)

    return Router(find, retries=retries)


def router_to(
    host: Host,
    *,
    monitor: Monitor | None,
    settings: Settings,
    retries: int,
    ledger: Ledger | None = None,
) -> Router:
    """Give a router for a host object that the caller made."""

    async def given() -> Any:
        return boards().given(host, monitor, settings, ledger=ledger)

    return Router(given, retries=retries)
