"""What a server has to read of each prompt: all that the prompt before did not begin with."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from string import ascii_letters

from langchain_core.messages import BaseMessage, HumanMessage

from langchain_lmswitch.context.cache import ContextCache
from langchain_lmswitch.testing.bench.context.counters import Counter, costs
from langchain_lmswitch.testing.bench.context.driving import Driver
from langchain_lmswitch.testing.bench.context.rivals import Sizes, window


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefill:
    """Tokens that were read in the replay of a conversation."""

    ours: int
    dropping: int
    """By who drops the oldest message whenever a new one needs its place."""
    turns: int
    compactions: int
    """Turns in which we evicted something."""


def replayed(messages: Sequence[BaseMessage], budget_tokens: int, driver: Driver) -> Prefill:
    """Replay a conversation, with a call after each user message.

    Raises:
        ContextTooLong: A message cannot be made to fit.
    """
    cache = ContextCache()
    ours, dropping = Reader(driver.counter), Reader(driver.counter)
    turns = compactions = 0
    for said, kept in _windows(messages, budget_tokens, driver.counter):
        fitted = driver.fit(said, budget_tokens, cache)
        ours.read(fitted.messages)
        dropping.read(kept)
        turns += 1
        compactions += fitted.report.compacted
    return Prefill(ours=ours.tokens, dropping=dropping.tokens, turns=turns, compactions=compactions)


class Reader:
    """A server that keeps the state of the prompt before.

    Args:
        counter: Counts what is read.
    """

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._before = ""
        self.tokens: int = 0
        """Read so far."""

    def read(self, messages: Sequence[BaseMessage]) -> None:
        """Read what is new in a prompt."""
        prompt = self._counter.prompt(messages)
        new = prompt[shared_chars(self._before, prompt) :]
        self.tokens += self._counter.counts([new])[0]
        self._before = prompt


def shared_chars(before: str, now: str) -> int:
    """Count the characters that two texts begin with alike, to the start of the last word.

    Example:
        >>> shared_chars("We met in Lyon.", "We met in London.")
        10
    """
    same, most = 0, min(len(before), len(now))
    while same < most:
        middle = (same + most + 1) // 2
        if before[same:middle] == now[same:middle]:
            same = middle
        else:
            most = middle - 1
    # A word that goes on otherwise is not the same tokens.
    return len(now[:same].rstrip(ascii_letters))


def _windows(
    messages: Sequence[BaseMessage], budget_tokens: int, counter: Counter
) -> Iterator[tuple[Sequence[BaseMessage], Sequence[BaseMessage]]]:
    """Give the conversation up to each user message, and what is left when the oldest is dropped.

    The last message is never dropped.
    """
    tokens = costs(messages, counter)
    for end, message in enumerate(messages, start=1):
        if isinstance(message, HumanMessage):
            kept = window(Sizes(tokens=tokens[:end], budget_tokens=budget_tokens))
            yield messages[:end], messages[min([*kept, end - 1]) : end]
