"""How good choices were, beside the best single model, a random mix and what was possible."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from langchain_lmswitch.testing.bench.routing.tables import Scores

Utilities = NDArray[np.float64]
"""By prompt and model; the highest is chosen."""
Picks = NDArray[np.intp]

_SHUFFLES: Final = 200
_RESAMPLES: Final = 500
_INTERVAL: Final = (2.5, 97.5)
_TINY: Final = 1e-12
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What a router's choices came to; scores from 0 to 1, the rest in percent."""

    gain_pct: float
    """Over the best single model."""
    gain_lo: float
    gain_hi: float
    """Its 95 % interval, by resampling prompts."""
    skill_z: float
    """What reading the prompts is worth, in standard deviations of the same mix of models dealt to
    shuffled prompts; 3 or more is no chance."""
    save100_pct: float | None
    """Weights moved that are saved where the quality is no less than the best single model's;
    `None` if it never is."""
    save95_pct: float | None
    """The same at 95 % of its quality."""
    score: float
    best_single: float
    oracle: float
    """With the best model for each prompt, by hindsight."""
    random: float
    skill_pct: float
    """Points above that mix."""
    oracle_gap_pct: float
    """How much of the way from the best single model to the oracle it went."""
    moved_b: float
    """Billions of weights that an answer moves, on average."""


def marked(
    utilities: Utilities,
    scores: Scores,
    *,
    moved_b: NDArray[np.float64],
    incumbent: int,
    curve: Sequence[Utilities] = (),
) -> Marks:
    """Mark choices.

    Args:
        utilities: Where quality alone counts.
        scores: How good each answer was.
        moved_b: What each model costs.
        incumbent: The best single model, as it was known before.
        curve: Utilities where thrift counts more and more.
    """
    rows = np.arange(len(scores))
    picks = utilities.argmax(axis=1)
    got, best = scores[rows, picks], scores[:, incumbent]
    oracle = scores.max(axis=1).mean()
    dice = np.random.default_rng(0)
    mixed = np.array([scores[rows, dice.permutation(picks)].mean() for _ in range(_SHUFFLES)])
    low, high = _interval(got - best, dice)
    points = [_point(one, scores, moved_b) for one in (*curve, utilities)]
    return Marks(
        gain_pct=_percent(got.mean() - best.mean(), best.mean()),
        gain_lo=_percent(low, best.mean()),
        gain_hi=_percent(high, best.mean()),
        skill_z=float((got.mean() - mixed.mean()) / (mixed.std() + _TINY)),
        save100_pct=_saved(points, 1.0 * best.mean(), moved_b[incumbent]),
        save95_pct=_saved(points, 0.95 * best.mean(), moved_b[incumbent]),
        score=float(got.mean()),
        best_single=float(best.mean()),
        oracle=float(oracle),
        random=float(scores.mean()),
        skill_pct=float(100 * (got.mean() - mixed.mean())),
        oracle_gap_pct=_percent(got.mean() - best.mean(), oracle - best.mean()),
        moved_b=float(moved_b[picks].mean()),
    )


def gap_recovered(
    gains: NDArray[np.float64], scores: Scores, *, weak: int, strong: int
) -> float | None:
    """Average the performance gap that is recovered over all shares of calls to the strong model.

    RouteLLM's APGR: chance gives 0.5. `None` if there is no gap.

    Args:
        gains: What the strong model is expected to gain on each prompt.
        scores: How good each answer was.
        weak: Place of the weak model.
        strong: Place of the strong model.
    """
    gap = scores[:, strong] - scores[:, weak]
    if gap.mean() <= 0:
        return None
    # Calls go to the strong model one by one, where it is expected to gain most.
    recovered = np.concatenate([[0.0], np.cumsum(gap[np.argsort(-gains)])]) / len(gap)
    return float(recovered.mean() / gap.mean())


def _percent(part: float, whole: float) -> float:
    return float(100 * part / whole) if whole > 0 else 0.0


def _interval(differences: Scores, dice: np.random.Generator) -> tuple[float, float]:
    count = len(differences)
    means = [differences[dice.integers(0, count, count)].mean() for _ in range(_RESAMPLES)]
    low, high = np.percentile(means, _INTERVAL)
    return float(low), float(high)


def _point(
    utilities: Utilities, scores: Scores, moved_b: NDArray[np.float64]
) -> tuple[float, float]:
    """Give what one setting of the knob costs, and how good it is."""
    picks = utilities.argmax(axis=1)
    return float(moved_b[picks].mean()), float(scores[np.arange(len(scores)), picks].mean())


def _saved(
    points: Sequence[tuple[float, float]], least_score: float, usual_b: float
) -> float | None:
    enough = [cost_b for cost_b, score in points if score >= least_score - _ROUNDING]
    return float(100 * (1 - min(enough) / usual_b)) if enough else None
