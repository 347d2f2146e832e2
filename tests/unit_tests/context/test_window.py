"""The recent window: what is kept, against brute force, and at what price in counts."""

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolCall,
    ToolMessage,
)

from langchain_lmswitch.context.window import Fitted, budget, fit, turns
from langchain_lmswitch.errors import ContextTooLong


def tokens_of(messages: Sequence[BaseMessage]) -> int:
    """Count one token for a character, and four for the frame of each message."""
    return sum(len(str(message.content)) + 4 for message in messages)


def run(messages: Sequence[BaseMessage], budget_tokens: int) -> tuple[Fitted, int]:
    """Drive the flow; give the result and the number of counts."""
    flow, counts = fit(messages, budget_tokens=budget_tokens), 0
    asked = next(flow)
    while True:
        counts += 1
        try:
            asked = flow.send(tokens_of(asked))
        except StopIteration as done:
            fitted: Fitted = done.value
            return fitted, counts


def user(text: str) -> HumanMessage:
    return HumanMessage(content=text)


def call(*ids: str) -> AIMessage:
    calls = [ToolCall(name="look_up", args={}, id=one) for one in ids]
    return AIMessage(content="", tool_calls=calls)


def result(call_id: str, text: str = "cold") -> ToolMessage:
    return ToolMessage(content=text, tool_call_id=call_id)


@st.composite
def turn(draw: st.DrawFn, number: int) -> list[BaseMessage]:
    """Make a user's question, rounds of tool calls, and mostly an answer."""
    texts = st.text("ab ", max_size=30)
    said: list[BaseMessage] = [user(draw(texts)) for _ in range(draw(st.integers(1, 2)))]
    for round_ in range(draw(st.integers(0, 2))):
        ids = [f"{number}-{round_}-{one}" for one in range(draw(st.integers(1, 3)))]
        said += [call(*ids), *(result(one, draw(texts)) for one in ids)]
    if draw(st.booleans()):
        said.append(AIMessage(content=draw(texts)))
    return said


@st.composite
def conversations(draw: st.DrawFn) -> list[BaseMessage]:
    said: list[BaseMessage] = []
    if draw(st.booleans()):
        said.append(AIMessage(content="Welcome!"))
    for number in range(draw(st.integers(1, 12))):
        said += draw(turn(number))
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(said)))
        said.insert(place, SystemMessage(content=draw(st.text("s", max_size=20))))
    return said


def fitted_or_none(messages: Sequence[BaseMessage], budget_tokens: int) -> Fitted | None:
    try:
        return run(messages, budget_tokens)[0]
    except ContextTooLong:
        return None


@given(conversations(), st.integers(0, 600))
def test_as_brute_force_would(messages: list[BaseMessage], budget_tokens: int) -> None:
    """The whole if it fits, else the system prompt and the most recent turns that fit."""
    system = [one for one in messages if isinstance(one, SystemMessage)]
    rest = turns(messages)
    tails = [
        [*system, *(message for turn in rest[start:] for message in turn)]
        for start in range(len(rest))
    ]
    fitting = [tail for tail in [messages, *tails] if tokens_of(tail) <= budget_tokens]

    found = fitted_or_none(messages, budget_tokens)

    assert (list(found.messages) if found else None) == (fitting[0] if fitting else None)


@given(conversations(), st.integers(0, 600))
def test_nothing_is_torn_apart(messages: list[BaseMessage], budget_tokens: int) -> None:
    found = fitted_or_none(messages, budget_tokens)
    if found is None:
        return
    kept = found.messages
    asked = {
        one["id"]
        for message in kept
        if isinstance(message, AIMessage)
        for one in message.tool_calls
    }
    answered = {message.tool_call_id for message in kept if isinstance(message, ToolMessage)}
    users = [one for one in messages if isinstance(one, HumanMessage)]

    assert answered == asked
    assert users[-1] in kept
    assert all(one in kept for one in messages if isinstance(one, SystemMessage))
    assert found.tokens == tokens_of(kept) <= budget_tokens
    assert found.dropped == len(messages) - len(kept)


@given(conversations(), st.integers(0, 600))
def test_counts_are_few(messages: list[BaseMessage], budget_tokens: int) -> None:
    """Counting costs a trip to the host: two, and one for each halving."""
    try:
        _, counts = run(messages, budget_tokens)
    except ContextTooLong:
        return
    assert counts <= 2 + math.ceil(math.log2(len(turns(messages))))


def test_a_thousand_turns() -> None:
    messages = [one for n in range(1000) for one in (user(f"{n:04}"), AIMessage(content="ok"))]
    fitted, counts = run(messages, 1400)

    assert [one.content for one in fitted.messages[::2]] == [f"{n:04}" for n in range(900, 1000)]
    assert counts <= 12


@pytest.mark.parametrize(
    "messages",
    [
        [user("x" * 100)],
        [SystemMessage(content="s" * 100), user("x")],
        [user("old"), AIMessage(content="ok"), user("x" * 100)],
        [user("x"), call("1"), result("1", "r" * 100)],
        [SystemMessage(content="s" * 100)],
    ],
)
def test_too_long(messages: list[BaseMessage]) -> None:
    """Neither the system prompt nor the last turn is ever cut."""
    with pytest.raises(ContextTooLong) as caught:
        run(messages, 50)

    assert caught.value.limit_tokens == 50
    assert caught.value.tokens > 50


def test_what_fits_stays_as_it_is() -> None:
    """Even a system message in the middle keeps its place."""
    messages = [user("a"), SystemMessage(content="s"), user("b")]
    fitted, counts = run(messages, 100)

    assert (list(fitted.messages), fitted.dropped, counts) == (messages, 0, 1)


def test_turns() -> None:
    """A tool loop is one turn with its question; a greeting before any question is its own."""
    messages: list[BaseMessage] = [
        AIMessage(content="Welcome!"),
        user("a"),
        SystemMessage(content="s"),
        user("b"),
        call("1"),
        result("1"),
        AIMessage(content="cold"),
        user("c"),
    ]

    assert turns(messages) == [
        (messages[0],),
        (messages[1], messages[3], *messages[4:7]),
        (messages[7],),
    ]


@pytest.mark.parametrize(
    ("context_tokens", "max_tokens", "left"),
    [
        (8192, None, 7168),
        (2000, None, 1500),
        (4096, 100, 3996),
        (4096, 9999, 2048),
        (4096, 0, 4096),
    ],
)
def test_budget(context_tokens: int, max_tokens: int | None, left: int) -> None:
    """The answer gets what was asked, at most half; unasked a quarter, at most 1,024 tokens."""
    assert budget(context_tokens, max_tokens=max_tokens) == left
