"""Cutting a message that is larger than its place."""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from langchain_lmswitch.context.contents import text_of
from langchain_lmswitch.context.recall import Query, search, segment
from langchain_lmswitch.context.units import Unit

_ENDS_SHARE: Final = 0.6
"""Of what is kept, for the beginning and the end; the rest is for passages that match."""
_LEAST_CHARS: Final = 40
_NEAR: Final = 0.1
"""A cut is moved to the end of a line or a sentence if one is this near, as a share of the rest."""
_STOP: Final = re.compile(r"[.!?。！？]\s|\n")


def clipped(unit: Unit, chars: int, *, query: str = "") -> Unit:
    """Cut the texts of a unit so that about `chars` characters are left.

    1. The longest texts are cut first: results, and arguments of calls, one like the other.
    2. Of each its beginning and its end stay: a question stands at one of them most times.
    3. Between them stand the passages that the question needs; of a user message, those that its
       own ends ask for.

    Images stay. The messages of the unit are not changed.

    Args:
        unit: What is too large.
        chars: What may be left.
        query: The question that its passages are to help with.
    """
    lengths = [len(text_of(one)) for one in unit.messages]
    arguments = sum(map(_argument_chars, unit.messages))
    level = water_level([*lengths, arguments], chars)  # 1
    messages = tuple(_clip(one, level, query) for one in unit.messages)
    return Unit(unit.first, messages, unit.digest, unit.asks)


def clip_text(text: str, chars: int, *, query: str = "") -> str:
    """Cut a text to about `chars` characters; see `clipped`."""
    if len(text) <= chars:
        return text
    room = max(chars - _LEAST_CHARS, _LEAST_CHARS)
    ends = int(room * _ENDS_SHARE) // 2 if room > 10 * _LEAST_CHARS else room // 2
    head, tail = _head(text, ends), _tail(text, ends)  # 2
    middle = text[len(head) : len(text) - len(tail)]
    found = _matching(middle, query or f"{head[-400:]} {tail}", room - 2 * ends)  # 3
    parts = [head, *found, tail]
    left_out = len(text) - sum(map(len, parts))
    return f"\n[… {left_out} characters left out …]\n".join(one.strip("\n") for one in parts)


def water_level(lengths: Sequence[int], most: int) -> int:
    """Find what each may have so that all together have `most`, the short ones all they want."""
    rest, waiting = most, sorted(lengths)
    for at, length in enumerate(waiting):
        share = rest // (len(waiting) - at)
        if length > share:
            return max(share, _LEAST_CHARS)
        rest -= length
    return max(waiting, default=0)


def _clip(message: BaseMessage, chars: int, query: str) -> BaseMessage:
    changes: dict[str, Any] = {}
    if len(text_of(message)) > chars:
        asked = query if isinstance(message, ToolMessage | AIMessage) else ""
        changes["content"] = _cut(message.content, lambda text: clip_text(text, chars, query=asked))
    if isinstance(message, AIMessage) and _argument_chars(message) > chars:
        calls = [{**one, "args": _cut_values(one["args"], chars)} for one in message.tool_calls]
        changes["tool_calls"] = calls
    return message.model_copy(update=changes) if changes else message


def _cut(content: Any, cut: Callable[[str], str]) -> Any:
    if isinstance(content, str):
        return cut(content)
    return [cut(one) if isinstance(one, str) else _cut_block(one, cut) for one in content]


def _cut_block(block: Any, cut: Callable[[str], str]) -> Any:
    has_text = isinstance(block, dict) and isinstance(block.get("text"), str)
    return {**block, "text": cut(block["text"])} if has_text else block


def _argument_chars(message: BaseMessage) -> int:
    if not isinstance(message, AIMessage):
        return 0
    return sum(len(str(value)) for one in message.tool_calls for value in one["args"].values())


def _cut_values(args: dict[str, Any], chars: int) -> dict[str, Any]:
    level = water_level([len(str(one)) for one in args.values()], chars)
    return {
        name: clip_text(value, level) if isinstance(value, str) else value
        for name, value in args.items()
    }


def _head(text: str, chars: int) -> str:
    """Take the beginning, to the end of a sentence if there is one near."""
    near = int(chars * (1 - _NEAR))
    stops = [one.end() for one in _STOP.finditer(text, near, chars)]
    return text[: stops[-1] if stops else chars]


def _tail(text: str, chars: int) -> str:
    start = len(text) - chars
    stop = _STOP.search(text, start, start + int(chars * _NEAR))
    return text[stop.end() if stop else start :]


def _matching(text: str, query: str, chars: int) -> list[str]:
    if chars < _LEAST_CHARS:
        return []
    unit = Unit(0, (HumanMessage(text),), b"", asks=True)
    taken: list[tuple[int, str]] = []
    for hit in search(Query(text=query), [(0, segment(b"", [unit]))]):
        if len(hit.text) <= chars:
            taken.append((hit.part, hit.text))
            chars -= len(hit.text)
    return [said for _, said in sorted(taken)]
