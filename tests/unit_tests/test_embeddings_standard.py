"""LangChain's own unit tests for embeddings."""

from typing import Any

from langchain_tests.unit_tests import EmbeddingsUnitTests

from langchain_lmswitch import LMSwitchEmbeddings


class TestLMSwitchEmbeddings(EmbeddingsUnitTests):
    @property
    def embeddings_class(self) -> type[LMSwitchEmbeddings]:
        return LMSwitchEmbeddings

    @property
    def init_from_env_params(self) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        """The environment is read at the first call; it changes nothing that was said here."""
        environment = {"LMSWITCH_BASE_URL": "env:1", "LM_API_TOKEN": "sk-lm-env"}
        said = {"base_url": "said:1", "api_key": "sk-lm-said"}
        return environment, said, said
