"""A code that was told ten windows ago, asked for in other words: do small models still know it?

Both packaged models answer from a context of 512 tokens; beside them the same models with the
window that `trim_messages` slides over the conversation, to the same budget.
"""

import sys
import time
from collections.abc import Sequence
from random import Random
from typing import Any, Final

import pytest
from conftest import CODER, SMOL, Embedded
from histories.talking import small_talk
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    trim_messages,
)

pytestmark = pytest.mark.weights

SEEDS: Final = range(10)
CONTEXT_TOKENS: Final = 512
ANSWER_TOKENS: Final = 20
WINDOWS: Final = 10
_CHARS_PER_TOKEN: Final = 4
_PLACES: Final = ("vault", "locker", "garage", "safe", "cellar", "archive", "shed")


def conversation(seed: int) -> tuple[list[BaseMessage], str]:
    """Plant a code, talk of other things for ten windows, and ask; give the code, too."""
    random = Random(seed)  # noqa: S311 - nothing is secret here
    code, place = str(random.randint(1_000, 9_999)), random.choice(_PLACES)
    # Some talk of the same, so that a server need not read it ten times.
    later = small_talk(seed // 5, chars=WINDOWS * CONTEXT_TOKENS * _CHARS_PER_TOKEN)
    return [
        SystemMessage("You are a helpful assistant."),
        HumanMessage(f"By the way, the {place} code is {code}. Keep it in mind."),
        AIMessage("I will."),
        *later,
        HumanMessage(f"Which number opens the {place}?"),
    ], code


def slid(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """Drop the oldest messages, as most programs do."""

    def count(some: list[BaseMessage]) -> int:
        return sum(len(one.text) // _CHARS_PER_TOKEN + 8 for one in some)

    kept: list[BaseMessage] = trim_messages(
        [*messages],
        max_tokens=CONTEXT_TOKENS - ANSWER_TOKENS,
        token_counter=count,
        include_system=True,
        start_on="human",
    )
    return kept


def known(chat: Any, prompts: Sequence[tuple[Sequence[BaseMessage], str]]) -> int:
    """Count the codes that a model tells."""
    answers = [chat.invoke(messages) for messages, _ in prompts]
    assert {one.response_metadata["lmswitch"]["context_tokens"] for one in answers} == {
        CONTEXT_TOKENS
    }
    return sum(code in one.text for one, (_, code) in zip(answers, prompts, strict=True))


@pytest.mark.usefixtures("unloaded")
@pytest.mark.parametrize("model", [SMOL, CODER])
def test_planted_code(
    embedded: Embedded,
    monkeypatch: pytest.MonkeyPatch,
    model: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nine of ten are known, and one of ten at most to who drops the oldest."""
    monkeypatch.setenv("LMSWITCH_CONTEXT_TOKENS", str(CONTEXT_TOKENS))
    fields = {"model": model, "max_tokens": ANSWER_TOKENS, "temperature": 0, "summarizer": "off"}
    planted = [conversation(seed) for seed in SEEDS]
    started = time.monotonic()
    ours = known(embedded.chat(**fields, context="on"), planted)
    between = time.monotonic()
    sliding = known(
        embedded.chat(**fields, context="off"), [(slid(one), code) for one, code in planted]
    )
    with capsys.disabled():
        sys.stdout.write(
            f"\n{model}, {WINDOWS} windows back: {ours} of {len(planted)} codes known, {sliding} "
            f"with a sliding window ({between - started:.0f} s, {time.monotonic() - between:.0f} s)"
            "\n"
        )
    assert ours >= 9
    assert sliding <= 1
