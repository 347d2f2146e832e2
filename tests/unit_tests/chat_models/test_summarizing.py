"""LangChain's own ways to keep a conversation small, with our profile, usage and token counts."""

from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import SummarizationMiddleware
from langchain.agents.middleware.summarization import DEFAULT_SUMMARY_PROMPT
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    trim_messages,
)
from langgraph.checkpoint.memory import InMemorySaver

from langchain_lmswitch import ChatLMSwitch
from langchain_lmswitch.errors import ContextTooLong
from langchain_lmswitch.testing import ScriptedHost, card, split
from langchain_lmswitch.types.requests import JsonObject

CONTEXT_TOKENS = 4096
SUMMARY = "They counted a lot."
QUESTION = "How many are these? " + "one two three four " * 40
LONG = "a " * 2900


def scripted(messages: Sequence[JsonObject]) -> str:
    asked = str(messages[-1]["content"])
    if "Messages to summarize" in asked:
        return SUMMARY
    return "Many. " * (300 if LONG in asked else 60)


def small(**fields: Any) -> ChatLMSwitch:
    """A chat model on a host whose only model has a small context."""
    host = ScriptedHost([card("tiny", max_context_tokens=CONTEXT_TOKENS)], replies=scripted)
    return ChatLMSwitch(host=host, monitor=host, **fields)


def agent_of(llm: ChatLMSwitch, **more: Any) -> Any:
    summing = SummarizationMiddleware(
        model=llm, trigger=("fraction", 0.8), keep=("messages", 2), **more
    )
    return create_agent(llm, tools=[], middleware=[summing], checkpointer=InMemorySaver())


class Starts(BaseCallbackHandler):
    """Counts how often a chat model was asked."""

    def __init__(self) -> None:
        self.count = 0

    def on_chat_model_start(self, *_: Any, **__: Any) -> None:
        self.count += 1


def config() -> Any:
    return {"configurable": {"thread_id": "t"}}


def limit_of(llm: ChatLMSwitch) -> int:
    assert llm.profile is not None
    return llm.profile["max_input_tokens"]


def summary_in(messages: Sequence[BaseMessage]) -> str:
    """The summary that begins a conversation; empty if nothing does."""
    marked = messages[0].additional_kwargs.get("lc_source") == "summarization"
    return messages[0].text if marked else ""


def hardly(messages: Iterable[Any]) -> int:
    """Count next to nothing."""
    return 10 * len(list(messages))


# --- the profile ------------------------------------------------------------------------------


def test_limit_is_known_at_once_and_follows_the_loaded_context() -> None:
    llm = small()
    before = limit_of(llm)
    assert llm.host.calls == []
    llm.invoke("Hi")

    assert limit_of(llm) <= CONTEXT_TOKENS < before


def test_limit_that_the_user_gives_stays() -> None:
    llm = small(profile={"max_input_tokens": 1000})
    llm.invoke("Hi")

    assert llm.profile == {"max_input_tokens": 1000}


# --- summaries --------------------------------------------------------------------------------


@pytest.mark.parametrize("exact", [False, True])
async def test_agent_sums_up(exact: bool) -> None:  # noqa: FBT001
    """In time, with LangChain's estimate as with the model's own tokenizer."""
    for way in ("invoke", "ainvoke"):
        llm = small()
        counter = {"token_counter": llm.get_num_tokens_from_messages} if exact else {}
        agent, messages, turns = agent_of(llm, **counter), [HumanMessage("")], 0
        while not summary_in(messages) and turns < 30:
            question: Any = {"messages": [HumanMessage(QUESTION)]}
            asked = getattr(agent, way)(question, config())
            messages, turns = (asked if way == "invoke" else await asked)["messages"], turns + 1

        assert SUMMARY in summary_in(messages)
        assert turns > 5
        assert len(messages) == 4  # the summary, two that were kept, and the answer


def test_usage_is_reported_while_streaming() -> None:
    """It alone starts a summary, where the counter sees nothing (deer-flow #1602)."""
    agent = agent_of(small(), token_counter=hardly)
    for question in (LONG, "And then?"):
        heard = [
            chunk.text
            for chunk, _ in agent.stream(
                {"messages": [HumanMessage(question)]}, config(), stream_mode="messages"
            )
            if isinstance(chunk, AIMessageChunk)
        ]

    assert SUMMARY in summary_in(agent.get_state(config()).values["messages"])
    assert "".join(heard) == "Many. " * 60  # and nothing of the summary's


async def test_usage_is_reported_while_streaming_asynchronously() -> None:
    agent = agent_of(small(), token_counter=hardly)
    for question in (LONG, "And then?"):
        asked: Any = {"messages": [HumanMessage(question)]}
        async for _ in agent.astream(asked, config(), stream_mode="messages"):
            pass

    assert SUMMARY in summary_in(agent.get_state(config()).values["messages"])


def test_summary_that_is_too_long_is_asked_for_again_with_less() -> None:
    """The middleware does so only for LangChain's own `ContextOverflowError`."""
    llm, starts = small().model_copy(update={"on_overflow": "raise"}), Starts()
    llm.invoke("Hi")
    with pytest.raises(ContextTooLong):
        llm.invoke(DEFAULT_SUMMARY_PROMPT + LONG)
    asked = [LONG, AIMessage("Yes."), QUESTION * 3, AIMessage("No."), "Well?"]
    agent = agent_of(llm, token_counter=llm.get_num_tokens_from_messages)
    result = agent.invoke({"messages": asked}, {**config(), "callbacks": [starts]})

    assert SUMMARY in summary_in(result["messages"])
    assert starts.count == 3  # the summary twice, and the answer


# --- counting ---------------------------------------------------------------------------------


async def test_trimming_counts_with_the_model() -> None:
    """As many whole messages as fit, by its own template and tokenizer."""
    llm = small()
    llm.invoke("Hi")  # it counts exactly once it is loaded
    said = [SystemMessage("Be brief."), *(HumanMessage(f"{n} " * 20) for n in range(30))]
    kept = trim_messages(said, max_tokens=300, token_counter=llm, include_system=True)

    assert kept[0] == said[0]
    assert kept[1:] == said[-len(kept) + 1 :]
    assert llm.get_num_tokens_from_messages(kept) <= 300
    # Not one more: it counts the system prompt apart, and so the template's frame twice.
    two_more = [kept[0], *said[-len(kept) - 1 :]]
    assert llm.get_num_tokens_from_messages(two_more) > 300


def test_count_is_what_the_host_bills() -> None:
    llm = small()
    said = [SystemMessage("Be brief."), HumanMessage("It's 4 o'clock.")]
    usage = llm.invoke(said).usage_metadata

    assert usage is not None
    assert llm.get_num_tokens_from_messages(said) == usage["input_tokens"]
    assert llm.get_num_tokens("It's 4 o'clock.") == len(split("It's 4 o'clock."))
