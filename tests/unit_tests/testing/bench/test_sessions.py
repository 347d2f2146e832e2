"""Requests for a memory that does not hold all models, played by the product's own choice."""

import pytest

from langchain_lmswitch.testing import card
from langchain_lmswitch.testing.bench.sessions import POINTS_PER_SECOND, Asked, Played, play
from langchain_lmswitch.types.grades import Expected
from langchain_lmswitch.types.tasks import Task

GB = 10**9
CARDS = [card("a", size_bytes=3 * GB), card("b", size_bytes=3 * GB)]
TASK = Task(kind="knowledge", confidence=1.0, evidence="")


def asked(best: str, *, gain: float = 0.1) -> Asked:
    qualities = {one.key: 0.5 + gain * (one.key == best) for one in CARDS}
    expected = {key: Expected(quality=value, prior=value) for key, value in qualities.items()}
    return Asked(task=TASK, expected=expected, scores=qualities)


def played(order: str, *, gb: int = 4, steady: bool = True, gain: float = 0.1) -> Played:
    requests = [asked(best, gain=gain) for best in order]
    return play(CARDS, requests, budget_bytes=gb * GB, steady=steady)


def test_every_load_and_every_answer_is_counted() -> None:
    """A load takes 2 s and the size at 1.5 GB/s: here 4 s."""
    done = played("aabb", steady=False)

    assert (done.requests, done.loads, done.load_s) == (4, 2, 8.0)
    assert done.loads_per_100 == 50.0
    assert done.score == pytest.approx(0.6)
    assert done.utility == pytest.approx(0.6 - POINTS_PER_SECOND * 2)


def test_what_fits_beside_the_other_is_loaded_once() -> None:
    assert played("abababab", gb=6, steady=False).loads == 2


def test_small_gains_make_nobody_leave() -> None:
    assert played("ab" * 20, steady=False, gain=0.02).loads == 40
    assert played("ab" * 20, gain=0.02).loads == 1


def test_large_gains_do_and_so_do_small_ones_that_last() -> None:
    assert played("a" * 4 + "b" * 4, gain=0.3).loads == 2
    assert played("a" * 4 + "b" * 40, gain=0.03).loads == 2


def test_what_is_larger_than_the_memory_is_not_loaded() -> None:
    done = play(
        [*CARDS, card("c", size_bytes=9 * GB)],
        [
            Asked(
                task=TASK,
                expected={key: Expected(quality=one, prior=one) for key, one in SCORES.items()},
                scores=SCORES,
            )
        ],
        budget_bytes=4 * GB,
        steady=False,
    )

    assert done.score == SCORES["b"]


SCORES = {"a": 0.1, "b": 0.2, "c": 0.9}
