"""The embedded host, driven through LM Studio's SDK, is a host."""

from collections.abc import AsyncGenerator

import pytest
from conformance.subject import Subject
from conformance.suite import HostSuite
from conftest import CODER, SMOL, Embedded

from langchain_lmswitch.hosts.finding import find_host

pytestmark = pytest.mark.weights


class TestEmbeddedHost(HostSuite):
    @pytest.fixture
    async def subject(self, embedded: Embedded) -> AsyncGenerator[Subject, None]:
        host = await find_host(embedded.client_settings)
        embedding = [card.key for card in await host.cards() if card.kind == "embedding"]
        yield Subject(
            host=host,
            chat=SMOL,
            other_chat=CODER,
            embedding=next(iter(embedding), None),
            tools=True,
            json_schema=True,
        )
        await host.aclose()
