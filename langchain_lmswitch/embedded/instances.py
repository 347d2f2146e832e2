"""The models in memory: who they are, who uses them, and when they go."""

import asyncio
import base64
import logging
import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from langchain_lmswitch.embedded.departures import Departures
from langchain_lmswitch.embedded.flights import Flight, Progress, Starting, Tell, Unloading
from langchain_lmswitch.embedded.instance import Instance
from langchain_lmswitch.embedded.protocol.failures import (
    identifier_taken,
    model_unloaded,
    no_model_matching,
)
from langchain_lmswitch.embedded.protocol.matching import Query, Reference, best
from langchain_lmswitch.embedded.worker import WorkerSpec
from langchain_lmswitch.types.models import LoadSpec, ModelKind

if TYPE_CHECKING:
    from langchain_lmswitch.embedded.shelf import ShelfModel
    from langchain_lmswitch.embedded.worker import Worker
    from langchain_lmswitch.settings import Settings

_log = logging.getLogger(__name__)

OnProgress = Callable[[float], None]


class Start(Protocol):
    """How a worker is started: `Worker.start`."""

    def __call__(self, spec: WorkerSpec, *, on_progress: OnProgress) -> Awaitable["Worker"]:
        """Start the process and wait until the model is loaded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The two clocks an instance lives by."""

    monotonic: Callable[[], float]
    wall: Callable[[], float]
    """Unix time."""


class Instances:
    """The only owner of workers, confined to one event loop.

    Rules, as LM Studio keeps them but for the second half of 2:

    1. Identifiers are unique, those of loads under way included; an automatic one is the key, then
       `key:2` and so on.
    2. A model loaded on demand takes the place of the one before, which first finishes what
       it is answering; models loaded explicitly stay.
    3. Idle time runs from the end of the last use; a model that is answering never expires.
    4. A worker that ends by itself takes only its own instance along.
    """

    def __init__(self, settings: "Settings", *, start: Start, clock: Clock) -> None:
        self._settings = settings
        self._start = start
        self._clock = clock
        self._residents: dict[str, Instance] = {}
        self._reserved: set[str] = set()
        self._flights: dict[tuple[ModelKind, str], Flight] = {}
        self._demand = asyncio.Lock()
        self._departures = Departures()

    def all(self, kind: ModelKind | None = None) -> list[Instance]:
        """List the instances, oldest first."""
        return [one for one in self._residents.values() if kind in (None, one.kind)]

    def find(self, asked: Query | Reference, *, kind: ModelKind) -> Instance:
        """Find the instance a request means.

        Raises:
            WireError: There is none.
        """
        if (found := self.look_up(asked, kind=kind)) is not None:
            return found
        if isinstance(asked, Reference):
            raise model_unloaded()
        query = {name: value for name in Query.__slots__ if (value := getattr(asked, name))}
        raise no_model_matching(query, [one.identifier for one in self.all(kind)])

    def look_up(self, asked: Query | Reference, *, kind: ModelKind) -> Instance | None:
        """Find the instance a request means, or nothing."""
        present = [one for one in self.all(kind) if not one.leaving]
        if isinstance(asked, Reference):
            return next((one for one in present if one.reference == asked.reference), None)
        return best([(one, one.model.card, one.identifier) for one in present], asked)

    @contextmanager
    def use(self, instance: Instance) -> Iterator[None]:
        """Hold an instance for as long as a request takes."""
        instance.uses += 1
        instance.idle.clear()
        self.touch(instance)
        instance.last_used_s = self._clock.wall()
        try:
            yield
        finally:
            instance.uses -= 1
            self.touch(instance)
            if not instance.uses:
                instance.idle.set()

    def touch(self, instance: Instance) -> None:
        """Let the idle time begin anew."""
        instance.touched_s = self._clock.monotonic()

    async def load(
        self, model: "ShelfModel", spec: LoadSpec, *, on_progress: OnProgress, jit: bool = False
    ) -> Instance:
        """Load a model as a new instance; cancelling kills the process that loads.

        Raises:
            WireError: The identifier is taken.
            LoadFailed: The engine could not load it.
            BadModelFile: The file is no model.
            MissingExtra: The engine is not installed.
        """
        identifier = self._reserve(spec)
        worker_spec = self._worker_spec(model, spec)
        try:
            worker = await self._start(worker_spec, on_progress=on_progress)
        finally:
            self._reserved.discard(identifier)
        return self._admit(
            Instance(
                model=model,
                worker=worker,
                identifier=identifier,
                reference=base64.b64encode(secrets.token_bytes(18)).decode(),
                ttl_s=spec.ttl_s,
                parallel=worker_spec.parallel,
                jit=jit,
                touched_s=self._clock.monotonic(),
            )
        )

    async def get_or_load(self, model: "ShelfModel", spec: LoadSpec, *, tell: Tell) -> Instance:
        """Load a model on demand; who asks for it meanwhile joins in.

        Raises:
            LoadFailed: And all that `load` raises.
        """
        key = (model.card.kind, model.card.key)
        flight = self._flights.get(key)
        if flight is None or flight.over:
            flight = self._flights[key] = Flight(lambda say: self._on_demand(model, spec, say))
        try:
            return await flight.join(tell)
        finally:
            if flight.over and self._flights.get(key) is flight:
                del self._flights[key]

    async def unload(self, instance: Instance) -> None:
        """Unload at once; what it is answering ends here."""
        instance.leaving = True
        self._drop(instance)
        await self._departures.stop(instance.worker)

    async def drain(self, instance: Instance) -> None:
        """Let an instance finish what it is answering, then unload it."""
        instance.leaving = True
        try:
            await instance.idle.wait()
        except asyncio.CancelledError:
            instance.leaving = False
            raise
        await self.unload(instance)

    def lost(self, instance: Instance) -> None:
        """Strike off an instance whose process has ended."""
        if self._residents.get(instance.identifier) is instance:
            _log.warning("The process of %s ended by itself", instance.identifier)
            self._drop(instance)

    async def close(self) -> None:
        """End all loads and unload everything; also what had begun to leave has gone then."""
        flights = [flight.cancel() for flight in self._flights.values()]
        await asyncio.gather(*flights, *(self.unload(one) for one in self.all()))
        await self._departures.over()

    async def _on_demand(self, model: "ShelfModel", spec: LoadSpec, tell: Tell) -> Instance:
        async with self._demand:
            for victim in [one for one in self.all() if one.jit]:
                tell(Unloading(instance=victim))
                await self.drain(victim)
            tell(Starting(identifier=self._free(spec.key), model=model))
            return await self.load(
                model, spec, on_progress=lambda done: tell(Progress(fraction=done)), jit=True
            )

    def _worker_spec(self, model: "ShelfModel", spec: LoadSpec) -> WorkerSpec:
        wanted = spec.context_tokens or self._settings.context_tokens
        return WorkerSpec(
            key=model.card.key,
            kind=model.card.kind,
            path=model.path,
            mmproj=model.mmproj,
            context_tokens=min(wanted, model.card.max_context_tokens or wanted),
            parallel=spec.parallel or self._settings.parallel,
            threads=self._settings.threads,
        )

    def _reserve(self, spec: LoadSpec) -> str:
        taken = self._residents.keys() | self._reserved
        if spec.identifier in taken:
            raise identifier_taken(spec.identifier or "")
        identifier = spec.identifier or self._free(spec.key)
        self._reserved.add(identifier)
        return identifier

    def _free(self, key: str) -> str:
        taken = self._residents.keys() | self._reserved
        count, name = 1, key
        while name in taken:
            count += 1
            name = f"{key}:{count}"
        return name

    def _admit(self, instance: Instance) -> Instance:
        self._residents[instance.identifier] = instance
        instance.idle.set()
        instance.tasks.append(asyncio.create_task(self._watch(instance)))
        if instance.ttl_s is not None:
            instance.tasks.append(asyncio.create_task(self._expire(instance, instance.ttl_s)))
        return instance

    def _drop(self, instance: Instance) -> None:
        if self._residents.get(instance.identifier) is instance:
            del self._residents[instance.identifier]
        for task in instance.tasks:
            if task is not asyncio.current_task():
                task.cancel()

    async def _watch(self, instance: Instance) -> None:
        await instance.worker.wait_exit()
        self.lost(instance)

    async def _expire(self, instance: Instance, ttl_s: float) -> None:
        while True:
            await instance.idle.wait()
            left_s = instance.touched_s + ttl_s - self._clock.monotonic()
            if left_s <= 0 and not instance.uses:
                break
            await asyncio.sleep(max(left_s, 0))
        _log.info("%s was idle for %g s and is unloaded", instance.identifier, ttl_s)
        await self.unload(instance)
