"""The node that fits: beside the conversation, not in its place."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from unit_tests.conversations.chats import ASKED, CODE, chat, orphans

from langchain_lmswitch import fitting_node
from langchain_lmswitch.errors import InvalidRequest

BUDGET = 700
THREAD: Any = {"configurable": {"thread_id": "1"}}


def words(text: str) -> int:
    return len(text.split())


class State(MessagesState):
    llm_input_messages: list[AnyMessage]
    context_report: dict[str, Any]


def answered(state: State) -> dict[str, Any]:
    prompt = state["llm_input_messages"][-1].text
    return {"messages": [AIMessage(CODE if CODE in prompt else "I do not know.")]}


def graph() -> Any:
    builder = StateGraph(State)
    builder.add_node("fit", fitting_node(count_tokens=words, budget=BUDGET))
    builder.add_node("answer", answered)
    builder.add_edge(START, "fit")
    builder.add_edge("fit", "answer")
    builder.add_edge("answer", END)
    return builder.compile(checkpointer=InMemorySaver())


async def answers(compiled: Any, given: Sequence[BaseMessage], *, waiting: bool) -> dict[str, Any]:
    update = {"messages": [*given]}
    found: dict[str, Any] = (
        await compiled.ainvoke(update, THREAD) if waiting else compiled.invoke(update, THREAD)
    )
    return found


@pytest.mark.parametrize("waiting", [False, True])
async def test_the_conversation_stays_and_the_model_gets_what_fits(*, waiting: bool) -> None:
    compiled = graph()
    state = await answers(compiled, [*chat(), HumanMessage(ASKED)], waiting=waiting)

    assert len(state["messages"]) == len(chat()) + 2
    assert state["messages"][-1].text == CODE
    assert sum(words(one.text) for one in state["llm_input_messages"]) < BUDGET
    assert orphans(state["llm_input_messages"]) == []
    assert state["context_report"]["evicted_messages"] > 200
    again = await answers(compiled, [HumanMessage(f"Once more: {ASKED}")], waiting=waiting)

    assert again["messages"][-1].text == CODE
    kept = compiled.get_state(THREAD).values["messages"]
    assert [one.text for one in kept[: len(chat())]] == [one.text for one in chat()]


@dataclass
class Talk:
    said: list[AnyMessage] = field(default_factory=list)
    shown: list[AnyMessage] = field(default_factory=list)


def test_keys_and_states_of_other_forms() -> None:
    node = fitting_node(
        count_tokens=words, budget=BUDGET, input_key="said", output_key="shown", report_key="told"
    )
    builder = StateGraph(Talk)
    builder.add_node("fit", node)
    builder.add_edge(START, "fit")
    said: Any = [*chat(), HumanMessage(ASKED)]
    state = builder.compile().invoke(Talk(said=said))

    assert CODE in state["shown"][-1].text
    assert len(state["said"]) == len(said)


def test_a_state_without_the_key_is_told_of() -> None:
    with pytest.raises(InvalidRequest, match="'messages'"):
        fitting_node(count_tokens=words, budget=BUDGET).invoke({"other": []})
