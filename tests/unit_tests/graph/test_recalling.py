"""An embedding model in memory finds what the question says in other words."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from langchain_lmswitch.errors import HostFailed
from langchain_lmswitch.graph.fitting import fit_exactly
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.switch.board import Switchboard
from langchain_lmswitch.testing import ScriptedHost, card
from langchain_lmswitch.types.models import LoadSpec

FACT = "My kitten Miso scratched the couch again."
QUESTION = "Which small furry animal shares this apartment together with our family?"


class Meaning(ScriptedHost):
    """A host whose embedding model knows two meanings: animals, and all else."""

    error: Exception | None = None

    async def embed(self, identifier: str, texts: Sequence[str]) -> list[list[float]]:
        await super().embed(identifier, texts)
        if self.error:
            raise self.error
        return [[1.0, 0.0] if "kitten" in one or "animal" in one else [0.0, 1.0] for one in texts]


def conversation() -> list[BaseMessage]:
    said: list[BaseMessage] = [HumanMessage(FACT), AIMessage("Poor couch!")]
    for day in range(150):
        said += [HumanMessage(f"Day {day}. The train was late."), AIMessage("Thanks.")]
    return [*said, HumanMessage(QUESTION)]


async def asked(host: Meaning, *, embedding: bool = True, **settings: Any) -> tuple[bool, set[str]]:
    """Tell whether the fact is in the prompt of the second try, and why what was recalled was."""
    tiny = await host.load(LoadSpec(key="tiny", context_tokens=1024))
    if embedding:
        await host.load(LoadSpec(key="encoder", kind="embedding"))
    board = Switchboard(host, host, Settings(**{"embedder": "auto", **settings}))
    await fit_exactly(board, tiny, conversation(), {"max_tokens": 100})
    if board.embedders._work:  # on a busy computer it may take longer than an answer waits
        await asyncio.wait({board.embedders._work})
    fitted = await fit_exactly(board, tiny, conversation(), {"max_tokens": 100})
    await board.aclose()
    why = {reason for one in fitted.report.recalled for reason in one.why}
    return FACT in fitted.messages[-1].text, why


def host() -> Meaning:
    return Meaning(["tiny", card("encoder", kind="embedding")])


async def test_what_was_said_in_other_words_is_put_back() -> None:
    found, why = await asked(host())
    assert found
    assert "vector" in why


@pytest.mark.parametrize(
    ("embedding", "settings"),
    [
        (True, {"embedder": "off"}),
        (True, {"embedder": "another"}),
        (False, {"embedder": "encoder"}),
    ],
)
async def test_nobody_embeds_who_is_not_wanted_or_not_there(
    embedding: bool,  # noqa: FBT001 - as pytest gives it
    settings: dict[str, str],
) -> None:
    one = host()
    found, why = await asked(one, embedding=embedding, **settings)
    assert (found, "vector" in why) == (False, False)
    assert one.called("embed") == []
    assert [call.model for call in one.called("load")] == ["tiny", "encoder"][: 1 + embedding]


async def test_a_model_that_fails_costs_no_answer() -> None:
    one = host()
    one.error = HostFailed("scripted:1", doing="embed", reason="boom")
    found, why = await asked(one)
    assert (found, "vector" in why) == (False, False)
    assert len(one.called("embed")) == 1
