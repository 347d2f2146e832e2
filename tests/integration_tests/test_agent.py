"""An agent does a small task from end to end on real weights: the right tools, the right words.

The model has half a billion parameters, so the tools lead it by the hand; what is tested is that
each call goes out whole, comes back to its place, and that the loop ends with an answer.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from conftest import CODER, Embedded
from langchain.agents import create_agent
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    AnyMessage,
    HumanMessage,
    ToolMessage,
)
from langchain_core.tools import BaseTool, tool

from langchain_lmswitch import ChatLMSwitch

pytestmark = pytest.mark.weights

QUESTION = "On which shelf is the book 'Dune'? Find the book, then its shelf."
NUMBER, SHELF = 7312, 12

Calls = list[tuple[str, dict[str, Any]]]

EXPECTED: Calls = [("find_book", {"title": "Dune"}), ("get_shelf", {"number": NUMBER})]


class Library:
    """Three tools, and a record of what was called with what."""

    def __init__(self) -> None:
        self.calls: Calls = []

    def find_book(self, title: str) -> str:
        """Find the number of a book by its title."""
        self.calls.append(("find_book", {"title": title}))
        return f"Book number {NUMBER}. Call get_shelf with it."

    def get_shelf(self, number: int) -> str:
        """Get the shelf where a book stands, by its number."""
        self.calls.append(("get_shelf", {"number": number}))
        return f"The book is on shelf {SHELF}. Now answer the user in words."

    def lend_book(self, number: int) -> str:
        """Lend a book to the user."""
        self.calls.append(("lend_book", {"number": number}))
        return "lent"

    @property
    def tools(self) -> list[BaseTool]:
        return [tool(self.find_book), tool(self.get_shelf), tool(self.lend_book)]


@pytest.fixture
def library() -> Library:
    return Library()


@pytest.fixture
def llm(embedded: Embedded) -> ChatLMSwitch:
    return embedded.chat(model=CODER, temperature=0, max_tokens=96)


@pytest.fixture
def agent(llm: ChatLMSwitch, library: Library) -> Any:
    return create_agent(llm, tools=library.tools)


def limited() -> Any:
    """A model that goes round in circles is a failure, not a long wait."""
    return {"recursion_limit": 8}


def asked() -> Any:
    return {"messages": [("user", QUESTION)]}


def answers(messages: list[AnyMessage]) -> list[AIMessage]:
    return [one for one in messages if isinstance(one, AIMessage)]


def check(messages: list[AnyMessage], library: Library) -> None:
    assert library.calls == EXPECTED
    assert [one.type for one in messages] == ["human", "ai", "tool", "ai", "tool", "ai"]
    wanted = [call for one in answers(messages) for call in one.tool_calls]
    assert [(call["name"], call["args"]) for call in wanted] == EXPECTED
    results = [one for one in messages if isinstance(one, ToolMessage)]
    assert [one.tool_call_id for one in results] == [call["id"] for call in wanted]
    assert len({call["id"] for call in wanted}) == len(wanted)
    assert str(SHELF) in messages[-1].text


def test_sync(agent: Any, library: Library) -> None:
    check(agent.invoke(asked(), limited())["messages"], library)


async def test_async(agent: Any, library: Library) -> None:
    check((await agent.ainvoke(asked(), limited()))["messages"], library)


def chunks(agent: Any, into: list[AnyMessage]) -> Iterator[AIMessageChunk]:
    """Give what the model streams; the messages of the steps go where told."""
    stream = agent.stream(asked(), limited(), stream_mode=["messages", "updates"])
    for mode, payload in stream:
        if mode == "messages" and isinstance(payload[0], AIMessageChunk):
            yield payload[0]
        elif mode == "updates":
            into.extend(one for update in payload.values() for one in update["messages"])


def test_streamed(agent: Any, library: Library) -> None:
    """The calls and the answer come in pieces, which add up to the messages."""
    messages: list[AnyMessage] = []
    pieces = list(chunks(agent, messages))

    check([HumanMessage(QUESTION), *messages], library)
    streamed = [call for one in pieces for call in one.tool_call_chunks]
    assert [call["name"] for call in streamed if call["name"]] == [name for name, _ in EXPECTED]
    assert len(streamed) > len(EXPECTED)
    assert "".join(one.text for one in pieces) == "".join(one.text for one in answers(messages))
    assert len([one for one in pieces if one.text]) > 1


async def test_streamed_async(agent: Any, library: Library) -> None:
    messages: list[AnyMessage] = []
    async for update in agent.astream(asked(), limited(), stream_mode="updates"):
        messages.extend(one for step in update.values() for one in step["messages"])

    check([HumanMessage(QUESTION), *messages], library)


@pytest.mark.usefixtures("unloaded")
def test_one_model_does_the_whole_task(embedded: Embedded, library: Library) -> None:
    """Nobody named one: whoever is chosen for the first step stays until the task is done."""
    llm = embedded.chat(temperature=0, max_tokens=96)
    messages = create_agent(llm, tools=library.tools).invoke(asked(), limited())["messages"]

    check(messages, library)
    records = [one.response_metadata["lmswitch"] for one in answers(messages)]
    assert {record["model"] for record in records} == {CODER}
    assert [record["load_s"] > 0 for record in records] == [True, False, False]
