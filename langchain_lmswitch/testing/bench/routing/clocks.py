"""How long a whole decision takes: reading the prompt, and scoring the models for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from time import perf_counter, thread_time
from typing import Final

import numpy as np

from langchain_lmswitch.policy.lessons import Lessons
from langchain_lmswitch.policy.scoring import score
from langchain_lmswitch.testing.bench.routing.router import read
from langchain_lmswitch.types.models import ModelCard

USUAL_CHARS: Final = 4_000
LONG_CHARS: Final = 100_000
_DECISIONS: Final = 500
_LONG_DECISIONS: Final = 10
_WARM_UP: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Milliseconds of one decision."""

    pool: str
    p50_ms: float
    p95_ms: float
    p99_ms: float
    busy_p50_ms: float
    """The same in time of the processor: what others do on the machine does not count."""
    busy_p99_ms: float
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
    taken_s = [_decide_s(one, cards, lessons) for one in islice(cycle(usual), _DECISIONS)]
    long_s = [_decide_s(long, cards, lessons) for _ in range(_LONG_DECISIONS)]
    p50_s, p95_s, p99_s = np.percentile(taken_s, (50, 95, 99), axis=0)
    return Latency(
        pool=pool,
        p50_ms=1e3 * float(p50_s[0]),
        p95_ms=1e3 * float(p95_s[0]),
        p99_ms=1e3 * float(p99_s[0]),
        busy_p50_ms=1e3 * float(p50_s[1]),
        busy_p99_ms=1e3 * float(p99_s[1]),
        long_ms=1e3 * float(np.median(long_s, axis=0)[0]),
        models=len(cards),
        n=len(taken_s),
    )


def _decide_s(prompt: str, cards: Sequence[ModelCard], lessons: Lessons) -> tuple[float, float]:
    """Give the seconds on the wall and those of the processor."""
    start_s, busy_s = perf_counter(), thread_time()
    score(read(prompt), cards, lessons=lessons, resident=[one.key for one in cards])
    return perf_counter() - start_s, thread_time() - busy_s
