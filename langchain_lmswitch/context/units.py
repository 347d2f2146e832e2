"""Units: what is kept, evicted or clipped as a whole."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from langchain_lmswitch.context.contents import digest_of, text_of


@dataclass(frozen=True, slots=True)
class Unit:
    """A message, or one with tool calls and all of their results."""

    first: int
    """Index of its first message in the caller's conversation."""
    messages: tuple[BaseMessage, ...]
    digest: bytes
    """Equal for units that say the same."""

    asks: bool
    """Whether the user says it."""

    @property
    def text(self) -> str:
        """All that is said in it."""
        return "\n".join(filter(None, map(text_of, self.messages)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Parted:
    """A conversation in its parts."""

    system: tuple[BaseMessage, ...]
    """The system messages, wherever they stood."""
    units: tuple[Unit, ...]
    system_at: tuple[int, ...] = ()
    """Indices of the system messages."""
    orphans: tuple[int, ...] = ()
    """Indices of tool results without their call, which no chat template takes."""


def parted(
    messages: Sequence[BaseMessage], *, before: Parted | None = None, kept: Sequence[Unit] = ()
) -> Parted:
    """Split a conversation into units.

    1. System messages belong to none.
    2. A message with tool calls is one with the results that follow it, matched by id.
    3. A tool result whose call is not the message before is an orphan, and left out.

    Args:
        messages: The conversation.
        before: What was made of an earlier state of it.
        kept: The first units of `before`, which are still right: only what follows is looked at.
    """
    at = kept[-1].first + len(kept[-1].messages) if kept else 0
    units = [*kept]
    system = [one for one in (before.system_at if before else ()) if one < at]
    orphans = [one for one in (before.orphans if before else ()) if one < at]
    while at < len(messages):
        message = messages[at]
        if isinstance(message, SystemMessage):  # 1
            system.append(at)
            at += 1
        elif isinstance(message, ToolMessage):  # 3
            orphans.append(at)
            at += 1
        else:
            end = _end_of_results(messages, at)  # 2
            units.append(_unit(at, tuple(messages[at:end])))
            at = end
    return Parted(
        system=tuple(messages[one] for one in system),
        system_at=tuple(system),
        units=tuple(units),
        orphans=tuple(orphans),
    )


def _end_of_results(messages: Sequence[BaseMessage], at: int) -> int:
    calls = messages[at]
    end = at + 1
    if not isinstance(calls, AIMessage):
        return end
    ids = {one["id"] for one in (*calls.tool_calls, *calls.invalid_tool_calls)}
    while end < len(messages):
        result = messages[end]
        if not isinstance(result, ToolMessage) or result.tool_call_id not in ids:
            break
        end += 1
    return end


def _unit(first: int, messages: tuple[BaseMessage, ...]) -> Unit:
    digests = [digest_of(one) for one in messages]
    together = hashlib.blake2b(b"".join(digests), digest_size=16).digest()
    return Unit(first, messages, together, _is_user(messages[0]))


def _is_user(message: BaseMessage) -> bool:
    return isinstance(message, HumanMessage) or getattr(message, "role", "") == "user"
