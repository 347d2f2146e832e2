"""What is known to fail elsewhere, working here over LM Studio's own protocol.

Each test names the package that fails, and where that is told. The numbers are issues of
lmstudio-bug-tracker unless they say otherwise.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NoReturn

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import ModelRetryMiddleware, SummarizationMiddleware
from langchain.agents.structured_output import ProviderStrategy
from langchain_core._api import LangChainBetaWarning
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.exceptions import ModelNotFoundError
from pydantic import BaseModel, SecretStr

from langchain_lmswitch import ChatLMSwitch
from langchain_lmswitch.errors import HostFailed, InvalidRequest, LMSwitchError
from langchain_lmswitch.testing import Reply, ScriptedHost, card, in_turn, served, tool_call
from langchain_lmswitch.types.events import Finished, Fragment
from langchain_lmswitch.types.requests import PredictRequest

SCHEMA_WORDS: Final = '{"set_up": "Knock knock."}'


class Joke(BaseModel):
    """A joke."""

    set_up: str


def add(first_number: int, second_number: int) -> int:
    """Add two numbers."""
    return first_number + second_number


def look_up(city_name: str) -> str:
    """Look up the weather."""
    return f"It rains in {city_name}."


@contextmanager
def wired(replies: Reply, **fields: Any) -> Iterator[tuple[ChatLMSwitch, ScriptedHost]]:
    """A chat model that goes over the wire to a scripted host."""
    host = ScriptedHost([card("tiny", tool_use=True)], replies=replies)
    with served(host) as at:
        yield ChatLMSwitch(base_url=at.host_port, api_key=SecretStr(at.token), **fields), host


def failing(error: LMSwitchError) -> Reply:
    """Reply with an error."""

    def reply(_: Any) -> NoReturn:
        raise error

    return reply


def request(host: ScriptedHost) -> PredictRequest:
    """The last one that reached the host."""
    arrived = host.called("predict")[-1].request
    assert arrived is not None
    return arrived


# --- ChatOpenAI on LM Studio ------------------------------------------------------------------


def test_tool_that_is_chosen_by_name() -> None:
    """ChatOpenAI sends the choice as an object, which LM Studio answers with HTTP 400 (#670)."""
    named = {"type": "function", "function": {"name": "look_up"}}
    with wired(tool_call("look_up", {"city_name": "Oslo"})) as (llm, host):
        for choice in ("look_up", named):
            answer = llm.bind_tools([add, look_up], tool_choice=choice).invoke("Hi")

            assert [call["name"] for call in answer.tool_calls] == ["look_up"]
            assert request(host).tool_choice == "required"
            assert [one["function"]["name"] for one in request(host).tools] == ["look_up"]


def test_tool_calls_in_an_agent() -> None:
    """ChatOpenAI got none from LM Studio (#126, lmstudio-js #75)."""
    call = tool_call("add", {"first_number": 1, "second_number": 2})
    with wired(in_turn(call, "It is 3.")) as (llm, _):
        agent: Any = create_agent(llm, tools=[add])
        messages = agent.invoke({"messages": "1 + 2?"})["messages"]

    assert [message.type for message in messages] == ["human", "ai", "tool", "ai"]
    assert (messages[2].content, messages[3].text) == ("3", "It is 3.")


def test_object_in_json_mode() -> None:
    """ChatOpenAI asks for `json_object`, which LM Studio rejects (#189)."""
    with wired(SCHEMA_WORDS) as (llm, host):
        found = llm.with_structured_output(Joke, method="json_mode").invoke("A joke, as JSON!")

        assert found == Joke(set_up="Knock knock.")
        assert request(host).json_schema == {"type": "object"}


def test_object_of_a_schema_in_every_form_of_output() -> None:
    """ChatOpenAI's `/v1/responses` ignores a schema on LM Studio, or fails (#2403, #1396)."""
    for version in ("v0", "v1"):
        with wired(SCHEMA_WORDS, output_version=version) as (llm, host):
            agent: Any = create_agent(llm, tools=[], response_format=ProviderStrategy(Joke))
            structured = llm.with_structured_output(Joke)

            assert structured.invoke("A joke!") == Joke(set_up="Knock knock.")
            result = agent.invoke({"messages": "A joke!"})
            assert result["structured_response"] == Joke(set_up="Knock knock.")
            schema = request(host).json_schema
            assert schema is not None
            assert schema["properties"]["set_up"]["type"] == "string"


def test_thinking_is_kept() -> None:
    """ChatOpenAI drops `reasoning_content`, as its own docstring says."""
    said = [Fragment(text="Hm, ", reasoning=True), Fragment(text="a joke.", reasoning=True)]
    with wired([*said, Fragment(text="Knock knock.")]) as (llm, _):
        answer = llm.invoke("A joke!")
        streamed = [chunk.additional_kwargs.get("reasoning_content") for chunk in llm.stream("Hi")]

    assert answer.additional_kwargs["reasoning_content"] == "Hm, a joke."
    assert answer.text == "Knock knock."
    assert answer.content_blocks[0] == {"type": "reasoning", "reasoning": "Hm, a joke."}
    assert "".join(filter(None, streamed)) == "Hm, a joke."


def test_timings_are_kept() -> None:
    """ChatOpenAI drops LM Studio's `stats`: the time to the first token, and the speed."""
    said = Finished(stop_reason="eosFound", time_to_first_token_s=0.25, tokens_per_second=12.5)
    with wired([Fragment(text="Hi."), said]) as (llm, _):
        last = list(llm.stream("Hi"))[-1]
        for metadata in (llm.invoke("Hi").response_metadata, last.response_metadata):
            assert metadata["time_to_first_token_s"] == 0.25
            assert metadata["tokens_per_second"] == 12.5


def test_usage_is_counted_while_streaming() -> None:
    """LangChain's handler drops usage without a model's name (langchain #40412)."""
    heard = UsageMetadataCallbackHandler()
    with wired("One two three.") as (llm, _):
        list(llm.stream("Hi", {"callbacks": [heard]}))

    assert heard.usage_metadata["tiny"]["output_tokens"] == 4


# --- ChatOllama -------------------------------------------------------------------------------


def test_errors_are_those_of_langchain() -> None:
    """ChatOllama 1.1 lets its client's errors through: none is a `ModelError`."""
    with wired("Fine.", model="tinny") as (llm, _), pytest.raises(ModelNotFoundError) as caught:
        llm.invoke("Hi")

    assert "tiny" in str(caught.value)


def test_only_what_may_help_is_tried_again() -> None:
    """With ChatOllama 1.1 `ModelRetryMiddleware` retries everything, also what cannot work."""
    wrong = failing(InvalidRequest("The image is no image."))
    broken = failing(HostFailed("h:1", doing="answering", reason="Out of cheese."))
    retry = ModelRetryMiddleware(max_retries=3, initial_delay=0)
    with wired(in_turn(broken, wrong, "Fine.")) as (llm, host):
        agent: Any = create_agent(llm, tools=[], middleware=[retry])
        with pytest.raises(InvalidRequest, match="The image is no image"):
            agent.invoke({"messages": "Hi"})

        assert len(host.called("predict")) == 2


def test_part_of_the_context_can_be_named() -> None:
    """ChatOllama 1.1 has no `profile`, and so a fraction raises when it is set up."""
    with wired("Fine.") as (llm, host):
        summing = SummarizationMiddleware(model=llm, trigger=("fraction", 0.8))
        agent: Any = create_agent(llm, tools=[], middleware=[summing])

        assert agent.invoke({"messages": "Hi"})["messages"][-1].text == "Fine."
        assert llm.profile is not None
        assert llm.profile["max_input_tokens"] <= host.places.residents()[0].context_tokens


# --- langchain-model-router -------------------------------------------------------------------


@pytest.mark.filterwarnings(f"ignore::{LangChainBetaWarning.__module__}.LangChainBetaWarning")
async def test_third_version_of_events() -> None:
    """langchain-model-router 0.1 refuses it: `NotImplementedError`, sync and async."""
    with wired("One two three.") as (llm, _):
        found: list[Any] = list(llm.stream_events("Hi", version="v3"))
        asyncly: Any = await llm.astream_events("Hi", version="v3")
        afound: list[Any] = [event async for event in asyncly]

    for events in (found, afound):
        deltas = [one["delta"]["text"] for one in events if one["event"] == "content-block-delta"]
        assert "".join(deltas) == "One two three."
        assert events[-1]["metadata"]["lmswitch"]["model"] == "tiny"


def test_cache() -> None:
    """langchain-model-router 0.1 has none; here a hit says that its decision is of old."""
    with wired(in_turn("First.", "Second."), cache=InMemoryCache()) as (llm, host):
        first, again = llm.invoke("Hi"), llm.invoke("Hi")

        assert (first.text, again.text) == ("First.", "First.")
        assert again.response_metadata["lmswitch"]["cached"]
        assert len(host.called("predict")) == 1
