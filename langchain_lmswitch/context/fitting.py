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
from langchain_lmswitch.context.reporting import Telling
from langchain_lmswitch.context.shares import Shares, shares
from langchain_lmswitch.context.transcripts import Transcript
from langchain_lmswitch.errors import ContextTooLong
from langchain_lmswitch.types.contexts import ContextReport, Overflow
from langchain_lmswitch.types.displays.contexts import fitted_sheet
from langchain_lmswitch.types.displays.sheets import Sheet
from langchain_lmswitch.types.displays.shown import Shown

_NEARLY: Final = 0.75
_MORE: Final = 1.1
"""An estimate was too low; it is so for what is given up as well."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Fitted(Shown):
    """What is sent, and what became of the rest; `fit_messages` gives it.

    Example:
        ```python
        from langchain_core.messages import HumanMessage
        from langchain_lmswitch import fit_messages

        fitted = fit_messages([HumanMessage("Hello")], count_tokens="approximate", budget=500)
        print(len(fitted.messages), fitted.report.evicted_messages)
        ```

        ```text
        1 0
        ```
    """

    messages: tuple[BaseMessage, ...]
    """For a chat model, as they are; what was put back stands in the last user message."""
    report: ContextReport
    """Tokens before and after, what was left out, put back and cut."""
    summarizable_chunks: int = 0
    """How many of the first chunks are evicted, or will be the next time something is."""

    def _sheet(self) -> Sheet:
        return fitted_sheet(len(self.messages), self.summarizable_chunks, self.report)


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
    tools: bool = False
    """Whether tools are offered, so that a loop may follow: room is kept for its steps."""
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
    parts = shares(options.budget_tokens, fixed, summarized=options.summarized, tools=options.tools)
    told = Telling(transcript, costs, options.budget_tokens, fixed)
    window = _window(transcript, costs, parts)  # 2
    if window.evicted_at >= 0:
        return (yield from _shortened(told, window, parts, options, cache))
    plain = _without_orphans(messages, transcript)
    tokens = yield CountPrompt(plain)
    if tokens <= options.budget_tokens:
        ahead = _summarizable(transcript, window, costs, parts)
        return Fitted(messages=plain, report=told.whole(tokens), summarizable_chunks=ahead)
    parts = _tighter(parts, tokens - options.budget_tokens, sum(costs))
    window = _window(transcript, costs, parts)
    return (yield from _shortened(told, window, parts, options, cache, tightened=True))


def _without_orphans(
    messages: Sequence[BaseMessage], transcript: Transcript
) -> tuple[BaseMessage, ...]:
    orphans = frozenset(transcript.parted.orphans)
    return tuple(one for at, one in enumerate(messages) if at not in orphans)


def _shortened(
    told: Telling,
    window: Window,
    parts: Shares,
    options: FitOptions,
    cache: ContextCache,
    *,
    tightened: bool = False,
) -> Generator[Ask, Any, Fitted]:
    """Fit what does not fit as a whole.

    Args:
        told: The conversation and its costs.
        window: What of it stands in the prompt.
        parts: What each part of the prompt may take.
        options: How to fit.
        cache: What was worked out before.
        tightened: Whether the estimate said that it fits, so that no other turn begins like this.
    """
    transcript, costs = told.transcript, told.costs
    _check_lengths(window, transcript, costs, parts, options)
    composer = Composer(transcript, window, costs, parts, options=options, cache=cache)
    draft = yield from composer.draft()
    final, tokens = yield from _exact(draft, options)  # 3
    begun_anew = tightened or not final.begins_as(draft)
    return Fitted(
        messages=final.messages(),
        report=told.fitted(final, window, tokens, begun_anew=begun_anew),
        summarizable_chunks=_summarizable(transcript, window, costs, parts),
    )


def _check_lengths(
    window: Window,
    transcript: Transcript,
    costs: Sequence[int],
    parts: Shares,
    options: FitOptions,
) -> None:
    """Refuse what would be cut, before anything is asked of the host."""
    if options.overflow == "clip":
        return
    here = (*window.units, *range(window.start, len(costs)))
    longest = max((at for at in here), key=costs.__getitem__, default=None)
    if longest is not None and costs[longest] > parts.most_of(transcript.parted.units[longest]):
        raise ContextTooLong(tokens=costs[longest], limit_tokens=options.budget_tokens)


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
    full = max(min(parts.levels.full, total) - max(int(excess_tokens * _MORE), 1), 0)
    return replace(parts, levels=replace(parts.levels, full=full))


def _exact(draft: Draft, options: FitOptions) -> Generator[Ask, Any, tuple[Draft, int]]:
    tokens = yield CountPrompt(draft.messages())
    while tokens > options.budget_tokens:
        excess = int((tokens - options.budget_tokens) * _MORE) + 1
        less = relieved(draft, excess, cut=options.overflow == "clip")
        if less is None:
            raise ContextTooLong(tokens=tokens, limit_tokens=options.budget_tokens)
        draft = less
        tokens = yield CountPrompt(draft.messages())
    return draft, tokens
