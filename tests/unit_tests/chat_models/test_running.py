"""What every LangChain runnable and chat model can, on a scripted host."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import pytest
from langchain_core._api import LangChainBetaWarning
from langchain_core.caches import InMemoryCache
from langchain_core.rate_limiters import InMemoryRateLimiter

from langchain_lmswitch import ChatLMSwitch
from langchain_lmswitch.errors import ContextTooLong
from langchain_lmswitch.testing import Reply, ScriptedHost, in_turn
from langchain_lmswitch.types.requests import JsonObject

WORDS: Final = "One two three."

beta = pytest.mark.filterwarnings(f"ignore::{LangChainBetaWarning.__module__}.LangChainBetaWarning")
"""LangChain warns that the third version of its events may still change."""


def llm(replies: Reply = WORDS, **fields: Any) -> ChatLMSwitch:
    host = ScriptedHost(["tiny"], replies=replies)
    return ChatLMSwitch(host=host, monitor=host, **fields)


def asked(model: ChatLMSwitch) -> int:
    """How many answers the host was asked for."""
    return len(model.host.called("predict"))


def echo(messages: Sequence[JsonObject]) -> str:
    text = str(messages[-1]["content"][0]["text"])
    if text == "too long":
        raise ContextTooLong(tokens=9, limit_tokens=4)
    return text


# --- batches ----------------------------------------------------------------------------------

QUESTIONS: Final[list[Any]] = ["a", "b", "too long", "c"]


async def test_batch_keeps_the_order_and_the_errors() -> None:
    model = llm(echo)
    answers: list[Any] = model.batch(QUESTIONS, return_exceptions=True)
    aanswers: list[Any] = await model.abatch(QUESTIONS, return_exceptions=True)

    for found in (answers, aanswers):
        assert isinstance(found.pop(2), ContextTooLong)
        assert [answer.text for answer in found] == ["a", "b", "c"]
    assert len(model.host.called("load")) == 1


async def test_batch_fails_with_an_error_of_ours() -> None:
    model = llm(echo)
    with pytest.raises(ContextTooLong):
        model.batch(QUESTIONS)
    with pytest.raises(ContextTooLong):
        await model.abatch(QUESTIONS)


async def test_batch_as_completed() -> None:
    model = llm(echo)
    found: Any = model.batch_as_completed(["a", "b", "c"])
    afound: Any = model.abatch_as_completed(["a", "b", "c"])

    assert {(n, answer.text) for n, answer in found} == {(0, "a"), (1, "b"), (2, "c")}
    assert {(n, answer.text) async for n, answer in afound} == {(0, "a"), (1, "b"), (2, "c")}


def test_batch_answers_at_most_so_many_at_once() -> None:
    at_once, most = 0, 0

    async def sleep(_: float) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0)
        at_once -= 1

    host = ScriptedHost(["tiny"], replies=WORDS, sleep=sleep)
    model = ChatLMSwitch(host=host, monitor=host)
    answers = model.batch(list("abcdef"), {"max_concurrency": 2})

    assert [answer.text for answer in answers] == [WORDS] * 6
    assert most <= 2


# --- LangChain's switches ---------------------------------------------------------------------


class Counting(InMemoryRateLimiter):
    """A rate limiter that counts, with room for all."""

    def __init__(self) -> None:
        super().__init__(requests_per_second=1e6, check_every_n_seconds=1e-6, max_bucket_size=1e6)
        self.asked = 0

    def acquire(self, *, blocking: bool = True) -> bool:
        self.asked += 1
        return super().acquire(blocking=blocking)

    async def aacquire(self, *, blocking: bool = True) -> bool:
        self.asked += 1
        return await super().aacquire(blocking=blocking)


async def test_rate_limiter_is_asked_once_for_each_answer() -> None:
    limiter = Counting()
    model = llm(rate_limiter=limiter)
    model.invoke("Hi")
    list(model.stream("Hi"))
    await model.ainvoke("Hi")
    _ = [chunk async for chunk in model.astream("Hi")]

    assert limiter.asked == asked(model) == 4


@pytest.mark.parametrize("switch", [{"disable_streaming": True}, {"streaming": False}])
async def test_streaming_that_is_switched_off(switch: dict[str, Any]) -> None:
    """The answer comes in one piece."""
    model = llm(**switch)

    assert [chunk.text for chunk in model.stream("Hi")] == [WORDS]
    assert [chunk.text async for chunk in model.astream("Hi")] == [WORDS]


def test_streaming_that_is_switched_off_where_there_are_tools() -> None:
    def look() -> None:
        """Look."""

    model = llm(disable_streaming="tool_calling")

    assert len([chunk for chunk in model.stream("Hi") if chunk.text]) == 4
    assert [chunk.text for chunk in model.bind_tools([look]).stream("Hi")] == [WORDS]


async def test_cache() -> None:
    """It answers what was asked before; a stream is never from it, as LangChain has it."""
    model = llm(in_turn("First.", "Second.", "Third."), cache=InMemoryCache())
    first, again = model.invoke("Hi"), await model.ainvoke("Hi")

    assert first.text == again.text == "First."
    assert not first.response_metadata["lmswitch"]["cached"]
    assert again.response_metadata["lmswitch"]["cached"]
    assert "".join(chunk.text for chunk in model.stream("Hi")) == "Second."
    assert model.invoke("Hi", temperature=0.5).text == "Third."
    assert asked(model) == 3


def test_cache_keeps_no_error() -> None:
    model = llm(echo, cache=InMemoryCache())
    for _ in range(2):
        with pytest.raises(ContextTooLong):
            model.invoke("too long")

    assert asked(model) == 2


# --- events -----------------------------------------------------------------------------------


async def test_events_of_the_second_version() -> None:
    events = [event async for event in llm().astream_events("Hi", version="v2")]

    assert [event["event"] for event in events] == [
        "on_chat_model_start",
        *["on_chat_model_stream"] * 5,  # four tokens, and what is known at the end
        "on_chat_model_end",
    ]
    pieces: list[Any] = [event["data"]["chunk"] for event in events[1:-1]]
    assert "".join(piece.text for piece in pieces) == WORDS


@beta
async def test_events_of_the_third_version() -> None:
    model = llm()
    found: list[Any] = list(model.stream_events("Hi", version="v3"))
    asyncly: Any = await model.astream_events("Hi", version="v3")
    afound: list[Any] = [event async for event in asyncly]

    for events in (found, afound):
        assert (events[0]["event"], events[-1]["event"]) == ("message-start", "message-finish")
        deltas = [one["delta"]["text"] for one in events if one["event"] == "content-block-delta"]
        assert "".join(deltas) == WORDS
        assert events[-1]["usage"]["output_tokens"] == 4
        assert events[-1]["metadata"]["model_name"] == "tiny"


@beta
async def test_error_in_events_of_the_third_version() -> None:
    model = llm(echo)
    with pytest.raises(ContextTooLong):
        list(model.stream_events("too long", version="v3"))
    asyncly: Any = await model.astream_events("too long", version="v3")
    with pytest.raises(ContextTooLong):
        _ = [event async for event in asyncly]
