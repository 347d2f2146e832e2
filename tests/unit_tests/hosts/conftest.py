"""A host, and the scripted server it talks to."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from unit_tests.hosts.peer import Peer, greet
from websockets.asyncio.server import serve

from langchain_lmswitch.hosts.lmstudio import LMStudioHost
from langchain_lmswitch.settings import Settings


@pytest.fixture
async def peer() -> AsyncGenerator[Peer, None]:
    peer = Peer(calls={"listLoaded": [], "listDownloadedModels": []})
    async with serve(peer.handle, "127.0.0.1", 0, process_request=greet) as server:
        peer.port = next(iter(server.sockets)).getsockname()[1]
        yield peer
        peer.over.set()
        for socket in tuple(peer.sockets):
            socket.transport.abort()
        for script in peer.scripts:
            script.cancel()
        results = await asyncio.gather(*peer.scripts, return_exceptions=True)
        failures = [one for one in results if isinstance(one, Exception)]
        assert failures == []


@pytest.fixture
def settings() -> Settings:
    return Settings(timeout_s=5, load_timeout_s=5)


@pytest.fixture
async def host(peer: Peer, settings: Settings) -> AsyncGenerator[LMStudioHost, None]:
    host = LMStudioHost(peer.address, settings=settings)
    yield host
    await host.aclose()
