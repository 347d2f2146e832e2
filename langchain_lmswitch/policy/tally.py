"""How often each model was right in each task: sums of grades."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, get_args

import numpy as np

from langchain_lmswitch.policy.levels import Array, Levels, fit_levels
from langchain_lmswitch.types.tasks import Features, TaskKind

_KINDS: Final[dict[TaskKind, int]] = {kind: row for row, kind in enumerate(get_args(TaskKind))}
_LEVELS: Final = 3
"""Of difficulty."""
_TASKS: Final = len(_KINDS) + 1
"""The last is for requests of which none is known."""
_LEAST_SHARE: Final = 0.02
"""Below this a task is none of a request's."""

NOISE: Final = 0.2
"""Variance of one grade around what was to be expected."""


@dataclass(slots=True)
class Tally:
    """Sums of grades, by task, difficulty and model.

    What task a request is, is known by chance only; so each grade is shared out.
    """

    columns: dict[str, int] = field(default_factory=dict)
    """Of the models."""
    _weights: Array = field(default_factory=lambda: np.zeros((_TASKS * _LEVELS, 8)))
    _scores: Array = field(default_factory=lambda: np.zeros((_TASKS * _LEVELS, 8)))
    _known: dict[tuple[str, ...], Levels] = field(default_factory=dict)
    """Of the models asked for since the last grade."""

    def add(self, key: str, cells: Array, *, score: float, weight: float) -> None:
        """Add a grade; a negative weight takes one back."""
        column = self.columns.setdefault(key, len(self.columns))
        if column == self._weights.shape[1]:
            self._weights, self._scores = _wider(self._weights), _wider(self._scores)
        self._weights[:, column] += weight * cells
        self._scores[:, column] += weight * score * cells
        self._known.clear()

    def levels(self, keys: Sequence[str]) -> Levels:
        """Sum up what was graded of some models; of one never graded it is nothing."""
        asked = tuple(keys)
        if asked not in self._known:
            columns = [self.columns.get(key, -1) for key in asked]
            seen = np.array(columns) >= 0
            weights = np.maximum(self._weights[:, columns], 0.0) * seen
            scores = self._scores[:, columns] * seen
            shape = (_TASKS, _LEVELS, len(asked))
            self._known[asked] = fit_levels(weights.reshape(shape), scores.reshape(shape))
        return self._known[asked]


def cells_of(features: Features) -> Array:
    """Share a request out among tasks and levels of difficulty; the parts add up to 1."""
    kinds = [0.0] * _TASKS
    for kind, share in features.kinds.items():
        if share >= _LEAST_SHARE and kind in _KINDS:
            kinds[_KINDS[kind]] = min(share, 1.0)
    if not (total := sum(kinds)) > 0:
        kinds[-1] = total = 1.0
    difficulty = features.difficulty if math.isfinite(features.difficulty) else 0.5
    place = min(max(difficulty, 0.0), 1.0) * (_LEVELS - 1)
    levels = [max(1 - abs(level - place), 0.0) / total for level in range(_LEVELS)]
    return np.array([share * level for share in kinds for level in levels])


def tasks_of(cells: Array) -> Array:
    """Give the share of each task in a request."""
    shares: Array = cells.reshape(_TASKS, _LEVELS).sum(1)
    return shares


def _wider(columns: Array) -> Array:
    return np.hstack([columns, np.zeros_like(columns)])
