"""What callers count tokens with: of texts, of messages, or a model that does."""

import hashlib
import inspect
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache as once
from functools import partial
from typing import Any, Final, Literal

from langchain_core.language_models import BaseLanguageModel
from langchain_core.messages import AnyMessage, BaseMessage, HumanMessage
from langchain_core.messages.utils import count_tokens_approximately
from langchain_core.utils.function_calling import convert_to_openai_tool

from langchain_lmswitch.context.cache import Bounded
from langchain_lmswitch.context.naming import Names
from langchain_lmswitch.errors import InvalidRequest

Counts = Literal["texts", "message", "messages"]
"""What a function takes: a text, one message, or a list of them."""

_PROBE: Final = HumanMessage("The quick brown fox jumps over the lazy dog. " * 4)
_WRONG: Final = (TypeError, AttributeError, ValueError, KeyError)
"""What functions raise that were given something else than they count."""
_NAMES: Final = Names("counter")
_known: Final = Bounded[str, "Counter"](256)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """Who counts, and how."""

    name: str
    """The same for what counts the same."""
    counts: Counts
    text: Callable[[str], int]
    messages: Callable[[Sequence[BaseMessage]], int]
    tools: str = ""
    """What the model is offered, if `messages` does not count it."""
    template: str = ""
    """Names what is offered, whoever counts it."""


def counter_of(count_tokens: Any, tools: Sequence[Any] = ()) -> Counter:
    """Tell what counts.

    1. A model counts by its `get_num_tokens_from_messages`; `"approximate"` is LangChain's own.
    2. A function takes what its first parameter is annotated with.
    3. One without annotations is tried with a list of one long message: it counts texts if it
       cannot, or finds one thing or none in it.

    Args:
        count_tokens: As the caller passed it.
        tools: What the model is offered; counted as its JSON, unless the function takes tools.

    Raises:
        InvalidRequest: It counts nothing.
    """
    call = _callable(count_tokens)  # 1
    name = _NAMES.of(call)
    counter = _known.get(name)
    if counter is None:
        counter = _counter(name, call)
        _known.put(name, counter)
    if not tools:
        return counter
    schemas = [_schema(one) for one in tools]
    told = json.dumps(schemas, sort_keys=True, default=str)
    template = hashlib.blake2b(told.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    if _takes_tools(call):
        offered = partial(call, tools=schemas)
        return replace(counter, messages=lambda said: _whole(offered([*said])), template=template)
    return replace(counter, tools=told, template=template)


def _counter(name: str, call: Callable[[Any], Any]) -> Counter:
    kind = _kind(call)

    def in_list(messages: Sequence[BaseMessage]) -> int:
        return _whole(call([*messages]))

    def one_by_one(messages: Sequence[BaseMessage]) -> int:
        return sum(_whole(call(one)) for one in messages)

    match kind:
        case "texts":
            return Counter(
                name=name, counts=kind, text=lambda text: _whole(call(text)), messages=in_list
            )
        case "message":
            return Counter(
                name=name, counts=kind, text=_texts(call, one_by_one), messages=one_by_one
            )
        case "messages":
            return Counter(name=name, counts=kind, text=_texts(call, in_list), messages=in_list)


def _texts(
    call: Callable[[Any], Any], messages: Callable[[Sequence[BaseMessage]], int]
) -> Callable[[str], int]:
    """Count texts by who counts messages: a model itself, if it can, else as a message."""
    model = getattr(call, "__self__", None)
    own = getattr(type(model), "get_num_tokens", BaseLanguageModel.get_num_tokens)
    if isinstance(model, BaseLanguageModel) and own is not BaseLanguageModel.get_num_tokens:
        return model.get_num_tokens

    @once
    def around() -> int:
        return messages((HumanMessage("x"),)) - 1

    return lambda text: max(messages((HumanMessage(text),)) - around(), 0)


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
        whole: int = math.ceil(tokens)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidRequest(f"`count_tokens` returned {tokens!r}. {_REMEDY}") from error
    return max(whole, 0)
