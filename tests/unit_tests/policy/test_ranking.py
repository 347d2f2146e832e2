"""Scores of models for a task, and their order."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_lmswitch.policy.prior import params_billion
from langchain_lmswitch.policy.ranking import rank
from langchain_lmswitch.testing import card
from langchain_lmswitch.types.models import ModelCard
from langchain_lmswitch.types.tasks import Needs, Task, TaskKind


def task(kind: TaskKind = "chat", *, tools: bool = False, vision: bool = False) -> Task:
    needs = Needs(tools=tools, vision=vision)
    return Task(kind=kind, confidence=0.8, evidence="a word", needs=needs)


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
    """Two seconds and its size at 1.5 GB/s, at two thousandths a second, and three points."""
    one = card("a", params="4B", size_bytes=3_000_000_000)

    loss = score(task(), one) - score(task(), one, resident=False)
    assert loss == pytest.approx(0.03 + 0.002 * 4)


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
