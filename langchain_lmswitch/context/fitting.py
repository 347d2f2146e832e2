"""Fitting a conversation into a budget: the flow, without IO."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from langchain_core.messages import BaseMessage

from langchain_lmswitch.context.asking import Ask, CountPrompt
from langchain_lmswitch.context.boundaries import Window, replay
from langchain_lmswitch.context.cache import ContextCache
from langchain_lmswitch.context.composing import Composer
from langchain_lmswitch.context.counting import fixed_tokens, template_overhead, unit_costs
from langchain_lmswitch.context.drafts import Draft, relieved
from langchain_lmswitch.context.reporting import report
from langchain_lmswitch.context.shares import Shares, shares
from langchain_lmswitch.context.transcripts import Transcript
from langchain_lmswitch.errors import ContextTooLong
from langchain_lmswitch.types.contexts import ContextReport, Overflow

_NEARLY: Final = 0.75
_MORE: Final = 1.1
"""An estimate was too low; it is so for what is given up as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """What is sent, and what became of the rest."""

    messages: tuple[BaseMessage, ...]
    report: ContextReport
    summarizable_chunks: int = 0
    """How many of the first chunks are evicted, or will be the next time something is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FitOptions:
    """How to fit."""

    budget_tokens: int
    """What the finished prompt may take."""
    tokenizer: str
    """Names who counts, so that counts can be kept."""
    template: str = ""
    """Names what is put around every conversation: tools, a schema."""
    embedder: str = ""
    """Names who embeds; empty if nobody does."""
    question: str | None = None
    """What to recall for; `None` is the last user message."""
    overflow: Overflow = "clip"
    summarized: bool = False
    """Whether somebody writes summaries, so that a share of the budget is theirs."""
    priors: bool = True
    """Whether what the user said, and standing instructions, come before what was answered."""


def fit(
    messages: Sequence[BaseMessage], options: FitOptions, cache: ContextCache
) -> Generator[Ask, Any, Fitted]:
    """Choose what of a conversation is sent; a flow without IO.

    It yields what it has to know and is sent the answers:

    1. What the system prompt and each unit take; all but what is new was counted before.
    2. Where the recent window begins, what is put back, and how the rest is told: by estimate.
    3. The finished prompt is counted, and something is given up, until it fits.

    Raises:
        ContextTooLong: What must not be left out is longer than the budget; or, with
            `overflow="raise"`, a message would have to be cut.
    """
    transcript = cache.transcripts.of(messages)
    overhead = yield from template_overhead(options.tokenizer, cache)  # 1
    around = f"{options.tokenizer}|{options.template}"
    fixed = yield from fixed_tokens(transcript.parted.system, around, cache)
    costs = yield from unit_costs(transcript, options.tokenizer, overhead, cache)
    parts = shares(options.budget_tokens, fixed, summarized=options.summarized)
    total = fixed + sum(costs)
    while True:
        window = _window(transcript, costs, parts)  # 2
        whole = window.evicted_at < 0 and not transcript.parted.orphans
        if not whole:
            break
        tokens = yield CountPrompt(tuple(messages))
        if tokens <= options.budget_tokens:
            told = report(None, window, transcript, options.budget_tokens, total, tokens)
            ahead = _summarizable(transcript, window, costs, parts)
            return Fitted(messages=tuple(messages), report=told, summarizable_chunks=ahead)
        parts = _tighter(parts, tokens - options.budget_tokens, total - fixed)
    composer = Composer(transcript, window, costs, parts, options, cache)
    draft = yield from composer.draft()
    draft, tokens = yield from _exact(draft, options.budget_tokens)  # 3
    told = report(draft, window, transcript, options.budget_tokens, total, tokens)
    if told.clipped and options.overflow == "raise":
        raise ContextTooLong(tokens=total, limit_tokens=options.budget_tokens)
    ahead = _summarizable(transcript, window, costs, parts)
    return Fitted(messages=draft.messages(), report=told, summarizable_chunks=ahead)


def _window(transcript: Transcript, costs: Sequence[int], parts: Shares) -> Window:
    units = transcript.parted.units
    return replay(
        units,
        transcript.chunks,
        whole=costs,
        costs=parts.capped(units, costs),
        levels=parts.levels,
    )


def _summarizable(
    transcript: Transcript, window: Window, costs: Sequence[int], parts: Shares
) -> int:
    """Count the chunks that may be summarized: what is evicted next is so before it is missed.

    While everything fits, nothing is: most conversations end before they are too long.
    """
    levels = parts.levels
    if window.evicted_at < 0 and window.tokens < _NEARLY * levels.full:
        return 0
    leaving = window.tokens - levels.low
    for at, chunk in enumerate(transcript.chunks):
        if chunk.start >= window.start:
            leaving -= sum(costs[chunk.start : chunk.end])
            if leaving < 0 or not chunk.closed:
                return at
    return len(transcript.chunks)


def _tighter(parts: Shares, excess_tokens: int, total: int) -> Shares:
    """Take the estimate for lower than it was, so that something is evicted."""
    full = min(parts.levels.full, total) - max(int(excess_tokens * _MORE), 1)
    return replace(parts, levels=replace(parts.levels, full=full))


def _exact(draft: Draft, budget_tokens: int) -> Generator[Ask, Any, tuple[Draft, int]]:
    tokens = yield CountPrompt(draft.messages())
    while tokens > budget_tokens:
        excess = int((tokens - budget_tokens) * _MORE) + 1
        less = relieved(draft, excess)
        if less is None:
            raise ContextTooLong(tokens=tokens, limit_tokens=budget_tokens)
        draft = less
        tokens = yield CountPrompt(draft.messages())
    return draft, tokens
