"""A model host in memory."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from itertools import count
from typing import Final

from langchain_lmswitch.errors import LoadFailed, UnknownModel
from langchain_lmswitch.hosts.base import OnProgress
from langchain_lmswitch.hosts.endings import check_end
from langchain_lmswitch.testing import tokens
from langchain_lmswitch.testing.cards import card as make_card
from langchain_lmswitch.testing.places import Place, Places, footprint
from langchain_lmswitch.testing.records import Call, Record
from langchain_lmswitch.testing.replies import Reply, first_tokens, reply_of, respond
from langchain_lmswitch.testing.turns import next_turn, steps
from langchain_lmswitch.types.events import Finished, InstanceState, PredictEvent
from langchain_lmswitch.types.machine import Footprint, Scope, Snapshot
from langchain_lmswitch.types.models import LoadSpec, ModelCard, ModelKind, Resident
from langchain_lmswitch.types.requests import JsonObject, PredictRequest

_hosts = count(1)

_REPLY = "This is a scripted answer."


class ScriptedHost(Record):
    """A `Host` that holds no models and says what it was told to say.

    It is also the `Monitor` of its own memory, and the `Record` of what it was asked. It may be
    used from any event loop. A TTL is listed and never expires.

    Example:
        >>> host = ScriptedHost(["small", "big"], replies={"big": "Well thought out."})
        >>> [resident.key for resident in asyncio.run(host.residents())]
        []
        >>> asyncio.run(host.load(LoadSpec(key="big"))).context_tokens
        4096

    Args:
        cards: The models on disk; a bare key is a chat model of 100 MiB.
        replies: What they say: one reply for all, or one for each key.
        foreign: Models that somebody else has loaded.
        memory_bytes: Room for models; a load beyond it fails for memory. `None` is no limit.
        progress: The steps that a load reports.
        load_step_s: Seconds before each of them.
        token_s: Seconds before each event of an answer.
        sleep: Waits that long; called with 0 too, so that others get their turn.
        fail_load: Model key -> why its loads fail. A list fails once for each entry.
        vanish_after: Model key -> tokens of an answer after which the model is gone. A list
            is for one answer after the other.
        address: Where it pretends to be; each has its own unless given.
        scope: Whether its memory is this computer's.
        clock: Unix time in seconds.
    """

    quick: Final = True
    """As a `Monitor`: it answers at once."""

    def __init__(
        self,
        cards: Iterable[ModelCard | str] = ("scripted-chat",),
        *,
        replies: Reply | Mapping[str, Reply] = _REPLY,
        foreign: Iterable[Resident] = (),
        memory_bytes: int | None = None,
        progress: Sequence[float] = (0.0, 0.25, 0.5, 0.75, 1.0),
        load_step_s: float = 0.0,
        token_s: float = 0.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        fail_load: Mapping[str, LoadFailed | list[LoadFailed]] | None = None,
        vanish_after: Mapping[str, int | list[int]] | None = None,
        address: str | None = None,
        scope: Scope = "local",
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        known = [make_card(card) if isinstance(card, str) else card for card in cards]
        self.disk: dict[str, ModelCard] = {card.key: card for card in known}
        self.replies = replies
        self.progress = progress
        self.load_step_s = load_step_s
        self.token_s = token_s
        self.fail_load: dict[str, LoadFailed | list[LoadFailed]] = dict(fail_load or {})
        self.vanish_after: dict[str, int | list[int]] = dict(vanish_after or {})
        self._sleep = sleep
        self._address = address or f"scripted:{next(_hosts)}"
        self._scope = scope
        self.places: Places = Places(memory_bytes, foreign=foreign, clock=clock)
        """What is in memory; looking there is not recorded."""

    @property
    def address(self) -> str:
        """Where it pretends to be."""
        return self._address

    @property
    def scope(self) -> Scope:
        """Whether its memory is this computer's."""
        return self._scope

    def snapshot(self) -> Snapshot:
        """Show its own memory, as the `Monitor` of a computer that holds nothing else."""
        return Snapshot(
            ram_total_bytes=self.places.memory_bytes,
            ram_free_bytes=self.places.free_bytes,
            gpus=(),
            scope=self._scope,
        )

    async def engine(self) -> str:
        """Name its release, as of any host."""
        return "scripted"

    async def cards(self) -> list[ModelCard]:
        """List the models on disk."""
        self._note(Call(method="cards"))
        return list(self.disk.values())

    async def residents(self) -> list[Resident]:
        """List the models in memory."""
        self._note(Call(method="residents"))
        return self.places.residents()

    async def estimate(self, spec: LoadSpec, card: ModelCard) -> Footprint:
        """Say what a load costs: the file, and 32 KiB for each token of context."""
        self._note(Call(method="estimate", model=spec.key, spec=spec))
        return footprint(spec, card, free_bytes=self.places.free_bytes)

    async def load(self, spec: LoadSpec, *, on_progress: OnProgress | None = None) -> Resident:
        """Load a model, step by step; what fails, fails after the first step."""
        call = self._note(Call(method="load", model=spec.key, spec=spec))
        card = self._card(spec.key, spec.kind)
        if self.places.holds(spec.key):
            self.loaded_twice.append(spec.key)
        place = self.places.reserve(spec, card)
        self.loads_at_once: int = max(self.loads_at_once, self.places.loading())
        try:
            failure = self._failure(spec, place)
            wait = partial(self._step, card)
            async for fraction in steps(self.progress, wait, failure=failure):
                if on_progress:
                    on_progress(fraction)
            place.ready = True
        except asyncio.CancelledError:
            self._note_left(call)
            raise
        finally:
            if not place.ready:
                self.places.drop(place)
        return place.resident

    async def unload(self, identifier: str) -> None:
        """Unload one instance; answers under way end with `ModelGone`."""
        self._note(Call(method="unload", model=identifier))
        place = self.places.find(identifier)
        if place.answering:
            self.unloaded_while_answering.append(identifier)
        self.places.drop(place)

    def lose(self, identifier: str) -> None:
        """Let an instance crash, or be unloaded by somebody else."""
        self.places.drop(self.places.find(identifier))

    async def count_tokens(self, identifier: str, text: str) -> int:
        """Count words and marks; see `langchain_lmswitch.testing.split`."""
        self._note(Call(method="count_tokens", model=identifier, texts=(text,)))
        self.places.find(identifier)
        return len(tokens.split(text))

    async def render(
        self, identifier: str, messages: Sequence[JsonObject], *, tools: Sequence[JsonObject] = ()
    ) -> str:
        """Put a conversation through a template like ChatML."""
        self._note(Call(method="render", model=identifier))
        self.places.find(identifier, "llm")
        return tokens.render(messages, tools)

    async def predict(
        self, identifier: str, request: PredictRequest
    ) -> AsyncGenerator[PredictEvent, None]:
        """Stream the model's reply.

        Raises:
            ContextTooLong: The prompt is longer than the loaded context.
            HostFailed: The script says that the host failed.
            ModelGone: The model was unloaded, or is scripted to vanish or to be unloaded.
        """
        async with aclosing(self.told(identifier, request)) as events:
            async for event in events:
                if isinstance(event, Finished):
                    check_end(event, identifier, self.address)
                yield event

    async def told(
        self, identifier: str, request: PredictRequest
    ) -> AsyncGenerator[PredictEvent, None]:
        """Stream the reply as a host's wire has it, where an unhappy end is an end like others.

        Args:
            identifier: Of a model in memory.
            request: What it is asked.
        """
        call = self._note(Call(method="predict", model=identifier, request=request))
        place = self.places.use(identifier, "llm")
        last_token = self._last_token(place.resident.key)
        reply = reply_of(self.replies, place.resident.key, otherwise=_REPLY)
        told = respond(place.resident, request, reply)
        place.answering += 1
        finished = False
        try:
            for event in told if last_token is None else first_tokens(told, last_token):
                await self._pause()
                self.places.check(place)
                finished = isinstance(event, Finished)
                yield event
            if not finished:
                self.places.drop(place)
                self.places.check(place)
        except (asyncio.CancelledError, GeneratorExit):
            if not finished:
                self._note_left(call)
            raise
        finally:
            place.answering -= 1

    async def embed(self, identifier: str, texts: Sequence[str]) -> list[list[float]]:
        """Hash the words of each text into a vector of length one."""
        self._note(Call(method="embed", model=identifier, texts=tuple(texts)))
        self.places.use(identifier, "embedding")
        return [tokens.embed(text) for text in texts]

    async def state(self, identifier: str) -> InstanceState | None:
        """Count the answers under way; `None` if nothing is loaded under this identifier."""
        self._note(Call(method="state", model=identifier))
        try:
            place = self.places.find(identifier)
        except UnknownModel:
            return None
        status = "generating" if place.answering else "idle"
        return InstanceState(status=status, queued=place.answering)

    async def aclose(self) -> None:
        """Do nothing but note it; loaded models stay."""
        self._note(Call(method="aclose"))

    async def _step(self, card: ModelCard) -> None:  # noqa: ARG002 - for hosts where size counts
        await self._sleep(self.load_step_s)

    async def _pause(self) -> None:
        await self._sleep(self.token_s)

    def _failure(self, spec: LoadSpec, place: Place) -> LoadFailed | None:  # noqa: ARG002
        return next_turn(self.fail_load, spec.key)

    def _last_token(self, key: str) -> int | None:
        return next_turn(self.vanish_after, key)

    def _card(self, key: str, kind: ModelKind) -> ModelCard:
        card = self.disk.get(key)
        if card is None or card.kind != kind:
            raise UnknownModel(key, nearest=list(self.disk))
        return card
