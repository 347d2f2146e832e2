"""What the loaded context leaves of a conversation, counted by the model's own means."""

from dataclasses import replace
from os import listdir
from pathlib import Path
from typing import Any

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

from langchain_lmswitch.context.budget import most_tokens
from langchain_lmswitch.context.contents import IMAGE_TOKENS
from langchain_lmswitch.errors import ContextTooLong, UnknownModel
from langchain_lmswitch.graph.fitting import count, fit_exactly
from langchain_lmswitch.messages.outgoing import history
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.switch.board import Switchboard
from langchain_lmswitch.testing import ScriptedHost, split
from langchain_lmswitch.testing.tokens import render
from langchain_lmswitch.types.contexts import ContextReport
from langchain_lmswitch.types.models import LoadSpec, Resident

TOOL = {"type": "function", "function": {"name": "f", "description": "words " * 50}}
IMAGE = {"type": "image", "base64": "AAAA" * 10_000, "mime_type": "image/png"}


async def loaded(context_tokens: int = 4096) -> tuple[ScriptedHost, Resident]:
    host = ScriptedHost(["tiny"])
    return host, await host.load(LoadSpec(key="tiny", context_tokens=context_tokens))


def board_of(host: ScriptedHost, **settings: Any) -> Switchboard:
    return Switchboard(host, host, Settings(**settings))


def conversation(turns: int) -> list[BaseMessage]:
    said: list[tuple[BaseMessage, ...]] = [
        (HumanMessage(content=f"{number} question"), AIMessage(content="an answer"))
        for number in range(turns)
    ]
    return [message for turn in said for message in turn][:-1]


async def test_count_is_of_the_finished_prompt() -> None:
    """Template and tools included."""
    host, resident = await loaded()
    messages = conversation(2)

    assert await count(host, resident.identifier, messages, {}) == len(
        split(render(history(messages)))
    )
    assert await count(host, resident.identifier, messages, {"tools": [TOOL]}) == len(
        split(render(history(messages), [TOOL]))
    )


async def test_images_are_allowed_for_and_not_counted_as_text() -> None:
    host, resident = await loaded()
    plain = HumanMessage(content=[{"type": "text", "text": "Look"}])
    seen = HumanMessage(content=[{"type": "text", "text": "Look"}, IMAGE, IMAGE])

    tokens = await count(host, resident.identifier, [plain], {})
    assert await count(host, resident.identifier, [seen], {}) == tokens + 2 * IMAGE_TOKENS


async def test_unknown_context_takes_all() -> None:  # 1
    host = ScriptedHost(["tiny"])
    messages = conversation(500)
    fitted = await fit_exactly(board_of(host), Resident(key="tiny", identifier="x"), messages, {})

    assert (list(fitted.messages), fitted.report.tokens_after) == (messages, None)
    assert host.calls == []


async def test_off_sends_all_and_counts_nothing() -> None:  # 3
    host, resident = await loaded(1024)
    messages = conversation(500)
    fitted = await fit_exactly(board_of(host, context="off"), resident, messages, {})

    assert list(fitted.messages) == messages
    assert fitted.report == ContextReport(mode="off")
    assert host.called("count_tokens") == []


async def test_observing_sends_all_and_tells_what_would_be_left_out() -> None:  # 4
    host, resident = await loaded(1024)
    messages = conversation(500)
    seen = await fit_exactly(board_of(host), resident, messages, {"context": "observe"})
    done = await fit_exactly(board_of(host), resident, messages, {})

    assert list(seen.messages) == messages
    assert seen.report == replace(done.report, mode="observe")
    assert seen.report.evicted_messages > 0
    assert (seen.report.prompt_tokens, done.report.prompt_tokens) == (
        None,
        done.report.tokens_after,
    )


async def test_short_prompt_is_not_counted() -> None:  # 2
    host, resident = await loaded()
    fitted = await fit_exactly(board_of(host), resident, conversation(2), {})

    assert (len(fitted.messages), fitted.report.tokens_after, fitted.report.changed) == (
        3,
        None,
        False,
    )
    assert host.called("render") == []


async def test_long_prompt_is_counted_and_cut() -> None:  # 4
    host, resident = await loaded(1024)
    messages = conversation(200)
    fitted = await fit_exactly(board_of(host), resident, messages, {"max_tokens": 100})

    tokens = await count(host, resident.identifier, fitted.messages, {})
    assert fitted.report.tokens_after == tokens <= 924
    assert fitted.messages[-1].text.endswith(messages[-1].text)
    assert fitted.report.evicted_messages > 0


async def test_store_spares_the_next_process_the_indexing(tmp_path: Path) -> None:
    """Each switchboard stands for a process: they share nothing but the file."""
    host, resident = await loaded(1024)
    messages, store = conversation(200), tmp_path / "contexts.sqlite"
    first = board_of(host, context_store=store)
    fitted = await fit_exactly(first, resident, messages, {})
    await first.aclose()
    held = store.read_bytes()
    again = await fit_exactly(board_of(host, context_store=store), resident, messages, {})

    assert again == fitted
    assert store.read_bytes() == held
    assert held


async def test_without_a_store_no_word_reaches_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LMSWITCH_HOME", str(tmp_path))
    host, resident = await loaded(1024)
    await fit_exactly(board_of(host), resident, conversation(200), {})

    assert listdir(tmp_path) == []  # noqa: PTH208 - a path of its own would block, it says


async def test_tools_take_their_room() -> None:
    host, resident = await loaded(1024)
    without = await fit_exactly(board_of(host), resident, conversation(200), {})
    with_tools = await fit_exactly(
        board_of(host), resident, conversation(200), {"tools": [TOOL] * 8}
    )

    evicted = (one.report.evicted_messages for one in (with_tools, without))
    assert next(evicted) > next(evicted)


async def test_what_is_recalled_stays_the_same_through_a_tool_loop() -> None:
    """From its first step on: a prompt that only grows is not read anew."""
    host, resident = await loaded(1024)
    board, messages, seen = board_of(host), conversation(200), set()
    for step in range(3):  # the next one is too much for the window
        fitted = await fit_exactly(board, resident, messages, {"tools": [TOOL]})
        seen.add(next(one.text for one in reversed(fitted.messages) if one.type == "human"))
        call = ToolCall(name="f", args={}, id=str(step))
        messages += [AIMessage("", tool_calls=[call]), ToolMessage("done", tool_call_id=str(step))]
        assert fitted.report.recalled

    assert len(seen) == 1


async def test_question_that_is_too_long_is_cut() -> None:
    host, resident = await loaded(1024)
    question = HumanMessage(content="first " + "word " * 2000 + "last")
    fitted = await fit_exactly(board_of(host), resident, [question], {})

    [sent] = fitted.messages
    assert (sent.text.split()[0], sent.text.split()[-1]) == ("first", "last")
    assert "left out" in sent.text
    assert await count(host, resident.identifier, [sent], {}) <= 768
    assert [one.message for one in fitted.report.clipped] == [0]


async def test_question_that_is_too_long_and_must_not_be_cut() -> None:
    host, resident = await loaded(1024)
    question = HumanMessage(content="word " * 2000)
    with pytest.raises(ContextTooLong) as caught:
        await fit_exactly(board_of(host), resident, [question], {"on_overflow": "raise"})

    assert caught.value.limit_tokens == 768


async def test_system_prompt_that_is_too_long() -> None:
    host, resident = await loaded(1024)
    messages = [SystemMessage(content="word " * 2000), HumanMessage(content="Hello")]
    with pytest.raises(ContextTooLong) as caught:
        await fit_exactly(board_of(host), resident, messages, {})

    assert caught.value.limit_tokens == 768


async def test_instance_that_is_gone() -> None:
    host, resident = await loaded(1024)
    host.lose(resident.identifier)
    with pytest.raises(UnknownModel):
        await fit_exactly(board_of(host), resident, conversation(200), {})


@given(st.lists(st.text(max_size=40), max_size=6), st.booleans())
def test_bound_holds_for_every_prompt(texts: list[str], tools: bool) -> None:  # noqa: FBT001
    """What is not counted because it surely fits does fit."""
    entries = history([HumanMessage(content=text) for text in texts])
    offered = [TOOL] if tools else []

    assert len(split(render(entries, offered))) <= most_tokens(entries, tools=offered)
