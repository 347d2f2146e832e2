"""A real switchboard on a simulated machine, watched by one who trusts neither."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from unit_tests.switch.desk import Passes

from langchain_lmswitch.errors import LMSwitchError, UnknownModel
from langchain_lmswitch.hosts.base import OnProgress
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.switch.board import Held, Switchboard
from langchain_lmswitch.switch.surveyor import OURS
from langchain_lmswitch.switch.turns import MOST_PASSES
from langchain_lmswitch.testing import SimulatedHost, user
from langchain_lmswitch.testing.places import footprint
from langchain_lmswitch.types.events import Loaded, SwitchEvent
from langchain_lmswitch.types.models import LoadSpec, Resident
from langchain_lmswitch.types.requests import PredictRequest

HELLO = PredictRequest(messages=(user("Hello"),))


class WatchedHost(SimulatedHost):
    """Counts what is done to it, and notes what must never be.

    It knows from the callers who is using what, and adds up itself what the loads were to take.
    """

    def __init__(self, *args: Any, **fields: Any) -> None:
        super().__init__(*args, **fields)
        self.events: Counter[str] = Counter()
        self.using: Counter[str] = Counter()
        """Identifier -> calls that were given it and have not let go of it."""
        self.wrongs: list[str] = []
        self._reserved: dict[str, int] = {}

    async def load(self, spec: LoadSpec, *, on_progress: OnProgress | None = None) -> Resident:
        self._check_budget(spec)
        self.events["loads begun"] += 1
        try:
            return await super().load(spec, on_progress=on_progress)
        finally:
            self.events["loads ended"] += 1

    async def unload(self, identifier: str) -> None:
        await super().unload(identifier)  # the last thing that it does is to let the model leave
        self.events["unloads"] += 1
        if self.using[identifier]:
            self.wrongs.append(f"{identifier} was unloaded under {self.using[identifier]} calls")

    def _check_budget(self, spec: LoadSpec) -> None:
        """All of ours in memory and the new one, as estimated, must fit into the machine."""
        there = {one.identifier for one in self.places.residents()}
        reserved = {one: size for one, size in self._reserved.items() if one in there}
        reserved[spec.identifier or ""] = footprint(spec, self.disk[spec.key]).total_bytes
        if sum(reserved.values()) > self.places.total_bytes:
            self.wrongs.append(f"more was reserved than there is: {reserved}")
        self._reserved = reserved


class WatchedDesk:
    """A watched host, its board, and calls on it.

    Args:
        host: Whose models are handed out.
        clock: What the board takes for monotonic seconds.
        wall_clock: What it takes for Unix time.
        queue_limit: The setting.
        fickle: Part of the callers that leave the very moment their model is loaded.
    """

    def __init__(
        self,
        host: WatchedHost,
        *,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        queue_limit: int,
        fickle: float = 0.0,
    ) -> None:
        self.host = host
        settings = Settings(headroom_bytes=0, queue_limit=queue_limit)
        self.board = Switchboard(host, host, settings, clock=clock, wall_clock=wall_clock)
        self.fickle = fickle
        self.refusals: Counter[str] = Counter()
        """Typed errors that callers got; they end a wait, and are not counted as events."""
        self.passes = Passes(self.board)
        self.longest_wait_s = 0.0

    async def ask(self, key: str, call: str, *, patience_s: float | None) -> None:
        """Want a model, let it answer, and let go of it; or leave when patience is at an end."""
        self.host.events["arrivals"] += 1
        try:
            async with asyncio.timeout(patience_s) as patience:
                async with self._held(key, call, patience) as held:
                    await self._answer(held)
        except LMSwitchError as error:
            self.refusals[type(error).__name__] += 1
        except TimeoutError:
            self.host.events["cancellations"] += 1

    async def unload(self, *, patience_s: float) -> None:
        """Ask for a model of ours to be unloaded, as a user does who wants the memory."""
        ours = [one for one in self.host.places.residents() if one.identifier.startswith(OURS)]
        if not ours:
            return
        self.host.events["unloads asked for"] += 1
        with suppress(UnknownModel, TimeoutError):
            async with asyncio.timeout(patience_s):
                await self.board.unload(self.host.dice.choice(ours).identifier)

    def wrongs(self) -> Iterator[str]:
        """List what happened and must not, and what should not be left now that all have gone."""
        yield from self.host.wrongs
        if self.host.loaded_twice:
            yield f"loaded twice: {self.host.loaded_twice[:9]}"
        if self.host.unloaded_while_answering:
            yield f"unloaded while answering: {self.host.unloaded_while_answering[:9]}"
        if self.host.loads_at_once > 1:
            yield f"{self.host.loads_at_once} loads at once"
        if self.worst_skip > MOST_PASSES:
            yield f"a load was passed {self.worst_skip} times"
        if leased := [key for key in self.host.disk if self.board.leased(f"{OURS}{key}")]:
            yield f"leases are left on {leased}"
        if self.board.busy or self.board.waiting:
            yield "somebody waits still"

    @property
    def worst_skip(self) -> int:
        return max(self.passes.counts, default=0)

    @asynccontextmanager
    async def _held(
        self, key: str, call: str, patience: asyncio.Timeout
    ) -> AsyncGenerator[Held, None]:
        held = await self._wait(key, call, patience)  # who gets none, has nothing to let go of
        using, identifier = self.host.using, held.resident.identifier
        using[identifier] += 1
        self.host.events["leases"] += 1
        try:
            yield held
        finally:
            using[identifier] -= 1
            self.board.release(call)

    async def _wait(self, key: str, call: str, patience: asyncio.Timeout) -> Held:
        loop = asyncio.get_running_loop()
        begun_s = loop.time()

        def hear(event: SwitchEvent) -> None:
            self.passes.hear(event)
            leaves = isinstance(event, Loaded) and self.host.dice.random() < self.fickle
            if leaves and not patience.expired():
                patience.reschedule(loop.time())

        try:
            return await self.board.acquire(
                self.host.disk[key], call=call, needed_tokens=10, on_event=hear
            )
        finally:
            self.longest_wait_s = max(self.longest_wait_s, loop.time() - begun_s)

    async def _answer(self, held: Held) -> None:
        self.host.events["answers begun"] += 1
        async for _ in self.host.predict(held.resident.identifier, HELLO):
            pass
        self.host.events["answers ended"] += 1
