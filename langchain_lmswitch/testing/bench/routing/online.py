"""Learning while answering: a stream of requests, each answered by whoever looks best just then."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from langchain_lmswitch.policy.exploring import curiosity
from langchain_lmswitch.policy.lessons import Lessons
from langchain_lmswitch.policy.ranking import rank
from langchain_lmswitch.policy.scoring import expect
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.testing.bench.routing.pools import Pool, Sizes, card_of, pools
from langchain_lmswitch.testing.bench.routing.router import grades_of, task_of
from langchain_lmswitch.testing.bench.routing.tables import Table
from langchain_lmswitch.types.models import ModelCard

REQUESTS: Final = 2_500
SHARES: Final = (1.0, 0.1)
"""Of answers that somebody grades: all, and every tenth."""
SEEDS: Final = 2
_EXPLORE: Final[float] = Settings.model_fields["explore"].default


@dataclass(frozen=True, slots=True, kw_only=True)
class Online:
    """What a stream of requests came to, that nothing was known before."""

    pool: str
    feedback: float
    """Share of the answers that were graded."""
    share_pct: float
    """Of the best single model for this stream, by hindsight."""
    last_share_pct: float
    """The same over the last fifth of the stream."""
    score: float
    best_single: float
    n: int


def online_of(table: Table, sizes: Sizes, *, requests: int = REQUESTS) -> Iterator[Online]:
    """Play a stream for each pool and each share of feedback; means over several orders."""
    for pool in pools(table.name, table.models, sizes):
        judged = table.of(pool.models).complete()
        for share in SHARES:
            played = [
                _play(judged, pool, sizes, share=share, requests=requests, seed=seed)
                for seed in range(SEEDS)
            ]
            yield _summary(pool, share, np.mean(played, axis=0), requests)


def _play(
    judged: Table, pool: Pool, sizes: Sizes, *, share: float, requests: int, seed: int
) -> tuple[float, float, float, float]:
    """Give the score and the best single model's, of the whole stream and of its last fifth."""
    dice = np.random.default_rng(seed)
    rounds = -(-requests // len(judged))
    order = np.concatenate([dice.permutation(len(judged)) for _ in range(rounds)])[:requests]
    told = dice.random(requests) < share
    cards = [card_of(one, sizes) for one in pool.models]
    lessons = Lessons()
    got = np.empty(requests)
    for at, row in enumerate(order):
        pick = _pick(judged.prompts[row], cards, lessons)
        got[at] = judged.scores[row, pick]
        if told[at]:
            grades = grades_of(judged, int(row), name=f"{at}")
            lessons.learn(grades[pick])
    last = requests // 5
    best = judged.scores[order].mean(axis=0).argmax()
    single = judged.scores[order, best]
    return got.mean(), single.mean(), got[-last:].mean(), single[-last:].mean()


def _pick(prompt: str, cards: list[ModelCard], lessons: Lessons) -> int:
    """Choose as the product does, its tries included."""
    keys = [one.key for one in cards]
    task = task_of(prompt)
    expected = expect(task, cards, lessons)
    points = curiosity(task.features, expected, resident=keys, share=_EXPLORE)
    ranked = rank(task, cards, resident=keys, expected=expected, curiosity=points)
    return keys.index(ranked[0].key)


def _summary(pool: Pool, share: float, means: np.ndarray, requests: int) -> Online:
    got, single, last_got, last_single = map(float, means)
    return Online(
        pool=pool.name,
        feedback=share,
        share_pct=100 * got / single,
        last_share_pct=100 * last_got / last_single,
        score=got,
        best_single=single,
        n=requests,
    )
