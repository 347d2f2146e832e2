"""Runs of requests of one kind, for a memory that does not hold all models."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from langchain_lmswitch.policy.lessons import Lessons
from langchain_lmswitch.policy.scoring import expect
from langchain_lmswitch.testing.bench.routing.router import task_of
from langchain_lmswitch.testing.bench.routing.tables import Table
from langchain_lmswitch.testing.bench.sessions import Asked, play
from langchain_lmswitch.testing.bench.streams import GB
from langchain_lmswitch.types.models import ModelCard
from langchain_lmswitch.types.tasks import Hints, Needs

REQUESTS: Final = 2_000
_LEAST_MODELS: Final = 2
CASES: Final = ((48, 8), (24, 8), (24, 1))
"""GB of memory, and how many requests for the same task come in a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What a stream of requests came to, with loads weighed and without.

    Without, whoever looks best and fits is loaded each time. `utility` is the score less 0.002 for
    each second that a request waits for a load.
    """

    pool: str
    memory_gb: int
    run: int
    loads_per_100: float
    utility: float
    score: float
    plain_loads_per_100: float
    plain_utility: float
    plain_score: float
    n: int


def visits_of(
    pool: str,
    cards: Sequence[ModelCard],
    lessons: Lessons,
    graded: Table,
    *,
    requests: int = REQUESTS,
) -> Iterator[Visit]:
    """Play streams of the prompts that are graded, with the knob in the middle.

    Models that do not fit a memory alone are left out; where less than two do, nothing is played.
    """
    read = [_asked(graded, row, cards, lessons) for row in range(len(graded))]
    for memory_gb, run in CASES:
        fitting = [one for one in cards if one.size_bytes <= memory_gb * GB]
        if len(fitting) < _LEAST_MODELS:
            continue
        asked = [read[row] for row in rows_in_runs(graded.tasks, run, requests)]
        steady, plain = (
            play(fitting, asked, budget_bytes=memory_gb * GB, steady=steady)
            for steady in (True, False)
        )
        yield Visit(
            pool=pool,
            memory_gb=memory_gb,
            run=run,
            loads_per_100=steady.loads_per_100,
            utility=steady.utility,
            score=steady.score,
            plain_loads_per_100=plain.loads_per_100,
            plain_utility=plain.utility,
            plain_score=plain.score,
            n=requests,
        )


def rows_in_runs(tasks: Sequence[str], run: int, requests: int) -> list[int]:
    """Draw rows, so many of the same task one after another, again and again."""
    dice = np.random.default_rng(0)
    by_task = [
        [row for row, one in enumerate(tasks) if one == task] for task in dict.fromkeys(tasks)
    ]
    weights = np.array([len(rows) for rows in by_task]) / len(tasks)
    found: list[int] = []
    while len(found) < requests:
        rows = by_task[dice.choice(len(by_task), p=weights)]
        found += [rows[at] for at in dice.integers(0, len(rows), run)]
    return found[:requests]


def _asked(graded: Table, row: int, cards: Sequence[ModelCard], lessons: Lessons) -> Asked:
    task = task_of(graded.prompts[row])
    return Asked(
        # What it needs of a context is left out: the models of a table have none.
        task=replace(task, hints=Hints(), needs=Needs()),
        expected=expect(task, cards, lessons),
        scores=dict(zip(graded.models, graded.scores[row].tolist(), strict=True)),
    )
