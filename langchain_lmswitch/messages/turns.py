"""The entries of a history, built one message after the other."""

from collections.abc import Iterable, Sequence
from typing import Any

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    HumanMessage,
    InvalidToolCall,
    SystemMessage,
    ToolCall,
    ToolMessage,
)

from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.messages.names import signed
from langchain_lmswitch.messages.parts import Part, joined, parts_of, reasoning_of, text

Entry = dict[str, Any]


class Turns:
    """What has been said so far, and what waits for the next user turn.

    Args:
        signing: Whether human messages begin with their author's name.
        send_reasoning: Whether answers begin with what the assistant thought.
    """

    def __init__(self, *, signing: bool, send_reasoning: bool) -> None:
        self._signing = signing
        self._send_reasoning = send_reasoning
        self._entries: list[Entry] = []
        self._waiting: list[Part] = []
        self._names: dict[str, str] = {}
        self._unread: set[str] = set()

    def begin(self, system: Sequence[SystemMessage]) -> None:
        """Put the system prompt, if there is one."""
        if system:
            parts = [part for message in system for part in parts_of(message)]
            self._put("system", [text(self._told(parts, "from the system prompt"))])

    def add(self, message: BaseMessage) -> None:
        """Put a message other than the system's.

        Raises:
            InvalidRequest: It has a role or a content block that cannot be sent.
        """
        if isinstance(message, ToolMessage):
            self._add_result(message)
            return
        self._flush()
        match message:
            case AIMessage():
                self._add_answer(message)
            case HumanMessage() | ChatMessage(role="user"):
                parts = parts_of(message)
                self._put("user", signed(message, parts) if self._signing else parts)
            case ChatMessage(role="assistant"):
                self._put("assistant", [text(self._answer(message))])
            case _:
                raise InvalidRequest(
                    f"A message of type {message.type!r} cannot be sent; use system, human, ai "
                    "or tool."
                )

    def end(self) -> tuple[Entry, ...]:
        """Give all entries."""
        self._flush()
        return tuple(self._entries)

    def _add_answer(self, message: AIMessage) -> None:
        said = [self._answer(message), *map(_as_written, message.invalid_tool_calls)]
        answer = text("\n\n".join(filter(None, said)))
        self._put("assistant", [answer, *map(_call, message.tool_calls)])
        self._note(message)

    def _answer(self, message: BaseMessage) -> str:
        # Some models' answers are cut into blocks in the middle of a sentence, at each citation.
        parts = joined(parts_of(message), between="")
        said = self._told(parts, "from the assistant")
        if self._send_reasoning and (thought := reasoning_of(message).strip("\n")):
            return f"<think>\n{thought}\n</think>\n\n{said}"
        return said

    def _note(self, message: AIMessage) -> None:
        """Remember what the results to come belong to."""
        for call in message.tool_calls:
            self._names[call["id"] or ""] = call["name"]
            self._unread.discard(call["id"] or "")
        for wrong in message.invalid_tool_calls:
            self._names[wrong["id"] or ""] = wrong["name"] or ""
            self._unread.add(wrong["id"] or "")

    def _add_result(self, message: ToolMessage) -> None:
        call_id = message.tool_call_id
        name = message.name or self._names.get(call_id) or "a tool"
        said = self._told(parts_of(message), f"returned by {name}", between="\n")
        if message.status == "error" and "error" not in said.lower():
            said = f"Error: {said}"
        if call_id in self._unread:
            self._waiting.append(text(f"{name} returned: {said}"))
            return
        result = {"type": "toolCallResult", "content": said, "toolCallId": call_id}
        self._entries.append({"role": "tool", "content": [result]})

    def _told(self, parts: Iterable[Part], whose: str, *, between: str = "\n\n") -> str:
        """Give parts as text; their images wait for the next user turn."""
        said = [
            self._set_aside(part, whose) if part["type"] == "image" else part["text"]
            for part in parts
        ]
        return between.join(filter(None, said))

    def _set_aside(self, image: Part, whose: str) -> str:
        number = 1 + sum(part["type"] == "image" for part in self._waiting)
        self._waiting += [text(f"Image {number}, {whose}:"), image]
        return f"[image {number}]"

    def _flush(self) -> None:
        if self._waiting:
            self._put("user", self._waiting)
            self._waiting = []

    def _put(self, role: str, parts: Sequence[Part]) -> None:
        last = self._entries[-1] if self._entries else None
        entry: Entry = {"role": role, "content": joined(parts) or [text("")]}
        if last and last["role"] == role and _plain(last) and _plain(entry):
            last["content"] = joined([*last["content"], *entry["content"]])
        else:
            self._entries.append(entry)


def _plain(entry: Entry) -> bool:
    return all(part["type"] in {"text", "image"} for part in entry["content"])


def _call(call: ToolCall) -> Part:
    request = {"type": "function", "name": call["name"], "arguments": dict(call["args"])}
    if call["id"]:
        request["id"] = call["id"]
    return {"type": "toolCallRequest", "toolCallRequest": request}


def _as_written(wrong: InvalidToolCall) -> str:
    return " ".join(filter(None, (wrong["name"], wrong["args"])))
