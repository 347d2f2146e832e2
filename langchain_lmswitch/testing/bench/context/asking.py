"""One conversation and its questions: the prompt that each gets, from us and from others."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from langchain_core.messages import BaseMessage, HumanMessage

from langchain_lmswitch.context.cache import ContextCache
from langchain_lmswitch.errors import ContextTooLong
from langchain_lmswitch.testing.bench.context.chats import Chat, Question
from langchain_lmswitch.testing.bench.context.counters import costs
from langchain_lmswitch.testing.bench.context.driving import Driver
from langchain_lmswitch.testing.bench.context.marks import Mark, credit, plain
from langchain_lmswitch.testing.bench.context.prefill import Prefill, replayed
from langchain_lmswitch.testing.bench.context.rivals import Lexicon, Sizes, recalled, window

OURS: Final = "lmswitch"
WINDOW: Final = "window"
BM25: Final = "bm25"
AROUND_TOKENS: Final = 5
"""What each turn counts for beside its text, when it is told how long a conversation is."""

Marked = Mapping[str, Mark]
"""By who made the prompt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A conversation in a budget."""

    chat: Chat
    messages: Sequence[BaseMessage]
    total_tokens: int
    budget_tokens: int
    driver: Driver
    cache: ContextCache = field(default_factory=ContextCache)
    """As warm as in use: what one question taught is there for the next."""

    def marks(self, *, rivals: bool = False) -> Iterator[Marked]:
        """Ask each question in the end, as the last user message."""
        others = _Others(self) if rivals else None
        for question in self.chat.questions:
            asked = [*self.messages, HumanMessage(question.text)]
            sent = self._fitted(asked)
            prompts = {OURS: sent} | (others.prompts(asked, sent) if others else {})
            yield {who: self._mark(question, prompt) for who, prompt in prompts.items()}

    def prefill(self) -> Prefill:
        """Replay it turn by turn, without the questions."""
        return replayed(self.messages, self.budget_tokens, self.driver)

    def _fitted(self, asked: Sequence[BaseMessage]) -> Sequence[BaseMessage]:
        """Fit; where that cannot be, nothing is sent, and so nothing is found."""
        try:
            return self.driver.fit(asked, self.budget_tokens, self.cache).messages
        except ContextTooLong:
            return ()

    def _mark(self, question: Question, sent: Sequence[BaseMessage]) -> Mark:
        prompt = self.driver.counter.prompt(sent) if sent else ""
        there = plain(prompt)
        return Mark(
            category=question.category,
            credits=tuple(credit(self.chat.turns[at].text, there) for at in question.evidence),
            over=self.driver.counter.counts([prompt])[0] > self.budget_tokens,
            ratio=self.total_tokens / self.budget_tokens,
        )


def asked(chat: Chat, ratio: float, driver: Driver) -> Asked:
    """Give a conversation as many times less room than it has tokens."""
    counts = driver.counter.counts([one.text for one in chat.turns])
    total_tokens = sum(counts) + AROUND_TOKENS * len(counts)
    return Asked(
        chat=chat,
        messages=chat.messages(),
        total_tokens=total_tokens,
        budget_tokens=int(total_tokens / ratio),
        driver=driver,
    )


class _Others:
    """What others send of a conversation; its last message is the question."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        texts = [one.text for one in asked.chat.turns]
        self._lexicon = Lexicon(texts)
        self._tokens = costs(asked.messages, asked.driver.counter)

    def prompts(
        self, asked: Sequence[BaseMessage], ours: Sequence[BaseMessage]
    ) -> dict[str, list[BaseMessage]]:
        """Give the same budget to each, and to BM25 as many recent tokens as we have.

        1. `window`: the last messages.
        2. `bm25`: the last messages, and those that it finds, in the order of time.
        """
        question = str(asked[-1].text)
        [taken] = costs(asked[-1:], self._asked.driver.counter)
        sizes = Sizes(tokens=self._tokens, budget_tokens=self._asked.budget_tokens - taken)
        ranked = self._lexicon.ranked(question)
        chosen = {
            WINDOW: window(sizes),  # 1
            BM25: recalled(sizes, ranked, recent_tokens=self._recent_tokens(ours)),  # 2
        }
        return {name: [*(asked[at] for at in found), asked[-1]] for name, found in chosen.items()}

    def _recent_tokens(self, ours: Sequence[BaseMessage]) -> int:
        sent = {id(one) for one in ours}
        pairs = zip(self._asked.messages, self._tokens, strict=True)
        return sum(tokens for message, tokens in pairs if id(message) in sent)
