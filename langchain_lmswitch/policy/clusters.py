"""Groups of requests that are alike, and how outcomes differ between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_GRAINS: Final = (8, 16, 32, 64)
_ROUNDS: Final = 10
_USUAL: Final = 0.9
"""Share of the requests that are nearer to their center than what counts as far."""
_SAME: Final = 0.1
"""Nearer than that, requests differ by nothing that matters; the vector of a text is 1 long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """Several ways of grouping requests, from coarse to fine; their parts lie one below another."""

    starts: Sequence[int]
    """Where each way starts, and where the last one ends."""
    centers: Array
    halves: Array
    """By cluster: half its center's squared length."""
    effects: Array
    """By cluster and model: how much better than usual its answers are; one way's part of that."""
    variances: Array
    """Of what is not known about `effects`."""
    nearby: Array
    """By cluster: one way's part, by the distance from the center within which nine of ten are."""

    def at(self, row: Array) -> tuple[Array, Array, float]:
        """Give the mean effects and variances around a row, and its distance in parts of far."""
        closeness = self.centers @ row - self.halves
        ways = zip(self.starts, self.starts[1:], strict=False)
        near = [start + int(closeness[start:end].argmax()) for start, end in ways]
        squares = row @ row - 2 * closeness[near]
        distance = np.sqrt(np.maximum(squares, 0.0)) @ self.nearby[near]
        return self.effects[near].sum(0), self.variances[near].sum(0), float(distance)


def fit_clusters(rows: Array, outcomes: Array) -> Clusters:
    """Group requests.

    Args:
        rows: By request and feature.
        outcomes: By request and model, around zero; not a number where none is known.
    """
    counts = [min(grain, len(rows) // 4) for grain in _GRAINS]
    centers, effects, variances, far = zip(
        *(_fit(rows, outcomes, count) for count in counts), strict=True
    )
    return Clusters(
        starts=(0, *np.cumsum(counts).tolist()),
        centers=np.concatenate(centers),
        halves=(np.concatenate(centers) ** 2).sum(1) / 2,
        effects=np.concatenate(effects) / len(counts),
        variances=np.concatenate(variances) / len(counts),
        nearby=1 / np.concatenate(far) / len(counts),
    )


def _fit(rows: Array, outcomes: Array, count: int) -> tuple[Array, Array, Array, Array]:
    centers = _centers(rows, count)
    nearest, distances = _nearest(rows, centers)
    far = max(float(np.quantile(distances, _USUAL)), _SAME)
    return centers, *_effects(outcomes, nearest, count), np.full(count, far)


def _centers(rows: Array, count: int) -> Array:
    """Find centers by Lloyd's rounds, from rows that a fixed seed picks."""
    centers = rows[np.random.default_rng(0).permutation(len(rows))[:count]]
    for _ in range(_ROUNDS):
        nearest, _ = _nearest(rows, centers)
        members = np.zeros((count, len(rows)))
        members[nearest, np.arange(len(rows))] = 1.0
        sizes = members.sum(1, keepdims=True)
        centers = np.where(sizes > 0, members @ rows / np.maximum(sizes, 1), centers)
    return centers


def _nearest(rows: Array, centers: Array) -> tuple[NDArray[np.intp], Array]:
    near = rows @ centers.T - (centers**2).sum(1) / 2
    nearest = near.argmax(1)
    squares = (rows**2).sum(1) - 2 * near[np.arange(len(rows)), nearest]
    return nearest, np.sqrt(np.maximum(squares, 0.0))


def _effects(outcomes: Array, nearest: NDArray[np.intp], count: int) -> tuple[Array, Array]:
    """Average outcomes by cluster, drawn to zero by as much as they are noise (empirical Bayes)."""
    known = ~np.isnan(outcomes)
    filled = np.where(known, outcomes, 0.0)
    members = np.zeros((count, len(outcomes)))
    members[nearest, np.arange(len(outcomes))] = 1.0
    sizes, sums = members @ known, members @ filled
    means = sums / np.maximum(sizes, 1)
    missed = np.where(known, filled - means[nearest], 0.0)
    clusters = (sizes > 0).sum(0)
    noise = (missed**2).sum(0) / np.maximum(sizes.sum(0) - clusters, 1) + 1e-6
    signal = ((sizes * means**2).sum(0) - clusters * noise) / np.maximum(sizes.sum(0), 1)
    signal = np.maximum(signal, 1e-6)
    shares = signal * sizes / (signal * sizes + noise)
    return shares * means, signal * (1 - shares)
