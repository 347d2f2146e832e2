"""How soon a model is asked for again: by share, by habit, and by what has changed."""

import random
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_lmswitch.policy.demand import Demand

ROUND = ["embedder", "router", "chat", "coder"]


def demand(requests: Iterable[str]) -> Demand:
    found = Demand()
    for key in requests:
        found.note(key)
    return found


def by_rate(found: Demand) -> list[str]:
    return sorted(found.keys, key=found.rate, reverse=True)


def dice_thrown(weights: dict[str, int], times: int, seed: int = 1) -> list[str]:
    dice = random.Random(seed)  # noqa: S311
    return dice.choices(list(weights), list(weights.values()), k=times)


def test_whoever_was_never_asked_for_has_no_rate() -> None:
    assert Demand().rate("a") == 0.0
    assert demand("ab").rate("c") == 0.0


def test_often_asked_for_is_soon_asked_for() -> None:
    found = demand([*dice_thrown({"a": 6, "b": 3, "c": 1}, 400), "now"])

    assert by_rate(found)[:3] == ["a", "b", "c"]


def test_requests_in_a_row_are_one_visit() -> None:
    once, often = demand("abcab"), demand("abbbbbccccab")

    assert [once.rate(key) for key in "abc"] == [often.rate(key) for key in "abc"]


@pytest.mark.parametrize("seen", [40, 41, 42, 43])
def test_in_a_round_the_last_one_is_needed_last(seen: int) -> None:
    """All have the same share: what was just used looks best by recency, and is worst."""
    found = demand(ROUND[step % 4] for step in range(seen))
    due = [ROUND[(seen + step) % 4] for step in range(4)]

    assert by_rate(found) == due


def test_round_that_ends_is_unlearnt() -> None:
    """The habit is trusted no longer than it holds."""
    thrown = dice_thrown({"coder": 6, "router": 3, "chat": 2, "embedder": 1}, 300)
    found = demand([*(ROUND * 30), *thrown])

    assert by_rate(found)[0] == "coder"


def test_what_was_asked_for_long_ago_fades() -> None:
    found = demand([*("ab" * 200), *("cd" * 100)])

    assert min(found.rate("c"), found.rate("d")) > 10 * max(found.rate("a"), found.rate("b"))


def test_doubt_goes_with_every_visit_and_not_with_requests_in_a_row() -> None:
    doubts = [demand("ab" * visits).doubt for visits in range(40)]

    assert doubts[0] == 1.0
    assert doubts[10] == pytest.approx(0.5)
    assert doubts == sorted(doubts, reverse=True)
    assert demand("abbbbb").doubt == demand("ab").doubt


def test_seventeenth_model_makes_the_least_wanted_be_forgotten() -> None:
    sixteen = [f"m{n:02}" for n in range(16)]
    found = demand([*(sixteen * 5), *(sixteen[1:] * 3), "new"])

    assert set(found.keys) == {*sixteen[1:], "new"}
    assert found.rate("m00") == 0.0
    assert found.rate("m05") > 0.0


@given(st.lists(st.integers(0, 30).map(str), max_size=200))
def test_rates_are_sane_and_the_same_for_the_same_requests(requests: list[str]) -> None:
    found, again = demand(requests), demand(requests)
    rates = [found.rate(key) for key in found.keys]

    assert len(found.keys) <= 16
    assert all(0.0 < rate <= 1.0 + 1e-9 for rate in rates)
    assert rates == [again.rate(key) for key in again.keys]
