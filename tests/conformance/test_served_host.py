"""The scripted host, served over LM Studio's protocol and driven through its SDK, is a host."""

from collections.abc import AsyncGenerator

import pytest
from conformance.scripted import scripted_host, subject_of
from conformance.subject import Subject
from conformance.suite import HostSuite
from pydantic import SecretStr

from langchain_lmswitch.hosts.finding import find_host
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.testing import served

TOKEN_S = 0.001
"""A client on a wire does not hold the answer back: it must still be going on when asked to."""


class TestServedHost(HostSuite):
    @pytest.fixture
    async def subject(self) -> AsyncGenerator[Subject, None]:
        scripted = scripted_host(token_s=TOKEN_S)
        async with served(scripted) as at:
            token = SecretStr(at.token)
            host = await find_host(Settings(base_url=at.host_port, api_key=token))
            yield subject_of(host)
            await host.aclose()
        assert await scripted.residents() == []
