"""Tool calls on their way into LangChain's chunks. Pure.

LangChain parses the arguments of a streamed call when chunks are added, with a parser that
completes what was cut off: half a call, such as `{"path": "/"`, would become a valid call with half
of its arguments, and would be carried out. So what is no call is made unparseable by a suffix.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, assert_never

from langchain_core.messages import InvalidToolCall, ToolCallChunk
from langchain_core.messages.tool import invalid_tool_call, tool_call_chunk
from langchain_core.utils.json import parse_partial_json

from langchain_lmswitch.types.events import (
    ToolCallArguments,
    ToolCallEnded,
    ToolCallFailed,
    ToolCallStarted,
)

CallEvent = ToolCallStarted | ToolCallArguments | ToolCallEnded | ToolCallFailed
Pieces = tuple[ToolCallChunk, ...]

_SUFFIXES: Final = ("", "]", "}", '"]', '"}', '""]', '""}')
"""Tried in turn. LangChain's parser gives up at a bracket that does not match the last one open;
of the two kinds one never does. A string may have to be closed first, and before that an escape."""
_CUT_OFF: Final = "the answer ended before the call was complete"


@dataclass(slots=True)
class _Open:
    """A call that has begun."""

    name: str | None
    id: str | None
    arguments: str = ""


class Calls:
    """The tool calls of one answer, by index.

    Args:
        new_id: Names a call to which the host gave no id.
        parallel: Whether calls after the first count.
    """

    def __init__(self, *, new_id: Callable[[], str], parallel: bool) -> None:
        self.invalid: list[InvalidToolCall] = []
        """What is no call, as the model wrote it, each with the reason."""
        self._new_id = new_id
        self._parallel = parallel
        self._open: dict[int, _Open] = {}

    def read(self, event: CallEvent) -> Pieces:
        """Turn an event into the pieces to add to the message."""
        if event.index and not self._parallel:
            return ()
        match event:
            case ToolCallStarted(index=index, name=name, id=call_id):
                self._open[index] = _Open(name, call_id)
                return (tool_call_chunk(name=name, id=call_id, args="", index=index),)
            case ToolCallArguments(index=index, text=text):
                self._open.setdefault(index, _Open(None, None)).arguments += text
                return (tool_call_chunk(name=None, id=None, args=text, index=index),)
            case ToolCallEnded(index=index):
                call = self._open.pop(index, None)
                return () if call is None or call.id else (self._named(index, event.id),)
            case ToolCallFailed(index=index, error=error, raw=raw):
                return (self._failed(index, raw, error),)
            case _:
                assert_never(event)

    def close(self) -> Pieces:
        """End the answer: a call that is still open is no call."""
        return tuple(self._failed(index, "", _CUT_OFF) for index in list(self._open))

    def _named(self, index: int, call_id: str | None) -> ToolCallChunk:
        return tool_call_chunk(name=None, args="", id=call_id or self._new_id(), index=index)

    def _failed(self, index: int, raw: str, error: str) -> ToolCallChunk:
        call = self._open.pop(index, None)
        told = call.arguments if call else ""
        name, call_id = (call.name, call.id) if call else (None, None)
        new_id = call_id or self._new_id()
        written = raw or told
        self.invalid.append(invalid_tool_call(name=name, args=written, id=new_id, error=error))
        added = "" if told else written
        return tool_call_chunk(
            name=None,
            args=added + spoiling(told + added),
            id=None if call_id else new_id,
            index=index,
        )


def spoiling(arguments: str) -> str:
    """Give what to append to `arguments` so that LangChain cannot read them as a call's."""
    return next(suffix for suffix in _SUFFIXES if not _reads_as_call(arguments + suffix))


def _reads_as_call(arguments: str) -> bool:
    if not arguments:
        return True  # no arguments are an empty object to LangChain
    try:
        return isinstance(parse_partial_json(arguments), dict)
    except ValueError:
        return False
