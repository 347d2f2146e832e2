"""LangChain's integration tests that no packaged model is able for, over the real protocol.

The answers are scripted; what is proven is that our side takes what these tests send, and that the
images arrive.
"""

import base64
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from langchain_tests.integration_tests import ChatModelIntegrationTests

from langchain_lmswitch import ChatLMSwitch
from langchain_lmswitch.testing import ScriptedHost, card, served

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class Suite(ChatModelIntegrationTests):
    """The tests themselves, with all that concerns images switched on."""

    __test__ = False

    @property
    def chat_model_class(self) -> type[ChatLMSwitch]:
        return ChatLMSwitch

    @property
    def supports_image_inputs(self) -> bool:
        return True

    @property
    def supports_image_tool_message(self) -> bool:
        return True

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True


@pytest.fixture
def host() -> ScriptedHost:
    return ScriptedHost([card("eyes", vision=True, tool_use=True)], replies="A diagram.")


@pytest.fixture
def llm(host: ScriptedHost) -> Iterator[ChatLMSwitch]:
    with served(host) as address:
        yield ChatLMSwitch(base_url=address.host_port, api_key=address.token)  # type: ignore[arg-type]  # pydantic makes it a secret


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests fetch their picture from a code host."""

    def get(_url: str, **_options: Any) -> httpx.Response:
        return httpx.Response(200, content=PIXEL)

    monkeypatch.setattr(httpx, "get", get)


@pytest.mark.parametrize(
    "name", ["test_image_inputs", "test_image_tool_message", "test_anthropic_inputs"]
)
def test_standard(name: str, llm: ChatLMSwitch, host: ScriptedHost) -> None:
    getattr(Suite(), name)(llm)

    sent = [str(call.request) for call in host.called("predict")]
    assert any(base64.b64encode(PIXEL).decode() in request for request in sent)
