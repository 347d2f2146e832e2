"""Groups of requests that are alike, and how near to each a request is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_GRAINS: Final = (8, 16, 32, 64)
_ROUNDS: Final = 10
_SPAN: Final = 0.4
"""How far nearness reaches, in parts of the usual squared distance."""
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
    span: float
    """A squared distance at which nearness has fallen to a third."""
    scales: Array
    """By cluster: nearness is multiplied by that, for all clusters to tell as much."""
    variances: Array
    """By cluster and model, of what is not known about its mean; one way's part of that."""
    nearby: Array
    """By cluster: one way's part, by the distance from the center within which nine of ten are."""

    def at(self, row: Array) -> tuple[Array, Array, float]:
        """Give how near each cluster is, the variances around a row, and its distance in far."""
        squares = row @ row - 2 * (self.centers @ row - self.halves)
        squares = np.maximum(squares, 0.0)
        ways = zip(self.starts, self.starts[1:], strict=False)
        near = [start + int(squares[start:end].argmin()) for start, end in ways]
        distance = np.sqrt(squares[near]) @ self.nearby[near]
        nearness = np.exp(squares / -self.span) * self.scales
        return nearness, self.variances[near].sum(0), float(distance)


def fit_clusters(rows: Array, outcomes: Array) -> tuple[Clusters, Array]:
    """Group requests, and tell how near each is to each group.

    Args:
        rows: By request and feature.
        outcomes: By request and model, around zero; not a number where none is known.
    """
    counts = [min(grain, len(rows) // 4) for grain in _GRAINS]
    parts = zip(*(_fit(rows, outcomes, count) for count in counts), strict=True)
    centers, variances, far = (np.concatenate(part) for part in parts)
    squares = _squares(rows, centers)
    span = max(_SPAN * float(np.median(squares)), _SAME**2)
    nearness = np.exp(squares / -span)
    scales = 1 / (nearness.std(0) + 1e-6)
    clusters = Clusters(
        starts=(0, *np.cumsum(counts).tolist()),
        centers=centers,
        halves=(centers**2).sum(1) / 2,
        span=span,
        scales=scales,
        variances=variances / len(counts),
        nearby=1 / far / len(counts),
    )
    return clusters, nearness * scales


def _fit(rows: Array, outcomes: Array, count: int) -> tuple[Array, Array, Array]:
    centers = _centers(rows, count)
    squares = _squares(rows, centers)
    nearest = squares.argmin(1)
    far = max(float(np.quantile(_apart(squares.min(1), nearest), _USUAL)), _SAME)
    return centers, _variances(outcomes, nearest, count), np.full(count, far)


def _centers(rows: Array, count: int) -> Array:
    """Find centers by Lloyd's rounds, from rows that a fixed seed picks."""
    centers = rows[np.random.default_rng(0).permutation(len(rows))[:count]]
    for _ in range(_ROUNDS):
        nearest = _squares(rows, centers).argmin(1)
        members = np.zeros((count, len(rows)))
        members[nearest, np.arange(len(rows))] = 1.0
        sizes = members.sum(1, keepdims=True)
        centers = np.where(sizes > 0, members @ rows / np.maximum(sizes, 1), centers)
    return centers


def _apart(squares: Array, nearest: NDArray[np.intp]) -> Array:
    """Give distances from centers as if each request had no part in its own."""
    others = np.bincount(nearest)[nearest] - 1
    distances: Array = np.sqrt(squares) * (1 + 1 / np.maximum(others, 1))
    return distances


def _squares(rows: Array, centers: Array) -> Array:
    """Give squared distances, by row and center."""
    squares = (rows**2).sum(1)[:, None] - 2 * rows @ centers.T + (centers**2).sum(1)
    positive: Array = np.maximum(squares, 0.0)
    return positive


def _variances(outcomes: Array, nearest: NDArray[np.intp], count: int) -> Array:
    """Tell what is not known of the mean outcome of each cluster (empirical Bayes)."""
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
    variances: Array = signal * noise / (signal * sizes + noise)
    return variances
