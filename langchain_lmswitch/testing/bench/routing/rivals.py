"""What others do: their methods on the same vectors, fitted and graded on the same prompts."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, get_args

import numpy as np
from numpy.typing import NDArray

from langchain_lmswitch.testing.bench.routing.marks import Utilities
from langchain_lmswitch.testing.bench.routing.router import task_of
from langchain_lmswitch.testing.bench.routing.tables import Scores, Table
from langchain_lmswitch.types.tasks import TaskKind

NEIGHBORS: Final = 40
_UNIT: Final = 127.0
_STEPS: Final = 12
_RIDGE: Final = 1.0
_LEAST_WEIGHT: Final = 1e-4

Vectors = NDArray[np.float64]
Rival = Callable[[Table, Table, Vectors], Scores]
"""Of what was learnt from, what is graded and what each model moves: how good answers will be."""


def rival_scores(fit: Table, graded: Table, moved_b: Vectors) -> Iterator[tuple[str, Scores]]:
    """Let every rival tell how good each answer will be.

    1. `knn`: the mean over the 40 nearest prompts.
    2. `logistic`: a logistic regression for each model.
    3. `task label`: the mean over the prompts of the same data set, which no router is told.
    4. `largest`: whoever moves most weights.
    5. `best single`: the model that was best on average.
    6. `random`: dice.
    """
    known = fit.complete()
    for name, rival in _RIVALS.items():
        yield name, rival(known, graded, moved_b)


def thrifty(expected: Scores, moved_b: Vectors, knob: float) -> Utilities:
    """Trade quality for cheapness, from 0 for quality alone to 1 for cheapness alone."""
    return np.asarray((1 - knob) * expected - knob * moved_b / moved_b.max())


def vectors_of(table: Table) -> Vectors:
    """Give what the product sees in each prompt: its vector, its signs and its tasks."""
    rows = [task_of(prompt).features for prompt in table.prompts]
    kinds = get_args(TaskKind)
    return np.array(
        [
            [
                *(part / _UNIT for part in one.vector),
                *one.signs,
                *(one.kinds.get(kind, 0.0) for kind in kinds),
            ]
            for one in rows
        ]
    )


def _knn(fit: Table, graded: Table, _moved_b: Vectors) -> Scores:
    known, asked = vectors_of(fit), vectors_of(graded)
    nearness = _unit(asked) @ _unit(known).T
    count = min(NEIGHBORS, len(fit))
    nearest = np.argpartition(-nearness, count - 1, axis=1)[:, :count]
    return np.asarray(fit.scores[nearest].mean(axis=1))


def _logistic(fit: Table, graded: Table, _moved_b: Vectors) -> Scores:
    known, asked = vectors_of(fit), vectors_of(graded)
    center, width = known.mean(axis=0), known.std() + 1e-9
    known, asked = ((one - center) / width for one in (known, asked))
    weights = [_regression(_with_one(known), fit.scores[:, at]) for at in range(len(fit.models))]
    return _sigmoid(_with_one(asked) @ np.array(weights).T)


def _task_label(fit: Table, graded: Table, _moved_b: Vectors) -> Scores:
    overall = fit.scores.mean(axis=0)
    tasks = np.array(fit.tasks)
    means = {task: fit.scores[tasks == task].mean(axis=0) for task in {*fit.tasks}}
    return np.array([means.get(task, overall) for task in graded.tasks])


def _largest(_fit: Table, graded: Table, moved_b: Vectors) -> Scores:
    return np.tile(moved_b, (len(graded), 1))


def _best_single(fit: Table, graded: Table, _moved_b: Vectors) -> Scores:
    return np.tile(fit.scores.mean(axis=0), (len(graded), 1))


def _random(_fit: Table, graded: Table, moved_b: Vectors) -> Scores:
    return np.random.default_rng(0).random((len(graded), len(moved_b)))


_RIVALS: Final[Mapping[str, Rival]] = {
    "knn": _knn,
    "logistic": _logistic,
    "task label": _task_label,
    "largest": _largest,
    "best single": _best_single,
    "random": _random,
}


def _regression(known: Vectors, scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fit by Newton's method, with a ridge on all weights."""
    weights = np.zeros(known.shape[1])
    ridge = _RIDGE * np.eye(known.shape[1])
    for _ in range(_STEPS):
        chances = _sigmoid(known @ weights)
        slope = known.T @ (chances - scores) + _RIDGE * weights
        curve = (known.T * np.maximum(chances * (1 - chances), _LEAST_WEIGHT)) @ known + ridge
        weights = weights - np.linalg.solve(curve, slope)
    return weights


def _sigmoid(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -30, 30))))


def _with_one(vectors: Vectors) -> Vectors:
    return np.hstack([vectors, np.ones((len(vectors), 1))])


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-9))
