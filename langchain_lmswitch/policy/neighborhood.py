"""What became of requests like this one, beyond what their task tells."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from langchain_lmswitch.policy.clusters import Array, Clusters, fit_clusters
from langchain_lmswitch.policy.slopes import Slopes, fit_slopes

_LINES: Final = 6.0
"""How far apart requests are whose expected outcomes differ, beside those whose words do."""
_SLOPES: Final = 0.3
"""Share of the lines in the answer; the rest is the clusters'."""
_NOVEL: Final = 1.1
_STEEP: Final = 12
"""At 1.1 times what is far, half of what was learnt of the neighborhood is believed; much farther,
nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighborhood:
    """Lines and clusters through the outcomes of the same requests."""

    keys: Sequence[str]
    """Of the models, in the order of the columns."""
    width: int
    """Of a row."""
    slopes: Slopes
    clusters: Sequence[Clusters]

    def at(self, row: Array) -> tuple[Array, Array, float]:
        """Give each model's gain over what its task tells, its variance, and how familiar it is.

        What is familiar, 0 to 1, is what has been seen before; the gain is not yet scaled by it.
        """
        rows = row[None]
        lines = self.slopes.at(rows)
        found = [one.at(np.hstack([rows, _LINES * lines])) for one in self.clusters]
        gains, variances, distances = (sum(part) / len(found) for part in zip(*found, strict=True))
        familiar = 1 / (1 + (float(distances[0]) / _NOVEL) ** _STEEP)
        return (1 - _SLOPES) * gains[0] + _SLOPES * lines[0], variances[0], familiar


def fit_neighborhood(keys: Sequence[str], rows: Array, missed: Array) -> Neighborhood:
    """Learn from requests.

    1. Where several models answered one request, only how they differ counts: how hard the
       request was is common to them.
    2. Where one did, a line through all such requests tells how hard it was.

    Args:
        keys: Of the models.
        rows: Features, by request.
        missed: By request and model, the score beyond what the task tells; not a number where
            the model was not graded.
    """
    known = ~np.isnan(missed)
    graded = known.sum(1, keepdims=True)
    common = np.where(known, missed, 0.0).sum(1, keepdims=True) / np.maximum(graded, 1)
    alone = graded[:, 0] == 1
    if alone.any():  # 2
        hard = np.where(alone[:, None], common, np.nan)
        common[alone] = fit_slopes(rows, hard)[1][alone]
    outcomes = missed - common  # 1
    slopes, lines = fit_slopes(rows, outcomes)
    clusters = fit_clusters(np.hstack([rows, _LINES * lines]), outcomes)
    return Neighborhood(keys=tuple(keys), width=rows.shape[1], slopes=slopes, clusters=clusters)
