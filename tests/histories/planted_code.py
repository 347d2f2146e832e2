"""A code that was told ten windows ago: do small models still know it?

Both packaged models answer from a context of 512 tokens; beside them the same models with the
window that `trim_messages` slides over the conversation, to the same budget.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Final

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    trim_messages,
)

from langchain_lmswitch import ChatLMSwitch

CHATS: Final = sorted(
    (Path(__file__).parents[1] / "benchmarks" / "conversations").glob("en-*.jsonl")
)
SEEDS: Final = range(10)
CONTEXT_TOKENS: Final = 512
ANSWER_TOKENS: Final = 20
WINDOWS: Final = 10
_CHARS_PER_TOKEN: Final = 4
_PLACES: Final = ("vault", "locker", "garage", "safe", "cellar", "archive", "office")


def conversation(seed: int) -> tuple[list[BaseMessage], str]:
    """Plant a code, talk of other things for ten windows, and ask; give the code, too."""
    random = Random(seed)  # noqa: S311 - nothing is secret here
    code, place = str(random.randint(1_000, 9_999)), random.choice(_PLACES)
    later = small_talk(seed)
    return [
        SystemMessage("You are a helpful assistant."),
        HumanMessage(f"By the way, the {place} code is {code}. Keep it in mind."),
        AIMessage("I will."),
        *later,
        HumanMessage(f"What is the {place} code?"),
    ], code


def small_talk(seed: int) -> list[BaseMessage]:
    """Take ten windows of a chat between two friends; each one serves a few seeds.

    A server need not read what several prompts have in common ten times.
    """
    chat = CHATS[seed % len(CHATS)].read_text(encoding="utf-8")
    kinds, chars = (HumanMessage, AIMessage), 0
    said: list[BaseMessage] = []
    for at, turn in enumerate(json.loads(chat)["turns"]):
        if chars > WINDOWS * CONTEXT_TOKENS * _CHARS_PER_TOKEN and at % 2 == 0:
            break
        said.append(kinds[at % 2](turn["text"]))
        chars += len(turn["text"])
    return said


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


def known(chat: ChatLMSwitch, prompts: Sequence[tuple[Sequence[BaseMessage], str]]) -> int:
    """Count the codes that a model tells."""
    answers = [chat.invoke([*messages]) for messages, _ in prompts]
    contexts = {one.response_metadata["lmswitch"]["context_tokens"] for one in answers}
    assert contexts == {CONTEXT_TOKENS}
    return sum(code in one.text for one, (_, code) in zip(answers, prompts, strict=True))


def main(model: str) -> None:
    """Ask a model; print how many codes it knows, with all that was said and with a window."""
    planted = [conversation(seed) for seed in SEEDS]
    chat = ChatLMSwitch(
        model=model, max_tokens=ANSWER_TOKENS, temperature=0, context="on", summarizer="off"
    )
    ours = known(chat, planted)
    bare = chat.model_copy(update={"context": "off"})
    sliding = known(bare, [(slid(messages), code) for messages, code in planted])
    sys.stdout.write(json.dumps({"ours": ours, "sliding": sliding}))


if __name__ == "__main__":
    main(sys.argv[1])
