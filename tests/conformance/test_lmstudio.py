"""A real LM Studio is a host.

Run it with `LMSWITCH_TEST_LMSTUDIO=host:port python -m pytest tests/conformance -m lmstudio`; the
two smallest chat models that are installed are loaded, nothing else is touched.
"""

import os
from collections.abc import AsyncGenerator

import pytest
from conformance.subject import CONTEXT_TOKENS, Subject
from conformance.suite import HostSuite

from langchain_lmswitch.hosts.finding import find_host
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.types.models import ModelCard

ADDRESS = os.environ.get("LMSWITCH_TEST_LMSTUDIO")

pytestmark = [
    pytest.mark.lmstudio,
    pytest.mark.skipif(ADDRESS is None, reason="LMSWITCH_TEST_LMSTUDIO names no LM Studio"),
]


class TestLMStudio(HostSuite):
    @pytest.fixture
    async def subject(self) -> AsyncGenerator[Subject, None]:
        host = await find_host(Settings(base_url=ADDRESS))
        cards = sorted(await host.cards(), key=lambda card: card.size_bytes)
        chats = [card for card in cards if _answers(card)]
        if not chats:
            pytest.skip("no chat model is installed there")
        yield Subject(
            host=host,
            chat=chats[0].key,
            other_chat=chats[1].key if len(chats) > 1 else None,
            embedding=next((card.key for card in cards if card.kind == "embedding"), None),
            tools=chats[0].tool_use,
            json_schema=True,
        )
        await host.aclose()


def _answers(card: ModelCard) -> bool:
    return card.kind == "llm" and card.device is None and card.max_context_tokens >= CONTEXT_TOKENS
