"""However many come and go, on a host that fails and is slow: every order of events."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from unit_tests.switch.desk import MIB, Desk, Late, model

from langchain_lmswitch.errors import LoadFailed, NotEnoughMemory, QueueFull
from langchain_lmswitch.hosts.base import OnProgress
from langchain_lmswitch.switch.board import Held
from langchain_lmswitch.switch.turns import MOST_PASSES
from langchain_lmswitch.testing import ScriptedHost, run_virtually
from langchain_lmswitch.types.events import InstanceState
from langchain_lmswitch.types.machine import Footprint
from langchain_lmswitch.types.models import LoadSpec, ModelCard, Resident

SIZES_MIB = {"a": 300, "b": 400, "c": 600, "d": 100}
THEIRS = Resident(key="x", identifier="theirs", size_bytes=100 * MIB, context_tokens=1024)
LONGEST_QUARANTINE_S = 1800


class Moody(Late):
    """A host whose every call takes a while, and whose loads fail for memory now and then."""

    def __init__(self, cards: Sequence[ModelCard], *, dice: random.Random, **fields: Any) -> None:
        super().__init__(cards, **fields)
        self.dice = dice
        self.fails = 0.0
        """Part of the loads that fail, whatever is free."""
        self.delays_s = [0.0, 0.5, 2.0, 7.0]
        """Until memory is back after an unload."""

    async def _while(self) -> None:
        for _ in range(self.dice.randrange(4)):
            await asyncio.sleep(0)
        if self.dice.random() < 0.3:
            await asyncio.sleep(self.dice.random())

    async def residents(self) -> list[Resident]:
        found = await super().residents()
        await self._while()
        return found

    async def estimate(self, spec: LoadSpec, card: ModelCard) -> Footprint:
        await self._while()
        return await super().estimate(spec, card)

    async def state(self, identifier: str) -> InstanceState | None:
        found = await super().state(identifier)
        await self._while()
        return found

    async def load(self, spec: LoadSpec, *, on_progress: OnProgress | None = None) -> Resident:
        if self.dice.random() < self.fails:
            self.fail_load[spec.key] = [LoadFailed(spec.key, reason="Tight.", for_memory=True)]
        return await super().load(spec, on_progress=on_progress)

    async def unload(self, identifier: str) -> None:
        await self._while()
        self.late_s = self.dice.choice(self.delays_s)
        await super().unload(identifier)


class Crowd:
    """Many callers that come, answer, fail and leave at random."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)  # noqa: S311
        self.host = Moody(
            [model(key, mib) for key, mib in SIZES_MIB.items()],
            dice=self.dice,
            memory_bytes=(700 + 132) * MIB,
            foreign=[THEIRS],
            load_step_s=0.2,
            fail_load={"b": [LoadFailed("b", reason="Once.")]},
        )
        self.host.fails = self.dice.choice([0.0, 0.0, 0.1, 0.3])
        self.favourites = self.dice.choice(["aabbcd", "aaaaab", "aacccc"])
        self.desk = Desk(
            self.host,
            queue_limit=self.dice.choice([6, 64]),
            parallel=self.dice.choice([1, 2, 64]),
        )
        self.answered = 0

    async def caller(self, number: int) -> None:
        await asyncio.sleep(self.dice.random() * 10)
        call, key = f"call-{number}", self.dice.choice(self.favourites)
        try:
            held = await self.desk.acquire(key, call)
            await self._answer(held)
        except (LoadFailed, NotEnoughMemory, QueueFull):
            pass
        finally:
            self.desk.board.release(call)

    async def _answer(self, held: Held) -> None:
        identifier = held.resident.identifier
        for _ in range(self.dice.randrange(6)):
            residents = await ScriptedHost.residents(self.host)
            assert held.resident.reference in {one.reference for one in residents}
            await asyncio.sleep(self.dice.random() / 2)
        assert self.desk.board.leased(identifier)
        self.answered += 1

    async def leaver(self, calling: asyncio.Task[None]) -> None:
        await asyncio.sleep(self.dice.random() * 15)
        calling.cancel()

    async def run(self) -> None:
        callers = [asyncio.create_task(self.caller(number)) for number in range(40)]
        leaving = [self.leaver(one) for one in callers if self.dice.random() < 0.25]
        results = await asyncio.gather(*callers, *leaving, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def calm_down(self) -> None:
        """Let the host fail no more, and all that is shut away be forgotten."""
        self.host.fails, self.host.delays_s = 0.0, [0.0]
        self.host.fail_load.clear()
        await asyncio.sleep(LONGEST_QUARANTINE_S)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_crowd(seed: int) -> None:
    """Nobody's model is taken away, nobody waits for ever, and nothing is left behind."""

    async def scenario() -> None:
        crowd = Crowd(seed)
        await crowd.run()

        assert crowd.answered or crowd.host.fails
        assert crowd.desk.leased() == []
        assert crowd.desk.board.waiting == 0
        assert max(crowd.desk.passes.counts, default=0) <= MOST_PASSES
        assert crowd.host.loads_at_once <= 1
        assert crowd.host.loaded_twice == []
        assert crowd.host.unloaded_while_answering == []
        assert ("unload", "theirs") not in crowd.desk.changes()
        await crowd.calm_down()
        for key in crowd.host.disk:  # nothing is marked, closed or locked for ever
            await crowd.desk.acquire(key, "last")
            crowd.desk.board.release("last")

    run_virtually(scenario())
