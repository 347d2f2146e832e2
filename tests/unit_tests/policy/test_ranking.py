"""Scores of models for a task, and their order."""

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_lmswitch.policy.prior import params_billion
from langchain_lmswitch.policy.ranking import rank
from langchain_lmswitch.policy.runs import Runs
from langchain_lmswitch.testing import card
from langchain_lmswitch.types.decisions import Part
from langchain_lmswitch.types.models import ModelCard
from langchain_lmswitch.types.paces import Pace
from langchain_lmswitch.types.tasks import Features, Hints, Needs, Task, TaskKind


def task(
    kind: TaskKind = "chat", *, tools: bool = False, vision: bool = False, quality: float = 1.0
) -> Task:
    needs = Needs(tools=tools, vision=vision)
    hints = Hints(quality=quality)
    return Task(kind=kind, confidence=0.8, evidence="a word", needs=needs, hints=hints)


def order(request: Task, *cards: ModelCard, resident: tuple[str, ...] = ()) -> list[str]:
    return [one.key for one in rank(request, cards, resident=resident)]


def score(request: Task, one: ModelCard, *, resident: bool = True) -> float:
    [candidate] = rank(request, [one], resident={one.key} if resident else ())
    return candidate.score


@pytest.mark.parametrize(
    ("params", "key", "billions"),
    [
        ("7B", "x", 7.0),
        ("135M", "x", 0.135),
        ("0.5B", "x", 0.5),
        ("8x7B", "x", 56.0),
        ("1.5 B", "x", 1.5),
        ("", "qwen2.5-coder-0.5b-instruct", 0.5),
        ("", "smollm2-135m-instruct", 0.135),
        ("", "mixtral-8x7b-instruct-v0.1", 56.0),
        ("", "qwen3-30b-a3b", 30.0),
        ("", "qwen2.5-14b-instruct-1m", 14.0),
        ("unknown", "llama-3.2-3b", 3.0),
    ],
)
def test_parameters_are_read(params: str, key: str, billions: float) -> None:
    """From the host's label; where it has none, from the name."""
    assert params_billion(card(key, params=params)) == pytest.approx(billions)


@pytest.mark.parametrize("key", ["phi-3-mini-128k-instruct", "mystery-4bit", "gpt-2"])
def test_parameters_are_guessed_from_the_size(key: str) -> None:
    """A name without a count: 0.6 bytes each."""
    assert params_billion(card(key, size_bytes=600_000_000)) == pytest.approx(1.0)


def test_parameters_of_an_empty_listing_are_unknown() -> None:
    assert params_billion(card("mystery", size_bytes=0)) is None


def test_what_is_not_loaded_pays() -> None:  # 5
    """3.5 points, and its load for two requests: two seconds and its size at 1.5 GB/s."""
    one, request = card("a", params="4B", size_bytes=3_000_000_000), task(quality=0.5)

    loss = score(request, one) - score(request, one, resident=False)
    assert loss == pytest.approx(0.035 + 0.002 * 4 / 2)


def test_a_better_model_is_worth_a_switch_and_an_equal_one_is_not() -> None:
    small, equal, large = card("s", params="4B"), card("e", params="4.2B"), card("l", params="14B")

    assert order(task(), small, equal, resident=("s",))[0] == "s"
    assert order(task(), small, large, resident=("s",))[0] == "l"


def test_reasons_add_up_to_the_score() -> None:
    coder = card("coder", params="7B", tool_use=True, quantization="Q3_K_M")
    [candidate] = rank(task("code", tools=True), [coder], resident=())

    told = [float(reason.rsplit(" ", 1)[1]) for reason in candidate.reasons]
    assert sum(told) == pytest.approx(candidate.score, abs=0.003)
    assert candidate.reasons[0].startswith("7B parameters")


def test_who_lacks_a_need_comes_last() -> None:
    seeing = card("tiny-vl", params="0.5B", vision=True)
    blind = card("huge", params="70B")
    ranked = rank(task(vision=True), [blind, seeing], resident=())

    assert [(one.key, one.lacks) for one in ranked] == [
        ("tiny-vl", ()),
        ("huge", ("cannot see images",)),
    ]


def test_embedding_models_are_no_candidates() -> None:
    assert order(task(), card("embed", kind="embedding"), card("chat")) == ["chat"]


@given(st.lists(st.sampled_from("abcdefgh"), unique=True), st.integers())
def test_ties_are_broken_by_key(keys: list[str], seed: int) -> None:
    """However the host lists them, the order is the same."""
    cards = [card(key, params="7B") for key in keys]
    random.Random(seed).shuffle(cards)  # noqa: S311

    assert order(task(), *cards) == sorted(keys)


def parts(request: Task, *cards: ModelCard, **facts: Any) -> dict[str, Mapping[Part, float]]:
    return {one.key: one.parts for one in rank(request, cards, **{"resident": (), **facts})}


def test_seconds_of_the_answer_are_priced_by_the_knob() -> None:
    paces = {"a": Pace(read_tokens_per_second=1e9, tokens_per_second=10.0)}
    for quality, points in ((1.0, 0.0), (0.5, -0.03), (0.0, -3.0)):
        found = parts(task(quality=quality), card("a"), paces=paces)["a"]
        assert found["answer"] == pytest.approx(points)


def test_load_is_shared_by_the_requests_that_it_will_serve() -> None:
    request = task(quality=0.5)
    for run, points in ((1.0, -0.02), (4.0, -0.005)):
        found = parts(request, card("a"), load_s={"a": 10.0}, runs=Runs(mean=run))["a"]
        assert found["load"] == pytest.approx(points)


def test_whoever_is_there_answers_an_easy_chat() -> None:
    """And not what is hard, nor what is no chat."""
    small, large = card("small", params="3B"), card("large", params="9B")

    def first(kind: TaskKind, difficulty: float) -> str:
        features = Features(difficulty=difficulty)
        return order(replace(task(kind), features=features), small, large, resident=("small",))[0]

    assert first("chat", 0.0) == "small"
    assert first("chat", 0.5) == first("code", 0.0) == "large"


@pytest.mark.parametrize("points", [-1.0, 0.0, 0.02])
def test_curiosity_is_for_those_in_memory(points: float) -> None:
    """And it takes nothing away."""
    both = [card("a", params="7B"), card("b", params="7B")]
    found = parts(task(), *both, resident=("a",), curiosity={"a": points, "b": points})

    assert found["a"].get("curious", 0.0) == max(0.0, points)
    assert "curious" not in found["b"]


def test_fastest_wins_at_the_end_of_the_knob_though_nothing_is_loaded() -> None:
    sizes = {"1B": 6e8, "8B": 5e9, "70B": 42e9}
    cards = [card(key, params=key, size_bytes=int(size)) for key, size in sizes.items()]

    assert order(task(quality=0.0), *cards) == ["1B", "8B", "70B"]
    assert order(task(quality=1.0), *cards) == ["70B", "8B", "1B"]


@pytest.mark.parametrize("hint", ["in_tool_loop", "again"])
def test_who_has_the_turn_comes_first_at_any_price(hint: str) -> None:
    slow, quick = card("slow", params="70B", size_bytes=42 * 10**9), card("quick", params="1B")
    hints: dict[str, Any] = {"quality": 0.0, "last_model": "slow", hint: True}

    request = replace(task(), hints=Hints(**hints))
    assert order(request, slow, quick, resident=("quick",)) == ["slow", "quick"]
    seeing = replace(request, needs=Needs(vision=True))
    assert order(seeing, slow, replace(quick, vision=True)) == ["quick", "slow"]


def test_what_stands_in_the_conversation_is_read_once() -> None:
    """By a model that has it in memory; another one reads all of it."""
    needs = Needs(context_tokens=100, wanted_tokens=5512)
    paces = dict.fromkeys("ab", Pace(read_tokens_per_second=100.0, tokens_per_second=1e9))
    request = replace(task(), needs=needs, hints=Hints(last_model="a"))
    found = {
        one.key: one.answer_s
        for one in rank(request, [card("a"), card("b")], resident=("a", "b"), paces=paces)
    }

    assert found == {"a": pytest.approx(1.0), "b": pytest.approx(50.0)}


def test_settled_is_the_score_without_what_passes() -> None:
    request = replace(task(), hints=Hints(last_model="a", quality=0.5))
    [away] = rank(request, [card("a")], resident=())
    [there] = rank(request, [card("a")], resident=("a",), curiosity={"a": 0.01})

    assert away.settled == pytest.approx(there.settled, abs=1e-5)
    assert there.score > there.settled > away.settled - 0.06


def test_who_has_been_the_best_before_needs_less_of_a_margin() -> None:
    runs = Runs(best="a", length=2)
    found = parts(task(), card("a"), card("b"), runs=runs)

    assert found["a"]["margin"] == pytest.approx(-0.035 / 3)
    assert found["b"]["margin"] == pytest.approx(-0.035)
