"""Asking a model for a summary: one in memory, or any of LangChain's."""

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Final

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage

from langchain_lmswitch.context.accepting import accepted
from langchain_lmswitch.context.contents import images_of
from langchain_lmswitch.context.summaries import (
    LIMIT_TOKENS,
    MOST_CHARS,
    fresh_request,
    live_request,
    source_of,
)
from langchain_lmswitch.context.tree import Piece
from langchain_lmswitch.hosts.base import Host
from langchain_lmswitch.messages.asking import request
from langchain_lmswitch.types.events import Finished, Fragment
from langchain_lmswitch.types.models import Resident
from langchain_lmswitch.types.options import RouterOptions
from langchain_lmswitch.types.requests import PredictRequest

MOST_TOKENS: Final = LIMIT_TOKENS + LIMIT_TOKENS // 2
"""What a summarizer may write: what breaks off loses its last sentence."""
_LEAST_CHARS: Final = 2_000
"""A source that has to be shorter than this is left alone."""
_TIGHTER: Final = 0.9
_LENGTH: Final = frozenset({"maxPredictedTokensReached", "contextLengthReached", "length"})

Source = str
Ask = tuple[Source, PredictRequest]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A turn that is over: who answered, and what it has read and said."""

    resident: Resident
    said: tuple[BaseMessage, ...]
    """The prompt as it was sent, and the answer."""
    options: RouterOptions
    """As it was sent with: its tools stand in the prompt, too."""

    @property
    def over(self) -> bool:
        """Whether the model waits for nothing, such as what a tool says."""
        last = self.said[-1]
        return not (isinstance(last, AIMessage) and last.tool_calls)


async def by_chat_model(model: BaseChatModel, piece: Piece) -> str | None:
    """Have a chat model of the user's summarize; `None` if what it says is no summary."""
    source = source_of(piece)
    answer = await model.ainvoke(list(fresh_request(piece, source)))
    return summary_in(answer, piece, source)


def summary_in(answer: BaseMessage, piece: Piece, source: str) -> str | None:
    """Give what of a chat model's answer is kept; `None` if it is no summary of `source`."""
    told = answer.response_metadata.get("finish_reason")
    return accepted(answer.text, source, cut=told in _LENGTH, merged=bool(piece.texts))


async def by_resident(
    host: Host, resident: Resident, piece: Piece, answered: Answered | None
) -> str | None:
    """Have a model in memory summarize; `None` if what it says is no summary, or is too long.

    1. Who has just answered is asked behind what it has read, if that was text and its context is
       long enough.
    2. Else it is asked afresh, as another is.
    """
    asked = None
    same = answered and answered.resident.identifier == resident.identifier
    if answered and same and not any(map(images_of, answered.said)):  # 1
        asked = await _behind(host, resident, piece, answered)
    asked = asked or await _afresh(host, resident, piece)  # 2
    if asked is None:
        return None
    source, asking = asked
    text, cut = await _said(host, resident, asking)
    return accepted(text, source, cut=cut, merged=bool(piece.texts))


async def _behind(host: Host, resident: Resident, piece: Piece, answered: Answered) -> Ask | None:
    kept = answered.options
    options = RouterOptions(max_tokens=MOST_TOKENS, temperature=0.0)
    if kept.get("tools"):
        options["tools"] = kept["tools"]
    if kept.get("send_reasoning"):
        options["send_reasoning"] = True
    if schema := kept.get("json_schema"):  # it stands in the prompt, but does not bind us
        options["json_schema"] = schema

    def made(source: str) -> PredictRequest:
        said = live_request(piece, source, said=answered.said)
        return replace(request(said, options), json_schema=None)

    return await _fitting(host, resident, piece, made)


async def _afresh(host: Host, resident: Resident, piece: Piece) -> Ask | None:
    options = RouterOptions(max_tokens=MOST_TOKENS, temperature=0.0)

    def made(source: str) -> PredictRequest:
        return request(fresh_request(piece, source), options)

    return await _fitting(host, resident, piece, made)


async def _fitting(
    host: Host, resident: Resident, piece: Piece, made: Callable[[str], PredictRequest]
) -> Ask | None:
    """Shorten the source until the request fits, by exact counts of the model's own tokenizer."""
    room_tokens = resident.context_tokens - MOST_TOKENS
    source = source_of(piece)
    asking = made(source)
    if not resident.context_tokens:
        return source, asking
    while True:
        prompt = await host.render(resident.identifier, asking.messages, tools=asking.tools)
        over_tokens = await host.count_tokens(resident.identifier, prompt) - room_tokens
        if over_tokens <= 0:
            return source, asking
        source_tokens = await host.count_tokens(resident.identifier, source)
        kept = _TIGHTER * (1 - over_tokens / max(1, source_tokens))
        most_chars = int(kept * min(len(source), MOST_CHARS))
        if most_chars < _LEAST_CHARS:
            return None
        source = source_of(piece, most_chars=most_chars)
        asking = made(source)


async def _said(host: Host, resident: Resident, asking: PredictRequest) -> tuple[str, bool]:
    pieces: list[str] = []
    cut = False
    async with aclosing(host.predict(resident.identifier, asking)) as events:
        async for event in events:
            if isinstance(event, Fragment) and not event.reasoning:
                pieces.append(event.text)
            elif isinstance(event, Finished):
                cut = event.stop_reason in _LENGTH
    return "".join(pieces), cut
