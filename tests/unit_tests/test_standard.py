"""LangChain's own unit tests for chat models."""

from typing import Any

from langchain_tests.unit_tests import ChatModelUnitTests

from langchain_lmswitch import ChatLMSwitch


class TestChatLMSwitch(ChatModelUnitTests):
    @property
    def chat_model_class(self) -> type[ChatLMSwitch]:
        return ChatLMSwitch

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {}

    @property
    def init_from_env_params(self) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        return {}, {}, {}
