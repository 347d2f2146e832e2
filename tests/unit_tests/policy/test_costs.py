"""What answers cost: seconds, and their price."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_lmswitch.policy.costs import (
    active_billion,
    answer_s,
    guessed_pace,
    pace_of,
    price,
    size_of,
)
from langchain_lmswitch.testing import card
from langchain_lmswitch.types.paces import Pace
from langchain_lmswitch.types.tasks import Features, Needs, Task, TaskKind

GB = 10**9


def task(kind: TaskKind = "chat", *, difficulty: float = 0.5, prompt: int = 0) -> Task:
    return Task(
        kind=kind,
        confidence=0.8,
        evidence="a word",
        needs=Needs(context_tokens=min(prompt, 10), wanted_tokens=prompt + 512),
        features=Features(difficulty=difficulty),
    )


@given(st.floats(0, 1), st.floats(0, 1))
def test_price_falls_as_the_knob_rises_and_ends_at_nothing(one: float, other: float) -> None:
    low, high = sorted((one, other))

    assert price(low) >= price(high) >= price(1.0) == 0.0


def test_price_in_the_middle_and_at_the_end() -> None:
    assert price(0.5) == pytest.approx(0.002)
    assert price(0.0) == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("key", "params", "billion"),
    [
        ("qwen3-30b-a3b-instruct", "", 3.0),
        ("granite", "7B-A1.5B", 1.5),
        ("mixtral-8x7b-instruct-v0.1", "", pytest.approx(12.6)),
        ("llama-3.2-3b", "", 3.0),
        ("lora-a16b-like", "8B", 8.0),
        ("qwen2.5-7b", "7B", 7.0),
        ("mystery", "", pytest.approx(1 / 6, rel=0.1)),
    ],
)
def test_active_parameters(key: str, params: str, billion: float) -> None:
    assert active_billion(card(key, params=params)) == billion


def test_a_guess_halves_with_twice_the_weights() -> None:
    small = guessed_pace(card("a", params="4B", size_bytes=2 * GB))
    large = guessed_pace(card("b", params="8B", size_bytes=4 * GB))

    assert small.tokens_per_second == pytest.approx(50.0)
    assert large.tokens_per_second == pytest.approx(25.0)


def test_a_mixture_of_experts_is_as_fast_as_what_is_active_of_it() -> None:
    """Its size on disk tells the bytes of a weight, not how many are read."""
    mixed = guessed_pace(card("qwen3-30b-a3b", size_bytes=15 * GB))
    dense = guessed_pace(card("plain-3b", size_bytes=GB * 3 // 2))

    assert mixed.tokens_per_second == pytest.approx(dense.tokens_per_second)


@pytest.mark.parametrize("size_bytes", [0, 1, 10**15])
def test_odd_sizes_give_a_pace_all_the_same(size_bytes: int) -> None:
    pace = guessed_pace(card("odd-7b", size_bytes=size_bytes))

    assert 1 < (pace.tokens_per_second or 0) < 100


def test_seconds_are_reading_and_writing() -> None:
    pace = Pace(read_tokens_per_second=100.0, tokens_per_second=10.0)

    size = size_of(task(prompt=400))

    assert answer_s(size, pace) == pytest.approx(4 + 15)
    assert answer_s(size, pace, known_prompt=True) == pytest.approx(0.1 + 15)


def test_harder_requests_get_longer_answers() -> None:
    easy, hard = (size_of(task("code", difficulty=difficulty)) for difficulty in (0.0, 1.0))

    assert hard.answer == pytest.approx(1.5 * easy.answer)


def test_uncertain_tasks_are_mixed() -> None:
    kinds: dict[TaskKind, float] = {"code": 0.5, "facts": 0.5}
    mixed = Task(
        kind="code", confidence=0.5, evidence="x", features=Features(kinds=kinds, difficulty=0.5)
    )

    assert size_of(mixed).answer == pytest.approx((350 + 120) / 2)


@pytest.mark.parametrize(("answers", "takes_s"), [(7, 15.0), (8, 30.0)])
def test_who_thinks_aloud_takes_longer_once_that_is_known(answers: int, takes_s: float) -> None:
    pace = Pace(answers=answers, answer_tokens=600.0, tokens_per_second=10.0)

    assert answer_s(size_of(task()), pace) == pytest.approx(takes_s)


def test_what_was_not_seen_is_guessed() -> None:
    one = card("a", params="4B", size_bytes=2 * GB)
    seen = Pace(answers=1, tokens_per_second=9.0)

    assert pace_of(one, seen).tokens_per_second == 9.0
    assert pace_of(one, seen).read_tokens_per_second == pytest.approx(750.0)
    assert pace_of(one, None) == guessed_pace(one)
