"""Streams of requests for several models: some of every kind that local work comes in."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from typing import Final

GB: Final = 10**9
REQUESTS: Final = 3000
"""How many requests of a stream are played."""
MANY: Final = 8
"""Workers that share the work of many."""
_LOAD_OVERHEAD_S: Final = 1.0
_LOAD_BYTES_PER_S: Final = 1.5e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model that requests are for."""

    name: str
    bytes: int
    """What it holds in memory."""

    @property
    def load_s(self) -> float:
        """What a load takes: a second, and its bytes at 1.5 GB/s."""
        return _LOAD_OVERHEAD_S + self.bytes / _LOAD_BYTES_PER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """Requests in their order, each by the place of its model among `models`."""

    name: str
    models: tuple[Model, ...]
    requests: tuple[int, ...]
    tight_bytes: int
    """A budget that holds a few of the models."""
    roomy_bytes: int
    """A budget that holds most of them."""
    at_once: tuple[int, ...] = (1,)
    """How many workers share it, each time that it is played."""


def model(name: str, gb: float) -> Model:
    """Make a model that holds so many GB."""
    return Model(name=name, bytes=round(gb * GB))


def generated(requests: int = REQUESTS, *, seed: int = 0) -> list[Stream]:
    """Make the streams that need no trace.

    Args:
        requests: The length of each.
        seed: Decides all that is random.
    """
    dice = random.Random(seed)  # noqa: S311 - it is to be the same each time
    return [
        _stream("sticky-zipf", _EIGHT, _sticky(dice), requests, budgets_gb=(24, 48)),
        _stream("rag-agent", _AGENT, _agent(dice), requests, budgets_gb=(12, 24)),
        _stream("cyclic", _SIX, _cycle(), requests, budgets_gb=(12, 24)),
        _stream("alternating-pair", _PAIR, _pair(dice), requests, budgets_gb=(12, 24)),
        _stream("giant-among-dwarfs", _GIANT, _giant(dice), requests, budgets_gb=(24, 48)),
        _stream(
            "8-sticky-sessions",
            _EIGHT,
            _mixed(dice, [_sticky(dice) for _ in range(MANY)]),
            requests,
            budgets_gb=(24, 48),
            at_once=(MANY,),
        ),
        _stream(
            "8-rag-agents",
            _AGENT,
            _mixed(dice, [_agent(dice) for _ in range(MANY)]),
            requests,
            budgets_gb=(12, 24),
            at_once=(MANY,),
        ),
    ]


_STAYS: Final = 0.9
_ZIPF: Final = 1.2
_EIGHT: Final = tuple(
    model(f"model-{letter}", gb)
    for letter, gb in zip("abcdefgh", (9.1, 6.3, 12.0, 3.4, 14.8, 0.6, 20.5, 17.7), strict=True)
)
"""The first is asked for most often."""
_EMBEDDER, _ROUTER, _CHAT, _CODER = range(4)
_WORK: Final = ((_CHAT,), (_CHAT,), (_CHAT, _CHAT), (_CODER,), (_CODER,) * 3)
_AGENT: Final = (
    model("embedder", 0.6),
    model("router", 4.7),
    model("chat", 9.0),
    model("coder", 11.3),
)
_SIX: Final = tuple(model(f"stage-{number}", 4.7) for number in range(1, 7))
_PAIRED: Final = 0.9
_PAIR: Final = (
    model("planner", 11.3),
    model("writer", 9.0),
    model("embedder", 0.6),
    model("judge", 4.7),
)
_GIANT_TURNS: Final = 0.02
_GIANT: Final = (
    model("giant", 20.5),
    *(model(f"dwarf-{at}", gb) for at, gb in enumerate((0.6, 1.1, 1.5, 1.9, 2.0, 2.5, 3.3))),
)


def _stream(
    name: str,
    models: tuple[Model, ...],
    requests: Iterable[int],
    length: int,
    *,
    budgets_gb: tuple[int, int],
    at_once: tuple[int, ...] = (1,),
) -> Stream:
    tight_gb, roomy_gb = budgets_gb
    return Stream(
        name=name,
        models=models,
        requests=tuple(islice(requests, length)),
        tight_bytes=tight_gb * GB,
        roomy_bytes=roomy_gb * GB,
        at_once=at_once,
    )


def _sticky(dice: random.Random) -> Iterator[int]:
    """Stay with a model most of the time, else draw one, by Zipf's law."""
    weights = [1 / rank**_ZIPF for rank in range(1, len(_EIGHT) + 1)]
    here = 0
    while True:
        if dice.random() >= _STAYS:
            here = dice.choices(range(len(_EIGHT)), weights)[0]
        yield here


def _agent(dice: random.Random) -> Iterator[int]:
    """Embed, decide, and then chat or write code, in some steps."""
    while True:
        yield from (_EMBEDDER, _ROUTER)
        yield from dice.choice(_WORK)


def _cycle() -> Iterator[int]:
    """Go through all models, again and again: for LRU each is gone when it is needed."""
    return (number % len(_SIX) for number in count())


def _pair(dice: random.Random) -> Iterator[int]:
    """Alternate between two, with another one now and then."""
    for number in count():
        yield number % 2 if dice.random() < _PAIRED else dice.choice((2, 3))


def _giant(dice: random.Random) -> Iterator[int]:
    """Use the small ones by turns, and a giant once in a while for some requests in a row."""
    while True:
        if dice.random() < _GIANT_TURNS:
            yield from [0] * dice.randint(3, 12)
        yield dice.randint(1, len(_GIANT) - 1)


def _mixed(dice: random.Random, sessions: Sequence[Iterator[int]]) -> Iterator[int]:
    """Let sessions go on side by side, each at its own pace."""
    while True:
        yield next(dice.choice(sessions))
