"""The summary of what was left out, on its way through the router."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from langchain_lmswitch import ChatLMSwitch
from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.switch import summarizing
from langchain_lmswitch.testing import ScriptedHost, card

NOTE = "- The user asked about gardens, and the assistant told of roses and walls there."


class Writer(BaseChatModel):
    """Writes the same summary of everything, and keeps what it was asked."""

    asked: list[str] = []  # noqa: RUF012 - pydantic copies it

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 - LangChain's hook, here and below
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> ChatResult:
        self.asked.append(messages[-1].text)
        return ChatResult(generations=[ChatGeneration(message=AIMessage(NOTE))])

    @property
    def _llm_type(self) -> str:
        return "writer"


def talk(llm: ChatLMSwitch, turns: int, wait: Callable[[], None]) -> list[dict[str, Any]]:
    """Talk of gardens; give the context report of each turn."""
    said: list[BaseMessage] = [SystemMessage("Be brief.")]
    reports = []
    for number in range(turns):
        said.append(HumanMessage(f"{number}: tell me of the garden, its roses and walls. " * 3))
        answer = llm.invoke(said)
        said.append(answer)
        reports.append(answer.response_metadata["lmswitch"]["context"])
        wait()
    return reports


def test_what_was_left_out_is_told_in_a_summary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summarizing, "QUIET_S", 0.0)
    host = ScriptedHost([card("tiny", max_context_tokens=2048)], replies="Roses and walls. " * 8)
    writer = Writer()
    llm = ChatLMSwitch(host=host, monitor=host, summarizer=writer)
    reports = talk(llm, 70, lambda: time.sleep(0.02))

    assert reports[0]["summarized_messages"] == 0
    assert reports[-1]["summarized_messages"] > 0
    sent = host.called("predict")[-1].request
    assert sent is not None
    assert NOTE in sent.messages[0]["content"][0]["text"]
    assert sent.messages[0]["content"][0]["text"].startswith("Be brief.")
    assert 0 < len(writer.asked) <= len(reports) / 10
    assert all("roses" in one for one in writer.asked)


def test_nobody_summarizes_if_that_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summarizing, "QUIET_S", 0.0)
    large = card("large", max_context_tokens=2048, params="7B")
    host = ScriptedHost([large], replies="Roses and walls. " * 8)
    llm = ChatLMSwitch(host=host, monitor=host, summarizer="off")
    reports = talk(llm, 40, lambda: time.sleep(0.02))

    assert reports[-1]["evicted_messages"] > 0
    assert [one["summarized_messages"] for one in reports] == [0] * len(reports)
    assert len(host.called("predict")) == len(reports)


def test_switch_cannot_summarize_for_itself() -> None:
    """Its request would end the summary that it is for."""
    host = ScriptedHost(["tiny"])
    with pytest.raises(ValueError, match="cannot be a ChatLMSwitch"):
        ChatLMSwitch(host=host, summarizer=ChatLMSwitch(host=host))
    with pytest.raises(InvalidRequest, match="`summarizer` cannot be 7"):
        ChatLMSwitch(host=host).invoke("Hello", summarizer=7)
