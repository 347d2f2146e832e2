"""What others do for room: their rules, played in the order of the requests."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from langchain_lmswitch.testing.bench.streams import Model, Stream


@dataclass(slots=True)
class _Memory:
    """What is resident, and what the rules go by; `now` counts requests."""

    models: tuple[Model, ...]
    loaded: dict[int, int] = field(default_factory=dict)
    used: dict[int, int] = field(default_factory=dict)
    worth: dict[int, float] = field(default_factory=dict)
    """As GreedyDual-Size has it."""
    inflation: float = 0.0

    def use(self, place: int, now: int) -> None:
        one = self.models[place]
        self.loaded.setdefault(place, now)
        self.used[place] = now
        self.worth[place] = self.inflation + one.load_s / one.bytes

    def drop(self, place: int) -> None:
        self.inflation = max(self.inflation, self.worth[place])
        for known in (self.loaded, self.used, self.worth):
            known.pop(place)

    @property
    def held_bytes(self) -> int:
        return sum(self.models[place].bytes for place in self.loaded)


_Rank = Callable[[_Memory, int], float | str]
"""Who ranks lowest leaves first."""

_RANKS: Final[Mapping[str, _Rank]] = {
    "keep-one": lambda memory, place: memory.used[place],
    "ollama": lambda memory, place: memory.models[place].name,
    "fifo": lambda memory, place: memory.loaded[place],
    "lru": lambda memory, place: memory.used[place],
    "gds": lambda memory, place: memory.worth[place],
}

RIVALS: Final = tuple(_RANKS)
"""Their names.

1. `keep-one`: as LM Studio with models that are loaded on demand, of which it keeps one.
2. `ollama`: the idle one with the shortest time to live leaves, and of equals the first by name.
   That time is the same for all unless a request says otherwise.
3. `fifo`: the one that was loaded first.
4. `lru`: the one that was used longest ago.
5. `gds`: GreedyDual-Size (Cao and Irani 1997): the one of least cost for its size, where the cost
   of what is used is counted from that of what left last.

All but the first make one after the other leave until there is room.
"""


def load_seconds(stream: Stream, budget_bytes: int, rival: str) -> float:
    """Sum the seconds of all loads that a rival makes for a stream."""
    rank, memory = _RANKS[rival], _Memory(stream.models)
    total_s = 0.0
    for now, place in enumerate(stream.requests):
        if place not in memory.loaded:
            needed = stream.models[place]
            room_bytes = needed.bytes if rival == "keep-one" else budget_bytes
            while memory.held_bytes + needed.bytes > room_bytes and memory.loaded:
                memory.drop(min(memory.loaded, key=lambda one: rank(memory, one)))
            total_s += needed.load_s
        memory.use(place, now)
    return total_s
