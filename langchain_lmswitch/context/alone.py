"""Fitting for any chat model: LangChain messages, a counter and a number are enough."""

import hashlib
import math
from collections.abc import Callable, Generator, Iterable, Sequence
from functools import cache as once
from typing import Any, Final, assert_never

from langchain_core.embeddings import Embeddings
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    MessageLikeRepresentation,
    convert_to_messages,
)

from langchain_lmswitch.context.asking import Ask, CountPrompt, CountTexts, Embed
from langchain_lmswitch.context.cache import ContextCache
from langchain_lmswitch.context.contents import IMAGE_TOKENS, images_of, text_of
from langchain_lmswitch.context.counters import Counter, counter_of
from langchain_lmswitch.context.fitting import FitOptions, Fitted, fit
from langchain_lmswitch.context.naming import Names
from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.types.contexts import Overflow

Embeds = Callable[[list[str]], Sequence[Sequence[float]]]
"""Gives the vectors of texts, one each."""

_MESSAGE_TOKENS: Final = 4
"""Around each message, if texts are counted: its line break, and the markup of most templates."""
_EMBEDDERS: Final = Names("embedder")


def fit_messages(
    messages: LanguageModelInput | Iterable[MessageLikeRepresentation],
    *,
    count_tokens: Any,
    budget: int,
    question: str | None = None,
    on_overflow: Overflow = "clip",
    tools: Sequence[Any] = (),
    embed: Embeddings | Embeds | None = None,
    cache: ContextCache | None = None,
) -> Fitted:
    """Choose what of a conversation is sent to a model, so that it takes `budget` tokens at most.

    What does not fit is left out from the beginning, a good deal at a time; the passages of it that
    the question needs are put back, word for word, before the last user message. The system prompt
    and the last user message are always there, and no tool result is without its call. The next
    turn counts and indexes only what is new.

    Example:
        ```python
        from langchain_lmswitch import fit_messages

        history = [("user", "The vault code is 7421."), ("assistant", "I will remember it.")]
        for number in range(200):
            history += [("user", f"What is {number} plus one?"), ("assistant", f"{number + 1}.")]
        question = ("user", "Which code opens the vault?")

        fitted = fit_messages([*history, question], count_tokens="approximate", budget=800)
        print(fitted.report.evicted_messages > 300, "7421" in fitted.messages[-1].text)
        ```

        ```text
        True True
        ```

    Args:
        messages: The conversation, in any form that LangChain takes. It is not changed.
        count_tokens: Counts a text, or a list of messages, as LangChain's `trim_messages` takes it;
            or a chat model, or `"approximate"`. If it counts texts, a prompt takes what its
            messages take, each with the role before it, and four tokens for each; an image 1,024.
        budget: Tokens that the prompt may take: the model's context less what it is to answer.
        question: What to recall passages for; unless given, the last user message.
        on_overflow: Whether a message that is larger than its place is cut, or an error.
        tools: What the model is offered, if that counts; as `bind_tools` takes it.
        embed: Finds passages by meaning too: LangChain's `Embeddings`, or a function that gives the
            vectors of texts.
        cache: What was worked out before; unless given, one that this process shares.

    Returns:
        The `messages` to send, and a `report` of what was left out and put back.

    Raises:
        ContextTooLong: What must not be left out is longer than the budget. It is LangChain's
            `ContextOverflowError`.
        InvalidRequest: An argument cannot be used as it is.
    """
    if not isinstance(budget, int) or budget < 1:
        raise InvalidRequest(f"A budget of {budget!r} tokens is none: pass a whole number above 0.")
    counter = counter_of(count_tokens, tools)
    cache = shared_cache() if cache is None else cache
    vectors = embed.embed_documents if isinstance(embed, Embeddings) else embed
    options = FitOptions(
        budget_tokens=budget,
        tokenizer=counter.name,
        template=counter.template,
        embedder=_EMBEDDERS.of(vectors) if vectors else "",
        question=question,
        tools=bool(tools),
        overflow=on_overflow,
        summarized=cache.store is not None or len(cache.summaries) > 0,  # whoever wrote them
    )
    return _Driver(counter, vectors, cache).run(fit(_conversation(messages), options, cache))


@once
def shared_cache() -> ContextCache:
    """Give the cache that this process shares."""
    return ContextCache()


def _conversation(messages: Any) -> list[BaseMessage]:
    match messages:
        case str():
            return [HumanMessage(messages)]
        case BaseMessage():
            return [messages]
        case [*said] if all(isinstance(one, BaseMessage) for one in said):
            return said  # nothing to convert, which takes a while for many
        case _:
            return convert_to_messages(messages)


class _Driver:
    """Answers what the flow asks."""

    def __init__(self, counter: Counter, embed: Embeds | None, cache: ContextCache) -> None:
        self._counter = counter
        self._embed = embed
        self._cache = cache

    def run(self, flow: Generator[Ask, Any, Fitted]) -> Fitted:
        answer: Any = None
        while True:
            try:
                ask = flow.send(answer)
            except StopIteration as done:
                fitted: Fitted = done.value
                return fitted
            answer = self._answer(ask)

    def _answer(self, ask: Ask) -> Any:
        match ask:
            case CountTexts(texts=texts):
                return [self._counter.text(one) for one in texts]
            case CountPrompt(messages=messages):
                return self._prompt(messages) + self._counted(self._counter.tools)
            case Embed(texts=texts):
                return self._embed and [_unit_long(one) for one in self._embed([*texts])]
            case _:
                assert_never(ask)

    def _prompt(self, messages: Sequence[BaseMessage]) -> int:
        if self._counter.counts == "texts":
            return sum(map(self._line_tokens, messages))
        return self._counter.messages(messages)

    def _line_tokens(self, message: BaseMessage) -> int:
        images = images_of(message) * IMAGE_TOKENS
        return self._counted(_line(message)) + _MESSAGE_TOKENS + images

    def _counted(self, text: str) -> int:
        """Count a text; most of a prompt was counted in the turn before."""
        if not text:
            return 0
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        key = (self._counter.name, b"line" + digest)
        known = self._cache.counts.get(key)
        if known is None:
            known = self._counter.text(text)
            self._cache.counts.put(key, known)
        return known


def _line(message: BaseMessage) -> str:
    """Write a message as LangChain's `get_buffer_string` does."""
    who = " ".join(filter(None, (message.type, message.name)))
    calls = message.tool_calls if isinstance(message, AIMessage) else ()
    return f"{who}: {text_of(message)}{calls or ''}"


def _unit_long(vector: Sequence[float]) -> tuple[float, ...]:
    length = math.hypot(*vector)
    return tuple(float(one) / length for one in vector) if length else tuple(map(float, vector))
