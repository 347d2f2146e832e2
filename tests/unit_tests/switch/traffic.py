"""Traffic on a real switchboard over a simulated machine, watched by one who trusts neither."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from unit_tests.switch.desk import Passes
from unit_tests.switch.streams import MEMORY_GIB, STREAMS

from langchain_lmswitch.errors import LMSwitchError, UnknownModel
from langchain_lmswitch.hosts.base import OnProgress
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.switch.board import Held, Switchboard
from langchain_lmswitch.switch.surveyor import OURS
from langchain_lmswitch.testing import SimulatedHost, card, run_virtually, user
from langchain_lmswitch.testing.places import footprint
from langchain_lmswitch.types.events import Fragment
from langchain_lmswitch.types.models import LoadSpec, Resident
from langchain_lmswitch.types.requests import PredictRequest

GIB = 2**30
CALLERS = 12
HELLO = PredictRequest(messages=(user("Hello"),))
REPLY = (Fragment(text="Hello."),)
_UNLOADS = 0.002
"""Part of the requests after which somebody wants a model unloaded."""
_LONGEST_S = 30 * 86_400.0
"""Traffic that takes longer than this is stuck."""


class WatchedHost(SimulatedHost):
    """Counts what is done to it, and what must never be.

    It knows from the callers who is using what, and adds up itself what loads were to take.
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
        await super().unload(identifier)
        self.events["evictions"] += 1
        if self.using[identifier]:
            self.wrongs.append(f"{identifier} was unloaded under {self.using[identifier]} calls")

    def _check_budget(self, spec: LoadSpec) -> None:
        there = {one.identifier for one in self.places.residents()}
        self._reserved = {one: cost for one, cost in self._reserved.items() if one in there}
        self._reserved[spec.identifier or spec.key] = footprint(
            spec, self.disk[spec.key]
        ).total_bytes
        if sum(self._reserved.values()) > self.places.total_bytes:
            self.wrongs.append(f"more was reserved than there is: {self._reserved}")
        if theirs := [one for one in there if not one.startswith((OURS, "theirs-"))]:
            self.wrongs.append(f"strange identifiers: {theirs}")


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What came of some traffic."""

    stream: str
    seed: int
    events: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    """Typed errors that callers got; they end a wait, and are not counted as events."""
    wrongs: list[str] = field(default_factory=list)
    worst_skip: int = 0
    loads: int = 0
    load_s: float = 0.0
    virtual_s: float = 0.0
    longest_wait_s: float = 0.0

    @property
    def total(self) -> int:
        return sum(self.events.values())


class Traffic:
    """Callers that want models, answer, fail and leave; everything else is up to the seed."""

    def __init__(self, stream: str, seed: int, *, requests: int) -> None:
        self.dice = random.Random(seed)  # noqa: S311
        self.outcome = Outcome(stream=stream, seed=seed)
        self._requests_left = requests
        self._slept_s = 0.0
        self._keys = STREAMS[stream].keys(self.dice)
        self._patience, self._jumps = self.dice.choice([0.0, 0.1, 0.3]), self.dice.choice([0, 0.01])
        self.host = self._host(stream, seed)
        loop = asyncio.get_running_loop()
        self.board = Switchboard(
            self.host,
            self.host,
            Settings(headroom_bytes=0, queue_limit=self.dice.choice([4, 64, 64])),
            clock=lambda: loop.time() + self._slept_s,
            wall_clock=lambda: loop.time() + self._slept_s,
        )
        self.passes = Passes(self.board)

    def _host(self, stream: str, seed: int) -> WatchedHost:
        sizes_gib, dice = STREAMS[stream].sizes_gib, self.dice
        least, most = dice.choice([(1.0, 1.0), (0.7, 1.2), (0.7, 2.0)])
        return WatchedHost(
            [
                card(key, size_bytes=int(gib * GIB), max_context_tokens=1024)
                for key, gib in sizes_gib.items()
            ],
            memory_bytes=int(MEMORY_GIB * GIB),
            seed=seed,
            replies=REPLY,
            needs={key: dice.uniform(least, most) for key in sizes_gib},
            load_failures=dice.choice([0.0, 0.0, 0.1]),
            crashes=dice.choice([0.0, 0.01]),
            release_s=(0.0, dice.choice([0.5, 2.0, 8.0])),
            pause_s=(0.1, 2.0),
            call_s=dice.choice([0.0, 0.3]),
            neighbors_s=dice.choice([None, 20.0, 300.0]),
        )

    async def run(self) -> Outcome:
        callers = [asyncio.create_task(self._caller(number)) for number in range(CALLERS)]
        await asyncio.gather(*callers)
        self._sum_up()
        return self.outcome

    async def _caller(self, number: int) -> None:
        """Ask for one model after the other."""
        while self._requests_left > 0:
            self._requests_left -= 1
            await asyncio.sleep(self.dice.expovariate(0.5))
            self._jump()
            call = f"call-{number}-{self._requests_left}"
            self.host.events["arrivals"] += 1
            await self._ask(next(self._keys), call)
            if self.dice.random() < _UNLOADS:
                await self._unload()

    async def _ask(self, key: str, call: str) -> None:
        leaves = self.dice.random() < self._patience
        try:
            async with asyncio.timeout(self.dice.random() * 20 if leaves else None):
                async with self._held(key, call) as held:
                    await self._answer(held)
        except LMSwitchError as error:
            self.outcome.refusals[type(error).__name__] += 1
        except TimeoutError:
            self.host.events["cancellations"] += 1

    @asynccontextmanager
    async def _held(self, key: str, call: str) -> AsyncGenerator[Held, None]:
        identifier = ""
        try:
            held = await self._wait(key, call)
            identifier = held.resident.identifier
            self.host.using[identifier] += 1
            self.host.events["leases"] += 1
            yield held
        finally:
            self.host.using[identifier] -= 1
            self.board.release(call)

    async def _unload(self) -> None:
        """Ask for a model to be unloaded, as a user does who wants the memory."""
        ours = [one for one in self.host.places.residents() if one.identifier.startswith(OURS)]
        if not ours:
            return
        self.host.events["unloads asked for"] += 1
        with suppress(UnknownModel, TimeoutError):
            async with asyncio.timeout(30):
                await self.board.unload(self.dice.choice(ours).identifier)

    async def _wait(self, key: str, call: str) -> Held:
        loop = asyncio.get_running_loop()
        begun_s = loop.time()
        try:
            return await self.board.acquire(
                self.host.disk[key], call=call, needed_tokens=10, on_event=self.passes.hear
            )
        finally:
            waited_s = loop.time() - begun_s
            self.outcome.longest_wait_s = max(self.outcome.longest_wait_s, waited_s)

    async def _answer(self, held: Held) -> None:
        self.host.events["answers begun"] += 1
        async for _ in self.host.predict(held.resident.identifier, HELLO):
            pass
        self.host.events["answers ended"] += 1

    def _jump(self) -> None:
        """Let the computer sleep for a while: the board's clock has gone on, and nothing else."""
        if self.dice.random() < self._jumps:
            self._slept_s += self.dice.expovariate(1 / 3600)
            self.host.events["clock jumps"] += 1

    def _sum_up(self) -> None:
        host, outcome = self.host, self.outcome
        outcome.events = host.events
        outcome.events["by neighbors"] = host.neighbors.done.total()
        outcome.worst_skip = max(self.passes.counts, default=0)
        outcome.loads, outcome.load_s = host.loads, host.load_s
        outcome.virtual_s = asyncio.get_running_loop().time()
        outcome.wrongs = [*host.wrongs, *self._left_behind()]

    def _left_behind(self) -> Iterator[str]:
        if self.host.loaded_twice:
            yield f"loaded twice: {self.host.loaded_twice[:9]}"
        if self.host.unloaded_while_answering:
            yield f"unloaded while answering: {self.host.unloaded_while_answering[:9]}"
        if self.host.loads_at_once > 1:
            yield f"{self.host.loads_at_once} loads at once"
        if self.board.busy or any(
            map(self.board.leased, (f"{OURS}{key}" for key in self.host.disk))
        ):
            yield "a lease is left"
        if self.board.waiting:
            yield "somebody waits still"


def drive(stream: str, seed: int, requests: int) -> Outcome:
    """Run some traffic in virtual time; the same again for the same seed."""

    async def running() -> Outcome:
        return await Traffic(stream, seed, requests=requests).run()

    return run_virtually(running(), most_s=_LONGEST_S)
