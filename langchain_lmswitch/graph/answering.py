"""An answer on its way: how long it may stall, and what it adds up to."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from itertools import groupby

from langchain_core.messages import AIMessageChunk, BaseMessage, message_chunk_to_message
from langchain_core.messages.ai import add_ai_message_chunks

from langchain_lmswitch.errors import HostTimeout
from langchain_lmswitch.messages.incoming import Chunks
from langchain_lmswitch.types.decisions import Decision
from langchain_lmswitch.types.events import Fragment, PredictEvent


def whole_message(events: Sequence[Decision | PredictEvent]) -> BaseMessage:
    """Add up an answer, for those who read the state and not the stream."""
    chunks = Chunks()
    pieces = [piece for event in _joined(events) if (piece := chunks.next(event)) is not None]
    return message_chunk_to_message(add_ai_message_chunks(AIMessageChunk(content=""), *pieces))


def _joined(events: Sequence[Decision | PredictEvent]) -> list[Decision | PredictEvent]:
    """Join neighboring fragments: a message chunk for each would cost more than all else here."""
    joined: list[Decision | PredictEvent] = []
    for kind, group in groupby(events, key=_kind):
        if kind is None:
            joined.extend(group)
        else:
            text = "".join(one.text for one in group if isinstance(one, Fragment))
            joined.append(Fragment(text=text, reasoning=kind == "reasoning"))
    return joined


def _kind(event: Decision | PredictEvent) -> str | None:
    if isinstance(event, Fragment):
        return "reasoning" if event.reasoning else "text"
    return None


async def with_deadline(
    events: AsyncGenerator[PredictEvent, None], address: str, *, gap_s: float | None
) -> AsyncGenerator[PredictEvent, None]:
    """Bound the gap between two events by the caller's own deadline.

    Raises:
        HostTimeout: Nothing came for `gap_s` seconds.
    """
    loop = asyncio.get_running_loop()
    try:
        async with aclosing(events), asyncio.timeout(gap_s) as deadline:
            async for event in events:
                yield event
                deadline.reschedule(None if gap_s is None else loop.time() + gap_s)
    except TimeoutError:
        if gap_s is None or not deadline.expired():
            raise
        raise HostTimeout(address, doing="answering", after_s=gap_s) from None
