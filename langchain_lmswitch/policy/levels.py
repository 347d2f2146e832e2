"""What the grades of some models make of priors, task by task, level by level."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shift:
    """Moves priors by how models differ over all tasks; their mean level stays."""

    share: Array
    """By model, 0 to 1: what the grades count for."""
    parts: Array
    """The same; they add up to 1."""
    differences: Array

    def move(self, priors: Array) -> Array:
        """Give the priors where the grades of all tasks put them."""
        moved = self.differences - priors
        shifted: Array = priors + self.share * (moved - self.parts @ moved)
        return shifted


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """Moves what is expected by the grades of each row: all models alike, then each on its own."""

    trust: Array
    """By row and model, 0 to 1: what is expected counts for that, and the grades for the rest."""
    pull: Array
    """By row and model: by how much all are moved down for what is expected of one."""
    lift: Array
    """By row: by how much all are moved up."""
    earned: Array
    """By row and model: what the grades add."""

    def move(self, expected: Array) -> Array:
        """Give what is expected where the grades put it."""
        alike = self.lift - (self.pull * expected).sum(-1, keepdims=True)
        moved: Array = self.trust * (expected + alike) + self.earned
        return moved


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """Grades of some models, ready to put any priors right.

    All that does not depend on the priors is worked out once.
    """

    overall: "_Shift"
    elsewhere: "_Shift"
    task: "_Step"
    level: "_Step"
    strength: Array
    """By task and level, one below another, and model."""
    grades: Array
    """The same."""

    def judge(self, cells: Array, priors: Array) -> Judged:
        """Put priors right by the grades.

        Args:
            cells: From `cells_of`.
            priors: What is expected of the models before any grade.
        """
        by_task = self.task.move(self.elsewhere.move(priors))
        quality = self.level.move(by_task[:, None])
        return Judged(
            overall=self.overall.move(priors),
            quality=cells @ quality.reshape(self.strength.shape),
            strength=cells @ self.strength,
            grades=cells @ self.grades,
        )


def fit_levels(weights: Array, scores: Array) -> Levels:
    """Sum up what was graded.

    What is learnt is how models differ; how hard a task is, is common to them.

    1. The prior counts for 20 grades.
    2. How a model compares with the others over all tasks counts for 60 at the most.
    3. How it compares in this task counts for its grades;
    4. all this for 60 at the most against the grades of this task at this difficulty.

    Args:
        weights: Of the grades, by task, level and model.
        scores: Their weighted sums, the same way.
    """
    by_task, sums = weights.sum(1), scores.sum(1)
    differences, beside = _differences(by_task, sums)
    limit = beside * _ELSEWHERE / (beside + _ELSEWHERE)  # 2
    task, strength = _step(_PRIOR + limit, by_task, sums)  # 1, 3
    most = strength * _TASK / (strength + _TASK)  # 4
    level, strength = _step(most[:, None], weights, scores)
    cells = (-1, weights.shape[-1])
    return Levels(
        overall=_shift(differences, beside),
        elsewhere=_shift(differences, limit),
        task=task,
        level=level,
        strength=strength.reshape(cells),
        grades=np.repeat(by_task, weights.shape[1], axis=0),
    )


def _differences(by_task: Array, sums: Array) -> tuple[Array, Array]:
    """Fit differences of models and levels of tasks together, by least squares.

    Only what was graded beside others in the same task tells; so many grades they are worth.
    """
    parts = by_task / np.maximum(by_task.sum(1), 1e-9)[:, None]
    totals = by_task.sum(0)
    links = np.diag(totals + 1e-3) - by_task.T @ parts
    differences = np.linalg.solve(links, sums.sum(0) - parts.T @ sums.sum(1))
    return differences, np.maximum(totals - (by_task * parts).sum(0), 0.0)


def _shift(differences: Array, grades: Array) -> _Shift:
    share = grades / (_PRIOR + grades)
    return _Shift(share=share, parts=share / max(share.sum(), 1e-9), differences=differences)


def _step(strength: Array, weights: Array, scores: Array) -> tuple[_Step, Array]:
    total = strength + weights
    trust = strength / total
    ground = (weights * trust).sum(-1, keepdims=True) + _GROUND
    step = _Step(
        trust=trust,
        pull=weights * trust / ground,
        lift=(scores * trust).sum(-1, keepdims=True) / ground,
        earned=scores / total,
    )
    return step, total
