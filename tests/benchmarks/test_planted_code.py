"""A code that was told ten windows ago, asked for in other words: do small models still know it?

Both packaged models answer from a context of 512 tokens; beside them the same models with the
window that `trim_messages` slides over the conversation, to the same budget.
"""

import sys
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
_PLACES: Final = "vault locker garage safe cellar archive shed".split()


def conversation(seed: int) -> tuple[list[BaseMessage], str]:
    """Plant a code, talk of other things for ten windows, and ask; give the code, too."""
    random = Random(seed)  # noqa: S311 - nothing is secret here
    code, place = str(random.randint(1_000, 9_999)), random.choice(_PLACES)
    later = small_talk(seed, chars=WINDOWS * CONTEXT_TOKENS * _CHARS_PER_TOKEN)
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


def answered(chat: Any, messages: Sequence[BaseMessage], code: str) -> tuple[bool, str]:
    import time; t0=time.monotonic(); c0=time.process_time()
    answer = chat.invoke(messages)
    sys.__stderr__.write(f"   {time.monotonic()-t0:.1f} {time.process_time()-c0:.1f} {answer.usage_metadata} {[ (k,v) for k,v in (answer.response_metadata['lmswitch'].get('context') or {}).items() if k!='recalled']}\n")
    told = answer.response_metadata["lmswitch"]
    assert told["context_tokens"] == CONTEXT_TOKENS
    return code in answer.text, answer.text


@pytest.mark.parametrize("model", [SMOL, CODER])
def test_planted_code(
    embedded: Embedded,
    unloaded: None,
    monkeypatch: pytest.MonkeyPatch,
    model: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("LMSWITCH_CONTEXT_TOKENS", str(CONTEXT_TOKENS))
    fields = {"model": model, "max_tokens": ANSWER_TOKENS, "temperature": 0, "summarizer": "off"}
    ours = embedded.chat(**fields, context="on")
    sliding = embedded.chat(**fields, context="off")
    known = slipped = 0
    lines = []
    import time; t0=time.monotonic()
    for seed in SEEDS:
        messages, code = conversation(seed)
        right, text = answered(ours, messages, code)
        known += right
        lines.append(f"{code} {right} {text!r}")
        slipped += answered(sliding, slid(messages), code)[0]
        sys.__stderr__.write(lines[-1] + f" {time.monotonic()-t0:.1f}\n"); sys.__stderr__.flush()
    with capsys.disabled():
        sys.stdout.write("\n".join(["", *lines, ""]))
        sys.stdout.write(
            f"\n{model}, {WINDOWS} windows back: {known} of {len(SEEDS)} codes known; "
            f"{slipped} with a sliding window\n"
        )
    assert known >= 9
    assert slipped <= 1
