"""What means the same is found, though it is said in other words."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from langchain_lmswitch.context.asking import Ask, CountPrompt, CountTexts, Embed
from langchain_lmswitch.context.cache import ContextCache
from langchain_lmswitch.context.fitting import FitOptions, fit
from langchain_lmswitch.context.recall import Query, Segment, search, segment
from langchain_lmswitch.context.similarity import BEFORE, closeness, packed, similarities
from langchain_lmswitch.context.units import parted
from langchain_lmswitch.context.vectors import alikeness, keep, kept
from langchain_lmswitch.testing.tokens import embed

Answer = Callable[[Sequence[str]], Any]


def index(*texts: str, name: bytes = b"chunk") -> Segment:
    said: list[BaseMessage] = [
        HumanMessage(text) if at % 2 == 0 else AIMessage(text) for at, text in enumerate(texts)
    ]
    return segment(name, parted(said).units)


def run(flow: Any, answer: Answer) -> tuple[Any, list[tuple[str, ...]]]:
    """Drive a flow; give what it comes to, and the texts that it asked for."""
    asked: list[tuple[str, ...]] = []
    try:
        want = next(flow)
        while True:
            assert isinstance(want, Embed)
            asked.append(want.texts)
            want = flow.send(answer(want.texts))
    except StopIteration as done:
        return done.value, asked


def words(texts: Sequence[str]) -> list[list[float]]:
    return [embed(text) for text in texts]


FIRST = index("the cat sleeps", "stocks fell today", name=b"first")
SECOND = index("rain is coming", "a cat again", name=b"second")
QUESTION = "where is the cat"


def test_what_is_close_comes_first_in_the_order_of_passages() -> None:
    alike, asked = run(alikeness(QUESTION, [FIRST, SECOND], "e", ContextCache()), words)
    assert asked == [
        (QUESTION, "the cat sleeps", "stocks fell today", "rain is coming", "a cat again")
    ]
    assert alike[0] == max(alike) == 1.0
    assert alike[1] < alike[3]


def test_only_what_is_new_is_asked_for() -> None:
    cache = ContextCache()
    first, _ = run(alikeness(QUESTION, [FIRST], "e", cache), words)
    again, asked = run(alikeness(QUESTION, [FIRST], "e", cache), words)
    assert (again, asked) == (first, [])
    _, asked = run(alikeness("stocks", [FIRST, SECOND], "e", cache), words)
    assert asked == [("stocks", "rain is coming", "a cat again")]
    _, asked = run(alikeness(QUESTION, [FIRST], "another", cache), words)
    assert len(asked[0]) == 3


def test_nothing_is_compared_until_everything_can_be() -> None:
    cache = ContextCache()
    alike, _ = run(alikeness(QUESTION, [FIRST], "e", cache), nobody)
    assert alike is None
    keep(["the cat sleeps", QUESTION], words(["the cat sleeps", QUESTION]), "e", cache)
    alike, asked = run(alikeness(QUESTION, [FIRST], "e", cache), words)
    assert asked == [("stocks fell today",)]
    assert alike is not None
    assert len(cache.rows) == 1


def test_a_tool_loop_that_began_without_vectors_goes_on_without() -> None:
    cache = ContextCache()
    run(alikeness(QUESTION, [FIRST], "e", cache), nobody)
    assert run(alikeness(QUESTION, [FIRST], "e", cache, again=True), words) == (None, [])
    for again in (False, True):  # as whoever begins anew, and then goes on
        alike, _ = run(alikeness(QUESTION, [FIRST], "e", cache, again=again), words)
        assert alike is not None
    alike, _ = run(alikeness(QUESTION, [FIRST, SECOND], "e", cache, again=True), words)
    assert alike is not None  # something was evicted: the prompt begins anew


@pytest.mark.parametrize("embedder", ["", "e"])
def test_nobody_is_asked_for_nothing(embedder: str) -> None:
    segments = [FIRST] if not embedder else [index("")]
    assert run(alikeness(QUESTION, segments, embedder, ContextCache()), words) == (None, [])


def test_vectors_of_other_dimensions_are_not_compared() -> None:
    """As when a model was replaced by another one under its name."""
    cache = ContextCache()
    run(alikeness(QUESTION, [FIRST], "e", cache), words)
    keep(["other"], [[1.0, 0.0]], "e", cache)
    alike, _ = run(alikeness("other", [FIRST], "e", cache), words)
    assert alike is None


def test_what_is_kept_of_a_vector_is_compact_and_true() -> None:
    rows = np.random.default_rng(1).normal(size=(600, 384))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    small = packed(rows.tolist())
    assert {len(one) for one in small} == {384}
    joined = [b"".join(small[:250]), b"".join(small[250:])]
    both = rows.copy()
    both[1:] += BEFORE * rows[:-1]
    both /= np.linalg.norm(both, axis=1, keepdims=True)
    exact = both @ rows[7]
    assert similarities(small[7], joined).tolist() == pytest.approx(exact.tolist(), abs=0.005)
    assert packed(np.frombuffer(small[0], np.int8).reshape(1, -1).tolist()) == small[:1]


def test_closeness_is_the_same_if_all_cosines_are_high() -> None:
    spread = np.random.default_rng(2).normal(size=(50, 64))
    asked, shift = spread[0], np.full(64, 40.0)
    few = closeness(packed([asked.tolist()])[0], packed(spread.tolist()))
    many = closeness(packed([(asked + shift).tolist()])[0], packed((spread + shift).tolist()))
    assert few[0] == many[0] == 1.0
    assert min(many) < 0.1
    assert sorted(few)[25] == pytest.approx(sorted(many)[25], abs=0.1)


def test_without_passages_or_numbers_nothing_is_close() -> None:
    assert packed([]) == []
    assert closeness(b"\x01\x02", []) == []
    assert closeness(b"\x00\x00", [b"\x00\x00\x01\x01"]) == [0.0, 0.0]


def test_a_vector_that_was_kept_is_found_by_who_and_what() -> None:
    cache = ContextCache()
    keep(["a"], [[0.6, -0.8]], "e", cache)
    assert kept(["a", "b"], "e", cache) == {"a": bytes([95, 256 - 127])}
    assert kept(["a"], "another", cache) == {}


def test_in_a_tool_loop_the_recalled_block_stays_though_vectors_come_late() -> None:
    said: list[BaseMessage] = [HumanMessage("my kitten is called Miso"), AIMessage("noted")]
    for day in range(90):
        said += [HumanMessage(f"day {day}: it rained, and the bread was gone"), AIMessage("I see")]
    said.append(
        HumanMessage("Which small furry animal shares this apartment together with our family?")
    )
    step = AIMessage("", tool_calls=[{"name": "look", "args": {}, "id": "1"}])
    longer = [*said, step, ToolMessage("nothing", tool_call_id="1")]
    cache = ContextCache()
    begun = fitted(said, cache, nobody)
    assert "Miso" not in begun[-1].text
    assert fitted(longer, cache, by_meaning) == fitted(longer, ContextCache(), nobody)
    assert "Miso" in fitted(said, cache, by_meaning)[-1].text  # who asks anew
    assert fitted(longer, cache, nobody) == fitted(longer, ContextCache(), by_meaning)


def test_a_question_without_words_of_its_own_means_the_one_before() -> None:
    said: list[BaseMessage] = [HumanMessage("my kitten is called Miso"), AIMessage("noted")]
    for day in range(90):
        said += [HumanMessage(f"day {day}: it rained, and the bread was gone"), AIMessage("I see")]
    said += [HumanMessage("tell of the animal"), AIMessage("it is small"), HumanMessage("and?")]
    texts: list[str] = []

    def answer(some: Sequence[str]) -> list[list[float]]:
        texts.extend(some)
        return by_meaning(some)

    fitted(said, ContextCache(), answer)
    assert texts[0] == "tell of the animal\nand?"


def nobody(_texts: Sequence[str]) -> None:
    """Embed nothing."""


def by_meaning(texts: Sequence[str]) -> list[list[float]]:
    return [[1.0, 0.0] if "kitten" in text or "animal" in text else [0.0, 1.0] for text in texts]


def fitted(messages: list[BaseMessage], cache: ContextCache, answer: Answer) -> list[BaseMessage]:
    options = FitOptions(budget_tokens=600, tokenizer="words", embedder="e")

    def told(asked: Ask) -> Any:
        match asked:
            case CountTexts(texts=texts):
                return [len(text.split()) for text in texts]
            case CountPrompt(messages=messages):
                return sum(len(one.text.split()) + 4 for one in messages)
            case Embed(texts=texts):
                return answer(texts)

    flow = fit(messages, options, cache)
    try:
        asked = next(flow)
        while True:
            asked = flow.send(told(asked))
    except StopIteration as done:
        return [*done.value.messages]


def test_search_finds_what_shares_no_word_with_the_question() -> None:
    one = index("my kitten is called Miso", "noted", "the weather is fine", "indeed")
    query = Query(text="what pet does she own")
    assert search(query, [(0, one)]) == []
    hits = search(query, [(0, one)], alike=[1.0, 0.1, 0.2, 0.0])
    assert hits[0].text == "my kitten is called Miso"
