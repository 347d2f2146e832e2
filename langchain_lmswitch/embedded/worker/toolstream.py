"""Tell calls from words while the answer is still being written. Pure.

Input is what `toolgrammar` lets through: lines of `{"name": ..., "arguments": {...}}`, or words. An
engine may fail to apply a grammar, so nothing is taken for granted: what begins like a call and
cannot be read as one becomes a `ToolCallFailed` with the raw text.
"""

import json
import re
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any

from langchain_lmswitch.types.events import (
    Fragment,
    ToolCallArguments,
    ToolCallEnded,
    ToolCallFailed,
    ToolCallStarted,
)

ToolEvent = Fragment | ToolCallStarted | ToolCallArguments | ToolCallEnded | ToolCallFailed

_HEAD = re.compile(r'\s*\{\s*"name"\s*:\s*("(?:[^"\\]|\\.)*")\s*,\s*"arguments"\s*:\s*(?=\S)')
_OTHER = re.compile(r'\s*(?:[^\s{]|\{\s*(?:[^\s"]|"(?!name"|name\Z|nam\Z|na\Z|n\Z|\Z)))')
"""Certainly no call: no brace first, or another first key than `name`."""


@dataclass(slots=True)
class _Nesting:
    """Finds the end of a JSON value, one character at a time."""

    depth: int = 0
    in_string: bool = False
    escaped: bool = False

    def closes(self, char: str) -> bool:
        """Take one character; whether the object or array ends with it."""
        if self.in_string:
            self._string(char)
            return False
        if char == '"':
            self.in_string = True
        self.depth += (char in "{[") - (char in "}]")
        return char in "}]" and self.depth == 0

    def _string(self, char: str) -> None:
        self.in_string = self.escaped or char != '"'
        self.escaped = char == "\\" and not self.escaped


class ToolStream:
    """Reads an answer that may call tools, in pieces of any size.

    Args:
        names: The tools there are.
        new_id: Gives each call its id.
        must_call: Whether words are ruled out, so that they count as a failed call.
    """

    def __init__(
        self, names: AbstractSet[str], *, new_id: Callable[[], str], must_call: bool = False
    ) -> None:
        self.calls: int = 0
        """Complete calls so far."""
        self._names = names
        self._new_id = new_id
        self._must_call = must_call
        self._index = 0
        self._seen = False
        self._read: Callable[[], Iterator[ToolEvent]] = self._undecided
        self._text = ""
        self._raw = ""
        self._call = ToolCallStarted(index=0)
        self._arguments = ""
        self._nesting = _Nesting()

    def feed(self, fragment: Fragment) -> Iterator[ToolEvent]:
        """Read one piece of the answer; thoughts pass through."""
        if fragment.reasoning:
            yield fragment
            return
        self._text += fragment.text
        self._raw += fragment.text
        while True:
            before = (self._read, self._text)
            for event in self._read():
                yield _counted(event, fragment.tokens)
            if (self._read, self._text) == before:
                return

    def close(self) -> Iterator[ToolEvent]:
        """Say what is left when the engine has ended.

        1. A structured answer that looked like a call to its end: words.
        2. A call that was cut off.
        3. Words, or nothing, where a call was due.
        """
        undecided = self._read == self._undecided and bool(self._text.strip())
        if undecided and not self._must_call and _is_json(self._text):  # 1
            yield Fragment(text=self._text, tokens=0)
        elif undecided or self._read == self._in_arguments:  # 2
            yield self._failed("the answer ended before the call was complete")
        elif self._must_call and not self._seen:  # 3
            yield self._failed("the model wrote no call where it had to")

    def _undecided(self) -> Iterator[ToolEvent]:
        if found := _HEAD.match(self._text):
            name = _loads(found.group(1))
            if name in self._names:
                self._call = ToolCallStarted(index=self._index, id=self._new_id(), name=name)
                self._begin_arguments(self._text[found.end() :])
                yield self._call
                return
        if found or (self._index == 0 and _OTHER.match(self._text)):
            self._read = self._words

    def _words(self) -> Iterator[ToolEvent]:
        text, self._text = self._text, ""
        if text:
            yield Fragment(text=text)

    def _begin_arguments(self, rest: str) -> None:
        self._text, self._arguments, self._nesting = rest, "", _Nesting()
        self._read = self._in_arguments

    def _in_arguments(self) -> Iterator[ToolEvent]:
        ends = (n for n, char in enumerate(self._text, 1) if self._nesting.closes(char))
        end = next(ends, None)
        piece = self._text[:end]
        self._arguments += piece
        self._text = "" if end is None else self._text[end:]
        if piece:
            yield ToolCallArguments(index=self._index, text=piece)
        if end is not None:
            self._read = self._after_arguments
            yield self._ended()

    def _after_arguments(self) -> Iterator[ToolEvent]:
        """Pass over the brace that closes the call."""
        rest = self._text.lstrip()
        if rest:
            self._text = rest.removeprefix("}")
            self._raw = self._text
            self._index += 1
            self._read = self._undecided
        yield from ()

    def _ended(self) -> ToolEvent:
        self._seen = True
        try:
            arguments = _loads(self._arguments)
        except ValueError as error:
            return self._failed(f"the arguments are not JSON: {error}")
        if not isinstance(arguments, dict):
            return self._failed("the arguments are not an object")
        self.calls += 1
        name, call_id = self._call.name or "", self._call.id
        return ToolCallEnded(index=self._index, name=name, arguments=arguments, id=call_id)

    def _failed(self, error: str) -> ToolCallFailed:
        return ToolCallFailed(index=self._index, error=error, raw=self._raw)


def _counted(event: ToolEvent, tokens: int) -> ToolEvent:
    return replace(event, tokens=tokens) if isinstance(event, Fragment) else event


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _loads(text: str) -> Any:
    """Read JSON; half of a surrogate pair, which no wire can carry, becomes U+FFFD."""
    value = json.loads(text)
    plain = json.dumps(value, ensure_ascii=False)
    return json.loads(plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"))
