"""LangChain's own unit tests for chat models."""

from typing import Any

import pytest
from langchain_core.load.load import (
    _default_class_paths_cache,
    _get_default_allowed_class_paths,
)
from langchain_tests.unit_tests import ChatModelUnitTests

from langchain_lmswitch import ChatLMSwitch

TOKEN = "sk-lm-abcdefgh:0123456789abcdefghij"  # noqa: S105 - of no host


class TestChatLMSwitch(ChatModelUnitTests):
    @pytest.fixture(autouse=True)
    def _listed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """`allowed_objects="all"` means a closed list of partner packages inside langchain-core.

        Users of any other package name the class: `allowed_objects=[ChatLMSwitch]`.
        """
        listed = _get_default_allowed_class_paths("all") | {tuple(ChatLMSwitch.lc_id())}
        monkeypatch.setitem(_default_class_paths_cache, "all", listed)

    @property
    def chat_model_class(self) -> type[ChatLMSwitch]:
        return ChatLMSwitch

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {}

    @property
    def init_from_env_params(self) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        return {"LM_API_TOKEN": TOKEN}, {}, {}
