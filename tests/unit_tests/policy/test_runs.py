"""How long one model stays the best, and what is new in memory."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_lmswitch.policy.runs import FIRST_RUN, Runs, is_fresh


def seen(*winners: str) -> Runs:
    runs = Runs()
    for one in winners:
        runs = runs.after(one)
    return runs


def test_nothing_seen_is_a_guess() -> None:
    assert Runs().expected == FIRST_RUN


def test_long_runs_raise_what_is_expected_and_short_ones_lower_it() -> None:
    long = seen(*"a" * 20, *"b" * 20, "a")
    short = seen(*"ab" * 20)

    assert short.expected < FIRST_RUN < long.expected
    assert short.expected == pytest.approx(1.0, abs=0.05)


def test_run_under_way_counts_as_soon_as_it_is_longer_than_the_others() -> None:
    assert seen(*"a" * 30).expected > seen(*"a" * 5).expected


@given(st.lists(st.sampled_from("abc"), max_size=60))
def test_no_more_is_expected_than_was_ever_seen(winners: list[str]) -> None:
    assert 1.0 <= seen(*winners).expected <= max(FIRST_RUN, len(winners))


@pytest.mark.parametrize(
    ("age_s", "requests", "fresh"),
    [(0.0, 0, True), (59.9, 2, True), (60.0, 0, False), (1.0, 3, False)],
)
def test_what_is_new_stays_for_a_minute_or_three_requests(
    age_s: float,
    requests: int,
    fresh: bool,  # noqa: FBT001
) -> None:
    assert is_fresh(age_s=age_s, requests=requests) is fresh
