"""Cutting a message that is larger than its place."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from langchain_lmswitch.context.contents import images_of, is_media, text_of
from langchain_lmswitch.context.recall import Query, search, segment
from langchain_lmswitch.context.units import Unit

_ENDS_SHARE: Final = 0.6
"""Of what is kept, for the beginning and the end; the rest is for passages that match."""
_LEAST_CHARS: Final = 40
_NEAR: Final = 0.1
"""A cut is moved to the end of a line or a sentence if one is this near, as a share of the rest."""
_STOP: Final = re.compile(r"[.!?。！？]\s|\n")
_IMAGE: Final = {"type": "text", "text": "[image left out]"}


def clipped(unit: Unit, chars: int, *, query: str = "", images: bool = True) -> Unit:
    """Cut the texts of a unit so that about `chars` characters are left.

    1. The longest texts are cut first: results, and arguments of calls, one like the other.
    2. Of each its beginning and its end stay: a question stands at one of them most times.
    3. Between them stand the passages that the question needs; of a user message, those that its
       own ends ask for.

    The messages of the unit are not changed.

    Args:
        unit: What is too large.
        chars: What may be left.
        query: The question that its passages are to help with.
        images: Whether images stay.
    """
    level = water_level([length for one in unit.messages for length in _lengths(one)], chars)  # 1
    asked = "" if unit.asks else query
    messages = tuple(_clip(one, level, asked, images=images) for one in unit.messages)
    return Unit(unit.first, messages, unit.digest, unit.asks)


def chars_of(unit: Unit) -> int:
    """Count the characters of a unit that can be cut."""
    return sum(length for one in unit.messages for length in _lengths(one))


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
    cut = f"\n[… {left_out} characters left out …]\n".join(one.strip("\n") for one in parts)
    return min(cut, text, key=len)


def water_level(lengths: Sequence[int], most: int) -> int:
    """Find what each may have so that all together have `most`, the short ones all they want."""
    rest, waiting = most, sorted(lengths)
    for at, length in enumerate(waiting):
        share = rest // (len(waiting) - at)
        if length > share:
            return max(share, _LEAST_CHARS)
        rest -= length
    return max(waiting, default=0)


def _lengths(message: BaseMessage) -> Iterator[int]:
    yield len(text_of(message))
    if isinstance(message, AIMessage):
        for call in message.tool_calls:
            yield from (len(_written(value)) for value in call["args"].values())
        for wrong in message.invalid_tool_calls:
            yield len(wrong["args"] or "")


def _clip(message: BaseMessage, chars: int, query: str, *, images: bool) -> BaseMessage:
    changes: dict[str, Any] = {}
    if len(text_of(message)) > chars or (images_of(message) and not images):
        changes["content"] = _cut(message.content, chars, query, images=images)
    if isinstance(message, AIMessage):
        changes |= _calls(message, chars)
    return message.model_copy(update=changes) if changes else message


def _calls(message: AIMessage, chars: int) -> dict[str, Any]:
    calls = [{**one, "args": _values(one["args"], chars)} for one in message.tool_calls]
    wrong = [
        {**one, "args": clip_text(one["args"] or "", chars)} for one in message.invalid_tool_calls
    ]
    told = {"tool_calls": calls, "invalid_tool_calls": wrong}
    return {name: now for name, now in told.items() if now != getattr(message, name)}


def _values(args: Mapping[str, Any], chars: int) -> dict[str, Any]:
    """Cut the arguments of a call; one that is no text is written as one if it has to be cut."""
    return {
        name: clip_text(_written(value), chars) if len(_written(value)) > chars else value
        for name, value in args.items()
    }


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _cut(content: Any, chars: int, query: str, *, images: bool) -> Any:
    if isinstance(content, str):
        return clip_text(content, chars, query=query)
    blocks = [_IMAGE if is_media(one) and not images else one for one in content]
    texts = [_said(one) for one in blocks]
    if len(texts) * 2 * _LEAST_CHARS > chars:
        said = clip_text("\n".join(filter(None, texts)), chars, query=query)
        return [{"type": "text", "text": said}, *filter(is_media, blocks)]
    level = water_level([*map(len, texts)], chars)
    return [_cut_block(one, clip_text(_said(one), level, query=query)) for one in blocks]


def _said(block: Any) -> str:
    said = block if isinstance(block, str) else block.get("text")
    return said if isinstance(said, str) else ""


def _cut_block(block: Any, said: str) -> Any:
    if isinstance(block, str):
        return said
    return {**block, "text": said} if isinstance(block.get("text"), str) else block


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
            chars -= len(hit.text) + _LEAST_CHARS
    return [said for _, said in sorted(taken)]
