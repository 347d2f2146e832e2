"""Marks of choices, against a plain computation and against what they must be."""

from statistics import fmean

import numpy as np
import pytest

from langchain_lmswitch.testing.bench.routing import gap_recovered, marked

SCORES = np.random.default_rng(3).random((400, 3)).round(1)
MOVED_B = np.array([7.0, 14.0, 70.0])
NOISE = np.random.default_rng(4).normal(0, 0.4, SCORES.shape)


def test_marks_are_those_of_a_plain_computation() -> None:
    """Every number again, in loops over plain lists."""
    told = SCORES + NOISE
    curve = [told - weight * MOVED_B for weight in (0.001, 0.004, 0.02)]

    found = marked(told, SCORES, moved_b=MOVED_B, incumbent=1, curve=curve)

    picks = [max(range(3), key=lambda at: row[at]) for row in told.tolist()]
    got = [row[pick] for row, pick in zip(SCORES.tolist(), picks, strict=True)]
    best = fmean(row[1] for row in SCORES.tolist())
    assert found.score == pytest.approx(fmean(got))
    assert found.best_single == pytest.approx(best)
    assert found.oracle == pytest.approx(fmean(map(max, SCORES.tolist())))
    assert found.gain_pct == pytest.approx(100 * (fmean(got) / best - 1))
    assert found.moved_b == pytest.approx(fmean(MOVED_B[pick] for pick in picks))
    points = []
    for one in (*curve, told):
        chosen = [max(range(3), key=lambda at: row[at]) for row in one.tolist()]
        quality = fmean(row[pick] for row, pick in zip(SCORES.tolist(), chosen, strict=True))
        points.append((fmean(MOVED_B[pick] for pick in chosen), quality))
    for level, saved in ((1.0, found.save100_pct), (0.95, found.save95_pct)):
        least = min(cost for cost, quality in points if quality >= level * best)
        assert saved == pytest.approx(100 * (1 - least / 14.0))


def test_interval_is_about_two_standard_errors_each_way() -> None:
    found = marked(SCORES + NOISE, SCORES, moved_b=MOVED_B, incumbent=1)

    picks = (SCORES + NOISE).argmax(axis=1)
    differences = SCORES[np.arange(400), picks] - SCORES[:, 1]
    error_pct = 100 * differences.std() / 20 / SCORES[:, 1].mean()
    assert found.gain_pct - found.gain_lo == pytest.approx(1.96 * error_pct, rel=0.15)
    assert found.gain_hi - found.gain_pct == pytest.approx(1.96 * error_pct, rel=0.15)


def test_skill_is_none_for_dice_and_large_for_who_reads() -> None:
    dice = np.random.default_rng(5).random(SCORES.shape)

    assert abs(marked(dice, SCORES, moved_b=MOVED_B, incumbent=0).skill_z) < 3
    assert marked(SCORES, SCORES, moved_b=MOVED_B, incumbent=0).skill_z > 10


def test_who_always_takes_the_incumbent_gains_and_saves_nothing() -> None:
    always = np.tile([0.0, 1.0, 0.0], (400, 1))

    found = marked(always, SCORES, moved_b=MOVED_B, incumbent=1)

    assert (found.gain_pct, found.gain_lo, found.gain_hi) == (0, 0, 0)
    assert (found.save100_pct, found.save95_pct) == (0, 0)
    assert abs(found.skill_z) < 0.01


def test_never_as_good_saves_nothing_that_could_be_told() -> None:
    scores = np.tile([0.0, 1.0], (50, 1))
    worst = np.tile([1.0, 0.0], (50, 1))

    found = marked(worst, scores, moved_b=MOVED_B[:2], incumbent=1)

    assert found.save100_pct is None
    assert found.save95_pct is None
    assert found.gain_pct == -100


def test_gap_recovered_is_half_by_chance_and_more_for_who_knows() -> None:
    scores = np.random.default_rng(6).random((4000, 2)) + np.array([0.0, 0.3])
    gain = scores[:, 1] - scores[:, 0]

    chance = gap_recovered(np.random.default_rng(1).random(4000), scores, weak=0, strong=1)
    known = gap_recovered(gain, scores, weak=0, strong=1)
    wrong = gap_recovered(-gain, scores, weak=0, strong=1)

    assert chance == pytest.approx(0.5, abs=0.05)
    assert known is not None
    assert known > 0.7
    assert wrong == pytest.approx(1 - known, abs=0.01)


def test_gap_that_is_none_cannot_be_recovered() -> None:
    scores = np.tile([0.5, 0.5], (10, 1))

    assert gap_recovered(np.arange(10.0), scores, weak=0, strong=1) is None
