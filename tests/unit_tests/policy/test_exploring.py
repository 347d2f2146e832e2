"""Trying models of which little is known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_lmswitch.policy.exploring import curiosity
from langchain_lmswitch.types.grades import Expected


def expected(**spreads: float) -> dict[str, Expected]:
    return {key: Expected(quality=0.6, prior=0.5, spread=spread) for key, spread in spreads.items()}


@given(st.floats(0, 1), st.integers(0, 10**6), st.integers(1, 500))
def test_the_share_is_kept(share: float, first: int, requests: int) -> None:
    tried = sum(
        bool(curiosity(expected(a=0.1), resident=["a"], number=number, share=share))
        for number in range(first, first + requests)
    )

    assert tried == pytest.approx(share * requests, abs=1.1)


@given(st.integers(0, 10**6), st.floats(0, 5), st.floats(0, 5))
def test_only_those_in_memory_gain_and_within_bounds(number: int, one: float, two: float) -> None:
    told = expected(here=one, there=two)
    points = curiosity(told, resident=["here", "unknown"], number=number, share=1)

    assert points.keys() <= {"here"}
    assert 0 <= points.get("here", 0) <= min(0.1, one + 1e-4)
    assert curiosity(told, resident=["here"], number=number, share=1) == points


def test_what_is_known_has_nothing_to_hope_for() -> None:
    assert curiosity(expected(sure=0.0), resident=["sure"], number=3, share=1) == {}


def test_in_time_each_is_hoped_for_most() -> None:
    told = [
        curiosity(expected(a=0.1, b=0.1, c=0.1), resident="abc", number=number * 33, share=1)
        for number in range(300)
    ]
    best = [max(one, key=lambda key: one[key]) for one in told]

    assert all(best.count(key) > 60 for key in "abc")
