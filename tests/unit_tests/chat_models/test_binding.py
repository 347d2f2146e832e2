"""Tools and structured output on a scripted host, as callers use them."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage
from pydantic import BaseModel

from langchain_lmswitch import ChatLMSwitch
from langchain_lmswitch.errors import InvalidOutput, InvalidRequest
from langchain_lmswitch.testing import Reply, ScriptedHost, card, in_turn, tool_call
from langchain_lmswitch.types.events import Finished, Fragment


class Joke(BaseModel):
    """A joke."""

    set_up: str
    punch_line: str | None = None


def add(first_number: int, second_number: int) -> int:
    """Add two numbers."""
    return first_number + second_number


def look_up(city_name: str) -> str:
    """Look up the weather."""
    return f"It rains in {city_name}."


class Desk:
    """A scripted host and a chat model on it."""

    def __init__(self, replies: Reply, **fields: Any) -> None:
        self.host = ScriptedHost([card("tiny", tool_use=True)], replies=replies)
        self.llm = ChatLMSwitch(host=self.host, monitor=self.host, **fields)

    @property
    def asked(self) -> Any:
        """The last request that reached the host."""
        return self.host.called("predict")[-1].request


CALL = tool_call("add", {"first_number": 1, "second_number": 2})
WORDS = '{"set_up": "Knock knock."}'


# --- tools ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choice", "sent", "names"),
    [
        (None, None, ["add", "look_up"]),
        ("auto", "auto", ["add", "look_up"]),
        ("none", "none", ["add", "look_up"]),
        ("any", "required", ["add", "look_up"]),
        (True, "required", ["add", "look_up"]),
        ("look_up", "required", ["look_up"]),
        ({"type": "function", "function": {"name": "add"}}, "required", ["add"]),
    ],
)
def test_choice_reaches_the_host_in_its_words(
    choice: Any, sent: str | None, names: list[str]
) -> None:
    desk = Desk("Fine.")
    desk.llm.bind_tools([add, look_up], tool_choice=choice).invoke("Hi")

    assert desk.asked.tool_choice == sent
    assert [one["function"]["name"] for one in desk.asked.tools] == names


def test_wrong_choice_is_told_when_it_is_bound() -> None:
    desk = Desk("Fine.")
    with pytest.raises(InvalidRequest, match="Did you mean 'look_up'"):
        desk.llm.bind_tools([add, look_up], tool_choice="lookup")

    assert desk.host.calls == []


def test_call_streams_as_its_arguments_come() -> None:
    desk = Desk(CALL)
    pieces = [
        piece
        for chunk in desk.llm.bind_tools([add]).stream("1 + 2?")
        if isinstance(chunk, AIMessageChunk)
        for piece in chunk.tool_call_chunks
    ]

    assert pieces[0]["name"] == "add"
    assert len(pieces) > 3
    assert "".join(piece["args"] or "" for piece in pieces) == (
        '{"first_number": 1, "second_number": 2}'
    )


def test_decision_says_how_calls_come_about() -> None:
    """A model that was trained for them goes first, whatever its size."""
    cards = [card("small", params="1B", tool_use=True), card("large", params="3B")]
    host = ScriptedHost(cards, replies="Fine.")
    llm = ChatLMSwitch(host=host, monitor=host).bind_tools([add])
    record = llm.invoke("Hi").response_metadata["lmswitch"]

    assert (record["model"], record["tool_calling"]) == ("small", "trained")
    assert "trained to call tools" in record["reason"]

    forced = llm.invoke("Hi", model="large").response_metadata["lmswitch"]
    assert forced["tool_calling"] == "untrained"


def test_one_call_where_one_is_wished() -> None:
    desk = Desk((*CALL, *tool_call("look_up", {"city_name": "Oslo"}, index=1)))
    bound = desk.llm.bind_tools([add, look_up], parallel_tool_calls=False)

    assert [one["name"] for one in bound.invoke("Hi").tool_calls] == ["add"]
    both = desk.llm.bind_tools([add, look_up]).invoke("Hi").tool_calls
    assert [one["name"] for one in both] == ["add", "look_up"]


def test_agent_carries_out_what_is_called_and_sends_the_results_back() -> None:
    desk = Desk(in_turn(CALL, "It is 3."))
    agent: Any = create_agent(desk.llm, tools=[add, look_up])
    messages = agent.invoke({"messages": "What is 1 + 2?"})["messages"]

    assert [one.type for one in messages] == ["human", "ai", "tool", "ai"]
    assert (messages[2].content, messages[3].text) == ("3", "It is 3.")
    [request, result] = desk.asked.messages[1:]
    called = request["content"][-1]["toolCallRequest"]
    assert called["arguments"] == {"first_number": 1, "second_number": 2}
    assert result["content"][0]["toolCallId"] == called["id"]


def test_model_stays_while_its_calls_are_answered() -> None:
    """A task that another model would win does not take the tool loop away."""
    cards = [card("chat-8b", params="8B", tool_use=True), card("coder-7b", params="7B")]
    host = ScriptedHost(cards, replies=in_turn(CALL, "Done."))
    llm = ChatLMSwitch(host=host, monitor=host).bind_tools([add])
    first = llm.invoke("Hi")
    code = ToolMessage("def add(a, b): return a + b", tool_call_id=first.tool_calls[0]["id"])
    second = llm.invoke([HumanMessage("Write a Python function."), first, code])

    models = [one.response_metadata["lmswitch"]["model"] for one in (first, second)]
    assert models[0] == models[1]


# --- structured output ------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["json_schema", "json_mode"])
def test_written_object(method: Any) -> None:
    desk = Desk(WORDS)
    structured = desk.llm.with_structured_output(Joke, method=method)

    assert structured.invoke("A joke!") == Joke(set_up="Knock knock.")
    schema = desk.asked.json_schema
    assert schema == {"type": "object"} if method == "json_mode" else "set_up" in str(schema)


def test_called_object() -> None:
    desk = Desk(tool_call("Joke", {"set_up": "Knock"}))
    structured = desk.llm.with_structured_output(Joke, method="function_calling", strict=True)

    assert structured.invoke("A joke!") == Joke(set_up="Knock")
    assert desk.asked.tool_choice == "required"
    assert desk.asked.tools[0]["function"]["strict"] is True


def test_mapping_for_a_schema_grows_while_it_streams() -> None:
    desk = Desk(WORDS)
    seen = list(desk.llm.with_structured_output(Joke.model_json_schema()).stream("A joke!"))

    assert seen[-1] == {"set_up": "Knock knock."}
    assert len(seen) > 2
    assert all(set(one) <= {"set_up"} for one in seen)


async def test_object_in_asynchronous_code() -> None:
    desk = Desk(WORDS)

    assert await desk.llm.with_structured_output(Joke).ainvoke("A joke!") == Joke(
        set_up="Knock knock."
    )


def test_raw_answer_beside_the_object_and_beside_the_error() -> None:
    desk = Desk(in_turn(WORDS, "Sorry."))
    structured = desk.llm.with_structured_output(Joke, include_raw=True)
    good, bad = structured.invoke("A joke!"), structured.invoke("A joke!")

    assert (good["parsed"], good["parsing_error"]) == (Joke(set_up="Knock knock."), None)
    assert isinstance(good["raw"], AIMessage)
    assert bad["parsed"] is None
    assert isinstance(bad["parsing_error"], InvalidOutput)
    assert bad["raw"].text == "Sorry."


def test_object_that_was_cut_off() -> None:
    desk = Desk(WORDS, max_tokens=4)
    with pytest.raises(InvalidOutput) as caught:
        desk.llm.with_structured_output(Joke).invoke("A joke!")

    assert caught.value.cut_off
    assert WORDS.startswith(caught.value.text)


def test_tools_before_the_object() -> None:
    desk = Desk(in_turn(CALL, WORDS))
    structured = desk.llm.with_structured_output(Joke, tools=[add], include_raw=True)
    first, second = structured.invoke("Hi"), structured.invoke("Hi")

    assert (first["parsed"], first["raw"].tool_calls[0]["name"]) == (None, "add")
    assert second["parsed"] == Joke(set_up="Knock knock.")
    assert (len(desk.asked.tools), bool(desk.asked.json_schema)) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"method": "xml"}, "There is no method 'xml'"),
        ({"schema": None}, "needs a `schema`"),
        ({"tools": [add]}, "include_raw"),
        ({"schema": 3}, "cannot be used"),
    ],
)
def test_wish_that_cannot_be(arguments: Mapping[str, Any], words: str) -> None:
    wish: dict[str, Any] = {"schema": Joke, **arguments}
    with pytest.raises(InvalidRequest, match=words):
        Desk(WORDS).llm.with_structured_output(**wish)


def replies_of_an_agent(messages: Sequence[Mapping[str, Any]]) -> Any:
    return WORDS if messages[-1]["role"] == "tool" else CALL


def test_agent_with_a_response_format_written_by_the_model() -> None:
    desk = Desk(replies_of_an_agent)
    agent: Any = create_agent(desk.llm, tools=[add], response_format=ProviderStrategy(Joke))
    result = agent.invoke({"messages": "A joke with 1 + 2."})

    assert result["structured_response"] == Joke(set_up="Knock knock.")


def test_agent_with_a_response_format_that_is_a_tool() -> None:
    desk = Desk(in_turn(CALL, tool_call("Joke", {"set_up": "Knock"})))
    agent: Any = create_agent(desk.llm, tools=[add], response_format=ToolStrategy(Joke))
    result = agent.invoke({"messages": "A joke with 1 + 2."})

    assert result["structured_response"] == Joke(set_up="Knock")


def test_answer_before_the_call_is_kept() -> None:
    desk = Desk((Fragment(text="Let me see."), *CALL, Finished(stop_reason="toolCalls")))
    answer = desk.llm.bind_tools([add]).invoke("1 + 2?")

    assert (answer.text, answer.tool_calls[0]["name"]) == ("Let me see.", "add")
    assert answer.response_metadata["finish_reason"] == "tool_calls"
