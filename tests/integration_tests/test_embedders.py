"""The real encoder, in this process: it finds what was said in other words, and other languages."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from math import fsum, hypot
from operator import mul
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from langchain_lmswitch.context.asking import Ask, CountPrompt, CountTexts, Embed
from langchain_lmswitch.context.cache import ContextCache
from langchain_lmswitch.context.fitting import FitOptions, Fitted, fit
from langchain_lmswitch.embedded.encoder import SentenceEncoder, sentence_encoder
from langchain_lmswitch.embedded.shelf.encoder import MODULE
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.switch.board import Switchboard
from langchain_lmswitch.testing import ScriptedHost

pytestmark = [
    pytest.mark.weights,
    pytest.mark.skipif(find_spec(MODULE) is None, reason="the encoder's package is not installed"),
]
BUDGET_TOKENS = 400
FACT = "My kitten Miso scratched the couch again."
QUESTION = "Which animal lives with me?"


@pytest.fixture
def encoder() -> SentenceEncoder:
    found = sentence_encoder()
    assert found is not None
    return found


def conversation() -> list[BaseMessage]:
    told = [
        "The train to Leeds was late this morning, so the meeting began without us.",
        "We painted the kitchen wall yellow, and the ladder broke in the middle of it.",
        "The new keyboard arrived on Monday, but two of its keys do not work.",
        "The bakery at the corner has closed; bread comes from the market now.",
    ]
    said: list[BaseMessage] = [HumanMessage(FACT), AIMessage("Poor couch!")]
    for day in range(40):
        said += [HumanMessage(f"Day {day}. {told[day % 4]}"), AIMessage("Thanks for the news.")]
    return [*said, HumanMessage(QUESTION)]


async def fitted(board: Switchboard, cache: ContextCache, embedder: str) -> Fitted:
    options = FitOptions(
        budget_tokens=BUDGET_TOKENS, tokenizer="words", embedder=embedder, priors=False
    )
    flow = fit(conversation(), options, cache)
    try:
        asked = next(flow)
        while True:
            asked = flow.send(await _told(asked, board, cache, embedder))
    except StopIteration as done:
        found: Fitted = done.value
        return found


async def _told(asked: Ask, board: Switchboard, cache: ContextCache, embedder: str) -> Any:
    match asked:
        case CountTexts(texts=texts):
            return [len(text.split()) for text in texts]
        case CountPrompt(messages=messages):
            return sum(len(message.text.split()) + 4 for message in messages)
        case Embed(texts=texts):
            return await board.embedders.embed(embedder, texts, cache)


async def test_what_was_said_in_other_words_is_found_from_the_next_turn_on() -> None:
    sentence_encoder.cache_clear()  # as in a new process
    host = ScriptedHost()
    board = Switchboard(host, host, Settings())
    name = await board.embedders.name()
    assert name == SentenceEncoder.key
    without = await fitted(board, ContextCache(), "")
    assert FACT not in without.messages[-1].text

    cache = ContextCache()
    first = await fitted(board, cache, name)
    assert first == without  # not everything was embedded in time
    while board.embedders.busy:  # noqa: ASYNC110 - it works in a thread
        await asyncio.sleep(0.05)
    second = await fitted(board, cache, name)
    assert FACT in second.messages[-1].text
    assert any("vector" in one.why for one in second.report.recalled)
    await board.aclose()


def cosine(one: list[float], other: list[float]) -> float:
    return fsum(map(mul, one, other))


def test_languages_meet(encoder: SentenceEncoder) -> None:
    texts = ["Where is the cat?", "Wo ist die Katze?", "猫はどこですか", "Stocks fell."]
    first, *others, other = encoder.vectors(texts)
    assert hypot(*first) == pytest.approx(1.0, abs=1e-5)
    assert min(cosine(first, one) for one in others) > 0.6
    assert cosine(first, other) < 0.3


def test_it_is_loaded_once_and_shared_by_threads(encoder: SentenceEncoder) -> None:
    texts = [f"number {number}" for number in range(8)]
    [alone] = encoder.vectors(texts[:1])
    model = encoder._model
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda text: encoder.vectors([text])[0], texts))
    assert encoder._model is model
    assert found[0] == pytest.approx(alone, abs=1e-6)
    assert found == [pytest.approx(one, abs=1e-5) for one in encoder.vectors(texts)]
