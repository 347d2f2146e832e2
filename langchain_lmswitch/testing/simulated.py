"""A model host in memory that behaves like a real machine: slow, tight, shared and unreliable."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from langchain_lmswitch.errors import LoadFailed
from langchain_lmswitch.hosts.base import OnProgress
from langchain_lmswitch.testing.bystanders import ACTS, Act, Bystanders
from langchain_lmswitch.testing.clock import LoopClock
from langchain_lmswitch.testing.host import ScriptedHost
from langchain_lmswitch.testing.memory import TrueMemory
from langchain_lmswitch.testing.places import Place, too_little
from langchain_lmswitch.testing.records import Call, Method
from langchain_lmswitch.testing.replies import Reply
from langchain_lmswitch.types.events import InstanceState
from langchain_lmswitch.types.machine import Footprint, Snapshot
from langchain_lmswitch.types.models import LoadSpec, ModelCard, Resident

_WAITS = 0.3
"""Part of the calls that take time, where any do: what is quick shows other orders of events."""


def load_seconds(card: ModelCard) -> float:
    """Say how long a load takes: a second, and the file at 1.5 GB/s."""
    return 1.0 + card.size_bytes / 1.5e9


class SimulatedHost(ScriptedHost):
    """A `Host`, and the `Monitor` of its machine, with the troubles of a real one.

    Models take more memory than was estimated, or less; loads take time, and fail; memory comes
    back late; others use the machine, too. All of it is random, and the same for the same `seed`.
    Run it with `run_virtually`, where hours pass in a moment. It counts what it is asked, and
    keeps no `calls`, so that it may be asked a million times.

    Example:
        >>> from langchain_lmswitch.testing import card, run_virtually
        >>> host = SimulatedHost([card("big", size_bytes=9 * 10**9)], needs={"big": 1.3})
        >>> async def load() -> None:
        ...     await host.load(LoadSpec(key="big"))
        >>> run_virtually(load())
        >>> host.loads, round(host.load_s), host.places.used_bytes // 10**9
        (1, 7, 11)

    Args:
        cards: The models on disk; a bare key is a chat model of 100 MiB.
        memory_bytes: What the machine has for models.
        seed: Decides all that is random.
        replies: What the models say; see `ScriptedHost`.
        needs: What loads truly take, as a multiple of the estimate: of all, or model key -> of
            its loads.
        load_seconds: Says how long a load takes.
        load_failures: Part of the loads that fail for another reason than memory.
        crashes: Part of the answers during which their model is lost.
        release_s: Shortest and longest time until the memory of a model that left is free.
        pause_s: Shortest and longest time before each event of an answer.
        call_s: The longest that listing, estimating, unloading and asking for a state take.
        bystanders_s: Seconds from one act of somebody else to the next, on average; `None` is
            never.
        bystanders_do: What they do; see `Act`.
        address: Where it pretends to be; each has its own unless given.
        clock: Seconds; the running loop's own unless given.
        wall_clock: What it tells the last use of a model by; the same unless given.
    """

    def __init__(
        self,
        cards: Iterable[ModelCard | str] = ("scripted-chat",),
        *,
        memory_bytes: int = 16 * 2**30,
        seed: int = 0,
        replies: Reply | Mapping[str, Reply] = "This is a simulated answer.",
        needs: float | Mapping[str, float] = 1.0,
        load_seconds: Callable[[ModelCard], float] = load_seconds,
        load_failures: float = 0.0,
        crashes: float = 0.0,
        release_s: tuple[float, float] = (0.2, 1.5),
        pause_s: tuple[float, float] = (0.1, 1.0),
        call_s: float = 0.0,
        bystanders_s: float | None = None,
        bystanders_do: Sequence[Act] = ACTS,
        address: str | None = None,
        clock: Callable[[], float] | None = None,
        wall_clock: Callable[[], float] | None = None,
    ) -> None:
        super().__init__(cards, replies=replies, progress=(0.0, 0.5, 1.0), address=address)
        self.dice: random.Random = random.Random(seed)  # noqa: S311 - it is to be the same each time
        self.needs = needs
        self.load_seconds = load_seconds
        self.load_failures = load_failures
        self.crashes = crashes
        self.release_s = release_s
        self.pause_s = pause_s
        self.call_s = call_s
        self._now_s = clock or LoopClock()
        self.places: TrueMemory = TrueMemory(
            memory_bytes,
            need=self._need,
            release_s=lambda: self.dice.uniform(*self.release_s),
            clock=self._now_s,
            wall_clock=wall_clock or self._now_s,
        )
        self.bystanders: Bystanders = Bystanders(
            self.places, self.dice, every_s=bystanders_s, acts=tuple(bystanders_do)
        )
        self.counted: Counter[Method] = Counter()
        """How often each method was called."""
        self.left: int = 0
        """Loads and answers that their caller left before the end."""
        self.loads: int = 0
        """Loads that succeeded."""
        self.load_s: float = 0.0
        """Seconds that all loads took, those that failed included."""
        self.overruns: Counter[str] = Counter()
        """Key -> loads of it that needed more memory than there was. With right estimates, on a
        machine of its own, a careful client never causes one."""

    def snapshot(self) -> Snapshot:
        """Show its own memory, as the `Monitor` of this machine."""
        self._catch_up()
        return super().snapshot()

    async def residents(self) -> list[Resident]:
        """List the models in memory; what is told may be out of date when it arrives."""
        self._catch_up()
        found = await super().residents()
        await self._take_time()
        return found

    async def estimate(self, spec: LoadSpec, card: ModelCard) -> Footprint:
        """Say what a load costs, rightly or wrongly."""
        await self._take_time()
        return await super().estimate(spec, card)

    async def load(self, spec: LoadSpec, *, on_progress: OnProgress | None = None) -> Resident:
        """Load a model; that there is too little memory shows on the way."""
        self._catch_up()
        started_s = self._now_s()
        try:
            resident = await super().load(spec, on_progress=on_progress)
        finally:
            self.load_s += self._now_s() - started_s
        self.loads += 1
        return resident

    async def unload(self, identifier: str) -> None:
        """Unload one instance; answers under way end with `ModelGone`."""
        await self._take_time()
        await super().unload(identifier)

    async def state(self, identifier: str) -> InstanceState | None:
        """Count the answers under way; `None` if nothing is loaded under this identifier."""
        self._catch_up()
        found = await super().state(identifier)
        await self._take_time()
        return found

    def _note(self, call: Call) -> Call:
        self.counted[call.method] += 1
        return call

    def _note_left(self, call: Call) -> None:  # noqa: ARG002 - it is counted, not kept
        self.left += 1

    def _need(self, key: str) -> float:
        return self.needs.get(key, 1.0) if isinstance(self.needs, Mapping) else self.needs

    def _catch_up(self) -> None:
        self.bystanders.catch_up(self._now_s())

    async def _take_time(self) -> None:
        if not self.call_s:
            return
        waits = self.dice.random() < _WAITS
        await asyncio.sleep(self.dice.random() * self.call_s if waits else 0)
        self._catch_up()

    async def _step(self, card: ModelCard) -> None:
        await asyncio.sleep(self.load_seconds(card) / len(self.progress))
        self._catch_up()

    async def _pause(self) -> None:
        await asyncio.sleep(self.dice.uniform(*self.pause_s))
        self._catch_up()

    def _failure(self, spec: LoadSpec, place: Place) -> LoadFailed | None:
        needed_bytes = self.places.needed_bytes(spec, self.disk[spec.key])
        if place.held_bytes < needed_bytes:
            self.overruns[spec.key] += 1
            return too_little(spec, needed_bytes=needed_bytes, free_bytes=place.held_bytes)
        if self.dice.random() < self.load_failures:
            return LoadFailed(spec.key, reason="The engine gave up.")
        return super()._failure(spec, place)

    def _last_token(self, key: str) -> int | None:
        if self.dice.random() < self.crashes:
            return self.dice.randrange(3)
        return super()._last_token(key)
