"""How outcomes rise and fall with a request's features: ridge regressions, one for each model."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_RIDGES = np.array([5.0, 10, 20, 40, 80, 160, 320, 640, 2_000, 10_000])


@dataclass(frozen=True, slots=True, kw_only=True)
class Slopes:
    """Straight lines through the outcomes of several models."""

    center: Array
    steepness: Array
    """By feature and model."""

    def at(self, rows: Array) -> Array:
        """Read off what is expected for each row and model."""
        read: Array = (rows - self.center) @ self.steepness
        return read


def fit_slopes(rows: Array, outcomes: Array) -> tuple[Slopes, Array]:
    """Fit lines, and read them off at the rows themselves.

    How much a line may rise is told by the evidence, as for a Gaussian prior. Where a row's own
    outcome is in the fit, it is left out of what is read off there: else lines would look better
    than they are.

    Args:
        rows: By request and feature.
        outcomes: By request and model, around zero; not a number where none is known.
    """
    center = rows.mean(0)
    centered = rows - center
    read, steepness = np.zeros_like(outcomes), np.zeros((rows.shape[1], outcomes.shape[1]))
    known = ~np.isnan(outcomes)
    for mask in np.unique(known, axis=1).T:
        columns = np.flatnonzero((known == mask[:, None]).all(0))
        if mask.any():
            found = _fit(centered[mask], outcomes[np.ix_(mask, columns)])
            steepness[:, columns], read[np.ix_(mask, columns)] = found
            read[np.ix_(~mask, columns)] = centered[~mask] @ found[0]
    return Slopes(center=center, steepness=steepness), read


def _fit(rows: Array, outcomes: Array) -> tuple[Array, Array]:
    spans, axes = np.linalg.eigh(rows.T @ rows)
    spans = np.maximum(spans, 0.0)
    turned = rows @ axes
    pull = turned.T @ outcomes
    ridges = _RIDGES[_evidence(spans, pull, outcomes).argmax(0)]
    steepness = pull / (spans[:, None] + ridges)
    read = turned @ steepness
    own = turned**2 @ (1 / (spans[:, None] + ridges)) + 1 / len(rows)
    own = np.minimum(own, 0.9)
    return axes @ steepness, read - (outcomes - read) * own / (1 - own)


def _evidence(spans: Array, pull: Array, outcomes: Array) -> Array:
    """Tell how likely the outcomes are, by ridge and model; their noise is fitted along."""
    ridged = spans[:, None] + _RIDGES
    missed = (outcomes**2).sum(0) - np.einsum("fm,fr->rm", pull**2, 1 / ridged)
    volume = np.log1p(spans[:, None] / _RIDGES).sum(0)
    evidence: Array = -len(outcomes) * np.log(np.maximum(missed, 1e-9)) - volume[:, None]
    return evidence
