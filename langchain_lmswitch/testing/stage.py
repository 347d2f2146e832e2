"""A scripted host as the embedded host sees models: on a shelf, and in memory."""

from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, cast

from langchain_lmswitch.embedded.host import SYSTEM_CLOCK
from langchain_lmswitch.embedded.instances import Instances, OnProgress
from langchain_lmswitch.embedded.shelf import ShelfModel
from langchain_lmswitch.testing.cards import card as make_card
from langchain_lmswitch.testing.worker import ScriptedWorker
from langchain_lmswitch.types.models import LoadSpec, ModelCard, Resident

if TYPE_CHECKING:
    from langchain_lmswitch.embedded.instance import Instance
    from langchain_lmswitch.embedded.worker import Worker, WorkerSpec
    from langchain_lmswitch.settings import Settings
    from langchain_lmswitch.testing.host import ScriptedHost

_asked: ContextVar[LoadSpec] = ContextVar("langchain_lmswitch_asked_load")
"""The load under way in this task: a `WorkerSpec` tells neither identifier nor TTL."""


class ScriptedShelf:
    """The cards of a scripted host."""

    def __init__(self, host: "ScriptedHost") -> None:
        self._host = host

    def scan(self) -> list[ShelfModel]:
        """List them, as they are now."""
        return [_shelved(card) for card in tuple(self._host.disk.values())]


class ScriptedInstances(Instances):
    """The models in memory of a server, each of them in a scripted host's memory."""

    def __init__(self, host: "ScriptedHost", settings: "Settings") -> None:
        super().__init__(settings, start=self._enter, clock=SYSTEM_CLOCK)
        self._host = host
        self._there: dict[str, Resident] = {}
        self._closing = False

    async def adopt(self) -> None:
        """List what is in the scripted host's memory already, without loading it again."""
        for resident in self._host.places.residents():
            self._there[resident.identifier] = resident
            model = _shelved(self._host.disk.get(resident.key) or _card_of(resident))
            await self.load(model, _spec_of(resident), on_progress=lambda _: None)

    async def load(
        self, model: ShelfModel, spec: LoadSpec, *, on_progress: OnProgress, jit: bool = False
    ) -> "Instance":
        """Load a model in the scripted host, just as it was asked for."""
        before = _asked.set(spec)
        try:
            return await super().load(model, spec, on_progress=on_progress, jit=jit)
        finally:
            _asked.reset(before)

    async def close(self) -> None:
        """Let go of all models, which stay in the scripted host's memory."""
        self._closing = True
        await super().close()

    async def _enter(self, spec: "WorkerSpec", *, on_progress: OnProgress) -> "Worker":
        asked = _asked.get()
        resident = self._there.pop(asked.identifier or "", None)
        if resident is None:
            resident = await self._host.load(asked, on_progress=on_progress)
        worker = ScriptedWorker(spec, self._host, resident, stays=lambda: self._closing)
        # A test holds it to all that a `Worker` can.
        return cast("Worker", worker)


def _shelved(card: ModelCard) -> ShelfModel:
    return ShelfModel(card=card, path=Path(card.path or card.key), mmproj=None, architecture=None)


def _card_of(resident: Resident) -> ModelCard:
    return make_card(resident.key, kind=resident.kind, size_bytes=resident.size_bytes)


def _spec_of(resident: Resident) -> LoadSpec:
    return LoadSpec(
        key=resident.key,
        kind=resident.kind,
        context_tokens=resident.context_tokens or None,
        identifier=resident.identifier,
        ttl_s=resident.ttl_s,
    )
