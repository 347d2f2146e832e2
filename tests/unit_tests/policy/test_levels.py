"""What grades make of priors: the rule as it is written, and as it is worked out."""

import numpy as np
import pytest

from langchain_lmswitch.policy.levels import Array, fit_levels

TASKS, LEVELS, MODELS = 4, 3, 5


def graded(seed: int) -> tuple[Array, Array]:
    """Make up weights and scores, with tasks and a model of which nothing is known."""
    dice = np.random.default_rng(seed)
    weights = dice.exponential(30.0, (TASKS, LEVELS, MODELS)) * dice.integers(0, 2, (TASKS, 1, 1))
    weights[..., -1] = 0.0
    return weights, weights * dice.random(weights.shape)


def over_all(priors: Array, weights: Array, scores: Array, *, most: float) -> tuple[Array, Array]:
    """Move priors by how models differ where they were graded side by side."""
    by_task, sums = weights.sum(1), scores.sum(1)
    design, target, count = [], [], []
    for task in range(TASKS):
        for model in range(MODELS):
            if by_task[task, model] > 0:
                design.append(np.eye(MODELS)[model].tolist() + np.eye(TASKS)[task].tolist())
                target.append(sums[task, model] / by_task[task, model])
                count.append(by_task[task, model])
    if not count:
        return priors, np.full(MODELS, 20.0)
    root = np.sqrt(np.array(count))
    fitted = np.linalg.lstsq(np.array(design) * root[:, None], np.array(target) * root)[0]
    of_all = by_task / np.maximum(by_task.sum(1, keepdims=True), 1e-9)
    beside = (by_task * (1 - of_all)).sum(0)
    grades = beside * most / (beside + most)
    share = grades / (20 + grades)
    moved = fitted[:MODELS] - priors
    return priors + share * (moved - np.average(moved, weights=share)), 20 + grades


def step(expected: Array, strength: Array, weights: Array, scores: Array) -> tuple[Array, Array]:
    """Move one row: first by what all missed, then each by what it missed itself."""
    trust = strength / (strength + weights)
    missed = ((scores - weights * expected) * trust).sum()
    alike = expected + missed / ((weights * trust).sum() + 5)
    return alike + (scores - weights * alike) / (strength + weights), strength + weights


@pytest.mark.parametrize("seed", range(6))
def test_the_rule_as_it_is_written(seed: int) -> None:
    weights, scores = graded(seed)
    dice = np.random.default_rng(seed + 100)
    priors, cells = dice.random(MODELS), dice.dirichlet(np.ones(TASKS * LEVELS))
    start, strength = over_all(priors, weights, scores, most=60.0)
    quality, worth = np.zeros(MODELS), np.zeros(MODELS)
    for task in range(TASKS):
        of_task, known = step(start, strength, weights[task].sum(0), scores[task].sum(0))
        known = known * 60 / (known + 60)
        for level in range(LEVELS):
            best, sure = step(of_task, known, weights[task, level], scores[task, level])
            quality += cells[task * LEVELS + level] * best
            worth += cells[task * LEVELS + level] * sure

    judged = fit_levels(weights, scores).judge(cells, priors)

    assert judged.quality == pytest.approx(quality, abs=1e-3)
    assert judged.strength == pytest.approx(worth)
    whole = over_all(priors, weights, scores, most=1e12)[0]
    assert judged.overall == pytest.approx(whole, abs=1e-3)


def test_no_grades_leave_the_priors() -> None:
    nothing = np.zeros((TASKS, LEVELS, MODELS))
    priors = np.linspace(0.2, 0.8, MODELS)

    judged = fit_levels(nothing, nothing).judge(np.full(12, 1 / 12), priors)

    assert judged.quality == pytest.approx(priors)
    assert judged.overall == pytest.approx(priors)
    assert judged.grades.sum() == 0
