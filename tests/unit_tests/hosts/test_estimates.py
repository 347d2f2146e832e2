"""What a load would cost, where the host itself cannot tell."""

from dataclasses import replace
from pathlib import Path

import pytest
from unit_tests.embedded.gguf_writer import model_metadata, write_model

from langchain_lmswitch.hosts.lmstudio import estimates
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.types.models import LoadSpec, ModelCard

SPEC = LoadSpec(key="tiny", context_tokens=1024)


def card(path: str) -> ModelCard:
    return ModelCard(key="tiny", path=path, size_bytes=91_000_000, params="135M")


def test_the_header_of_a_file_at_hand_is_read(tmp_path: Path) -> None:
    models = tmp_path / "models"
    (models / "pub" / "tiny").mkdir(parents=True)
    write_model(models / "pub" / "tiny" / "tiny.gguf", model_metadata())
    settings = Settings(home=tmp_path, model_folders=(models,))
    footprint = estimates.by_file(SPEC, card("pub/tiny/tiny.gguf"), settings)
    assert footprint is not None
    assert (footprint.source, footprint.weights_bytes) == ("header", 91_000_000)


@pytest.mark.parametrize("path", ["", "pub/none.gguf", "pub/tiny.safetensors", "../secret.gguf"])
def test_a_file_that_is_elsewhere_is_not_looked_for(tmp_path: Path, path: str) -> None:
    write_model(tmp_path / "secret.gguf", model_metadata())
    settings = Settings(home=tmp_path / "home", model_folders=(tmp_path / "models",))
    assert estimates.by_file(SPEC, card(path), settings) is None


def test_the_size_is_the_last_resort() -> None:
    footprint = estimates.by_size(SPEC, card(""), Settings())
    assert footprint.source == "size"
    assert footprint.total_bytes > 91_000_000


def test_an_encoder_keeps_no_cache() -> None:
    encoder = replace(card(""), kind="embedding")
    assert estimates.by_size(SPEC, encoder, Settings()).kv_bytes == 0


@pytest.mark.parametrize("told", [None, {}, {"memory": {}}, {"memory": {"totalBytes": "much"}}])
def test_what_is_no_estimate_is_none(told: object) -> None:
    assert estimates.by_host(told) is None
