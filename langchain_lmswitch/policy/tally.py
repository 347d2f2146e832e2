"""How often each model was right in each task: sums, and what they make of priors."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, get_args

from langchain_lmswitch.types.tasks import Features, TaskKind

if TYPE_CHECKING:
    from numpy import ndarray

_KINDS: Final[dict[TaskKind, int]] = {kind: row for row, kind in enumerate(get_args(TaskKind))}
_LEVELS: Final = 3
"""Of difficulty."""
_CELLS: Final = (len(_KINDS) + 1) * _LEVELS
"""The last task is for requests of which none is known."""

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


def cells_of(features: Features) -> "ndarray":
    """Share a request out among the tasks and levels of difficulty; the parts add up to 1."""
    import numpy as np

    kinds = np.zeros(len(_KINDS) + 1)
    for kind, share in features.kinds.items():
        kinds[_KINDS[kind]] = max(share, 0.0)
    if not (total := kinds.sum()) > 0:
        kinds[-1] = total = 1.0
    place = min(max(features.difficulty, 0.0), 1.0) * (_LEVELS - 1)
    levels = np.maximum(1 - abs(np.arange(_LEVELS) - place), 0.0)
    shared: ndarray = np.outer(kinds / total, levels).ravel()
    return shared


@dataclass(slots=True)
class Tally:
    """Sums of grades, by task, difficulty and model.

    What task a request is, is known by chance only; so each grade is shared out.
    """

    _columns: dict[str, int] = field(default_factory=dict)
    _weights: "ndarray | None" = None
    _scores: "ndarray | None" = None

    def add(self, key: str, cells: "ndarray", *, score: float, weight: float) -> None:
        """Add a grade; a negative weight takes one back."""
        weights, scores = self._arrays()
        column = self._columns.setdefault(key, len(self._columns))
        if column == weights.shape[1]:
            self._weights, self._scores = weights, scores = _wider(weights), _wider(scores)
        weights[:, column] += weight * cells
        scores[:, column] += weight * score * cells

    def judge(
        self, cells: "ndarray", keys: Sequence[str], priors: "ndarray"
    ) -> "tuple[ndarray, ndarray, ndarray]":
        """Put priors right; give the qualities, the grades each is worth, and those of its task.

        What is learnt is how models differ; how hard a task is, is common to them.

        1. The prior counts for 20 grades.
        2. How a model compares with the others over all tasks counts for 60 at the most.
        3. How it compares in this task counts for its grades;
        4. all this for 60 at the most against the grades of this task at this difficulty.
        """
        fine = self._of(keys)
        coarse = tuple(part.reshape(-1, _LEVELS, len(keys)).sum(1) for part in fine)
        quality, strength = _overall(priors, *coarse)  # 1, 2
        quality, strength = _compared(quality, strength, *coarse)  # 3
        limit = _limited(strength, _TASK)
        quality, strength = _compared(  # 4
            quality.repeat(_LEVELS, 0), limit.repeat(_LEVELS, 0), *fine
        )
        return cells @ quality, cells @ strength, cells @ coarse[0].repeat(_LEVELS, 0)

    def _arrays(self) -> "tuple[ndarray, ndarray]":
        import numpy as np

        if self._weights is None or self._scores is None:
            self._weights, self._scores = np.zeros((_CELLS, 8)), np.zeros((_CELLS, 8))
        return self._weights, self._scores

    def _of(self, keys: Sequence[str]) -> "tuple[ndarray, ndarray]":
        import numpy as np

        weights, scores = self._arrays()
        columns = [self._columns.get(key, -1) for key in keys]
        seen = np.array([column >= 0 for column in columns], float)
        return np.maximum(weights[:, columns] * seen, 0.0), scores[:, columns] * seen


def _overall(priors: "ndarray", weights: "ndarray", scores: "ndarray") -> "tuple[ndarray, ndarray]":
    """Put priors right by how models differ where several were graded in one task.

    Their differences and the tasks' levels are fitted together, by least squares. Only what was
    graded beside others tells; and nothing moves the common level.
    """
    import numpy as np

    tasks = np.maximum(weights.sum(1), 1e-9)
    beside = weights.sum(0) - (weights**2 / tasks[:, None]).sum(0)
    links = np.diag(weights.sum(0) + 1e-3) - weights.T @ (weights / tasks[:, None])
    gains = scores.sum(0) - weights.T @ (scores.sum(1) / tasks)
    differences = np.linalg.solve(links, gains)
    limit = _limited(np.maximum(beside, 0.0), _ELSEWHERE)
    share = limit / (_PRIOR + limit)
    moved = differences - priors
    moved -= (share * moved).sum() / max(share.sum(), 1e-9)
    return (priors + share * moved)[None], (_PRIOR + limit)[None]


def _compared(
    expected: "ndarray", strength: "ndarray", weights: "ndarray", scores: "ndarray"
) -> "tuple[ndarray, ndarray]":
    """Move what is expected by the grades of each row: all models alike, then each on its own."""
    share = weights / (strength + weights)
    missed = scores - weights * expected
    apart = share * strength
    ground = (missed * strength / (strength + weights)).sum(1) / (apart.sum(1) + _GROUND)
    alike = expected + ground[:, None]
    return alike + (scores - weights * alike) / (strength + weights), strength + weights


def _limited(strength: "ndarray", most: float) -> "ndarray":
    limited: ndarray = strength * most / (strength + most)
    return limited


def _wider(columns: "ndarray") -> "ndarray":
    import numpy as np

    return np.hstack([columns, np.zeros_like(columns)])
