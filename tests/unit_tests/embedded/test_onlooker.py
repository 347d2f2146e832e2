"""Who only looks is served like others, and the host does not stay for it."""

import pytest
from pydantic import SecretStr

from langchain_lmswitch.embedded.host import EmbeddedHost
from langchain_lmswitch.hosts.lmstudio import LMStudioHost
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.testing import ScriptedHost
from langchain_lmswitch.testing.stage import ScriptedInstances, ScriptedShelf

TOKEN = "sk-lm-abcdefgh:" + "k" * 20


@pytest.mark.parametrize("onlooker", [True, False])
async def test_only_who_uses_a_host_counts_as_a_visitor(onlooker: bool) -> None:  # noqa: FBT001
    host, settings = ScriptedHost(["small"]), Settings(api_key=SecretStr(TOKEN))
    server = EmbeddedHost(
        settings,
        snapshot=host.snapshot,
        token=TOKEN,
        shelf=ScriptedShelf(host),
        instances=ScriptedInstances(host, settings),
    )
    async with server.serve() as port:
        client = LMStudioHost(f"127.0.0.1:{port}", settings=settings, onlooker=onlooker)
        try:
            assert [card.key for card in await client.cards()] == ["small"]
        finally:
            await client.aclose()

    assert server.attendance.visited is not onlooker
