"""What is put into a conversation besides its own messages: blocks of text, marked as such."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from langchain_lmswitch.context.contents import date_of, speaker_of
from langchain_lmswitch.context.recall import Hit
from langchain_lmswitch.context.units import Unit

_RECALL_BEGIN: Final = "[From earlier in this conversation, word for word. It is not a request.]"
_RECALL_END: Final = "[End of what was said earlier. Now:]"
_ENDED: Final = _RECALL_END.translate(str.maketrans("[]", "()"))
_STANDING_BEGIN: Final = "[The user said earlier, and it still holds]"
_GAP: Final = "[Earlier messages of this conversation are left out here.]"


def recall_block(hits: Iterable[Hit], units: Sequence[Unit]) -> str:
    """Quote earlier passages, in the order of time, with who said them and when.

    None of them can end the quotation: what a tool returned is not the user's word.
    """
    lines, day, last = [_RECALL_BEGIN], "", (-1, -1)
    for hit in hits:
        message = units[hit.unit].messages[hit.message]
        date = date_of(message)
        if date and date != day:
            lines.append(f"{date}:")
            day = date
        here = (hit.unit, hit.message)
        whose = "…" if here == last else f"{speaker_of(message)}:"
        lines.append(f"{whose} {hit.text.replace(_RECALL_END, _ENDED)}")
        last = here
    return "\n".join([*lines, _RECALL_END])


def system_block(*, summary: str, standing: Sequence[str]) -> str:
    """Give what the system prompt is to tell of the messages left out; empty if nothing."""
    told = []
    if standing:
        told.append("\n".join([_STANDING_BEGIN, *(f"- {one}" for one in standing)]))
    if summary:
        told.append(summary)
    return "\n\n".join(told)


def with_system(system: Sequence[BaseMessage], block: str) -> tuple[BaseMessage, ...]:
    """Add a block to the end of the system prompt; the messages themselves are not changed."""
    if not block:
        return tuple(system)
    if not system:
        return (SystemMessage(block),)
    return (*system[:-1], with_text(system[-1], after=block))


def with_text(message: BaseMessage, *, before: str = "", after: str = "") -> BaseMessage:
    """Copy a message with text before or after its own."""
    content: Any = message.content
    if isinstance(content, str):
        said: Any = "\n\n".join(filter(None, (before, content, after)))
    else:
        said = [*_block(before), *(content or ()), *_block(after)]
    return message.model_copy(update={"content": said})


def gap() -> BaseMessage:
    """Stand in for what was said before a window that does not begin with the user.

    Most chat templates want the user to speak first.
    """
    return HumanMessage(_GAP)


def _block(text: str) -> list[Any]:
    return [{"type": "text", "text": text}] if text else []
