"""Which models a caller means, and what the wishes do to the order."""

import pytest

from langchain_lmswitch.policy.ranking import rank
from langchain_lmswitch.policy.wishes import abilities, exactly, matches, unmet
from langchain_lmswitch.testing import card
from langchain_lmswitch.types.models import ModelCard
from langchain_lmswitch.types.tasks import Hints, Task

CODER = card("qwen2.5-coder-7b", params="7B", tool_use=True)
EYES = card("gemma-3-4b", params="4B", vision=True)
GIANT = card("llama-70b", params="70B", size_bytes=40 * 2**30)
ALL = [CODER, EYES, GIANT]


def order(hints: Hints, *cards: ModelCard, resident: tuple[str, ...] = ()) -> list[str]:
    task = Task(kind="chat", confidence=0.5, evidence="no sign", hints=hints)
    return [one.key for one in rank(task, cards or ALL, resident=resident)]


@pytest.mark.parametrize(
    ("wish", "meant"),
    [
        ("qwen2.5-coder-7b", [CODER]),
        ("Coder", [CODER]),
        ("*-3-*", [EYES]),
        ("llama-?0b", [GIANT]),
        ("vision", [EYES]),
        (" tools ", [CODER]),
        ("nobody", []),
        ("", []),
    ],
)
def test_what_a_wish_means(wish: str, meant: list[ModelCard]) -> None:
    assert [one for one in ALL if matches(one, wish)] == meant


@pytest.mark.parametrize(
    ("required", "able"),
    [
        ([], ALL),
        (["coder"], [CODER]),
        (["coder", "llama"], [CODER, GIANT]),
        (["tools"], [CODER]),
        (["tools", "llama"], []),
        (["vision", "gemma"], [EYES]),
    ],
)
def test_what_is_required(required: list[str], able: list[ModelCard]) -> None:
    """Every ability, and one of the models."""
    assert [one for one in ALL if not unmet(one, required)] == able


def test_what_is_missing_is_named() -> None:
    assert unmet(GIANT, ["vision", "coder"]) == (
        "lacks 'vision', which you require",
        "is none of 'coder', which you require",
    )


def test_abilities_are_listed() -> None:
    assert [abilities(one) for one in ALL] == [("tools",), ("vision",), ()]


def test_preferred_model_comes_first_where_the_difference_is_small() -> None:
    assert order(Hints(prefer=("gemma",)), CODER, EYES)[0] == EYES.key
    assert order(Hints(), CODER, EYES)[0] == EYES.key  # a coder is not at its best in a chat
    assert order(Hints(prefer=("coder",)), CODER, EYES)[0] == CODER.key


def test_required_model_is_the_only_one_that_can() -> None:
    task = Task(kind="chat", confidence=0.5, evidence="x", hints=Hints(require=("gemma",)))

    assert [one.key for one in rank(task, ALL, resident=()) if not one.lacks] == [EYES.key]


def test_quality_shifts_between_the_best_and_the_quickest() -> None:
    """The giant takes most of half a minute to load; the small one is there."""
    small = card("small", params="3B")

    assert order(Hints(quality=1.0), small, GIANT, resident=("small",))[0] == GIANT.key
    assert order(Hints(quality=0.0), small, GIANT, resident=("small",))[0] == "small"


def test_model_of_the_last_answer_wins_a_close_race_only() -> None:
    near = [card("a", params="7B"), card("b", params="8B")]

    assert order(Hints(), *near)[0] == "b"
    assert order(Hints(last_model="a"), *near)[0] == "a"
    assert order(Hints(last_model="a", quality=0.9), near[0], GIANT)[0] == GIANT.key


def test_model_stays_inside_its_tool_loop() -> None:
    """Another one would have to make sense of calls that it did not make."""
    loop = Hints(last_model="qwen2.5-coder-7b", in_tool_loop=True)

    assert order(loop)[0] == CODER.key


@pytest.mark.parametrize("key", ["qwen", "pub/qwen-2.5", "odd[1]*", "?"])
def test_a_wish_for_exactly_one_key(key: str) -> None:
    assert matches(card(key), exactly(key))
    assert not matches(card(f"{key}-coder"), exactly(key))
    assert not matches(card(f"x{key}"), exactly(key))
