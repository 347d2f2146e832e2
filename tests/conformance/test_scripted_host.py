"""The scripted host is a host."""

from collections.abc import AsyncGenerator, Sequence

import pytest
from conformance.subject import Subject
from conformance.suite import HostSuite

from langchain_lmswitch.testing import ScriptedHost, card, tool_call
from langchain_lmswitch.testing.replies import Script
from langchain_lmswitch.types.requests import JsonObject


def reply(messages: Sequence[JsonObject]) -> Script:
    asked = messages[-1]["content"][0]["text"]
    if "weather" in asked:
        return tool_call("get_weather", {"city_name": "Oslo", "temperature_unit": "deg_c"})
    if "even number" in asked:
        return '{"is_even": true, "how_sure": "quite_sure"}'
    return ", ".join(f"number {number}" for number in range(1, 500))


class TestScriptedHost(HostSuite):
    @pytest.fixture
    async def subject(self) -> AsyncGenerator[Subject, None]:
        host = ScriptedHost(
            ["scripted-chat", "scripted-code", card("scripted-embedding", kind="embedding")],
            replies=reply,
        )
        yield Subject(
            host=host,
            chat="scripted-chat",
            other_chat="scripted-code",
            embedding="scripted-embedding",
            tools=True,
            json_schema=True,
        )
        assert await host.residents() == []
