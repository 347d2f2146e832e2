"""The middleware in LangChain's own agents, over models that record what they were given."""

import re
import sys
from asyncio import CancelledError
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from langchain.agents import create_agent
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.messages.utils import count_tokens_approximately
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import BaseModel, Field
from unit_tests.conversations.chats import ASKED, CODE, chat, orphans

from langchain_lmswitch import ChatLMSwitch, FitMessages
from langchain_lmswitch.context.cache import ContextCache
from langchain_lmswitch.errors import ContextTooLong, InvalidRequest, MissingExtra
from langchain_lmswitch.testing import ScriptedHost, card, split, tool_call
from langchain_lmswitch.testing.tokens import render

if TYPE_CHECKING:
    from langchain_lmswitch.types.contexts import ContextReport

BUDGET = 1200
THREAD: Any = {"configurable": {"thread_id": "1"}}
SYSTEM = "You know many towns."


def look_up(topic: str) -> str:
    """Look a topic up in the encyclopedia of towns and rivers, which has many volumes."""
    return f"{topic} is fine. " * 300


class Recording(GenericFakeChatModel):
    """Answers as scripted, and keeps the prompts."""

    prompts: list[list[BaseMessage]] = Field(default_factory=list)
    tools: list[Any] = Field(default_factory=list)

    def bind_tools(self, tools: Sequence[Any], **_: Any) -> Any:
        self.tools[:] = tools
        return self

    def _generate(self, messages: list[BaseMessage], *args: Any, **more: Any) -> ChatResult:
        self.prompts.append([*messages])
        return super()._generate(messages, *args, **more)


def recording(*answers: Any, **fields: Any) -> Recording:
    return Recording(messages=iter(answers), **fields)


def agent(model: Any, fitting: FitMessages, **more: Any) -> Any:
    more.setdefault("tools", [look_up])
    return create_agent(
        model, system_prompt=SYSTEM, middleware=[fitting], checkpointer=InMemorySaver(), **more
    )


async def asked(one: Any, *messages: BaseMessage, waiting: bool = False) -> list[BaseMessage]:
    given = {"messages": [*messages]}
    state = await one.ainvoke(given, THREAD) if waiting else one.invoke(given, THREAD)
    found: list[BaseMessage] = state["messages"]
    return found


@pytest.mark.parametrize("waiting", [False, True])
async def test_an_agent_with_a_long_past(*, waiting: bool) -> None:
    """It calls a tool whose result is longer than all that fits."""
    call: Any = [{"name": "look_up", "args": {"topic": "the vault"}, "id": "now"}]
    model = recording(AIMessage("", tool_calls=call), f"It is {CODE}.", "You are welcome.")
    one = agent(model, FitMessages(budget=BUDGET))
    await asked(one, *chat(), HumanMessage(ASKED), waiting=waiting)
    messages = await asked(one, HumanMessage("Thank you."), waiting=waiting)

    assert len(model.prompts) == 3
    for prompt in model.prompts:
        tools: Any = [convert_to_openai_tool(tool) for tool in model.tools]
        assert count_tokens_approximately(prompt, tools=tools) <= BUDGET
        assert orphans(prompt) == []
        assert prompt[0].text.startswith(SYSTEM)
    assert [CODE in str(prompt) for prompt in model.prompts[:2]] == [True, True]
    assert len(messages) == len(chat()) + 6
    assert [one.text for one in messages[: len(chat())]] == [one.text for one in chat()]
    kept = one.get_state(THREAD).values["messages"]
    assert [saved.text for saved in kept] == [told.text for told in messages]
    assert len(kept[-4].text) > 4000, "the result of the tool is whole"


async def test_what_still_holds_is_told_in_the_system_prompt() -> None:
    model = recording("Oui.")
    rule = HumanMessage("From now on, please always answer in French.")
    await asked(agent(model, FitMessages(budget=BUDGET)), rule, *chat(), HumanMessage("Hello?"))

    system, *others = model.prompts[0]
    assert isinstance(system, SystemMessage)
    assert "please always answer in French" in system.text
    assert not any(isinstance(one, SystemMessage) for one in others)


async def test_what_fits_is_sent_as_it_is() -> None:
    reports: list[ContextReport] = []
    model = recording("Hello.")
    await asked(agent(model, FitMessages(budget=BUDGET, on_report=reports.append)), *chat(1))

    assert [one.text for one in model.prompts[0]] == [SYSTEM, *(one.text for one in chat(1))]
    assert [one.changed for one in reports] == [False]


class Verdict(BaseModel):
    """A verdict about a town, as the author of an encyclopedia would give it."""

    good: bool


async def test_the_form_of_the_answer_counts() -> None:
    reports: list[ContextReport] = []
    call: Any = [{"name": "Verdict", "args": {"good": True}, "id": "v"}]
    answer = AIMessage("", tool_calls=call)
    for form in (None, Verdict):
        one = agent(
            recording(answer if form else "Good."),
            FitMessages(budget=BUDGET, on_report=reports.append),
            tools=[],
            response_format=form,
        )
        await asked(one, HumanMessage("Is it good?"))

    plain, formed = (one.tokens_after or 0 for one in reports)
    schema = convert_to_openai_tool(Verdict)
    grown = count_tokens_approximately([], tools=[schema])
    assert plain + grown - 1 <= formed <= plain + grown + 1


async def test_the_budget_is_what_the_model_takes() -> None:
    """All of it if somebody counts, four fifths if it is estimated."""
    everything = "Tell me about the number of each town, please: what about all of them?"
    model = recording("Hello.", profile={"max_input_tokens": BUDGET})
    await asked(agent(model, FitMessages()), *chat(), HumanMessage(everything))
    counting = recording("Hello.", profile={"max_input_tokens": BUDGET})
    fitting = FitMessages(count_tokens=lambda text: len(text) // 4)
    await asked(agent(counting, fitting), *chat(), HumanMessage(everything))

    estimated, counted = map(count_tokens_approximately, (model.prompts[0], counting.prompts[0]))
    assert BUDGET * 0.4 < estimated < BUDGET * 0.8
    assert estimated < counted <= BUDGET


async def test_a_model_that_does_not_say_needs_a_budget() -> None:
    with pytest.raises(InvalidRequest, match=r"FitMessages\(budget="):
        await asked(agent(recording("Hello."), FitMessages()), HumanMessage(ASKED))


async def test_what_cannot_fit_fails_before_the_model_is_asked() -> None:
    model = recording("Hello.")
    fitting = FitMessages(budget=BUDGET, on_overflow="raise")
    with pytest.raises(ContextTooLong):
        await asked(agent(model, fitting), HumanMessage("all of it " * 2000))

    assert model.prompts == []


class Notes(GenericFakeChatModel):
    """Notes the places of what it is to summarize; the first time it may fail."""

    failure: Any = None
    asked: list[str] = Field(default_factory=list)

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        self.asked.append(messages[-1].text)
        towns = sorted(set(re.findall(r"Town \d+", messages[-1].text)))
        said = f"Told about {', '.join(towns)}: the town lies at a river and has bridges."
        failed = len(self.asked) == 1 and self.failure is not None
        if failed and not isinstance(self.failure, str):
            raise self.failure
        text = self.failure if failed else said
        return ChatResult(generations=[ChatGeneration(message=AIMessage(text))])


@pytest.mark.parametrize("waiting", [False, True])
async def test_a_summary_is_told_in_a_later_turn(*, waiting: bool, tmp_path: Path) -> None:
    """Also after a restart, which asks for none of it again."""
    notes = Notes(messages=iter(()))
    store = tmp_path / "contexts.sqlite"
    call: Any = [{"name": "look_up", "args": {"topic": "the vault"}, "id": "now"}]
    model = recording(AIMessage("", tool_calls=call), "Fine.", "Fine.", "Fine.")
    fitting = FitMessages(budget=BUDGET, summarizer=notes, store=store)
    one = agent(model, fitting)
    for said in ([*chat(), HumanMessage(ASKED)], [HumanMessage("And?")]):
        await asked(one, *said, waiting=waiting)
        fitting.finish()
    later = recording("Fine.")
    reports: list[ContextReport] = []
    again = FitMessages(budget=BUDGET, store=store, on_report=reports.append)
    history = [*chat(), HumanMessage(ASKED), HumanMessage("And now?")]
    await asked(agent(later, again), *history, waiting=waiting)

    assert len(notes.asked) == 2, "not while a tool is called"
    assert "Told about Town" in later.prompts[0][0].text
    assert reports[0].summarized_messages > 5
    assert count_tokens_approximately(later.prompts[0]) <= BUDGET


@pytest.mark.parametrize(
    "failure", ["", "I cannot help with that.", ValueError("broken"), CancelledError()], ids=repr
)
async def test_what_is_no_summary_is_not_asked_for_at_once_again(failure: Any) -> None:
    notes = Notes(messages=iter(()), failure=failure)
    fitting = FitMessages(budget=BUDGET, summarizer=notes, store=ContextCache())
    one = agent(recording(*["Fine."] * 14), fitting)
    await asked(one, *chat(40), HumanMessage(ASKED))
    for _ in range(12):
        fitting.finish()
        await asked(one, HumanMessage("And?"))
    fitting.finish()

    assert 2 <= len(notes.asked) <= 4
    assert notes.asked[0] == notes.asked[1]


def scripted(messages: Any) -> Any:
    told = str(messages[-1])
    if messages[-1]["role"] == "tool":
        return f"It is {CODE}."
    return tool_call("look_up", {"topic": "the vault"}) if ASKED in told else "Fine."


@pytest.mark.parametrize("waiting", [False, True])
async def test_over_a_switching_model_it_counts_as_the_model_does(*, waiting: bool) -> None:
    host = ScriptedHost([card("tiny", max_context_tokens=4096)], replies=scripted)
    llm = ChatLMSwitch(host=host, monitor=host)
    llm.preload("tiny")
    one = agent(llm, FitMessages(budget=BUDGET))
    messages = await asked(one, *chat(30), HumanMessage(ASKED), waiting=waiting)

    assert messages[-1].text == f"It is {CODE}."
    assert len(messages) == len(chat(30)) + 4
    requests = [call.request for call in host.called("predict") if call.request]
    assert len(requests) == 2
    for request in requests:
        assert len(split(render(request.messages, request.tools))) <= BUDGET
        assert CODE in str(request.messages)


def test_without_langchain_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "langchain.agents.middleware", None)
    monkeypatch.delitem(sys.modules, "langchain_lmswitch.conversations.middleware")
    with pytest.raises(MissingExtra, match=r"pip install 'langchain-lmswitch\[agents\]'"):
        import_module("langchain_lmswitch.conversations.middleware")
