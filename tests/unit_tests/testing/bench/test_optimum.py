"""The optimum, held against every eviction that could be made, and against all policies."""

import random
from functools import cache
from itertools import chain, combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.testing.bench.optimum import least_load_seconds
from langchain_lmswitch.testing.bench.rivals import RIVALS, load_seconds
from langchain_lmswitch.testing.bench.streams import GB, Stream, model


def stream(gb: list[float], requests: list[int]) -> Stream:
    models = tuple(model(f"m{at}", size) for at, size in enumerate(gb))
    return Stream(
        name="made",
        models=models,
        requests=tuple(requests),
        tight_bytes=12 * GB,
        roomy_bytes=24 * GB,
    )


def least_of_all(one: Stream, budget_bytes: int) -> float:
    """Try every set that can be kept at every load, also those that could be larger."""

    @cache
    def rest_s(at: int, held: frozenset[int]) -> float:
        if at == len(one.requests):
            return 0.0
        place = one.requests[at]
        if place in held:
            return rest_s(at + 1, held)
        parts = chain.from_iterable(combinations(held, count) for count in range(len(held) + 1))
        sets = [frozenset(part) | {place} for part in parts]
        fitting = [
            kept for kept in sets if sum(one.models[each].bytes for each in kept) <= budget_bytes
        ]
        return one.models[place].load_s + min(rest_s(at + 1, kept) for kept in fitting)

    return rest_s(0, frozenset())


SIZES = st.lists(st.sampled_from([0.6, 1.0, 2.5, 4.7, 9.0, 11.3]), min_size=1, max_size=5)


@st.composite
def streams(draw: st.DrawFn, *, longest: int) -> Stream:
    gb = draw(SIZES)
    places = st.integers(0, len(gb) - 1)
    return stream(gb, draw(st.lists(places, min_size=1, max_size=longest)))


@given(streams(longest=12))
def test_nothing_is_less(one: Stream) -> None:
    found_s = least_load_seconds(one, one.tight_bytes)

    assert found_s == pytest.approx(least_of_all(one, one.tight_bytes))


@given(streams(longest=60))
def test_no_policy_is_below_it(one: Stream) -> None:
    for budget_bytes in (one.tight_bytes, one.roomy_bytes):
        least_s = least_load_seconds(one, budget_bytes)
        assert all(load_seconds(one, budget_bytes, each) >= least_s - 1e-6 for each in RIVALS)


def test_each_once_if_all_fit() -> None:
    one = stream([1.0, 2.0, 3.0], [0, 1, 2] * 50)

    total_s = sum(each.load_s for each in one.models)
    assert least_load_seconds(one, one.tight_bytes) == pytest.approx(total_s)


def test_round_over_capacity_misses_one_each_time() -> None:
    """Of four of which three fit: by hindsight every third request is a load, not every one."""
    one = stream([4.0] * 4, [at % 4 for at in range(400)])

    loads = least_load_seconds(one, one.tight_bytes) / one.models[0].load_s
    assert loads == pytest.approx(4 + 396 / 3)


def test_eight_models_and_three_thousand_requests_are_no_trouble() -> None:
    dice = random.Random(3)  # noqa: S311
    one = stream([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], dice.choices(range(8), k=3000))

    assert 0 < least_load_seconds(one, one.roomy_bytes) < load_seconds(one, one.roomy_bytes, "lru")


@pytest.mark.parametrize("gb", [[1.0] * 9, [1.0, 13.0]])
def test_what_has_no_exact_optimum_is_refused(gb: list[float]) -> None:
    with pytest.raises(InvalidRequest, match="take at most 8 models"):
        least_load_seconds(stream(gb, [0]), 12 * GB)
