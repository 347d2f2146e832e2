"""Managers of contexts, ours and those of others, each with a summarizer that keeps what it reads.

All of them get one conversation as it stands, as after a restart or a change of the model, and the
same budget and the same counter.
"""

import asyncio
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from benchmarks.histories import BUDGET_TOKENS, History, mark
from langchain.agents.middleware import SummarizationMiddleware
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    RemoveMessage,
    ToolMessage,
    trim_messages,
)
from langchain_core.outputs import ChatGeneration, ChatResult

from langchain_lmswitch.context.cache import ContextCache
from langchain_lmswitch.context.chunks import chunks_of
from langchain_lmswitch.context.summarized import next_piece
from langchain_lmswitch.context.units import parted
from langchain_lmswitch.switch.summarizers import by_chat_model
from langchain_lmswitch.testing.bench.context import Driver, Estimate


class Summarizer(BaseChatModel):
    """Says the same of whatever it reads, and keeps that."""

    read: list[str] = []  # noqa: RUF012 - pydantic gives each its own

    @property
    def _llm_type(self) -> str:
        return "summarizer"

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        self.read.append("\n".join(str(one.text) for one in messages))
        said = AIMessage("They spoke of a boat and of its cargo of lamps.")
        return ChatResult(generations=[ChatGeneration(message=said)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What a manager sends, and what its summarizer has read."""

    messages: Sequence[BaseMessage]
    read: Sequence[str] = ()
    replaced: frozenset[int] | None = None
    """Places of the messages that the summary stands for; `None` is all that are not sent, because
    the manager has no others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What went wrong."""

    orphans: int
    """Tool results without their call, and calls without all of their results."""
    over: int
    """Whether the prompt is longer than its budget."""
    lost: int
    """Whether the question is not there."""
    unseen: int
    """Messages that a summary stands for, or nothing, though no summarizer ever saw them. What we
    evict is not gone: it is searched at every turn."""


Manager = Callable[[History], Sent]


def faults(history: History, sent: Sent) -> Faults:
    """Look at what is sent."""
    texts = "\n".join(str(one.text) for one in sent.messages)
    read = "\n".join(sent.read)
    gone = {at for at in range(len(history.messages)) if mark(at) not in texts}
    replaced = gone - _orphans(history.messages) if sent.replaced is None else sent.replaced
    asked = [one for one in sent.messages if isinstance(one, HumanMessage)]
    return Faults(
        orphans=len(_orphans(sent.messages)) + _unanswered(sent.messages),
        over=tokens(sent.messages) > BUDGET_TOKENS,
        lost=not any(history.question in str(one.text) for one in asked),
        unseen=sum(mark(at) not in read for at in replaced),
    )


def tokens(messages: Sequence[BaseMessage]) -> int:
    """Count, calls and all, as everybody here does."""
    counter = Estimate()
    return counter.counts([counter.prompt(messages)])[0]


def _orphans(messages: Sequence[BaseMessage]) -> frozenset[int]:
    found: set[int] = set()
    calls: set[str | None] = set()
    for at, one in enumerate(messages):
        if isinstance(one, AIMessage):
            calls = {call["id"] for call in one.tool_calls}
        elif not isinstance(one, ToolMessage):
            calls = set()
        elif one.tool_call_id not in calls:
            found.add(at)
    return frozenset(found)


def _unanswered(messages: Sequence[BaseMessage]) -> int:
    results = {one.tool_call_id for one in messages if isinstance(one, ToolMessage)}
    calls = [
        call["id"] for one in messages if isinstance(one, AIMessage) for call in one.tool_calls
    ]
    return sum(one not in results for one in calls)


def ours(history: History) -> Sent:
    """Fit as the product does, with the summaries that it has written in the turns before."""
    summarizer, cache = Summarizer(), ContextCache()
    driver = Driver(counter=Estimate(), summarized=True)
    before = driver.fit(history.messages, BUDGET_TOKENS, cache)
    units = parted(history.messages).units
    chunks = chunks_of(units)[: before.summarizable_chunks]
    while piece := next_piece(chunks, units, cache):
        summary = asyncio.run(by_chat_model(summarizer, piece))
        assert summary, "it is good enough to be taken"
        cache.summaries.put(piece.key, summary)
    # The block stays as it was until something is evicted; here, that is now.
    fitted = driver.fit(history.messages, BUDGET_TOKENS, ContextCache(summaries=cache.summaries))
    told = [unit.first + at for unit in units for at in range(len(unit.messages))]
    return Sent(
        messages=fitted.messages,
        read=summarizer.read,
        replaced=frozenset(told[: fitted.report.summarized_messages]),
    )


def middleware(history: History) -> Sent:
    """Use langchain's `SummarizationMiddleware`, with all else as it comes."""
    summarizer = Summarizer()
    manager = SummarizationMiddleware(
        summarizer, trigger=("tokens", BUDGET_TOKENS), token_counter=_counted
    )
    state: Any = {"messages": list(history.messages)}
    update: Any = manager.before_model(state, runtime=None)  # type: ignore[arg-type]  # not used
    messages = update["messages"] if update else history.messages
    kept = [one for one in messages if not isinstance(one, RemoveMessage)]
    return Sent(messages=kept, read=summarizer.read)


def langmem(history: History) -> Sent:
    """Use langmem's `SummarizationNode`, with all else as it comes."""
    summarizer = Summarizer()
    with warnings.catch_warnings():
        # It imports from where langgraph no longer wants it, and warns of what it cannot trim.
        warnings.simplefilter("ignore")
        short_term: Any = import_module("langmem.short_term")
        node = short_term.SummarizationNode(
            model=summarizer, max_tokens=BUDGET_TOKENS, token_counter=_counted
        )
        update = node.invoke({"messages": list(history.messages), "context": {}})
    return Sent(messages=update["summarized_messages"], read=summarizer.read)


def trimmed(history: History) -> Sent:
    """Use `trim_messages` as it comes."""
    return Sent(messages=_trimmed(history))


def trimmed_to_turns(history: History) -> Sent:
    """Use `trim_messages` as its documentation has it for chats."""
    return Sent(messages=_trimmed(history, start_on="human"))


def _trimmed(history: History, **options: Any) -> list[BaseMessage]:
    return trim_messages(
        list(history.messages),
        max_tokens=BUDGET_TOKENS,
        token_counter=_counted,
        include_system=True,
        **options,
    )


def _counted(messages: Any) -> int:
    return tokens(list(messages))


MANAGERS: dict[str, Manager] = {
    "lmswitch": ours,
    "SummarizationMiddleware": middleware,
    "langmem": langmem,
    "trim_messages": trimmed,
    "trim_messages, human": trimmed_to_turns,
}
