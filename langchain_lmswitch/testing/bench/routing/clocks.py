"""How long a whole decision takes: reading the prompt, and scoring the models for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from time import perf_counter
from typing import Final

import numpy as np

from langchain_lmswitch.policy.lessons import Lessons
from langchain_lmswitch.policy.scoring import score
from langchain_lmswitch.testing.bench.routing.router import read
from langchain_lmswitch.types.models import ModelCard

USUAL_CHARS: Final = 4_000
LONG_CHARS: Final = 100_000
_DECISIONS: Final = 1_000
_LONG_DECISIONS: Final = 20
_WARM_UP: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Milliseconds of one decision."""

    pool: str
    p50_ms: float
    p95_ms: float
    p99_ms: float
    long_ms: float
    """The median for a prompt of 100,000 characters."""
    models: int
    n: int


def latency_of(
    pool: str, cards: Sequence[ModelCard], lessons: Lessons, prompts: Sequence[str]
) -> Latency:
    """Time decisions on prompts of at most 4,000 characters, and on a long one made of them."""
    usual = [one for one in prompts if len(one) <= USUAL_CHARS] or [prompts[0][:USUAL_CHARS]]
    long = "\n".join(islice(cycle(prompts), LONG_CHARS))[:LONG_CHARS]
    for one in islice(cycle(usual), _WARM_UP):
        _decide_s(one, cards, lessons)
    taken_ms = [1e3 * _decide_s(one, cards, lessons) for one in islice(cycle(usual), _DECISIONS)]
    long_ms = [1e3 * _decide_s(long, cards, lessons) for _ in range(_LONG_DECISIONS)]
    p50_ms, p95_ms, p99_ms = np.percentile(taken_ms, (50, 95, 99))
    return Latency(
        pool=pool,
        p50_ms=float(p50_ms),
        p95_ms=float(p95_ms),
        p99_ms=float(p99_ms),
        long_ms=float(np.median(long_ms)),
        models=len(cards),
        n=len(taken_ms),
    )


def _decide_s(prompt: str, cards: Sequence[ModelCard], lessons: Lessons) -> float:
    start_s = perf_counter()
    score(read(prompt), cards, lessons=lessons, resident=[one.key for one in cards])
    return perf_counter() - start_s
