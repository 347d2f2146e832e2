"""What became of requests like this one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from langchain_lmswitch.policy.clusters import Array, Clusters, fit_clusters
from langchain_lmswitch.policy.slopes import Slopes, fit_slopes

_LINES: Final = 6.0
"""How far apart requests are whose expected outcomes differ, beside those whose words do."""
_SLOPES: Final = 0.4
"""Share of the lines in the answer; the rest is the clusters'."""
_BETTER: Final = 300.0
"""Grades of a model from which on its neighborhood tells more than its task."""
_NOVEL: Final = 1.2
_STEEP: Final = 12
"""At 1.2 times what is far, half of what was learnt of the neighborhood is believed; much farther,
nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighborhood:
    """Lines and clusters through the outcomes of the same requests."""

    columns: Mapping[str, int]
    """Of the models; the last column is for those that were never graded."""
    trust: Array
    """By model, 0 to 1: by how much this tells more than its task does."""
    width: int
    """Of a row."""
    slopes: Slopes
    clusters: Clusters

    def at(self, row: Array) -> tuple[Array, Array, float]:
        """Give each model's gain over its whole, its variance, and how familiar this is.

        What is familiar, 0 to 1, is what has been seen before; the gain is not yet scaled by it.
        """
        lines = self.slopes.at(row)
        gains, variances, distance = self.clusters.at(np.concatenate([row, _LINES * lines]))
        familiar = 1 / (1 + (distance / _NOVEL) ** _STEEP)
        return (1 - _SLOPES) * gains + _SLOPES * lines, variances, familiar


def fit_neighborhood(
    keys: Sequence[str], rows: Array, missed: Array, incumbent: int
) -> Neighborhood:
    """Learn from requests; how hard each was is common to all models, and is taken off.

    1. Where the incumbent answered beside others, it is how much they differ from it that counts.
    2. Where others did without it, it is how much they differ from their mean.
    3. Where one did, a line through all such requests tells how hard it was.

    Args:
        keys: Of the models.
        rows: Features, by request.
        missed: By request and model, the score beyond what the model gets on the whole; not a
            number where it was not graded.
        incumbent: Column of the model that is best on the whole.
    """
    known = ~np.isnan(missed)
    graded = known.sum(1)
    common = np.where(known, missed, 0.0).sum(1) / np.maximum(graded, 1)  # 2
    beside = known[:, incumbent] & (graded > 1)
    common[beside] = missed[beside, incumbent]  # 1
    alone = graded == 1
    if alone.any():  # 3
        hard = np.where(alone, common, np.nan)[:, None]
        common[alone] = fit_slopes(rows, hard)[1][alone, 0]
    outcomes = np.pad(missed - common[:, None], ((0, 0), (0, 1)), constant_values=np.nan)
    slopes, lines = fit_slopes(rows, outcomes)
    clusters = fit_clusters(np.hstack([rows, _LINES * lines]), outcomes)
    return Neighborhood(
        columns={key: column for column, key in enumerate(keys)},
        trust=np.append(known.sum(0) / (known.sum(0) + _BETTER), 0.0),
        width=rows.shape[1],
        slopes=slopes,
        clusters=clusters,
    )
