"""Fitting a conversation into a budget: the flow, without IO."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import BaseMessage

from langchain_lmswitch.context.cache import ContextCache
from langchain_lmswitch.types.contexts import ContextReport, Overflow


@dataclass(frozen=True, slots=True)
class CountTexts:
    """Asks for the tokens of each text: a `Sequence[int]`."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CountPrompt:
    """Asks for the tokens of a finished prompt, template and tools included: an `int`."""

    messages: tuple[BaseMessage, ...]


@dataclass(frozen=True, slots=True)
class Embed:
    """Asks for the vectors of texts: one each, normalized; or `None` if nobody embeds (yet)."""

    texts: tuple[str, ...]


Ask = CountTexts | CountPrompt | Embed


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """What is sent, and what became of the rest."""

    messages: tuple[BaseMessage, ...]
    report: ContextReport


@dataclass(frozen=True, slots=True, kw_only=True)
class FitOptions:
    """How to fit."""

    budget_tokens: int
    """What the finished prompt may take."""
    tokenizer: str
    """Names who counts, so that counts can be kept."""
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

    It yields what it has to know and is sent the answers.

    Raises:
        ContextTooLong: What must not be left out is longer than the budget; or, with
            `overflow="raise"`, a message would have to be cut.
    """
    raise NotImplementedError
