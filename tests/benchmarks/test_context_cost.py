"""What a turn costs in a conversation of 10,000 messages; seconds are printed, counts asserted."""

import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from histories.driving import Conversation, Tokenizer
from histories.talking import talk
from langchain_core.messages import BaseMessage, HumanMessage

pytestmark = pytest.mark.alone

MESSAGES = 10_000
TURNS = 40


def cpu_ms(work: Callable[[], Any]) -> float:
    started = time.thread_time()
    work()
    return 1000 * (time.thread_time() - started)


def turn_ms(conversation: Conversation, messages: Sequence[BaseMessage]) -> float:
    before = conversation.tokenizer.cpu_s
    return cpu_ms(lambda: conversation.fit(messages)) - 1000 * (
        conversation.tokenizer.cpu_s - before
    )


def test_cost_of_a_turn(capsys: pytest.CaptureFixture[str]) -> None:
    """A turn looks at what is new; printed as a ratio to writing all messages down once."""
    talked = talk(MESSAGES // 2 + TURNS)
    conversation = Conversation(budget_tokens=8_000, tokenizer=Tokenizer(per_char=0.25))
    messages = talked[:MESSAGES]
    cold = turn_ms(conversation, [*messages, HumanMessage("And what of the harbor?")])
    counted = conversation.tokenizer.texts
    turns = []
    for question, answer in zip(talked[MESSAGES::2], talked[MESSAGES + 1 :: 2], strict=True):
        messages = [*messages, question]
        turns.append(turn_ms(conversation, messages))
        messages.append(answer)
    yardstick = statistics.median(
        cpu_ms(lambda: json.dumps([[one.type, one.content] for one in messages])) for _ in range(5)
    )
    warm = statistics.median(turns)

    with capsys.disabled():
        sys.stdout.write(
            f"\n{len(messages)} messages: cold {cold:.0f} ms, then {warm:.1f} ms a turn "
            f"(at most {max(turns):.1f}); {cold / yardstick:.1f} and {warm / yardstick:.2f} times "
            "what writing them down takes\n"
        )
    assert conversation.tokenizer.texts - counted <= 8 * TURNS
