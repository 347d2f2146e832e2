"""Streams of wishes for models, kind ones and mean ones; the machine has 16 GiB."""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle

MEMORY_GIB = 16.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """Which models there are, and who wants which next."""

    sizes_gib: Mapping[str, float]
    keys: Callable[[random.Random], Iterator[str]]


def _one_by_one(names: str) -> Callable[[random.Random], Iterator[str]]:
    return lambda _: cycle(names)


def _weighted(weights: Mapping[str, float]) -> Callable[[random.Random], Iterator[str]]:
    def keys(dice: random.Random) -> Iterator[str]:
        while True:
            yield from dice.choices([*weights], [*weights.values()], k=100)

    return keys


def _sticky(names: str, *, stays: float) -> Callable[[random.Random], Iterator[str]]:
    """Stay with a model for a while; the first is wanted most, as Zipf has it."""

    def keys(dice: random.Random) -> Iterator[str]:
        weights = [1 / rank for rank in range(1, len(names) + 1)]
        while True:
            (key,) = dice.choices(names, weights)
            yield key
            while dice.random() < stays:
                yield key

    return keys


STREAMS: Mapping[str, Stream] = {
    "cyclic": Stream(sizes_gib=dict.fromkeys("abcdef", 4.5), keys=_one_by_one("abcdef")),
    "pair": Stream(sizes_gib={"a": 8.5, "b": 9.0}, keys=_one_by_one("ab")),
    "giant": Stream(
        sizes_gib={"giant": 12.5} | dict.fromkeys("abcde", 2.5),
        keys=_weighted({"giant": 0.3} | dict.fromkeys("abcde", 1.0)),
    ),
    "zipf": Stream(
        sizes_gib={"a": 4, "b": 7, "c": 2, "d": 5, "e": 1, "f": 3, "g": 9, "h": 6},
        keys=_sticky("abcdefgh", stays=0.9),
    ),
    "random": Stream(
        sizes_gib={"a": 1, "b": 2, "c": 3, "d": 5, "e": 8, "f": 11},
        keys=_weighted(dict.fromkeys("abcdef", 1.0)),
    ),
}
