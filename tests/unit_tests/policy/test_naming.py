"""Which model a name means."""

import pytest

from langchain_lmswitch.errors import UnknownModel
from langchain_lmswitch.policy.naming import card_of, find_card, nearest
from langchain_lmswitch.testing import card
from langchain_lmswitch.types.models import Resident

CARDS = [
    card("qwen2.5-coder-7b"),
    card("qwen3-8b"),
    card("gemma-3-4b"),
    card("nomic-embed", kind="embedding"),
]
RESIDENTS = [Resident(key="gemma-3-4b", identifier="mine")]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("qwen3-8b", "qwen3-8b"),
        ("mine", "gemma-3-4b"),
        ("coder", "qwen2.5-coder-7b"),
        ("GEMMA", "gemma-3-4b"),
    ],
)
def test_what_a_name_means(name: str, key: str) -> None:
    assert find_card(name, CARDS, residents=RESIDENTS).key == key


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("qwen", ("qwen2.5-coder-7b", "qwen3-8b")),
        ("quen3-8b", ("qwen3-8b",)),
        ("nomic-embed", ()),
        ("", ()),
    ],
)
def test_name_of_none_or_of_several(name: str, meant: tuple[str, ...]) -> None:
    """It is no guess which of them is meant."""
    with pytest.raises(UnknownModel) as caught:
        find_card(name, CARDS)

    assert caught.value.nearest[: len(meant)] == meant


def test_whole_key_goes_before_a_part_of_another() -> None:
    assert find_card("qwen", [card("qwen"), card("qwen-coder")]).key == "qwen"


def test_name_of_the_other_kind() -> None:
    assert find_card("nomic", CARDS, kind="embedding").key == "nomic-embed"


def test_key_that_has_gone_does_not_become_another() -> None:
    with pytest.raises(UnknownModel):
        card_of("qwen", [card("qwen-coder")])


def test_nearest_are_those_that_contain_it() -> None:
    assert nearest("embed", [one.key for one in CARDS]) == ["nomic-embed"]


BOTH = [
    card("qwen3-8b"),
    card("qwen3-4b"),
    card("gemma-3-4b"),
    card("qwen3-embedding-0.6b", kind="embedding"),
    card("gemma", kind="embedding"),
]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("embed", "qwen3-embedding-0.6b"),
        ("gemma", "gemma"),
        ("gem", "gemma-3-4b"),
        ("qwen3-8b", "qwen3-8b"),
    ],
)
def test_of_any_kind_a_chat_model_is_meant_first(name: str, key: str) -> None:
    assert find_card(name, BOTH, kind=None).key == key


def test_an_embedding_model_is_not_meant_by_what_fits_several_chat_models() -> None:
    with pytest.raises(UnknownModel) as unknown:
        find_card("qwen3", BOTH, kind=None)
    assert unknown.value.nearest == ("qwen3-8b", "qwen3-4b", "qwen3-embedding-0.6b")
