"""Random traffic on a switchboard, as much of it as is wanted; the same for the same seed."""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from unit_tests.switch.streams import MEMORY_GIB, STREAMS
from unit_tests.switch.watched import WatchedDesk, WatchedHost

from langchain_lmswitch.testing import card, run_virtually
from langchain_lmswitch.types.events import Fragment
from langchain_lmswitch.types.models import ModelCard

GIB = 2**30
CALLERS = 12
REPLY = (Fragment(text="Hello."),)
_UNLOADS = 0.002
"""Part of the requests after which somebody wants a model unloaded."""
_LONGEST_S = 10.0
"""For each request: traffic that takes longer than this is stuck."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of some traffic."""

    stream: str
    seed: int
    wrongs: tuple[str, ...] = ()
    events: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    worst_skip: int = 0
    loads: int = 0
    load_s: float = 0.0
    virtual_s: float = 0.0
    longest_wait_s: float = 0.0


class Clocks:
    """What a board and a host take for the time, on a computer that sleeps and is put right."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._loop = asyncio.get_running_loop()
        self._slept_s = 0.0
        self._put_right_s = 0.0

    def monotonic(self) -> float:
        return self._loop.time() + self._slept_s

    def wall(self) -> float:
        return self._loop.time() + self._slept_s + self._put_right_s

    def jump(self) -> None:
        """Sleep for an hour or so, and change the wall clock by an hour or so, either way."""
        self._slept_s += self._dice.expovariate(1 / 3600)
        self._put_right_s += self._dice.gauss(0, 3600)


class Traffic:
    """Callers that want models, answer, fail and leave; everything else is up to the dice."""

    def __init__(self, stream: str, seed: int, *, requests: int) -> None:
        self.dice = dice = random.Random(seed)  # noqa: S311
        self._requests_left = requests
        self._keys = STREAMS[stream].keys(dice)
        self._impatient, self._jumps = dice.choice([0.0, 0.1, 0.3]), dice.choice([0.0, 0.01])
        self._clocks = Clocks(dice)
        self.desk = WatchedDesk(
            self._host(STREAMS[stream].sizes_gib, seed),
            clock=self._clocks.monotonic,
            wall_clock=self._clocks.wall,
            queue_limit=dice.choice([4, 64, 64]),
            fickle=dice.choice([0.0, 0.1]),
        )

    def _host(self, sizes_gib: Mapping[str, float], seed: int) -> WatchedHost:
        dice = self.dice
        least, most = dice.choice([(1.0, 1.0), (0.7, 1.2), (0.7, 2.0)])
        return WatchedHost(
            [_model(key, gib) for key, gib in sizes_gib.items()],
            memory_bytes=int(MEMORY_GIB * GIB),
            seed=seed,
            replies=REPLY,
            needs={key: dice.uniform(least, most) for key in sizes_gib},
            load_failures=dice.choice([0.0, 0.0, 0.1]),
            crashes=dice.choice([0.0, 0.01]),
            release_s=(0.0, dice.choice([0.5, 2.0, 8.0])),
            pause_s=(0.05, 1.0),
            call_s=dice.choice([0.0, 0.3]),
            bystanders_s=dice.choice([None, 20.0, 300.0]),
            clock=asyncio.get_running_loop().time,
            wall_clock=self._clocks.wall,
        )

    async def run(self) -> None:
        await asyncio.gather(*(self._caller(number) for number in range(CALLERS)))

    async def _caller(self, number: int) -> None:
        """Ask for one model after the other."""
        dice, desk = self.dice, self.desk
        while self._requests_left > 0:
            self._requests_left -= 1
            await asyncio.sleep(dice.expovariate(0.5))
            if dice.random() < self._jumps:
                self._clocks.jump()
                desk.host.events["clock jumps"] += 1
            patience_s = dice.random() * 20 if dice.random() < self._impatient else None
            call = f"call-{number}-{self._requests_left}"
            await desk.ask(next(self._keys), call, patience_s=patience_s)
            if dice.random() < _UNLOADS:
                await desk.unload(patience_s=30)


def drive(stream: str, seed: int, requests: int) -> Outcome:
    """Run some traffic in virtual time; the same again for the same seed."""

    async def running() -> Outcome:
        traffic = Traffic(stream, seed, requests=requests)
        await traffic.run()
        return _outcome(traffic.desk, stream, seed)

    return run_virtually(running(), most_s=600 + _LONGEST_S * requests)


def _outcome(desk: WatchedDesk, stream: str, seed: int) -> Outcome:
    by_others = Counter({"acts of bystanders": desk.host.bystanders.done.total()})
    return Outcome(
        stream=stream,
        seed=seed,
        wrongs=tuple(desk.wrongs()),
        events=desk.host.events + by_others,
        refusals=desk.refusals,
        worst_skip=desk.worst_skip,
        loads=desk.host.loads,
        load_s=desk.host.load_s,
        virtual_s=asyncio.get_running_loop().time(),
        longest_wait_s=desk.longest_wait_s,
    )


def _model(key: str, gib: float) -> ModelCard:
    return card(key, size_bytes=int(gib * GIB), max_context_tokens=1024)
