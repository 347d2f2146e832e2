"""Drives the product's own flow, and keeps what it asked for and how long it took."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from time import thread_time
from typing import Any, assert_never

from langchain_core.messages import BaseMessage

from langchain_lmswitch.context.asking import Ask, CountPrompt, CountTexts, Embed
from langchain_lmswitch.context.cache import ContextCache
from langchain_lmswitch.context.fitting import FitOptions, Fitted, fit
from langchain_lmswitch.testing.bench.context.counters import Counter
from langchain_lmswitch.testing.bench.context.embedders import Embedder


@dataclass(slots=True)
class Spent:
    """What fitting took."""

    fits_s: list[float] = field(default_factory=list)
    """Seconds of the processor that each took, without those of who counts and embeds."""
    counted_texts: int = 0
    counted_prompts: int = 0
    embedded_texts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """Fits conversations, with somebody who counts and perhaps somebody who embeds."""

    counter: Counter
    embedder: Embedder | None = None
    priors: bool = True
    summarized: bool = False
    """Whether there are summaries, or will be."""
    spent: Spent = field(default_factory=Spent)

    def fit(
        self, messages: Sequence[BaseMessage], budget_tokens: int, cache: ContextCache
    ) -> Fitted:
        """Choose what is sent, as the product does.

        Raises:
            ContextTooLong: What must not be left out is longer than the budget.
        """
        started_s, answering_s = thread_time(), 0.0
        flow = fit(messages, self._options(budget_tokens), cache)
        try:
            asked = next(flow)
            while True:
                since_s = thread_time()
                answer = self._answer(asked)
                answering_s += thread_time() - since_s
                asked = flow.send(answer)
        except StopIteration as done:
            fitted: Fitted = done.value
            return fitted
        finally:
            self.spent.fits_s.append(thread_time() - started_s - answering_s)

    def _options(self, budget_tokens: int) -> FitOptions:
        return FitOptions(
            budget_tokens=budget_tokens,
            tokenizer=self.counter.name,
            embedder=self.embedder.name if self.embedder else "",
            priors=self.priors,
            summarized=self.summarized,
        )

    def _answer(self, asked: Ask) -> Any:
        match asked:
            case CountTexts(texts):
                self.spent.counted_texts += len(texts)
                return self.counter.counts(texts)
            case CountPrompt(messages):
                self.spent.counted_prompts += 1
                return self.counter.counts([self.counter.prompt(messages)])[0]
            case Embed(texts):
                self.spent.embedded_texts += len(texts)
                return self.embedder.vectors(texts) if self.embedder else None
            case _:
                assert_never(asked)
