"""What the user's tables say of one model."""

import pytest

from langchain_lmswitch.policy.tuning import Tuning, capped, tuned
from langchain_lmswitch.settings import ModelSettings
from langchain_lmswitch.testing import card

CODER = card("qwen2.5-coder-7b", max_context_tokens=32768)


def table(models: str, **says: object) -> ModelSettings:
    return ModelSettings.model_validate({"models": models, **says})


def test_without_tables_all_is_as_usual() -> None:
    assert tuned(CODER, ()) == Tuning()
    assert tuned(CODER, [table("chat", pin=True, parallel=4)]) == Tuning()
    assert capped(CODER, ()) is CODER


@pytest.mark.parametrize("name", ["qwen2.5-coder-7b", "Coder", "qwen*"])
def test_a_key_a_part_of_it_and_a_glob_mean_a_model(name: str) -> None:
    said = tuned(CODER, [table(name, pin=True, max_context=4096, parallel=3, ttl_s=60)])

    assert said == Tuning(pinned=True, most_context_tokens=4096, parallel=3, ttl_s=60)


def test_the_first_table_that_says_anything_of_a_field_counts() -> None:
    tables = [
        table("coder-7b", pin=False, ttl_s=0),
        table("qwen*", pin=True, parallel=2, ttl_s=60),
        table("*", max_context=2048, parallel=8),
    ]

    said = Tuning(pinned=False, most_context_tokens=2048, parallel=2, ttl_s=0)
    assert tuned(CODER, tables) == said
    assert tuned(card("qwen3-8b"), tables).pinned is True


@pytest.mark.parametrize(
    ("trained_tokens", "most_tokens", "left_tokens", "is_capped"),
    [
        (32768, 4096, 4096, True),
        (0, 4096, 4096, True),
        (2048, 4096, 2048, False),
        (4096, 4096, 4096, False),
    ],
)
def test_a_cap_takes_context_and_gives_none(
    trained_tokens: int,
    most_tokens: int,
    left_tokens: int,
    is_capped: bool,  # noqa: FBT001 - a case
) -> None:
    one = card("coder", max_context_tokens=trained_tokens)
    found = capped(one, [table("coder", max_context=most_tokens)])

    assert (found.max_context_tokens, found.capped) == (left_tokens, is_capped)
