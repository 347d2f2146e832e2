"""The greeting of LM Studio, by which a model host is told from any other server."""

import asyncio
import ssl
from typing import Final

import httpx

NO_TLS: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For hosts, none of which speaks TLS: a client would read all certificates first, for 40 ms."""


def direct_client(*, within_s: float) -> httpx.AsyncClient:
    """Make a client for hosts on this machine or in this network.

    It asks no proxy, whatever the environment says.
    """
    return httpx.AsyncClient(trust_env=False, timeout=within_s, verify=NO_TLS)


async def greets(client: httpx.AsyncClient, address: str, *, within_s: float) -> bool:
    """Tell whether a model host answers at an address, ours or LM Studio."""
    try:
        async with asyncio.timeout(within_s):
            response = await client.get(f"http://{address}/lmstudio-greeting")
        return response.status_code == httpx.codes.OK and _is_greeting(response)
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError):
        return False


def _is_greeting(response: httpx.Response) -> bool:
    try:
        greeting = response.json()
    except ValueError:
        return False
    return isinstance(greeting, dict) and greeting.get("lmstudio") is True
