"""An answer on its way: how long it may stall, and what it adds up to."""

import asyncio
import uuid
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from itertools import groupby
from typing import cast

from langchain_core.messages import AIMessage, AIMessageChunk, message_chunk_to_message
from langchain_core.messages.ai import add_ai_message_chunks

from langchain_lmswitch.errors import ContextTooLong, HostTimeout
from langchain_lmswitch.messages.incoming import Chunks
from langchain_lmswitch.switch.boards import OpenBoard
from langchain_lmswitch.types.decisions import Decision
from langchain_lmswitch.types.events import Finished, Fragment, PredictEvent, PromptProgress
from langchain_lmswitch.types.models import Resident
from langchain_lmswitch.types.options import RouterOptions
from langchain_lmswitch.types.requests import PredictRequest


async def answered(
    open_board: OpenBoard, decision: Decision, ask: PredictRequest, *, gap_s: float | None
) -> AsyncGenerator[PredictEvent, None]:
    """Have the chosen model answer; the history hears of it. On the portal's loop only.

    Raises:
        HostTimeout: Nothing came for `gap_s` seconds.
    """
    board = await open_board()
    host = board.host
    answering = with_deadline(host.predict(decision.identifier, ask), host.address, gap_s=gap_s)
    async with aclosing(answering) as events:
        with board.history.answering(decision) as heard:
            async for event in events:
                heard(event)
                yield event


def new_call_id() -> str:
    """Name a tool call to which the host gave no id."""
    return f"call_{uuid.uuid4().hex}"


def whole_message(events: Sequence[Decision | PredictEvent], options: RouterOptions) -> AIMessage:
    """Add up an answer, for those who read the state and not the stream."""
    parallel = options.get("parallel_tool_calls") is not False
    chunks = Chunks(new_id=new_call_id, parallel_calls=parallel)
    pieces = [piece for event in _joined(events) if (piece := chunks.next(event)) is not None]
    added = message_chunk_to_message(add_ai_message_chunks(AIMessageChunk(content=""), *pieces))
    return chunks.mended(cast("AIMessage", added))


def _joined(events: Sequence[Decision | PredictEvent]) -> list[Decision | PredictEvent]:
    """Join neighboring fragments: a message chunk for each would cost more than all else here."""
    joined: list[Decision | PredictEvent] = []
    for kind, group in groupby(events, key=_kind):
        if kind is None:
            joined.extend(group)
        else:
            pieces = [one for one in group if isinstance(one, Fragment)]
            text, tokens = "".join(one.text for one in pieces), sum(one.tokens for one in pieces)
            joined.append(Fragment(text=text, tokens=tokens, reasoning=kind == "reasoning"))
    return joined


def _kind(event: Decision | PredictEvent) -> str | None:
    if isinstance(event, Fragment):
        return "reasoning" if event.reasoning else "text"
    return None


def refuse_silence(said: Sequence[PredictEvent], resident: Resident) -> None:
    """Refuse an answer for which there was no room: an agent would end on it as if all was said.

    Some hosts cut the prompt to the context without a word, and then have none left.

    Raises:
        ContextTooLong: It ended at the end of the context, and nothing was said.
    """
    *before, last = said
    if not isinstance(last, Finished) or last.stop_reason != "contextLengthReached":
        return
    if all(isinstance(event, PromptProgress) for event in before):
        limit_tokens = resident.context_tokens
        raise ContextTooLong(tokens=last.prompt_tokens or limit_tokens, limit_tokens=limit_tokens)


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
