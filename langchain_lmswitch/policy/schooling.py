"""Grades kept, and what they make of priors: by task, then by neighborhood."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from langchain_lmswitch.policy.levels import Array, Judged
from langchain_lmswitch.policy.neighborhood import Neighborhood, fit_neighborhood
from langchain_lmswitch.policy.tally import NOISE, Tally, cells_of, tasks_of
from langchain_lmswitch.types.grades import Expected, Grade
from langchain_lmswitch.types.tasks import Features

_ENOUGH: Final = 300
"""Requests from which on a neighborhood is worth looking at."""
_GROWTH: Final = 1.25
"""By how much they grow, or are replaced, until it is looked at anew."""
_UNIT: Final = 127
_FARTHEST: Final = 2.0
"""No sign says more than that."""


@dataclass(slots=True)
class _Asked:
    row: Array
    cells: Array
    grades: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Score and weight, by key."""


class Schooling:
    """Grades of the latest requests.

    1. A score is clipped to 0 to 1, and no grade counts for more than one.
    2. Of the grades of one model for one request the last counts.
    3. Only the latest requests count; what is older is forgotten, so that no model is judged for
       ever by what it once was.
    4. From 300 requests on, those that are alike tell more than their tasks do; for a request that
       is like none of them, neither counts: what is left is how good each model is on the whole.
    """

    def __init__(self, *, kept: int) -> None:
        self._kept = kept
        self._asked: dict[str, _Asked] = {}
        self._count = 0
        self._tally = Tally()
        self._near: Neighborhood | None = None
        self._refit_at = _ENOUGH

    def learn(self, grade: Grade) -> None:
        """Add one grade."""
        asked = self._request(grade)
        if grade.key in asked.grades:  # 2
            self._take_back(asked, grade.key)
        score, weight = min(max(grade.score, 0.0), 1.0), min(grade.weight, 1.0)  # 1
        asked.grades[grade.key] = (score, weight)
        self._tally.add(grade.key, asked.cells, score=score, weight=weight)
        if len(self._asked) > self._kept:  # 3
            self._forget(next(iter(self._asked)))

    def expect(self, features: Features, priors: Mapping[str, Expected]) -> dict[str, Expected]:
        """Put priors right by what was learnt."""
        keys = tuple(priors)
        cells = cells_of(features)
        before = np.array([one.quality for one in priors.values()])
        judged = self._tally.levels(keys).judge(cells, before)
        quality, variances = judged.quality, NOISE / judged.strength
        row = _row(features, cells)
        if (near := self._neighborhood(len(row))) is not None:
            gains, unknown, familiar = near.at(row)
            columns = [near.columns.get(key, -1) for key in keys]
            quality = _blended(judged, gains[columns], near.trust[columns], familiar)
            variances = variances + unknown[columns]
        quality, spreads = np.minimum(np.maximum(quality, 0.0), 1.0), np.sqrt(variances)
        found = zip(quality.tolist(), spreads.tolist(), judged.grades.tolist(), strict=True)
        return {
            key: Expected(
                quality=best, prior=one.prior, spread=spread, grades=grades, reasons=one.reasons
            )
            for (key, one), (best, spread, grades) in zip(priors.items(), found, strict=True)
        }

    def _request(self, grade: Grade) -> _Asked:
        name = grade.request or f"\0{self._count}"
        if name not in self._asked:
            self._count += 1
            cells = cells_of(grade.features)
            self._asked[name] = _Asked(_row(grade.features, cells).astype(np.float32), cells)
        return self._asked[name]

    def _take_back(self, asked: _Asked, key: str) -> None:
        score, weight = asked.grades.pop(key)
        self._tally.add(key, asked.cells, score=score, weight=-weight)

    def _forget(self, name: str) -> None:
        asked = self._asked.pop(name)
        for key in list(asked.grades):
            self._take_back(asked, key)

    def _neighborhood(self, width: int) -> Neighborhood | None:  # 4
        """Look at what is near when enough has changed; in what order it came does not matter."""
        if self._count >= self._refit_at:
            self._refit_at = self._count + int((_GROWTH - 1) * len(self._asked))
            asked = [one for _, one in sorted(self._asked.items()) if len(one.row) == width]
            self._near = self._look(asked) if len(asked) >= _ENOUGH else None
        return self._near if self._near is not None and self._near.width == width else None

    def _look(self, asked: Sequence[_Asked]) -> Neighborhood:
        keys = tuple(self._tally.columns)
        half = np.full(len(keys), 0.5)
        usual = self._tally.levels(keys).judge(asked[0].cells, half).overall
        scores = np.full((len(asked), len(keys)), np.nan)
        for place, one in enumerate(asked):
            for key, (score, _) in one.grades.items():
                scores[place, self._tally.columns[key]] = score
        rows = np.array([one.row for one in asked], float)
        return fit_neighborhood(keys, rows, scores - usual)


def _row(features: Features, cells: Array) -> Array:
    words = np.array((*features.vector, *features.signs), float)
    words[: len(features.vector)] /= _UNIT
    words = np.minimum(np.maximum(words, -_FARTHEST), _FARTHEST)
    words[np.isnan(words)] = 0.0
    return np.concatenate([tasks_of(cells), words])


def _blended(judged: Judged, gains: Array, trust: Array, familiar: float) -> Array:
    """Put what the neighborhood tells for what the task tells, and fade both to the whole."""
    even = 1 / len(trust)
    among = trust / max(float(trust.sum()), 1e-9)
    level = judged.quality.sum() * even
    overall = judged.overall - judged.overall.sum() * even
    apart = judged.quality - level - overall
    apart, gains = apart - among @ apart, gains - among @ gains
    blended: Array = level + overall + familiar * (apart + trust * (gains - apart))
    return blended
