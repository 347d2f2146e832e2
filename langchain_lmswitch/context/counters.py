"""What callers count tokens with: of texts, of messages, or a model that does."""

import inspect
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from langchain_core.language_models import BaseLanguageModel
from langchain_core.messages import AnyMessage, BaseMessage, HumanMessage
from langchain_core.messages.utils import count_tokens_approximately
from langchain_core.utils.function_calling import convert_to_openai_tool

from langchain_lmswitch.context.naming import Names
from langchain_lmswitch.errors import InvalidRequest

Counts = Literal["texts", "message", "messages"]
"""What a function takes: a text, one message, or a list of them."""

_PROBE: Final = HumanMessage("The quick brown fox jumps over the lazy dog. " * 4)
_WRONG: Final = (TypeError, AttributeError, ValueError, KeyError)
"""What functions raise that were given something else than they count."""
_NAMES: Final = Names("counter")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """Who counts, and how."""

    name: str
    """The same for what counts the same."""
    counts: Counts
    call: Callable[[Any], Any]
    tools_tokens: int = 0
    """Of the tools that the model is offered, if `call` does not count them."""

    def text(self, text: str) -> int:
        """Count a text."""
        match self.counts:
            case "texts":
                return _whole(self.call(text))
            case _:
                few = self.messages((HumanMessage("x"),)) - 1
                return max(self.messages((HumanMessage(text),)) - few, 0)

    def messages(self, messages: Sequence[BaseMessage]) -> int:
        """Count messages, without tools."""
        if self.counts == "message":
            return sum(_whole(self.call(one)) for one in messages)
        return _whole(self.call([*messages]))


def counter_of(count_tokens: Any, tools: Sequence[Any] = ()) -> Counter:
    """Tell what counts.

    1. A model counts by its `get_num_tokens_from_messages`; `"approximate"` is LangChain's own.
    2. A function takes what its first parameter is annotated with.
    3. One without annotations is tried with a list of one long message: it counts texts if it
       cannot, or finds one thing or none in it.

    Args:
        count_tokens: As the caller passed it.
        tools: What the model is offered; counted as their JSON, unless the function takes them.

    Raises:
        InvalidRequest: It counts nothing.
    """
    call = _callable(count_tokens)  # 1
    name = _NAMES.of(call)
    if not tools:
        return Counter(name=name, counts=_kind(call), call=call)
    schemas = [_schema(one) for one in tools]
    told = json.dumps(schemas, sort_keys=True, default=str)
    name = f"{name} with {told}"
    if _takes_tools(call):
        return Counter(name=name, counts="messages", call=lambda given: call(given, tools=schemas))
    plain = Counter(name=name, counts=_kind(call), call=call)
    return Counter(name=name, counts=plain.counts, call=call, tools_tokens=plain.text(told))


def _schema(tool: Any) -> Any:
    try:
        return convert_to_openai_tool(tool)
    except (TypeError, ValueError):  # a form that only its provider knows
        return tool


def _callable(count_tokens: Any) -> Callable[..., Any]:
    if isinstance(count_tokens, str) and count_tokens == "approximate":
        return count_tokens_approximately
    call = getattr(count_tokens, "get_num_tokens_from_messages", count_tokens)
    if not callable(call):
        raise InvalidRequest(f"{count_tokens!r} counts no tokens. {_REMEDY}")
    return call  # type: ignore[no-any-return]  # whatever it is


_REMEDY: Final = (
    "Pass a function of a text or of a list of messages that returns how many tokens it takes, "
    "a chat model, or 'approximate'."
)


def _kind(call: Callable[..., Any]) -> Counts:
    match _annotation(call):
        case None:
            return _probed(call)  # 3
        case "str":  # 2
            return "texts"
        case "BaseMessage" | "AnyMessage":
            return "message"
        case _:
            return "messages"


def _annotation(call: Callable[..., Any]) -> str | None:
    """Name the type of the first parameter; `None` if it is not told."""
    try:
        first = next(iter(inspect.signature(call).parameters.values()))
    except (TypeError, ValueError, StopIteration):
        return None
    told = first.annotation
    if told is AnyMessage:
        return "AnyMessage"
    name = told if isinstance(told, str) else inspect.formatannotation(told)
    name = name.rpartition(".")[2] if "[" not in name else name
    return None if told is first.empty or name in {"Any", "object"} else name


def _probed(call: Callable[..., Any]) -> Counts:
    try:
        found = _whole(call([_PROBE]))
    except (*_WRONG, InvalidRequest):
        found = 0
    if found > 1:
        return "messages"
    try:
        _whole(call(_PROBE.text))
    except _WRONG as error:
        why = f"`count_tokens` counts neither a text nor a list of messages: {error}."
        raise InvalidRequest(f"{why} {_REMEDY}") from error
    return "texts"


def _takes_tools(call: Callable[..., Any]) -> bool:
    """Tell whether it counts tools itself: LangChain's models warn that they do not."""
    if getattr(call, "__func__", call) is BaseLanguageModel.get_num_tokens_from_messages:
        return False
    try:
        return "tools" in inspect.signature(call).parameters
    except (TypeError, ValueError):
        return False


def _whole(tokens: Any) -> int:
    """Read a count; parts of a token count as one."""
    try:
        return max(int(math.ceil(tokens)), 0)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidRequest(f"`count_tokens` returned {tokens!r}. {_REMEDY}") from error
