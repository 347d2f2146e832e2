"""The simulated host is a host."""

from collections.abc import AsyncGenerator

import pytest
from conformance.scripted import CARDS, reply, subject_of
from conformance.subject import Subject
from conformance.suite import HostSuite

from langchain_lmswitch.testing import SimulatedHost


class TestSimulatedHost(HostSuite):
    @pytest.fixture
    async def subject(self) -> AsyncGenerator[Subject, None]:
        host = SimulatedHost(
            CARDS,
            replies=reply,
            load_seconds=lambda _: 0.03,
            pause_s=(0.0, 0.001),
            call_s=0.01,
            bystanders_s=0.01,
            bystanders_do=("load", "unload", "take", "give"),
        )
        yield subject_of(host)
        host.bystanders.leave()
        assert await host.residents() == []
