"""LangChain's own integration tests for embeddings, with real weights; and what they mean."""

import math
from typing import Any, ClassVar

import pytest
from conftest import SMOL, Embedded
from langchain_tests.integration_tests import EmbeddingsIntegrationTests

from langchain_lmswitch import LMSwitchEmbeddings
from langchain_lmswitch.errors import InvalidRequest

pytestmark = pytest.mark.weights

ENCODER = "text-embedding-universal-sentence-encoder"


class TestLMSwitchEmbeddings(EmbeddingsIntegrationTests):
    embedded: ClassVar[Embedded]

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _use(cls, embedded: Embedded) -> None:
        cls.embedded = embedded

    @property
    def embeddings_class(self) -> type[LMSwitchEmbeddings]:
        return LMSwitchEmbeddings

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        return {"base_url": self.embedded.base_url, "api_key": self.embedded.token}


def embeddings(embedded: Embedded, **fields: Any) -> LMSwitchEmbeddings:
    return LMSwitchEmbeddings(base_url=embedded.base_url, api_key=embedded.token, **fields)  # type: ignore[arg-type]  # pydantic makes it a secret


def likeness(one: list[float], other: list[float]) -> float:
    product = sum(a * b for a, b in zip(one, other, strict=True))
    return product / math.hypot(*one) / math.hypot(*other)


@pytest.mark.usefixtures("unloaded")
def test_the_nearest_text_is_the_one_meant(embedded: Embedded) -> None:
    """In no word the same as the question."""
    model = embeddings(embedded)
    texts = ["The central bank raised interest rates.", "My kitten naps on the sofa.", "It rains."]
    found = model.embed_documents(texts)
    question = model.embed_query("Where does that cat sleep?")

    assert model.chosen == ENCODER
    nearest, *_ = sorted(range(3), key=lambda number: -likeness(found[number], question))
    assert texts[nearest] == "My kitten naps on the sofa."


async def test_chat_and_embeddings_of_one_host(embedded: Embedded) -> None:
    """Both stay in memory, and batches change nothing."""
    llm, model = embedded.chat(model=SMOL, max_tokens=1), embeddings(embedded, batch_size=2)
    texts = [f"Text number {number}" for number in range(5)]
    before = await model.aembed_documents(texts)
    await llm.ainvoke("Hello")
    heard: list[object] = []
    again = embeddings(embedded, on_event=heard.append)

    assert again.embed_documents(texts) == before
    assert heard == []


def test_chat_model_cannot_embed(embedded: Embedded) -> None:
    with pytest.raises(InvalidRequest, match=ENCODER):
        embeddings(embedded, model=SMOL).embed_query("Hello")


def test_texts_at_the_edges(embedded: Embedded) -> None:
    """Empty, not of this plane, and far longer than the model reads."""
    texts = ["", " ", "\N{OK HAND SIGN}", "a\x00b", "word " * 20_000]
    found = embeddings(embedded).embed_documents(texts)

    assert {len(vector) for vector in found} == {512}
