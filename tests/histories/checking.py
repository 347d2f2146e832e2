"""What must hold of any prompt, whatever the history."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from langchain_lmswitch.context.contents import text_of

_ENDS = 12


def numbered(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """Name each message by its place, so that it is known again in a prompt."""
    return [one.model_copy(update={"id": str(at)}) for at, one in enumerate(messages)]


def said(message: BaseMessage) -> Any:
    """Give all that a model reads of a message."""
    calls = getattr(message, "tool_calls", ())
    told = [(one["name"], one["args"], one["id"]) for one in calls]
    return message.type, message.content, told, getattr(message, "tool_call_id", None)


def check_prompt(messages: Sequence[BaseMessage], prompt: Sequence[BaseMessage]) -> None:
    """Check a prompt against its numbered history."""
    places = [int(one.id) for one in prompt if one.id and not isinstance(one, SystemMessage)]
    assert places == sorted(set(places)), "order, and nothing twice"
    invented = [one for one in prompt if not one.id]
    assert all(isinstance(one, HumanMessage | SystemMessage) for one in invented)
    assert len(invented) <= 2
    _check_system(messages, prompt)
    _check_pairs(messages, set(places))
    _check_question(messages, prompt)


def _check_system(messages: Sequence[BaseMessage], prompt: Sequence[BaseMessage]) -> None:
    given = [one for one in messages if isinstance(one, SystemMessage)]
    kept = [one for one in prompt if isinstance(one, SystemMessage) and one.id]
    assert len(kept) == len(given)
    for before, now in zip(given, kept, strict=True):
        assert text_of(now).startswith(text_of(before))
    if len(prompt) < len(messages) - len(_orphans(messages)):
        assert [*map(said, prompt[: len(kept)])] == [*map(said, kept)], "first of all"


def _check_pairs(messages: Sequence[BaseMessage], places: set[int]) -> None:
    orphans = _orphans(messages)
    assert not places & orphans
    for before, now in pairwise(range(len(messages))):
        if isinstance(messages[now], ToolMessage) and now not in orphans:
            assert (before in places) == (now in places), "call and results stay together"


def _check_question(messages: Sequence[BaseMessage], prompt: Sequence[BaseMessage]) -> None:
    asked = next((one for one in reversed(messages) if isinstance(one, HumanMessage)), None)
    if asked is None:
        return
    [kept] = [one for one in prompt if one.id == asked.id]
    question, now = text_of(asked).strip(), text_of(kept)
    assert now.rstrip().endswith(question[-_ENDS:])
    assert question[:_ENDS] in now


def whole_question(messages: Sequence[BaseMessage], prompt: Sequence[BaseMessage]) -> bool:
    """Tell whether the last user message stands in a prompt as it was."""
    asked = next((one for one in reversed(messages) if isinstance(one, HumanMessage)), None)
    kept = {one.id: text_of(one) for one in prompt}
    return asked is None or kept[asked.id].endswith(text_of(asked))


def least(messages: Sequence[BaseMessage], most_chars: int = 120) -> list[BaseMessage]:
    """Give what must be in any prompt: system, question, and the step that waits to be read."""
    orphans = _orphans(messages)
    rest = [at for at in range(len(messages)) if at not in orphans]
    rest = [at for at in rest if not isinstance(messages[at], SystemMessage)]
    asked = [at for at in rest if isinstance(messages[at], HumanMessage)][-1:]
    last = rest[-1:]
    while last and isinstance(messages[last[0]], ToolMessage):
        last.insert(0, last[0] - 1)
    system = [one for one in messages if isinstance(one, SystemMessage)]
    return [*system, *(_short(messages[at], most_chars) for at in sorted({*asked, *last}))]


def _short(message: BaseMessage, most_chars: int) -> BaseMessage:
    blocks: list[Any] = [text_of(message)[:most_chars]]
    if isinstance(message, HumanMessage) and not isinstance(message.content, str):
        blocks += [one for one in message.content if isinstance(one, dict) and "text" not in one]
    update: dict[str, Any] = {"content": blocks}
    if isinstance(message, AIMessage):
        update["tool_calls"] = [
            {**one, "args": _short_value(one["args"], most_chars)} for one in message.tool_calls
        ]
    return message.model_copy(update=update)


def _short_value(value: Any, most_chars: int) -> Any:
    if isinstance(value, str):
        return value[:most_chars]
    if isinstance(value, list):
        return [_short_value(one, most_chars) for one in value]
    if isinstance(value, dict):
        return {name: _short_value(one, most_chars) for name, one in value.items()}
    return value


def _orphans(messages: Sequence[BaseMessage]) -> set[int]:
    waiting: set[str | None] = set()
    found = set()
    for at, message in enumerate(messages):
        if isinstance(message, ToolMessage):
            if message.tool_call_id not in waiting:
                found.add(at)
                waiting = set()
        elif isinstance(message, AIMessage):
            waiting = {one["id"] for one in message.tool_calls}
        else:
            waiting = set()
    return found
