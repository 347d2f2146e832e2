"""LangChain's own integration tests, against the embedded host with real weights."""

from typing import Any, ClassVar

import pytest
from conftest import SMOL, Embedded
from langchain_tests.integration_tests import ChatModelIntegrationTests

from langchain_lmswitch import ChatLMSwitch

pytestmark = pytest.mark.weights


class TestChatLMSwitch(ChatModelIntegrationTests):
    """All of them, but for what the packaged weights and local hosts are unable to do.

    - Images: none of the packaged models sees. The same tests run in
      `tests/unit_tests/test_standard_served.py` over the real protocol.
    - PDF and audio: LM Studio's protocol takes text and images.
    - The recorded test of streaming times wants a cassette of an HTTP API.
    """

    embedded: ClassVar[Embedded]

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _use(cls, embedded: Embedded) -> None:
        cls.embedded = embedded

    @property
    def chat_model_class(self) -> type[ChatLMSwitch]:
        return ChatLMSwitch

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"base_url": self.embedded.base_url, "api_key": self.embedded.token}

    @property
    def standard_chat_model_params(self) -> dict[str, Any]:
        return {"temperature": 0, "max_tokens": 160, "timeout": 60, "stop": [], "max_retries": 2}

    @property
    def model_override_value(self) -> str:
        return SMOL

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True
