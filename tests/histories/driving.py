"""Drives the flow that fits conversations, with tokenizers that keep to no estimate."""

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import thread_time
from typing import Any, assert_never

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage

from langchain_lmswitch.context.asking import CountPrompt, CountTexts, Embed
from langchain_lmswitch.context.cache import ContextCache
from langchain_lmswitch.context.contents import IMAGE_TOKENS, images_of, text_of
from langchain_lmswitch.context.fitting import FitOptions, Fitted, fit


@dataclass(slots=True, kw_only=True)
class Tokenizer:
    """Counts as no estimate expects, and keeps a tally of what it was asked.

    The same text always counts the same, and more messages never count less.
    """

    per_char: float = 0.3
    wide_per_char: float = 2.0
    """Of characters beyond the alphabet."""
    jitter: int = 0
    """Up to so many more for a text, by what it says: parts do not add up to the whole."""
    frame: int = 5
    tool_frame: int = 5
    """What a template puts around a message, and around a call or a result."""
    begin: int = 3
    indent: int | None = None
    """How calls are written in a prompt."""
    name: str = "odd"

    texts: int = 0
    chars: int = 0
    prompts: int = 0
    prompt_messages: int = 0
    cpu_s: float = 0.0

    def text(self, text: str) -> int:
        wide = sum(one > "\u02ff" for one in text)
        odd = zlib.crc32(text.encode("utf-8", "surrogatepass")) % (self.jitter + 1) if text else 0
        return int((len(text) - wide) * self.per_char + wide * self.wide_per_char + 0.99) + odd

    def prompt(self, messages: Sequence[BaseMessage]) -> int:
        return self.begin + sum(map(self._message, messages))

    def answer(self, asked: CountTexts | CountPrompt | Embed) -> Any:
        match asked:
            case CountTexts(texts):
                self.texts += len(texts)
                self.chars += sum(map(len, texts))
                return [self.text(one) for one in texts]
            case CountPrompt(messages):
                self.prompts += 1
                self.prompt_messages += len(messages)
                return self.prompt(messages)
            case Embed():
                return None
            case _:
                assert_never(asked)

    def _message(self, message: BaseMessage) -> int:
        tokens = self.frame + self.text(text_of(message)) + images_of(message) * IMAGE_TOKENS
        if isinstance(message, ToolMessage):
            tokens += self.tool_frame
        for call in getattr(message, "tool_calls", ()):
            written = json.dumps(call["args"], ensure_ascii=False, indent=self.indent, default=str)
            tokens += self.tool_frame + self.text(call["name"]) + self.text(written)
        for wrong in message.invalid_tool_calls if isinstance(message, AIMessage) else ():
            tokens += self.text(f"{wrong['name']} {wrong['args']}")
        return tokens


TOKENIZERS = (
    Tokenizer(name="plain"),
    Tokenizer(name="jumpy", jitter=4, frame=9, tool_frame=2),
    Tokenizer(name="verbose", per_char=0.4, frame=3, tool_frame=14, indent=2, begin=30),
    Tokenizer(name="bytes", per_char=1.0, wide_per_char=3.0, jitter=1),
)
"""Four ways to count; none is what the estimate takes it for."""


@dataclass(slots=True, kw_only=True)
class Conversation:
    """Fits one growing conversation, each time with what was worked out before."""

    budget_tokens: int
    tokenizer: Tokenizer = field(default_factory=Tokenizer)
    cache: ContextCache = field(default_factory=ContextCache)
    options: dict[str, Any] = field(default_factory=dict)

    def fit(self, messages: Sequence[BaseMessage]) -> Fitted:
        options = FitOptions(
            budget_tokens=self.budget_tokens, tokenizer=self.tokenizer.name, **self.options
        )
        flow = fit(messages, options, self.cache)
        answer: Any = None
        while True:
            try:
                asked = flow.send(answer)
            except StopIteration as done:
                fitted: Fitted = done.value
                return fitted
            started = thread_time()
            answer = self.tokenizer.answer(asked)
            self.tokenizer.cpu_s += thread_time() - started
