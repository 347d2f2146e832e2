"""What the conformance suite needs of a host under test, and the words it asks with."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from langchain_lmswitch.errors import UnknownModel
from langchain_lmswitch.hosts.base import Host
from langchain_lmswitch.types.events import Finished, Fragment, PredictEvent
from langchain_lmswitch.types.models import LoadSpec, ModelKind, Resident
from langchain_lmswitch.types.requests import JsonObject, PredictRequest

CONTEXT_TOKENS = 2048
PATIENCE_S = 60.0
"""A host that needs longer than this for an answer hangs."""

SOON_S = 5.0
"""Within this time a server shows that it has stopped, unload and cancel included."""

LONG = "Write the numbers from one to five hundred, each in words, separated by commas."
"""Asks for an answer that is still going on while the test does something to it."""

_numbers = count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A host under test, and what may be expected of it."""

    host: Host
    chat: str
    """Key of a chat model; its context is at least `CONTEXT_TOKENS`."""
    other_chat: str | None = None
    """Key of another one that fits into memory beside it."""
    embedding: str | None = None
    """Key of an embedding model."""
    tools: bool = False
    """Whether the chat model may be given tools."""
    json_schema: bool = False
    """Whether an answer can be bound to a JSON schema."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A complete answer."""

    events: tuple[PredictEvent, ...]

    @property
    def text(self) -> str:
        """What was said, without the thinking."""
        return "".join(part.text for part in self.fragments)

    @property
    def fragments(self) -> list[Fragment]:
        """The pieces of the answer, without the thinking."""
        said = [event for event in self.events if isinstance(event, Fragment)]
        return [part for part in said if not part.reasoning]

    @property
    def finished(self) -> Finished:
        """How it ended: exactly once, and last."""
        endings = [event for event in self.events if isinstance(event, Finished)]
        assert len(endings) == 1
        assert self.events[-1] is endings[0]
        return endings[0]


def message(role: str, text: str) -> JsonObject:
    return {"role": role, "content": [{"type": "text", "text": text}]}


def ask(text: str, *, max_tokens: int = 48, **more: Any) -> PredictRequest:
    """Make a short, greedy request."""
    asked = (message("user", text),)
    return PredictRequest(messages=asked, max_tokens=max_tokens, temperature=0.0, seed=7, **more)


async def answer(host: Host, identifier: str, request: PredictRequest) -> Answer:
    """Listen to the end."""
    async with asyncio.timeout(PATIENCE_S):
        return Answer(events=tuple([event async for event in host.predict(identifier, request)]))


async def hear_first(events: AsyncGenerator[PredictEvent, None]) -> Fragment:
    """Listen until the first piece of the answer."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            event = await anext(events)
            if isinstance(event, Fragment):
                return event


async def eventually(check: Callable[[], Awaitable[bool]], *, what: str) -> None:
    """Wait until something is so; a server may need a moment to show it."""
    try:
        async with asyncio.timeout(SOON_S):
            while not await check():  # noqa: ASYNC110 - a server has no event to wait for
                await asyncio.sleep(0.02)
    except TimeoutError:
        pytest.fail(f"still not so after {SOON_S:g} s: {what}")


async def is_idle(host: Host, identifier: str) -> bool:
    """Say whether an instance is at rest, as far as the host can tell."""
    state = await host.state(identifier)
    return state is None or state.idle


def own_identifier() -> str:
    """Make an identifier that nobody else uses."""
    return f"conformance-{next(_numbers)}"


class Cases:
    """The fixtures that all cases share; a concrete suite provides `subject`."""

    @pytest.fixture
    def subject(self) -> Subject:
        """Give the host under test and the facts about it."""
        raise NotImplementedError

    @pytest.fixture
    def host(self, subject: Subject) -> Host:
        return subject.host

    @pytest.fixture
    async def chat(self, subject: Subject) -> AsyncGenerator[Resident, None]:
        """Give the chat model, loaded."""
        async for resident in _loaded(subject.host, subject.chat, "llm"):
            yield resident

    @pytest.fixture
    async def other(self, subject: Subject) -> AsyncGenerator[Resident, None]:
        """Give the other chat model, loaded."""
        if subject.other_chat is None:
            pytest.skip("only one chat model here")
        async for resident in _loaded(subject.host, subject.other_chat, "llm"):
            yield resident

    @pytest.fixture
    async def embedding(self, subject: Subject) -> AsyncGenerator[Resident, None]:
        """Give the embedding model, loaded."""
        if subject.embedding is None:
            pytest.skip("no embedding model here")
        async for resident in _loaded(subject.host, subject.embedding, "embedding"):
            yield resident


async def _loaded(host: Host, key: str, kind: ModelKind) -> AsyncGenerator[Resident, None]:
    context_tokens = CONTEXT_TOKENS if kind == "llm" else None
    spec = LoadSpec(
        key=key, kind=kind, context_tokens=context_tokens, identifier=own_identifier(), ttl_s=600
    )
    resident = await host.load(spec)
    yield resident
    with suppress(UnknownModel):
        await host.unload(resident.identifier)
