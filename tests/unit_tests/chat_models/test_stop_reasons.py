"""How an answer ended, told over the wire and through the chat model."""

from collections.abc import Sequence
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from pydantic import SecretStr

from langchain_lmswitch import ChatLMSwitch
from langchain_lmswitch.errors import ContextTooLong, HostFailed, ModelGone
from langchain_lmswitch.testing import Reply, ScriptedHost, card, in_turn, served, tool_call
from langchain_lmswitch.types.events import Finished, Fragment, PredictEvent

ONE = Fragment(text="One")


def ended(stop_reason: str, *said: PredictEvent) -> Sequence[PredictEvent]:
    return (*said, Finished(stop_reason=stop_reason))


def answer(replies: Reply, **fields: Any) -> tuple[AIMessage, int]:
    """Ask over the wire; give the answer, and how many predictions that took."""
    host = ScriptedHost([card("tiny", tool_use=True)], replies=replies)
    tools = fields.pop("tools", None)
    with served(host) as at:
        llm = ChatLMSwitch(base_url=at.host_port, api_key=SecretStr(at.token), **fields)
        asked: Any = llm.bind_tools(tools) if tools else llm
        return asked.invoke("Hi"), len(host.called("predict"))


@pytest.mark.parametrize(
    ("stop_reason", "finish_reason"),
    [
        ("eosFound", "stop"),
        ("stopStringFound", "stop"),
        ("userStopped", "stop"),
        ("toolCalls", "tool_calls"),
        ("maxPredictedTokensReached", "length"),
        ("contextLengthReached", "length"),
        ("newerThanThisPackage", "newerThanThisPackage"),
    ],
)
def test_reason_is_told_in_both_words(stop_reason: str, finish_reason: str) -> None:
    """OpenAI's word, which LangChain's tools read, and LM Studio's own; a new one as it is."""
    message, _ = answer(ended(stop_reason, ONE))

    assert message.text == "One"
    assert message.response_metadata["finish_reason"] == finish_reason
    assert message.response_metadata["stop_reason"] == stop_reason


def test_answer_that_is_cut_by_the_caller() -> None:
    message, _ = answer("One two three.", max_tokens=2)

    assert (message.text, message.response_metadata["finish_reason"]) == ("One two", "length")


def test_model_that_was_unloaded_before_the_first_token() -> None:
    """It is loaded again, once, and asked again."""
    message, predictions = answer(in_turn(ended("modelUnloaded"), "Fine."))

    assert (message.text, predictions) == ("Fine.", 2)


def test_model_that_was_unloaded_in_the_middle() -> None:
    """Half an answer is none."""
    with pytest.raises(ModelGone, match="it was unloaded") as caught:
        answer(in_turn(ended("modelUnloaded", ONE), "Fine."))

    assert caught.value.is_retryable


@pytest.mark.parametrize("said", [(), (ONE,)])
def test_answer_that_failed(said: Sequence[PredictEvent]) -> None:
    with pytest.raises(HostFailed, match="it gave no reason") as caught:
        answer(in_turn(ended("failed", *said), "Fine."))

    assert caught.value.is_retryable


def test_tool_calls_end_an_answer() -> None:
    """Also where the host gives another reason: an agent looks for the calls, not for the word."""

    def look(place: str) -> str:
        """Look at a place."""
        return place

    message, _ = answer(ended("eosFound", *tool_call("look", {"place": "Oslo"})), tools=[look])

    assert [call["args"] for call in message.tool_calls] == [{"place": "Oslo"}]
    assert message.response_metadata["finish_reason"] == "stop"


def test_empty_answer_is_an_answer() -> None:
    message, _ = answer(ended("eosFound"))

    assert message.text == ""
    assert message.usage_metadata is not None
    assert message.usage_metadata["output_tokens"] == 0


def test_silence_for_lack_of_room_is_an_error() -> None:
    """An agent would end on it as if all was said."""
    with pytest.raises(ContextTooLong):
        answer(ended("contextLengthReached"))
