"""What grades have taught of the models of this machine."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from langchain_lmswitch.policy.tally import NOISE, Tally, cells_of
from langchain_lmswitch.types.grades import Expected, Grade
from langchain_lmswitch.types.tasks import Features

if TYPE_CHECKING:
    from numpy import ndarray

_KEPT: Final = 4096
"""Requests whose grades count; the oldest are forgotten, so that no model is judged for ever by
what it once was."""
_HEAVIEST: Final = 1.0
"""What one grade counts for at the most."""


@dataclass(slots=True)
class _Asked:
    features: Features
    cells: "ndarray"
    grades: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Score and weight, by key."""


class Lessons:
    """What the grades so far say of models.

    1. Grades that make no sense are left out: no number, no weight. A score is clipped to 0 to 1,
       and no grade counts for more than one.
    2. Of the grades of one model for one request the last counts.
    3. The latest 4096 requests count; what is older is forgotten.

    Args:
        grades: Oldest first.
    """

    def __init__(self, grades: Iterable[Grade] = ()) -> None:
        self._asked: dict[str, _Asked] = {}
        self._nameless = 0
        self._tally = Tally()
        for grade in grades:
            self.learn(grade)

    def learn(self, grade: Grade) -> None:
        """Add one grade."""
        if not _sound(grade):  # 1
            return
        asked = self._request(grade)
        if grade.key in asked.grades:  # 2
            self._take_back(asked, grade.key)
        score, weight = min(max(grade.score, 0.0), 1.0), min(grade.weight, _HEAVIEST)
        asked.grades[grade.key] = (score, weight)
        self._tally.add(grade.key, asked.cells, score=score, weight=weight)
        if len(self._asked) > _KEPT:  # 3
            self._forget(next(iter(self._asked)))

    def expect(self, features: Features, priors: Mapping[str, Expected]) -> dict[str, Expected]:
        """Put priors right by what was learnt.

        Args:
            features: Of the request.
            priors: By key, of every model that might answer.
        """
        if not self._asked or not priors:
            return dict(priors)
        import numpy as np

        keys = list(priors)
        before = np.array([priors[key].quality for key in keys])
        qualities, strengths, grades = self._tally.judge(cells_of(features), keys, before)
        spreads = np.sqrt(NOISE / strengths)
        return {
            key: replace(priors[key], quality=quality, spread=spread, grades=weight)
            for key, quality, spread, weight in zip(
                keys,
                qualities.clip(0.0, 1.0).tolist(),
                spreads.tolist(),
                grades.tolist(),
                strict=True,
            )
        }

    def _request(self, grade: Grade) -> _Asked:
        name = grade.request
        if not name:
            self._nameless += 1
            name = f" {self._nameless}"
        if name not in self._asked:
            self._asked[name] = _Asked(grade.features, cells_of(grade.features))
        return self._asked[name]

    def _take_back(self, asked: _Asked, key: str) -> None:
        score, weight = asked.grades.pop(key)
        self._tally.add(key, asked.cells, score=score, weight=-weight)

    def _forget(self, name: str) -> None:
        asked = self._asked.pop(name)
        for key in list(asked.grades):
            self._take_back(asked, key)


def _sound(grade: Grade) -> bool:
    return math.isfinite(grade.score) and 0 < grade.weight < math.inf


NO_LESSONS: Final = Lessons()
