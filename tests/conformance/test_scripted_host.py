"""The scripted host is a host."""

from collections.abc import AsyncGenerator

import pytest
from conformance.scripted import scripted_host, subject_of
from conformance.subject import Subject
from conformance.suite import HostSuite


class TestScriptedHost(HostSuite):
    @pytest.fixture
    async def subject(self) -> AsyncGenerator[Subject, None]:
        host = scripted_host()
        yield subject_of(host)
        assert await host.residents() == []
