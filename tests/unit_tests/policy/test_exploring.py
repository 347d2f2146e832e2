"""Trying models of which little is known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_lmswitch.policy.exploring import hopeful, turn_to_explore
from langchain_lmswitch.types.grades import Expected


def expected(**spreads: float) -> dict[str, Expected]:
    return {
        key: Expected(quality=0.6, prior=0.5, spread=spread, reasons=("7B parameters +0.500",))
        for key, spread in spreads.items()
    }


@given(st.floats(0, 1), st.integers(0, 10**6), st.integers(1, 3000))
def test_the_share_is_kept(share: float, first: int, requests: int) -> None:
    tried = sum(turn_to_explore(number, share) for number in range(first, first + requests))

    assert tried == pytest.approx(share * requests, abs=1.1)


def test_the_ends_of_the_share() -> None:
    assert not any(turn_to_explore(number, 0) for number in range(1000))
    assert all(turn_to_explore(number, 1) for number in range(1000))


@given(st.integers(0, 10**6), st.floats(0, 5), st.floats(0, 5))
def test_only_those_in_memory_gain_and_within_bounds(number: int, one: float, two: float) -> None:
    before = expected(here=one, there=two)
    after = hopeful(before, resident=["here", "unknown"], number=number)

    assert after["there"] == before["there"]
    assert 0 <= after["here"].quality - before["here"].quality <= 0.1
    assert after["here"].learnt == pytest.approx(before["here"].learnt)
    assert hopeful(before, resident=["here"], number=number)["here"] == after["here"]


def test_what_is_known_has_nothing_to_hope_for() -> None:
    before = expected(sure=0.0)

    assert hopeful(before, resident=["sure"], number=3) == before


def test_in_time_each_is_hoped_for_most() -> None:
    told = [
        hopeful(expected(a=0.1, b=0.1, c=0.1), resident=["a", "b", "c"], number=number * 33)
        for number in range(300)
    ]
    best = [max(one, key=lambda key: one[key].quality) for one in told]

    assert all(best.count(key) > 60 for key in "abc")
    assert all(one.reasons[-1].startswith("tried out +") for one in told[0].values())
