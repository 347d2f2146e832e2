"""How often each model was right in each task: sums, and what they make of priors."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, get_args

import numpy as np
from numpy.typing import NDArray

from langchain_lmswitch.types.tasks import Features, TaskKind

Array = NDArray[np.float64]

_KINDS: Final[dict[TaskKind, int]] = {kind: row for row, kind in enumerate(get_args(TaskKind))}
_LEVELS: Final = 3
"""Of difficulty."""
_TASKS: Final = len(_KINDS) + 1
"""The last is for requests of which none is known."""
_LEAST_SHARE: Final = 0.02
"""Below this a task is none of a request's."""

NOISE: Final = 0.2
"""Variance of one grade around what was to be expected."""
_PRIOR: Final = 20.0
"""Grades that the prior counts for."""
_ELSEWHERE: Final = 60.0
"""Grades that those of all tasks count for, at the most, in one task."""
_TASK: Final = 60.0
"""Grades that those of a task count for, at the most, at one level of its difficulty."""
_GROUND: Final = 5.0
"""Grades that the priors' common level counts for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What the grades of tasks tell of some models."""

    overall: Array
    """How good each is in any request, by all its grades."""
    quality: Array
    """How good each is in this one."""
    strength: Array
    """The grades that `quality` is worth, the prior's included."""
    grades: Array
    """Weight of the grades of such tasks."""


@dataclass(slots=True)
class Tally:
    """Sums of grades, by task, difficulty and model.

    What task a request is, is known by chance only; so each grade is shared out.
    """

    columns: dict[str, int] = field(default_factory=dict)
    """Of the models."""
    _weights: Array = field(default_factory=lambda: np.zeros((_TASKS * _LEVELS, 8)))
    _scores: Array = field(default_factory=lambda: np.zeros((_TASKS * _LEVELS, 8)))
    _known: dict[tuple[str, ...], "_Chosen"] = field(default_factory=dict)
    """Of the models asked for since the last grade."""

    def add(self, key: str, cells: Array, *, score: float, weight: float) -> None:
        """Add a grade; a negative weight takes one back."""
        column = self.columns.setdefault(key, len(self.columns))
        if column == self._weights.shape[1]:
            self._weights, self._scores = _wider(self._weights), _wider(self._scores)
        self._weights[:, column] += weight * cells
        self._scores[:, column] += weight * score * cells
        self._known.clear()

    def judge(self, cells: Array, keys: Sequence[str], priors: Array) -> Judged:
        """Put priors right by the grades.

        What is learnt is how models differ; how hard a task is, is common to them.

        1. The prior counts for 20 grades.
        2. How a model compares with the others over all tasks counts for 60 at the most.
        3. How it compares in this task counts for its grades;
        4. all this for 60 at the most against the grades of this task at this difficulty.

        Args:
            cells: From `cells_of`; one row, or several.
            keys: Of the models.
            priors: What is expected of them before any grade.
        """
        chosen = self._chosen(tuple(keys))
        shares = cells.reshape(-1, _TASKS, _LEVELS)
        tasks = np.flatnonzero(shares.any((0, 2)))
        weights, scores = chosen.weights[tasks], chosen.scores[tasks]
        limit = chosen.beside * _ELSEWHERE / (chosen.beside + _ELSEWHERE)
        base, strength = _overall(priors, chosen.differences, limit)  # 1, 2
        by_task = weights.sum(1)
        quality, strength = _compared(base, strength, by_task, scores.sum(1))  # 3
        limit = strength * _TASK / (strength + _TASK)
        quality, strength = _compared(quality[:, None], limit[:, None], weights, scores)  # 4
        flat = shares[:, tasks].reshape(len(shares), -1)
        return Judged(
            overall=_overall(priors, chosen.differences, chosen.beside)[0],
            quality=flat @ quality.reshape(-1, len(keys)),
            strength=flat @ strength.reshape(-1, len(keys)),
            grades=flat.reshape(*shares[:, tasks].shape).sum(-1) @ by_task,
        )

    def _chosen(self, keys: tuple[str, ...]) -> "_Chosen":
        """Pick out the sums of some models; of one never graded they are zero."""
        if keys not in self._known:
            columns = [self.columns.get(key, -1) for key in keys]
            seen = np.array(columns) >= 0
            weights = np.maximum(self._weights[:, columns], 0.0) * seen
            scores = self._scores[:, columns] * seen
            shape = (_TASKS, _LEVELS, len(keys))
            self._known[keys] = _choose(weights.reshape(shape), scores.reshape(shape))
        return self._known[keys]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    """Sums of some models by task, difficulty and model, and how the models differ over all."""

    weights: Array
    scores: Array
    differences: Array
    beside: Array
    """The grades that the differences are worth."""


def cells_of(features: Features) -> Array:
    """Share a request out among tasks and levels of difficulty; the parts add up to 1."""
    kinds = np.zeros(_TASKS)
    for kind, share in features.kinds.items():
        if share >= _LEAST_SHARE and kind in _KINDS:
            kinds[_KINDS[kind]] = min(share, 1.0)
    if not (total := kinds.sum()) > 0:
        kinds[-1] = total = 1.0
    difficulty = features.difficulty if math.isfinite(features.difficulty) else 0.5
    place = min(max(difficulty, 0.0), 1.0) * (_LEVELS - 1)
    levels = [max(1 - abs(level - place), 0.0) for level in range(_LEVELS)]
    shared: Array = (kinds[:, None] * (np.array(levels) / total)).ravel()
    return shared


def tasks_of(cells: Array) -> Array:
    """Give the share of each task in a request."""
    shares: Array = cells.reshape(_TASKS, _LEVELS).sum(1)
    return shares


def _choose(weights: Array, scores: Array) -> _Chosen:
    """Fit differences of models and levels of tasks together, by least squares.

    Only what was graded beside others in the same task tells.
    """
    by_task, sums = weights.sum(1), scores.sum(1)
    parts = by_task / np.maximum(by_task.sum(1), 1e-9)[:, None]
    totals = by_task.sum(0)
    links = np.diag(totals + 1e-3) - by_task.T @ parts
    differences = np.linalg.solve(links, sums.sum(0) - parts.T @ sums.sum(1))
    beside = np.maximum(totals - (by_task * parts).sum(0), 0.0)
    return _Chosen(weights=weights, scores=scores, differences=differences, beside=beside)


def _overall(priors: Array, differences: Array, grades: Array) -> tuple[Array, Array]:
    """Put priors right by how models differ over all tasks; their mean level stays."""
    strength = _PRIOR + grades
    share = grades / strength
    moved = differences - priors
    moved = moved - (share * moved).sum() / max(share.sum(), 1e-9)
    return priors + share * moved, strength


def _compared(
    expected: Array, strength: Array, weights: Array, scores: Array
) -> tuple[Array, Array]:
    """Move what is expected by the grades of each row: all models alike, then each on its own."""
    total = strength + weights
    trust = strength / total
    missed = ((scores - weights * expected) * trust).sum(-1, keepdims=True)
    alike = expected + missed / ((weights * trust).sum(-1, keepdims=True) + _GROUND)
    return alike + (scores - weights * alike) / total, total


def _wider(columns: Array) -> Array:
    return np.hstack([columns, np.zeros_like(columns)])
