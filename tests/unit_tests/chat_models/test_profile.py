"""The profile follows the models; tokens are counted by the one that would answer."""

import asyncio
from typing import Any

import pytest
from langchain_core.messages import HumanMessage, SystemMessage, trim_messages
from langchain_core.messages.utils import count_tokens_approximately

from langchain_lmswitch import ChatLMSwitch
from langchain_lmswitch.context.budget import budget
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.testing import ScriptedHost, card, split
from langchain_lmswitch.testing.tokens import render

TOOL = {
    "type": "function",
    "function": {"name": "add", "parameters": {"type": "object", "properties": {}}},
}
INPUT_2048, INPUT_4096 = (budget(tokens, max_tokens=None) for tokens in (2048, 4096))
"""What a prompt may take before old turns are left out."""
MESSAGES = [SystemMessage("Be brief."), HumanMessage("What is the sea?")]


def llm(*cards: Any, **fields: Any) -> ChatLMSwitch:
    host = ScriptedHost(cards or [card("tiny", max_context_tokens=2048)], replies="Water.")
    return ChatLMSwitch(host=host, monitor=host, **fields)


def known(one: ChatLMSwitch) -> dict[str, Any]:
    assert one.profile is not None
    return dict(one.profile)


def test_before_any_contact_it_is_what_models_are_loaded_with() -> None:
    """No host is asked when a chat model is built, and middleware reads the profile at once."""
    one = llm()

    assert known(one)["max_input_tokens"] == budget(Settings().context_tokens, max_tokens=None)
    assert (known(one)["tool_calling"], known(one)["image_inputs"]) == (True, False)
    assert one.host.calls == []


def test_before_a_load_it_is_what_all_candidates_can() -> None:
    eyes = card("eyes", max_context_tokens=4096, vision=True)
    one = llm(eyes, card("tiny", max_context_tokens=2048))
    one.explain("Hello")

    assert (known(one)["max_input_tokens"], known(one)["image_inputs"]) == (INPUT_2048, False)


def test_after_a_load_it_is_the_loaded_model() -> None:
    eyes = card("eyes", max_context_tokens=4096, vision=True)
    one = llm(eyes, card("tiny", max_context_tokens=2048))
    one.invoke("Hello", model="eyes")
    assert (known(one)["max_input_tokens"], known(one)["image_inputs"]) == (INPUT_4096, True)

    list(one.stream("Hello", model="tiny"))
    assert (known(one)["max_input_tokens"], known(one)["image_inputs"]) == (INPUT_2048, False)

    asyncio.run(one.ainvoke("Hello", model="eyes"))
    assert known(one)["max_input_tokens"] == INPUT_4096


def test_profile_of_the_user_stays() -> None:
    one = llm(profile={"max_input_tokens": 100})
    one.invoke("Hello")

    assert known(one) == {"max_input_tokens": 100}


def test_model_that_is_not_loaded_is_not_loaded_for_counting() -> None:
    one = llm()
    counted = one.get_num_tokens_from_messages(MESSAGES, [TOOL])

    assert counted == count_tokens_approximately(MESSAGES, tools=[TOOL])
    assert one.host.called("load") == []


def wire(*texts: tuple[str, str]) -> list[dict[str, Any]]:
    return [{"role": role, "content": [{"type": "text", "text": text}]} for role, text in texts]


@pytest.mark.parametrize("tools", [[], [TOOL]])
def test_loaded_model_counts_with_template_system_prompt_and_tools(tools: Any) -> None:
    one = llm()
    one.invoke("Hello")
    prompt = render(wire(("system", "Be brief."), ("user", "What is the sea?")), tools)

    assert one.get_num_tokens_from_messages(MESSAGES, tools) == len(split(prompt))


async def test_counting_inside_a_running_loop() -> None:
    """Summarization middleware counts from within an asynchronous agent."""
    one = llm()
    await one.ainvoke("Hello")

    assert one.get_num_tokens("one two three") == 3


def test_model_that_left_while_it_was_asked_is_no_error() -> None:
    one = llm()
    one.invoke("Hello")
    [resident] = asyncio.run(one.host.residents())
    one.host.lose(resident.identifier)

    assert one.get_num_tokens("one two three") > 0


def test_messages_are_trimmed_by_the_models_own_count() -> None:
    one = llm()
    one.invoke("Hello")
    long = [*MESSAGES, *(HumanMessage("word " * 50) for _ in range(5))]
    kept = trim_messages(
        long, max_tokens=150, token_counter=one, strategy="last", include_system=True
    )

    assert kept[0] == MESSAGES[0]
    assert 1 < len(kept) < len(long)
    assert one.get_num_tokens_from_messages(kept) <= 150
