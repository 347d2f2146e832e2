"""What became of requests like this one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from langchain_lmswitch.policy.clusters import Array, Clusters, fit_clusters
from langchain_lmswitch.policy.slopes import Slopes, fit_slopes

_LINES: Final = 6.0
"""How far apart requests are whose expected outcomes differ, beside those whose words do."""
_HILLS: Final = 0.7
_PLENTY: Final = 500.0
"""Most that the hills' share in the answer may be, and the requests from which on it is more than
half of that: few requests tell which way is up, but not where the hills are."""
_BETTER: Final = 300.0
"""Grades of a model from which on its neighborhood tells more than its task."""
_NOVEL: Final = 1.1
_STEEP: Final = 12
"""At 1.1 times what is far, half of what was learnt of the neighborhood is believed; much farther,
nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighborhood:
    """Lines and hills through the outcomes of the same requests.

    A hill rises or falls around the center of each cluster, for each model.
    """

    columns: Mapping[str, int]
    """Of the models; the last column is for those that were never graded."""
    trust: Array
    """By model, 0 to 1: by how much this tells more than its task does."""
    width: int
    """Of a row."""
    slopes: Slopes
    clusters: Clusters
    hills: Slopes
    """Through nearness to the clusters."""
    share: float
    """Of the hills; the rest is the lines'."""

    def at(self, row: Array) -> tuple[Array, Array, float]:
        """Give each model's gain over its whole, its variance, and how familiar this is.

        What is familiar, 0 to 1, is what has been seen before; the gain is not yet scaled by it.
        """
        lines = self.slopes.at(row)
        placed = np.concatenate([row, _LINES * lines])
        nearness, variances, distance = self.clusters.at(placed)
        gains = lines + self.share * (self.hills.at(nearness) - lines)
        return gains, variances, 1 / (1 + (distance / _NOVEL) ** _STEEP)


def fit_neighborhood(keys: Sequence[str], rows: Array, missed: Array) -> Neighborhood:
    """Learn from requests; how hard each was is common to all models, and is taken off.

    1. Where several models answered, it is how much they differ from their mean that counts.
    2. Where one did, a line through all such requests tells how hard it was.

    Args:
        keys: Of the models.
        rows: Features, by request.
        missed: By request and model, the score beyond what the model gets on the whole; not a
            number where it was not graded.
    """
    known = ~np.isnan(missed)
    graded = known.sum(1)
    common = np.where(known, missed, 0.0).sum(1) / np.maximum(graded, 1)  # 1
    alone = graded == 1
    if alone.any():  # 2
        hard = np.where(alone, common, np.nan)[:, None]
        common[alone] = fit_slopes(rows, hard)[1][alone, 0]
    outcomes = np.pad(missed - common[:, None], ((0, 0), (0, 1)), constant_values=np.nan)
    slopes, lines = fit_slopes(rows, outcomes)
    clusters, nearness = fit_clusters(np.hstack([rows, _LINES * lines]), outcomes)
    return Neighborhood(
        columns={key: column for column, key in enumerate(keys)},
        trust=np.append(known.sum(0) / (known.sum(0) + _BETTER), 0.0),
        width=rows.shape[1],
        slopes=slopes,
        clusters=clusters,
        hills=fit_slopes(nearness, outcomes)[0],
        share=_HILLS * len(rows) / (len(rows) + _PLENTY),
    )
