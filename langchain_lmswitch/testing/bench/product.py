"""A stream played through the switchboard itself, on a simulated host, in virtual time."""

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from langchain_lmswitch.settings import Settings
from langchain_lmswitch.switch.board import Switchboard
from langchain_lmswitch.testing.bench.streams import Model, Stream
from langchain_lmswitch.testing.cards import card, user
from langchain_lmswitch.testing.clock import run_virtually
from langchain_lmswitch.testing.places import KV_BYTES_PER_TOKEN
from langchain_lmswitch.testing.simulated import SimulatedHost
from langchain_lmswitch.types.events import SwitchEvent
from langchain_lmswitch.types.models import ModelCard
from langchain_lmswitch.types.requests import PredictRequest

ANSWER_S: Final = (1.5, 4.5)
"""Shortest and longest time that an answer takes."""
_CONTEXT_TOKENS: Final = 1024
_EVENTS: Final = 3
"""Of an answer: the prompt is read, a word, the end."""
_ASKED: Final = PredictRequest(messages=(user("Go on."),))
_MOST_S: Final = 10.0**7


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What the product did for a stream."""

    load_s: float
    """Seconds of all loads."""
    worst_skip: int
    """How many requests passed the load that was passed most."""


def play(stream: Stream, budget_bytes: int, *, concurrency: int) -> Played:
    """Let so many workers take a stream's requests in order, each the next when it is done."""
    return run_virtually(_play(stream, budget_bytes, concurrency), most_s=_MOST_S)


async def _play(stream: Stream, budget_bytes: int, concurrency: int) -> Played:
    host = SimulatedHost(
        [_card(one) for one in stream.models],
        memory_bytes=budget_bytes,
        replies="Done",
        load_seconds=lambda one: _load_s(stream, one),
        pause_s=(ANSWER_S[0] / _EVENTS, ANSWER_S[1] / _EVENTS),
    )
    settings = Settings(
        headroom_bytes=0,
        context_tokens=_CONTEXT_TOKENS,
        parallel=concurrency,
        queue_limit=concurrency,
    )
    board = Switchboard(host, host, settings, clock=asyncio.get_running_loop().time)
    requests = iter(enumerate(stream.requests))
    cards = [host.disk[one.name] for one in stream.models]
    async with asyncio.TaskGroup() as workers:
        for _ in range(concurrency):
            workers.create_task(_work(board, requests, cards))
    return Played(load_s=host.load_s, worst_skip=board.most_passes)


async def _work(
    board: Switchboard, requests: Iterator[tuple[int, int]], cards: list[ModelCard]
) -> None:
    for number, place in requests:
        call = f"call-{number}"
        held = await board.acquire(
            cards[place], call=call, needed_tokens=_CONTEXT_TOKENS, on_event=_overhear
        )
        try:
            answer = board.host.predict(held.resident.identifier, _ASKED)
            async with aclosing(answer) as events:
                async for _ in events:
                    pass
        finally:
            board.release(call)


def _overhear(event: SwitchEvent) -> None:
    """Nobody watches."""


def _card(model: Model) -> ModelCard:
    """Make a card whose load holds what the model holds, with the cache for its context."""
    cache_bytes = _CONTEXT_TOKENS * KV_BYTES_PER_TOKEN
    return card(
        model.name, size_bytes=model.bytes - cache_bytes, max_context_tokens=_CONTEXT_TOKENS
    )


def _load_s(stream: Stream, needed: ModelCard) -> float:
    return next(one.load_s for one in stream.models if one.name == needed.key)
