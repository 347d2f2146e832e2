"""Fitting for any chat model, with nothing but messages, a counter and a number."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.exceptions import ContextOverflowError
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    MessageLikeRepresentation,
    SystemMessage,
    ToolMessage,
    messages_to_dict,
)
from langchain_core.messages.utils import count_tokens_approximately, get_buffer_string
from langchain_core.utils.function_calling import convert_to_openai_tool

from langchain_lmswitch import Fitted, fit_messages
from langchain_lmswitch.context.cache import ContextCache
from langchain_lmswitch.errors import ContextTooLong, InvalidRequest

CODE = "7421"
BUDGET = 600


def words(text: str) -> int:
    return len(text.split())


def letters(messages: list[BaseMessage]) -> int:
    return sum(len(one.text) for one in messages) // 4


def chat(turns: int = 80) -> list[BaseMessage]:
    """A long chat that tells a code in its first turn and asks for it in the last."""
    said: list[BaseMessage] = [
        SystemMessage("You are terse.", id="system"),
        HumanMessage(f"The code of the vault is {CODE}.", id="told"),
        AIMessage("I will remember.", id="answer"),
    ]
    for turn in range(turns):
        said += [
            HumanMessage(
                f"Tell me about town number {turn}, please, and its river.", id=f"q{turn}"
            ),
            AIMessage(f"Town {turn} lies at a river with {turn} bridges. " * 4, id=f"a{turn}"),
        ]
    return [*said, HumanMessage("What is the code of the vault?", id="asked")]


def prompt_of(fitted: Fitted) -> str:
    return "\n".join(one.text for one in fitted.messages)


class Counting:
    """Counts texts, and what it was given to count."""

    def __init__(self) -> None:
        self.words = 0

    def __call__(self, text: str) -> int:
        self.words += words(text)
        return words(text)


@pytest.mark.parametrize(
    "count_tokens",
    [words, letters, count_tokens_approximately, "approximate", lambda text: len(text.split())],
)
def test_a_counter_and_a_number_are_enough(count_tokens: Any) -> None:
    fitted = fit_messages(chat(), count_tokens=count_tokens, budget=BUDGET)

    assert fitted.report.tokens_after is not None
    assert fitted.report.tokens_after <= BUDGET
    assert fitted.report.evicted_messages > 100
    assert CODE in fitted.messages[-1].text
    assert [one.id for one in fitted.messages][0 :: len(fitted.messages) - 1] == ["system", "asked"]


@pytest.mark.parametrize(
    "given_as",
    [
        [("system", "Be kind."), ("user", "Hello")],
        [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hello"}],
        [SystemMessage("Be kind."), "Hello"],
    ],
)
def test_messages_in_any_form(given_as: list[MessageLikeRepresentation]) -> None:
    fitted = fit_messages(given_as, count_tokens=words, budget=100)

    assert get_buffer_string(fitted.messages) == "System: Be kind.\nHuman: Hello"
    assert not fitted.report.changed


@pytest.mark.parametrize("given_as", ["Hello", HumanMessage("Hello")])
def test_one_message(given_as: Any) -> None:
    fitted = fit_messages(given_as, count_tokens=words, budget=100)

    assert list(map(type, fitted.messages)) == [HumanMessage]
    assert prompt_of(fitted) == "Hello"


def test_no_message() -> None:
    assert fit_messages([], count_tokens=words, budget=100).messages == ()


def test_what_the_caller_has_is_not_changed() -> None:
    messages = chat()
    before = messages_to_dict(messages)
    fitted = fit_messages(messages, count_tokens=words, budget=BUDGET)

    assert messages_to_dict(messages) == before
    assert fitted.messages[-1] is not messages[-1]
    assert fitted.messages[-2] is messages[-2]


def test_ids_are_those_of_this_call() -> None:
    """Though another conversation said the same before."""
    cache = ContextCache()
    others = [one.model_copy(update={"id": f"{one.id}'"}) for one in chat()]
    for messages in (chat(), others):
        fitted = fit_messages(messages, count_tokens=words, budget=BUDGET, cache=cache)

        assert {one.id for one in fitted.messages} < {one.id for one in messages}


def test_what_another_changes_in_its_messages_does_not_come_here() -> None:
    cache, others, mine = ContextCache(), chat(), chat()
    fit_messages(others, count_tokens=words, budget=BUDGET, cache=cache)
    others[-2].content = "Something else."
    fitted = fit_messages(mine, count_tokens=words, budget=BUDGET, cache=cache)

    assert all(one in mine for one in fitted.messages[:-1])
    assert fitted.messages[-2] is mine[-2]


def test_threads_share_a_cache() -> None:
    """The same conversation, and others, at the same time."""
    cache = ContextCache()

    def turn(number: int) -> list[str]:
        budget, messages = BUDGET + number % 3, chat(40 + number % 4)
        fitted = fit_messages(messages, count_tokens=words, budget=budget, cache=cache)
        return [one.text for one in fitted.messages]

    alone = [turn(number) for number in range(12)]
    cache = ContextCache()
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(turn, [*range(12)] * 4)) == alone * 4


def test_a_later_turn_counts_what_is_new() -> None:
    counter, cache, messages = Counting(), ContextCache(), chat()
    fit_messages(messages, count_tokens=counter, budget=BUDGET, cache=cache)
    counter.words = 0
    more = [*messages, AIMessage(f"It is {CODE}."), HumanMessage("Thank you! And the other one?")]
    fit_messages(more, count_tokens=counter, budget=BUDGET, cache=cache)
    again = counter.words
    fit_messages(more, count_tokens=counter, budget=BUDGET, cache=cache)

    assert again < BUDGET
    assert counter.words == again


def test_a_counter_made_anew_on_each_call_is_the_same_counter() -> None:
    counted: list[str] = []

    def turn(times: int) -> int:
        def count(text: str) -> int:
            counted.append(text)
            return times * words(text)

        before = len(counted)
        fit_messages(chat(), count_tokens=count, budget=times * BUDGET, cache=cache)
        return len(counted) - before

    cache = ContextCache()
    assert turn(1) > 100
    assert turn(1) == 0
    assert turn(2) > 100, "it counts differently"


def test_one_message_too_large_is_cut_or_an_error() -> None:
    messages = [HumanMessage("Read this. " + "a very long text " * 500 + "What was it?")]
    fitted = fit_messages(messages, count_tokens=words, budget=200)

    assert words(prompt_of(fitted)) <= 200
    assert prompt_of(fitted).startswith("Read this.")
    assert prompt_of(fitted).endswith("What was it?")
    with pytest.raises(ContextTooLong):
        fit_messages(messages, count_tokens=words, budget=200, on_overflow="raise")


def test_what_cannot_fit_says_so_with_numbers() -> None:
    messages = [SystemMessage("Always do this and that. " * 100), HumanMessage("Hello")]
    with pytest.raises(ContextOverflowError) as told:
        fit_messages(messages, count_tokens=words, budget=200)

    assert isinstance(told.value, ContextTooLong)
    assert (told.value.limit_tokens, told.value.tokens > 500) == (200, True)


def test_another_question_recalls_something_else() -> None:
    asked: Any = {"count_tokens": words, "budget": BUDGET}
    last = fit_messages(chat(), **asked).messages[-1].text
    other = fit_messages(chat(), **asked, question="Bridges of town 3?").messages[-1].text

    assert "Town 3 lies" in other
    assert "Town 3 lies" not in last


def test_tools_count() -> None:
    def look_up(topic: str) -> str:
        """Look something up, in a book that has very many pages, none of which is empty."""
        return topic

    plain = fit_messages(chat(2), count_tokens=words, budget=BUDGET)
    offered = fit_messages(chat(2), count_tokens=words, budget=BUDGET, tools=[look_up])

    assert (offered.report.tokens_after or 0) > 15 + (plain.report.tokens_after or 0)
    estimated = fit_messages(chat(2), count_tokens="approximate", budget=BUDGET, tools=[look_up])
    schema = convert_to_openai_tool(look_up)
    assert estimated.report.tokens_after == count_tokens_approximately(chat(2), tools=[schema])


def test_an_embedder_is_asked_once_for_each_text() -> None:
    asked: list[str] = []

    def embed(texts: list[str]) -> list[list[float]]:
        asked.extend(texts)
        return DeterministicFakeEmbedding(size=8).embed_documents(texts)

    cache = ContextCache()
    for _ in range(2):
        fit_messages(chat(), count_tokens=words, budget=BUDGET, embed=embed, cache=cache)

    assert len(asked) == len(set(asked)) > 100


@pytest.mark.parametrize("budget", [0, -5, 1.5, None])
def test_a_budget_is_a_number_of_tokens(budget: Any) -> None:
    with pytest.raises(InvalidRequest, match="budget"):
        fit_messages(chat(), count_tokens=words, budget=budget)


def steps(turn: int, sizes: Sequence[int]) -> list[BaseMessage]:
    """A turn in which a model calls tools, one for each size of a result."""
    ids = [f"call {turn} {at}" for at in range(len(sizes))]
    calls: Any = [{"name": "read", "args": {"page": turn}, "id": one} for one in ids]
    results = [
        ToolMessage(f"page {turn} " * size, tool_call_id=one)
        for one, size in zip(ids, sizes, strict=True)
    ]
    return [HumanMessage(f"Read {turn}."), AIMessage("", tool_calls=calls), *results]


turns = st.lists(st.lists(st.sampled_from([0, 1, 20, 400]), max_size=3), min_size=1, max_size=30)


@settings(max_examples=50, deadline=None)
@given(
    sizes=turns,
    budget=st.sampled_from([120, 300, 900]),
    count=st.sampled_from([words, len, count_tokens_approximately]),
)
def test_what_is_counted_never_exceeds_the_budget(
    sizes: list[list[int]], budget: int, count: Callable[[Any], int]
) -> None:
    """By the same counter; if it counts texts, that of the whole prompt as LangChain joins it."""
    limit = budget * (6 if count is len else 1)
    messages = [one for turn, some in enumerate(sizes) for one in steps(turn, some)]
    messages.append(HumanMessage("What did you read?"))
    fitted = fit_messages(messages, count_tokens=count, budget=limit, cache=ContextCache())

    whole = count is count_tokens_approximately
    assert count(fitted.messages if whole else get_buffer_string(fitted.messages)) <= limit
    assert fitted.messages[-1].text.endswith("What did you read?")
    open_calls: set[str | None] = set()
    for one in fitted.messages:
        if isinstance(one, ToolMessage):
            assert one.tool_call_id in open_calls
            open_calls.remove(one.tool_call_id)
        else:
            assert not open_calls
        if isinstance(one, AIMessage):
            open_calls = {call["id"] for call in one.tool_calls}
