"""Conversations turn by turn: what a turn costs, what stays, and what becomes of a changed one."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from histories.checking import said
from histories.driving import Conversation, Tokenizer
from histories.talking import talk
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolCall,
    ToolMessage,
)

from langchain_lmswitch.context.asking import CountPrompt
from langchain_lmswitch.context.fitting import Fitted
from langchain_lmswitch.context.recall import Segment
from langchain_lmswitch.errors import ContextTooLong

SYSTEM = SystemMessage("You are a guide.")


def asked(turns: int) -> list[BaseMessage]:
    return [SYSTEM, *talk(turns), HumanMessage("What of the harbor?")]


def loop(steps: int, *, chars: int = 200) -> list[BaseMessage]:
    """Make steps of a tool loop."""
    told = " ".join(one.text for one in talk(steps * chars // 100))
    return [
        message
        for step in range(steps)
        for message in (
            AIMessage("", tool_calls=[ToolCall(name="read", args={"page": step}, id=f"c{step}")]),
            ToolMessage(told[step * chars : (step + 1) * chars], tool_call_id=f"c{step}"),
        )
    ]


def work_of(turns: int, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int, int]:
    """Count texts and characters that are counted, and segments that are kept, turn by turn."""
    conversation = Conversation(budget_tokens=2_000)
    kept: list[bytes] = []
    put = conversation.cache.segments.put

    def noted(digest: bytes, segment: Segment) -> None:
        kept.append(digest)
        put(digest, segment)

    monkeypatch.setattr(conversation.cache.segments, "put", noted)
    messages = [SYSTEM, *talk(turns)]
    for end in range(2, len(messages), 2):
        conversation.fit(messages[:end])
    return conversation.tokenizer.texts, conversation.tokenizer.chars, len(kept)


def test_work_grows_with_the_conversation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice the turns, twice the work: each text is counted once, each chunk indexed once."""
    short, middle, long = (work_of(turns, monkeypatch) for turns in (60, 120, 240))

    for before, now in pairwise((short, middle, long)):
        assert all(1.5 * old < new < 2.6 * old for old, new in zip(before, now, strict=True))


def test_a_turn_counts_few_prompts() -> None:
    """The exact count is a trip to the host: one a turn, and another one now and then."""
    conversation = Conversation(budget_tokens=2_000)
    messages = [SYSTEM, *talk(120)]
    for end in range(2, len(messages), 2):
        conversation.fit(messages[:end])

    assert conversation.tokenizer.prompts <= 1.3 * 120


def test_a_smaller_context_is_one_compaction() -> None:
    """Another model with less room gets less; nothing fails, and then all goes on as before."""
    messages = asked(40)
    large = Conversation(budget_tokens=8_000).fit(messages)
    assert not large.report.changed
    small = Conversation(budget_tokens=2_000)
    first = small.fit(messages)
    assert first.report.evicted_messages > 0
    assert first.report.recalled
    messages += [AIMessage("It is there."), HumanMessage("And what else?")]
    second = small.fit(messages)

    assert not second.report.compacted
    assert second.report.evicted_messages == first.report.evicted_messages
    assert second.report.reusable_tokens > 0


def tokens_of(fitted: Fitted) -> int:
    assert fitted.report.tokens_after is not None
    return fitted.report.tokens_after


def heads(before: Fitted, now: Fitted) -> int:
    """Count the messages at the beginning that are the same."""
    pairs = zip(before.messages, now.messages, strict=False)
    return next((at for at, (old, new) in enumerate(pairs) if said(old) != said(new)), 10**6)


def test_an_edited_system_prompt() -> None:
    """It stands in the next prompt, and nothing else changes."""
    conversation, messages = Conversation(budget_tokens=2_000), asked(60)
    before = conversation.fit(messages)
    counted = conversation.tokenizer.texts
    now = conversation.fit([SystemMessage("You are a clerk."), *messages[1:]])

    assert now.messages[0].text.startswith("You are a clerk.")
    assert [*map(said, now.messages[1:])] == [*map(said, before.messages[1:])]
    assert conversation.tokenizer.texts == counted


def test_an_answer_made_again() -> None:
    """The same question gives the same prompt, byte for byte."""
    conversation, messages = Conversation(budget_tokens=2_000), asked(60)
    first = conversation.fit(messages)
    conversation.fit([*messages, AIMessage("No."), HumanMessage("Sure?")])
    again = conversation.fit(messages)

    assert [*map(said, again.messages)] == [*map(said, first.messages)]
    assert again.report == first.report


def test_a_branch_costs_what_is_new() -> None:
    conversation, messages = Conversation(budget_tokens=2_000), asked(60)
    conversation.fit(messages)
    counted = conversation.tokenizer.texts
    branch = [*messages[:-5], HumanMessage("Let us talk about something else: what of the oven?")]
    conversation.fit(branch)

    assert conversation.tokenizer.texts - counted <= 4


def test_a_tool_loop_keeps_its_block() -> None:
    """What was recalled for its question stays byte for byte while there is room."""
    conversation = Conversation(budget_tokens=4_000)
    messages = asked(80)
    prompts = [conversation.fit(messages)]
    prompts += [conversation.fit([*messages, *loop(at)]) for at in range(1, 8)]

    assert prompts[0].report.recalled
    for before, now in pairwise(prompts):
        same = heads(before, now)
        if now.report.compacted:
            continue
        if now.report.recalled == before.report.recalled:
            assert same >= len(before.messages)
            new = conversation.tokenizer.prompt(now.messages[len(before.messages) :])
            assert now.report.reusable_tokens <= tokens_of(before) + 8
            assert tokens_of(now) - now.report.reusable_tokens < new + 40
        else:
            free = 4_000 - conversation.tokenizer.prompt(before.messages)
            assert free < 600, "short of room"
    kept = [now.report.recalled == before.report.recalled for before, now in pairwise(prompts)]
    assert sum(kept) >= 5


@pytest.mark.parametrize(
    "messages",
    [
        [HumanMessage("Read this. " * 2_000)],
        [*talk(30), HumanMessage("Read it."), *loop(1, chars=20_000)],
    ],
)
def test_refuses_to_cut(messages: Sequence[BaseMessage]) -> None:
    """With `overflow="raise"`, before a prompt is counted that will not be sent."""
    strict = Conversation(budget_tokens=2_000, options={"overflow": "raise"})
    with pytest.raises(ContextTooLong) as caught:
        strict.fit(messages)

    assert caught.value.limit_tokens == 2_000 < caught.value.tokens
    assert strict.tokenizer.prompts <= 3, "two to learn the template, one of the system prompt"
    lenient = Conversation(budget_tokens=2_000).fit(messages)
    [clipped] = [one for one in lenient.report.clipped if one.left_out_tokens]
    gone = sum(map(Tokenizer().text, (one.text for one in messages))) - tokens_of(lenient)
    assert 0.5 * gone < clipped.left_out_tokens


def test_arguments_of_any_shape_are_cut() -> None:
    """Nested ones are written as text; the call keeps its name, its id and its short ones."""
    edits = [{"old": f"line {at}", "new": "x" * 50} for at in range(400)]
    args: dict[str, Any] = {"path": "a.txt", "edits": edits, "dry": False}
    messages = [
        HumanMessage("Change it."),
        AIMessage("", tool_calls=[ToolCall(name="edit", args=args, id="1")]),
        ToolMessage("done", tool_call_id="1"),
    ]
    fitted = Conversation(budget_tokens=1_000).fit(messages)
    call = next(one for one in fitted.messages if isinstance(one, AIMessage)).tool_calls[0]

    assert (call["name"], call["id"]) == ("edit", "1")
    assert (call["args"]["path"], call["args"]["dry"]) == ("a.txt", False)
    assert "characters left out" in call["args"]["edits"]
    assert messages[1].tool_calls[0]["args"]["edits"] == edits  # type: ignore[attr-defined]


def test_counts_of_one_turn_are_asked_at_once() -> None:
    """A long conversation that comes anew is one request for counts, not a thousand."""
    asks: list[Any] = []
    conversation = Conversation(budget_tokens=2_000)
    answer = conversation.tokenizer.answer

    class Noting(Tokenizer):
        def answer(self, asked: Any) -> Any:
            asks.append(asked)
            return answer(asked)

    conversation.tokenizer = Noting()
    conversation.fit(asked(100))

    assert len([one for one in asks if isinstance(one, CountPrompt)]) <= 5
    assert len(asks) <= 12
